"""The papers a person registers with, as one table: whose number, which register answers, what is asked.

Codes are those of GA/T 2000.156. Eighteen-character numbers of all papers share one space of numbers:
within it, and within that of each other paper, a number is one person's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from keys import identity_numbers
from keys.identity_numbers import NumberWrong, ResidencePermitForm, ResidentIdPermit

CITIZEN_NUMBERS = "resident_id"
"""The space of eighteen-character numbers, as the keyed index calls it."""


class Document(StrEnum):
    """A paper, as it is called in `person.document` and in claims."""

    RESIDENT_ID = "resident_id"
    RESIDENCE_PERMIT = "residence_permit"
    HK_MACAO_PERMIT = "hk_macao_permit"
    TAIWAN_PERMIT = "taiwan_permit"
    PERMANENT_RESIDENCE = "permanent_residence"
    PASSPORT = "passport"


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds of one paper.

    `read` normalises its number or raises `NumberWrong`; `nationality` says what the number tells of
    that (GB/T 2659, three letters; "" for nothing); `asks` are the particulars that are typed besides
    number and name; `by_population_register`: else the exit and entry administration answers.
    """

    document: Document
    code: str
    read: Callable[[str], str]
    asks: tuple[str, ...]
    nationality: Callable[[str], str] = lambda number: ""
    by_population_register: bool = False

    def space(self, number: str) -> str:
        """The space in which this number is unique."""
        return CITIZEN_NUMBERS if _holds_birthdate(number) else self.document.value

    def key(self, number: str, nationality: str) -> str:
        """What is unique in that space: two states may give out the same passport number."""
        return f"{nationality}{number}" if self.document is Document.PASSPORT else number


_REGIONS: Mapping[str, str] = MappingProxyType({"81": "HKG", "82": "MAC", "83": "TWN"})
"""By the beginning of a residence permit's number."""


def birthdate(number: str) -> date | None:
    """The birth date that stands in the number, if one does."""
    return identity_numbers.birthdate(number) if _holds_birthdate(number) else None


def index_names(typed: str) -> tuple[tuple[str, str], ...]:
    """The space and key of every number that a text can be.

    A passport is typed after its state and a space: `DEU C01X00T47`.
    """
    found: dict[tuple[str, str], None] = {}
    state, _, rest = typed.strip().partition(" ")
    for rule in RULES.values():
        try:
            number = rule.read(rest if rule.document is Document.PASSPORT else typed)
        except NumberWrong:
            continue
        found[rule.space(number), rule.key(number, state.upper())] = None
    return tuple(found)


def _resident_id(text: str) -> str:
    number = identity_numbers.resident_id(text)
    if number[:2] in _REGIONS:
        raise ResidentIdPermit
    return number


def _residence_permit(text: str) -> str:
    number = identity_numbers.resident_id(text)
    if number[:2] not in _REGIONS:
        raise ResidencePermitForm
    return number


def _holds_birthdate(number: str) -> bool:
    return len(number) == 18


RULES: Mapping[Document, Rule] = MappingProxyType(
    {
        rule.document: rule
        for rule in (
            Rule(
                Document.RESIDENT_ID,
                "111",
                _resident_id,
                ("ethnicity", "sex"),
                nationality=lambda number: "CHN",
                by_population_register=True,
            ),
            # Its number is one of GB 11643, so its code is that number's.
            Rule(
                Document.RESIDENCE_PERMIT,
                "111",
                _residence_permit,
                (),
                nationality=lambda number: _REGIONS[number[:2]],
            ),
            Rule(
                Document.HK_MACAO_PERMIT,
                "516",
                identity_numbers.hk_macao_permit,
                ("birthdate",),
                nationality=lambda number: "HKG" if number.startswith("H") else "MAC",
            ),
            Rule(
                Document.TAIWAN_PERMIT,
                "511",
                identity_numbers.taiwan_permit,
                ("birthdate",),
                nationality=lambda number: "TWN",
            ),
            Rule(
                Document.PERMANENT_RESIDENCE,
                "553",
                identity_numbers.permanent_residence,
                ("nationality", "birthdate"),
            ),
            Rule(
                Document.PASSPORT,
                "414",
                identity_numbers.passport,
                ("nationality", "birthdate"),
            ),
        )
    }
)
"""The table."""
