"""The ladders of levels, of natural persons and of legal entities, and what evidence makes one stand.

The ladders are data and `standing_level` is pure: evidence and the moment in, level and reasons out.
A level never stands on anything but dated evidence that is live now. The highest rung, 高级, never
stands: it is a live check within one transaction, and so nothing here leads to it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from idp.vocabulary import Realm


class Ladder(StrEnum):
    """Whose levels: neither is ever inferred from the other."""

    NATURAL = "natural"
    LEGAL = "legal"


class EvidenceKind(StrEnum):
    """What happened that speaks for a person or an entity."""

    SMS_CODE = "sms-code"
    POPULATION_REGISTER = "population-register"
    EXIT_ENTRY_REGISTER = "exit-entry-register"
    COUNTER = "counter"
    ALIPAY = "alipay"
    UNIONPAY = "unionpay"
    HOUSING_FUND = "housing-fund"
    LIVE_PERSON = "live-person"
    BUSINESS_REGISTER = "business-register"
    TAX_FILER = "tax-filer"
    ENTERPRISE_CERTIFICATE = "enterprise-certificate"
    UPSTREAM = "upstream"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One dated piece of evidence: from where, under what reference, what was compared, until when.

    `by` is who recorded it: a clerk's subject, the person's own, `service` or `import`. `details` are
    what the kind asks for besides: the counter, the score and its threshold; never a number, never
    what a source holds. `id` is given when it is stored.
    """

    kind: EvidenceKind
    source: str
    reference: str
    compared: tuple[str, ...]
    happened_at: datetime
    valid_until: datetime | None = None
    by: str = "service"
    details: Mapping[str, str] = field(default_factory=dict)
    withdrawn_at: datetime | None = None
    id: int | None = None

    def live(self, now: datetime) -> bool:
        """Has it happened, and neither lapsed nor been withdrawn?"""
        if self.withdrawn_at is not None and self.withdrawn_at <= now:
            return False
        return self.happened_at <= now and (self.valid_until is None or now < self.valid_until)


@dataclass(frozen=True, slots=True)
class Level:
    """One rung: its number, its `acr` value and its names."""

    number: int
    acr: str
    name_zh: str
    name_en: str


_NAMES = (("匿名", "anonymous"), ("初级", "basic"), ("中级", "intermediate"), ("高级", "advanced"))

NATURAL, LEGAL = (
    tuple(
        Level(number, f"urn:yinxin:level:{ladder}:{number}", *names)
        for number, names in enumerate(_NAMES)
    )
    for ladder in (Ladder.NATURAL, Ladder.LEGAL)
)

STAFF = (
    Level(0, "urn:yinxin:level:staff:0", "未完成登录", "sign-in not complete"),
    Level(1, "urn:yinxin:level:staff:1", "工作人员", "staff"),
)
"""Staff stand on no ladder of ours, their organisation answers for them: 1 is two factors."""

LADDERS: Mapping[Ladder, tuple[Level, ...]] = MappingProxyType(
    {Ladder.NATURAL: NATURAL, Ladder.LEGAL: LEGAL}
)

HIGHEST_STANDING = 2
ADVANCED = 3
"""高级, of one transaction."""

_BY_ACR = {level.acr: level for level in (*NATURAL, *LEGAL, *STAFF)}


def by_acr(acr: str) -> Level | None:
    """The rung of an `acr` value, or `None` for a value that is not ours."""
    return _BY_ACR.get(acr)


def of_number(realm: Realm, number: int) -> Level:
    """The rung of this number in a realm, of a sign-in: citizens stand on the natural ladder."""
    return (STAFF if realm is Realm.STAFF else NATURAL)[number]


@dataclass(frozen=True, slots=True)
class Need:
    """Evidence of a kind that has compared at least these."""

    kind: EvidenceKind
    compared: tuple[str, ...]

    def met_by(self, evidence: Evidence) -> bool:
        """Whether this evidence is it, live or not."""
        return evidence.kind is self.kind and set(self.compared) <= set(evidence.compared)


FOUR_PARTICULARS = ("number", "name", "ethnicity", "sex")
FOREIGN_PARTICULARS = ("number", "name", "nationality", "birthdate")
SEVEN_PARTICULARS = (
    "name",
    "registration_number",
    "uscc",
    "organisation_code",
    "representative_name",
    "representative_number",
    "representative_ethnicity",
)
_NAME_AND_NUMBER = ("name", "number")

Needs = tuple[tuple[Need, ...], ...]
"""All of these, each by any one of its alternatives."""

NEEDED: Mapping[Ladder, Mapping[int, Needs]] = MappingProxyType(
    {
        Ladder.NATURAL: MappingProxyType(
            {
                1: (
                    (Need(EvidenceKind.SMS_CODE, ("phone",)),),
                    (
                        Need(EvidenceKind.POPULATION_REGISTER, FOUR_PARTICULARS),
                        Need(EvidenceKind.EXIT_ENTRY_REGISTER, FOREIGN_PARTICULARS),
                    ),
                ),
                2: (
                    (
                        Need(EvidenceKind.COUNTER, _NAME_AND_NUMBER),
                        Need(EvidenceKind.ALIPAY, _NAME_AND_NUMBER),
                        Need(EvidenceKind.UNIONPAY, (*_NAME_AND_NUMBER, "card", "phone")),
                        Need(EvidenceKind.HOUSING_FUND, _NAME_AND_NUMBER),
                        Need(EvidenceKind.LIVE_PERSON, ("photo", "liveness")),
                    ),
                ),
            }
        ),
        Ladder.LEGAL: MappingProxyType(
            {
                1: ((Need(EvidenceKind.BUSINESS_REGISTER, SEVEN_PARTICULARS),),),
                2: (
                    (
                        Need(EvidenceKind.COUNTER, ("name", "uscc")),
                        Need(EvidenceKind.TAX_FILER, ("uscc",)),
                        Need(EvidenceKind.ENTERPRISE_CERTIFICATE, ("uscc",)),
                    ),
                ),
            }
        ),
    }
)
"""Per ladder and rung: what it needs besides all that the rungs below need."""


def answered_for(rung: Level) -> Need:
    """What stands in for all that a rung needs: another node answers for it, for as long as it says."""
    return Need(EvidenceKind.UPSTREAM, (rung.acr,))


@dataclass(frozen=True, slots=True)
class Standing:
    """The level somebody stands on, the evidence that carries it, and what the next rung still lacks."""

    level: Level
    because: tuple[Evidence, ...]
    lacking: Needs = ()

    @property
    def since(self) -> datetime | None:
        """When the last of what carries it happened; `None` on the lowest rung."""
        return max((evidence.happened_at for evidence in self.because), default=None)

    @property
    def until(self) -> datetime | None:
        """When the first of what carries it lapses, if nothing is renewed; `None` for never."""
        ends = (e.valid_until for e in self.because if e.valid_until is not None)
        return min(ends, default=None)


def standing_level(
    ladder: Ladder, evidence: Iterable[Evidence], now: datetime, at_most: int = HIGHEST_STANDING
) -> Standing:
    """The highest rung whose needs, and those of every rung below, are met by live evidence.

    What is asked about a rung below the highest (`at_most`) is what carries that rung, and no more.
    """
    live = [piece for piece in evidence if piece.live(now)]
    level = LADDERS[ladder][0]
    because: tuple[Evidence, ...] = ()
    for number, needs in sorted(NEEDED[ladder].items()):
        if number > at_most:
            break
        rung = LADDERS[ladder][number]
        carrying = [_strongest(alternatives, live) for alternatives in needs]
        lacking = tuple(a for a, found in zip(needs, carrying, strict=True) if found is None)
        if lacking:
            carrying = [_strongest((answered_for(rung),), live)]
        if None in carrying:
            return Standing(level, because, lacking)
        level = rung
        because += tuple(found for found in carrying if found is not None)
    return Standing(level, because)


def _strongest(alternatives: tuple[Need, ...], live: list[Evidence]) -> Evidence | None:
    """The evidence that meets any of the alternatives and lasts longest; of those, the latest."""
    meeting = [e for e in live if any(need.met_by(e) for need in alternatives)]
    return max(meeting, key=_lasting, default=None)


def _lasting(evidence: Evidence) -> tuple[bool, float, datetime]:
    until = evidence.valid_until
    return until is None, 0.0 if until is None else until.timestamp(), evidence.happened_at
