"""The exit and entry administration (移民管理): the papers of people without a resident identity card.

It answers which particulars of a paper agree, and what became of the paper; never what it holds.
"""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Protocol

from idp.sources.agreement import Agreement, compare
from idp.sources.line import Answer, Line

PARTICULARS = ("number", "name", "nationality", "birthdate")


@dataclass(frozen=True, slots=True)
class ForeignDescription:
    """What is compared: 证件号码、姓名 as printed、国家或地区 (GB/T 2659, three letters)、出生日期.

    `document` is the kind of paper, a code of GA/T 2000.156 (`idp.identity_documents`).
    """

    document: str
    number: str = field(repr=False)
    name: str = field(repr=False)
    nationality: str
    birthdate: date = field(repr=False)


class PaperState(StrEnum):
    """What became of a paper, or of who had it."""

    CURRENT = "current"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    DECEASED = "deceased"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PaperStatus:
    """The state of a paper now, and the administration's reference of the answer."""

    reference: str
    state: PaperState


class ExitEntryRegister(Protocol):
    """The port. Raises `SourceUnavailable` when there is no answer to rely on."""

    def check(self, person: ForeignDescription) -> Agreement: ...

    def status(self, document: str, number: str, nationality: str) -> PaperStatus: ...


class _Status(Answer):
    reference: str
    state: PaperState


class HttpExitEntryRegister:
    """The administration over HTTP."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def check(self, person: ForeignDescription) -> Agreement:
        """Compare the four particulars of the paper."""
        question = {
            "document": person.document,
            "number": person.number,
            "name": person.name,
            "nationality": person.nationality,
            "birthdate": person.birthdate.isoformat(),
        }
        return compare(self._line, "/exit-entry/checks", question, PARTICULARS)

    def status(self, document: str, number: str, nationality: str) -> PaperStatus:
        """Ask whether the paper is still good; two states may give out one passport number."""
        question = {"document": document, "number": number, "nationality": nationality}
        answer = self._line.ask("/exit-entry/states", question, _Status)
        return PaperStatus(answer.reference, answer.state)
