"""A clerk at a named counter (窗口) sees a person with their document: 中级.

Who was there, where, and which document was seen stays with the evidence. By lot, some sightings are
looked at again by another clerk, who confirms them or has the evidence withdrawn at once (four eyes).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from idp import accounts, evidence, evidence_policy, lowering
from idp.accounts import Particulars
from idp.identity_documents import RULES
from idp.identity_documents import Document as Paper
from idp.level_errors import (
    ClerkReviewsThemselves,
    CounterFieldWrong,
    CounterIsNotTheirs,
    CounterNumberUnknown,
    CounterPersonDiffers,
    CounterUnknown,
    SightingGone,
)
from idp.levels import Evidence, EvidenceKind, Standing
from idp.provider import Provider
from idp.register_check import as_printed
from idp.staffing import appointments, bodies
from idp.tables import CounterRow, PersonRow, SightingRow
from keys import journal
from keys.identity_numbers import uscc

SERVE = "counter.serve"
"""The scope of who sits at a counter of their body."""

ONE_IN = 10
"""Of so many sightings one is looked at again, by lot."""

_LONGEST = 100
_MOST_WAITING = 50
"""How many sightings a clerk is shown at once."""


class Tier(StrEnum):
    """Whose counter it is: of the province, a city, a county, or a neighbourhood (便民中心)."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    NEIGHBOURHOOD = "neighbourhood"


class Document(StrEnum):
    """What may be held up at a counter."""

    RESIDENT_ID = "resident-id-card"
    TEMPORARY_ID = "temporary-id-card"
    PASSPORT = "passport"
    PERMIT = "travel-or-residence-permit"
    FOREIGN_RESIDENT = "foreign-permanent-resident-card"


PAPERS: Mapping[Document, frozenset[Paper]] = MappingProxyType(
    {
        Document.RESIDENT_ID: frozenset({Paper.RESIDENT_ID}),
        Document.TEMPORARY_ID: frozenset({Paper.RESIDENT_ID}),
        Document.PASSPORT: frozenset({Paper.PASSPORT}),
        Document.PERMIT: frozenset(
            {Paper.RESIDENCE_PERMIT, Paper.HK_MACAO_PERMIT, Paper.TAIWAN_PERMIT}
        ),
        Document.FOREIGN_RESIDENT: frozenset({Paper.PERMANENT_RESIDENCE}),
    }
)
"""Which papers of accounts each of these is: the number on it is theirs."""


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter: its own code, its name, whose it is (USCC), of which tier, in which division."""

    code: str
    name: str
    body: str
    tier: Tier
    region: str

    @property
    def told(self) -> dict[str, str]:
        """What stays with whatever was done here: the counter as it was then."""
        return {
            "counter": self.code,
            "counter_name": self.name,
            "body": self.body,
            "tier": self.tier,
            "region": self.region,
        }


@dataclass(frozen=True, slots=True)
class Seen:
    """What a clerk saw: at which counter, which document, and what stands on it."""

    counter: str
    document: Document
    number: str = field(repr=False)
    name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A sighting that another clerk is to look at again."""

    id: int
    counter: str
    document: str
    clerk: str
    at: datetime
    name: str = field(repr=False)
    number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Risen:
    """Where the person stands now, and whether another clerk will look at it again."""

    name: str = field(repr=False)
    standing: Standing
    to_review: bool


def place(tx: Session, provider: Provider, counter: Counter, *, by: str) -> None:
    """Name a counter, or change it. Raises `CounterFieldWrong`, `NumberWrong` (USCC)."""
    for name, text in (("code", counter.code), ("name", counter.name)):
        if not 0 < len(text) <= _LONGEST or not text.isprintable():
            raise CounterFieldWrong(field=name)
    if not (counter.region.isascii() and counter.region.isdigit()):
        raise CounterFieldWrong(field="region")
    row = {
        "code": counter.code,
        "name": counter.name,
        "body": uscc(counter.body),
        "tier": counter.tier,
        "region": counter.region,
    }
    statement = insert(CounterRow).values(row)
    tx.execute(statement.on_conflict_do_update(index_elements=["code"], set_=row))
    details = {"body": row["body"], "tier": row["tier"], "region": row["region"]}
    _journal(tx, provider, by, "counter.placed", counter.code, details)


def every(tx: Session) -> list[Counter]:
    """All counters, by division and code."""
    rows = tx.scalars(select(CounterRow).order_by(CounterRow.region, CounterRow.code))
    return [Counter(row.code, row.name, row.body, Tier(row.tier), row.region) for row in rows]


def of_clerk(tx: Session, provider: Provider, clerk: str) -> list[Counter]:
    """The counters at which this member of staff may serve now."""
    posts = [one for one in appointments.live(tx, provider, clerk) if SERVE in one.scopes]
    reached = [bodies.below(tx, one.body) if one.below else {one.body} for one in posts]
    theirs = frozenset[str]().union(*reached)
    return [counter for counter in every(tx) if counter.body in theirs]


def serving(tx: Session, provider: Provider, clerk: str, code: str) -> Counter:
    """The counter of this code, where the clerk serves. Raises `CounterUnknown`, `CounterIsNotTheirs`."""
    at = _counter(tx, code)
    if not appointments.permits(tx, provider, clerk, SERVE, at.body):
        raise CounterIsNotTheirs
    return at


def record(tx: Session, provider: Provider, clerk: str, seen: Seen) -> Risen:
    """The clerk has the person and their document before them: keep that, with the counter's name.

    Raises `CounterUnknown`, `CounterIsNotTheirs`, `CounterNumberUnknown`, `CounterPersonDiffers`.
    """
    at = serving(tx, provider, clerk, seen.counter)
    person = _person(tx, provider, seen)
    now, kind, to_review = provider.clock(), EvidenceKind.COUNTER, _drawn(provider)
    piece = Evidence(
        kind=kind,
        source="counter",
        reference=provider.handle(12),
        compared=("name", "number"),
        happened_at=now,
        valid_until=evidence_policy.valid_until(kind, now),
        by=clerk,
        details={**at.told, "document": seen.document.value},
    )
    tx.add(
        SightingRow(
            evidence=evidence.record(tx, provider, person.subject, piece),
            subject=person.subject,
            clerk=clerk,
            counter=at.code,
            document=seen.document.value,
            at=now,
            to_review=to_review,
        )
    )
    tx.flush()
    return Risen(person.name, accounts.standing(tx, provider, person.subject), to_review)


def to_review(tx: Session, provider: Provider, clerk: str) -> list[Sighting]:
    """What waits for a second look by this clerk, the oldest first: never what they saw themselves."""
    ours = {counter.code: counter for counter in of_clerk(tx, provider, clerk)}
    query = (
        select(SightingRow)
        .join(PersonRow, PersonRow.subject == SightingRow.subject)
        .where(PersonRow.closed_at.is_(None), SightingRow.counter.in_(ours))
        .where(SightingRow.to_review, SightingRow.reviewed_at.is_(None))
        .where(SightingRow.clerk != clerk)
        .order_by(SightingRow.id)
        .limit(_MOST_WAITING)
    )
    return [_sighting(tx, provider, row, ours[row.counter].name) for row in tx.scalars(query)]


def review(tx: Session, provider: Provider, clerk: str, number: int, *, good: bool) -> None:
    """The second clerk confirms a sighting, or has its evidence withdrawn; the level falls at once.

    Raises `SightingGone` when somebody was quicker, `ClerkReviewsThemselves`, `CounterIsNotTheirs`.
    """
    row = tx.get(SightingRow, number)
    if row is None or not row.to_review:
        raise SightingGone
    if row.clerk == clerk:
        raise ClerkReviewsThemselves
    serving(tx, provider, clerk, row.counter)
    told = {"reviewed_at": provider.clock(), "reviewed_by": clerk, "good": good}
    waiting = SightingRow.id == number, SightingRow.reviewed_at.is_(None)
    statement = update(SightingRow).where(*waiting).values(**told).returning(SightingRow.id)
    if tx.scalar(statement) is None:
        raise SightingGone
    details = {"sighting": str(number), "good": str(good).lower()}
    _journal(tx, provider, clerk, "sighting.reviewed", row.subject, details)
    if not good:
        why = "refused-by-second-clerk"
        evidence.withdraw(tx, provider, row.evidence, by=clerk, why=why)
        lowering.settle(tx, provider, row.subject, by=clerk)


def _person(tx: Session, provider: Provider, seen: Seen) -> Particulars:
    """Whose document it is. Raises `CounterNumberUnknown`, `CounterPersonDiffers`."""
    subject = accounts.of_paper(tx, provider, seen.number, PAPERS[seen.document])
    if subject is None:
        raise CounterNumberUnknown
    person = accounts.particulars(tx, provider, subject)
    if person.name != as_printed(RULES[Paper(person.document)], seen.name):
        raise CounterPersonDiffers
    return person


def _sighting(tx: Session, provider: Provider, row: SightingRow, counter: str) -> Sighting:
    person = accounts.person(tx, provider, row.subject)
    return Sighting(row.id, counter, row.document, row.clerk, row.at, person.name, person.number)


def _drawn(provider: Provider) -> bool:
    """Whether the lot falls on this one."""
    return int.from_bytes(provider.random(4)) % ONE_IN == 0


def _counter(tx: Session, code: str) -> Counter:
    row = tx.get(CounterRow, code)
    if row is None:
        raise CounterUnknown
    return Counter(row.code, row.name, row.body, Tier(row.tier), row.region)


def _journal(
    tx: Session, provider: Provider, by: str, action: str, subject: str, details: dict[str, str]
) -> None:
    journal.append(
        tx, at=provider.clock(), actor=by, action=action, subject=subject, details=details
    )
