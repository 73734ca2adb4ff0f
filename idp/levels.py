"""The ladder of a natural person's levels, and what evidence makes one stand.

The ladder is data and `standing_level` is pure: evidence and the moment in, level and reasons out.
A level never stands on anything but dated evidence that is live now.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from idp.vocabulary import Realm


class EvidenceKind(StrEnum):
    """What happened that speaks for a person."""

    SMS_CODE = "sms-code"
    POPULATION_REGISTER = "population-register"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One dated piece of evidence: from where, under what reference, what was compared, until when."""

    kind: EvidenceKind
    source: str
    reference: str
    compared: tuple[str, ...]
    happened_at: datetime
    valid_until: datetime | None = None

    def live(self, now: datetime) -> bool:
        """Has it happened and not yet lapsed?"""
        return self.happened_at <= now and (self.valid_until is None or now < self.valid_until)


@dataclass(frozen=True, slots=True)
class Level:
    """One rung: its number, its `acr` value and its names."""

    number: int
    acr: str
    name_zh: str
    name_en: str


LADDER = (
    Level(0, "urn:yinxin:level:natural:0", "匿名", "anonymous"),
    Level(1, "urn:yinxin:level:natural:1", "初级", "basic"),
    Level(2, "urn:yinxin:level:natural:2", "中级", "intermediate"),
    Level(3, "urn:yinxin:level:natural:3", "高级", "advanced"),
)

STAFF = Level(1, "urn:yinxin:level:staff:1", "工作人员", "staff")
"""Staff stand on no ladder of ours: their organisation answers for them."""

_BY_ACR = {level.acr: level for level in (*LADDER, STAFF)}


def by_acr(acr: str) -> Level | None:
    """The rung of an `acr` value, or `None` for a value that is not ours."""
    return _BY_ACR.get(acr)


def of_number(realm: Realm, number: int) -> Level:
    """The rung of this number in a realm."""
    return STAFF if realm is Realm.STAFF else LADDER[number]


FOUR_PARTICULARS = ("number", "name", "ethnicity", "sex")

NEEDED: Mapping[int, Mapping[EvidenceKind, tuple[str, ...]]] = MappingProxyType(
    {
        1: {
            EvidenceKind.SMS_CODE: ("phone",),
            EvidenceKind.POPULATION_REGISTER: FOUR_PARTICULARS,
        },
    }
)
"""Per rung: every kind of evidence it needs, and what that evidence must have compared."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The level a person stands on and the evidence that carries it."""

    level: Level
    because: tuple[Evidence, ...]


def standing_level(evidence: Iterable[Evidence], now: datetime) -> Standing:
    """The highest rung whose needs, and those of every rung below, are met by live evidence."""
    live = [piece for piece in evidence if piece.live(now)]
    standing = Standing(LADDER[0], ())
    for number in sorted(NEEDED):
        carrying = _carrying(number, live)
        if carrying is None:
            break
        standing = Standing(LADDER[number], standing.because + carrying)
    return standing


def _carrying(number: int, live: list[Evidence]) -> tuple[Evidence, ...] | None:
    found: list[Evidence] = []
    for kind, compared in NEEDED[number].items():
        speaking = [e for e in live if e.kind is kind and set(compared) <= set(e.compared)]
        if not speaking:
            return None
        found.append(max(speaking, key=lambda e: e.happened_at))
    return tuple(found)
