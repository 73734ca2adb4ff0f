"""The transactional outbox: whatever changes a person notes it here, in its own transaction.

What is noted is that a city has to be told, never what: it is told the person as they are when it is
told (`nodes.push`), and so in order, whatever happens meanwhile. Only rows of natural persons are
ever noted; staff and entities have none, and nothing of them travels.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Text, any_, case, func, literal, null, select, true
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session, aliased

from idp import recognition_partner
from idp.provider import Provider
from idp.tables import OutboxRow, PeerRow, PersonRow

PUSH_PERSON = "push_person"
PUSH_WAITING = "push_waiting"
"""The jobs that tell a city: one person at once, or everything that waits (`nodes.push`)."""

BELOW = "below"
"""The place of a city, from its province."""

WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a city is behind: for how many people, since when, how often and how it last went."""

    city: str
    people: int
    since: datetime | None
    attempts: int
    outcome: str


def note(tx: Session, provider: Provider, subject: str) -> None:
    """Note that a person was registered or changed: every city that is told of people is, at once.

    Does nothing for a subject that is no natural person, or while no city is to be told. Partners who
    know people by a handle have it made anew.
    """
    if provider.node.partners:
        provider.defer(tx, recognition_partner.PERSON_JOB, {"subject": subject})
    for city in _noted(tx, provider, PersonRow.subject == subject):
        provider.defer(tx, PUSH_PERSON, {"city": city, "subject": subject})


def note_many(tx: Session, provider: Provider, subjects: Collection[str]) -> None:
    """The same for many people at once, of whom a city is told in the order of what waits."""
    if subjects and provider.node.partners:
        provider.defer(tx, recognition_partner.EVERYBODY_JOB, {})
    for city in _noted(
        tx, provider, PersonRow.subject == any_(literal([*subjects], ARRAY(Text())))
    ):
        provider.defer(tx, PUSH_WAITING, {"city": city})


def note_everybody(tx: Session, provider: Provider, city: str) -> None:
    """Note everybody for a city that is told of people from now on."""
    for each in _noted(tx, provider, true(), city):
        provider.defer(tx, PUSH_WAITING, {"city": each})


def lag(tx: Session) -> list[Lag]:
    """How far each city is behind, by its issuer; one that is not behind has nobody waiting."""
    late = OutboxRow.sequence > OutboxRow.delivered
    tried = aliased(OutboxRow)
    newest = (
        select(tried.outcome)
        .where(tried.city == PeerRow.issuer, tried.sequence > tried.delivered)
        .order_by(tried.claimed_at.desc().nulls_last())
        .limit(1)
    )
    query = (
        select(
            PeerRow.issuer,
            func.count(OutboxRow.subject).label("people"),
            func.min(OutboxRow.noted_at).label("since"),
            func.coalesce(func.max(OutboxRow.attempts), 0).label("attempts"),
            func.coalesce(newest.scalar_subquery(), "").label("outcome"),
        )
        .outerjoin(OutboxRow, (OutboxRow.city == PeerRow.issuer) & late)
        .where(PeerRow.events_url.is_not(None))
        .group_by(PeerRow.issuer)
        .order_by(PeerRow.issuer)
    )
    return [Lag(*row) for row in tx.execute(query)]


def _noted(
    tx: Session, provider: Provider, who: ColumnElement[bool], city: str | None = None
) -> list[str]:
    """Note the people for `city`, or for every one that is told, and return the cities."""
    now = provider.clock()
    told = PeerRow.place == BELOW, PeerRow.events_url.is_not(None)
    columns = {
        "city": PeerRow.issuer,
        "subject": PersonRow.subject,
        "sequence": literal(1),
        "delivered": literal(0),
        "noted_at": literal(now),
        "claimed_at": null(),
        "attempts": literal(0),
        "outcome": literal(WAITING),
    }
    people = select(*columns.values()).join(PersonRow, true()).where(who, *told)
    if city is not None:
        people = people.where(PeerRow.issuer == city)
    noted = insert(OutboxRow).from_select(list(columns), people.order_by(PersonRow.subject))
    up_to_date = OutboxRow.delivered == OutboxRow.sequence
    changed = noted.on_conflict_do_update(
        index_elements=[OutboxRow.city, OutboxRow.subject],
        set_={
            "sequence": OutboxRow.sequence + 1,
            "noted_at": case((up_to_date, now), else_=OutboxRow.noted_at),
            # Whoever has it in hand tells of what was before: this is told at once.
            "claimed_at": None,
        },
    )
    cities = changed.returning(OutboxRow.city).cte("noted")
    return sorted(tx.scalars(select(cities.c.city).distinct()))
