"""Every city is told of new and changed people (I07): at once, and again until it took it.

Delivery is at least once. Whoever tells claims the people for a minute, reads them as they are, sends
them, and notes what the city took: two that tell at once do not tell the same, and one that dies is
followed by the next. A city that is down costs one try a minute; what a city refuses is told again
person by person after everybody else, so that one who cannot be told holds nobody up.
"""

from collections.abc import Sequence
from datetime import timedelta

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from idp import artifacts, outbox
from idp.artifacts import Kind
from idp.nodes import events, peers, traveller
from idp.nodes.peers import Peer
from idp.nodes.traveller import TRAVELLERS, Traveller
from idp.outgoing import OutgoingFailed
from idp.provider import Provider
from idp.tables import OutboxRow

PERSON_JOB = outbox.PUSH_PERSON
WAITING_JOB = outbox.PUSH_WAITING
EVERYWHERE_JOB = "push_everywhere"
TOGETHER = 50
"""How many people one message tells of."""

_CLAIMED_FOR = timedelta(minutes=1)
_AWAY = Kind("city-away", TypeAdapter(bool), timedelta(minutes=1))
_REFUSED = "status 4%", "status 500"
"""How outcomes begin that may be due to what was told, not to a city that is down."""

_TAKEN = "taken"
_HEADERS = {"Content-Type": events.MEDIA_TYPE, "Accept": "application/json"}


def push_person(provider: Provider, city: str, subject: str) -> None:
    """Tell a city of one person, if it has not been told yet; the job `PERSON_JOB`.

    When the city cannot be told, the person waits for the next `push_everywhere`; while it is known
    to be away nobody tries.
    """
    if artifacts.get(provider, _AWAY, city) is None:
        _push(provider, city, subject)


def push_waiting(provider: Provider, city: str) -> None:
    """Tell a city of everybody who waits, those who wait longest first; the job `WAITING_JOB`."""
    while _push(provider, city, None):
        pass


def push_everywhere(provider: Provider) -> None:
    """The same for every city, every minute; the job `EVERYWHERE_JOB`: what was not taken is told again."""
    with provider.begin() as tx:
        late = [one.city for one in outbox.lag(tx) if one.people]
    for city in late:
        push_waiting(provider, city)


def _push(provider: Provider, city: str, subject: str | None) -> bool:
    """Tell one message; say whether it was taken, so that there may be more to tell."""
    with provider.begin() as tx:
        peer = peers.find(tx, city)
        sequences = _claim(tx, provider, city, subject) or _claim(
            tx, provider, city, subject, refused=True
        )
        people = traveller.read(tx, provider, sequences)
    if peer is None or not people:
        return False
    outcome = _sent(provider, peer, people)
    if outcome != _TAKEN:
        artifacts.keep(provider, _AWAY, city, True)
    with provider.begin() as tx:
        _note(tx, provider, city, people, outcome)
    return outcome == _TAKEN


def _claim(
    tx: Session, provider: Provider, city: str, subject: str | None, *, refused: bool = False
) -> dict[str, int]:
    """Claim who waits and nobody else has in hand: subject and sequence of each.

    Those whom the city `refused` are claimed one by one, who was told least often first.
    The rows stay locked until the people are read: what is read is at least as new as the sequence.
    """
    now = provider.clock()
    key = OutboxRow.city, OutboxRow.subject
    free = or_(OutboxRow.claimed_at.is_(None), OutboxRow.claimed_at <= now - _CLAIMED_FOR)
    waits = select(*key).where(
        OutboxRow.city == city,
        OutboxRow.sequence > OutboxRow.delivered,
        free,
        _was_refused() if refused else ~_was_refused(),
    )
    if subject is not None:
        waits = waits.where(OutboxRow.subject == subject)
    order = OutboxRow.noted_at, OutboxRow.subject
    first = waits.order_by(OutboxRow.attempts, *order) if refused else waits.order_by(*order)
    first = first.limit(1 if refused else TOGETHER)
    chosen = first.with_for_update(skip_locked=True).cte("chosen").prefix_with("MATERIALIZED")
    claimed = (
        update(OutboxRow)
        .where(tuple_(*key).in_(select(chosen)))
        .values(claimed_at=now, attempts=OutboxRow.attempts + 1)
        .returning(OutboxRow.subject, OutboxRow.sequence)
        .execution_options(synchronize_session=False)
    )
    return {row.subject: row.sequence for row in tx.execute(claimed)}


def _was_refused() -> ColumnElement[bool]:
    return or_(*(OutboxRow.outcome.like(start) for start in _REFUSED))


def _sent(provider: Provider, peer: Peer, people: Sequence[Traveller]) -> str:
    """Send the people and return what came of it: `taken`, the status, or the fault on the way."""
    if peer.events_url is None:
        return "unwanted"
    told = {"people": TRAVELLERS.dump_python(tuple(people), mode="json")}
    body = events.make(provider, peer.issuer, events.PEOPLE, told)
    try:
        status, _ = provider.node.line.ask("POST", peer.events_url, _HEADERS, body)
    except OutgoingFailed as failed:
        return failed.reason.value
    return _TAKEN if status == 202 else f"status {status}"  # RFC 8935 §2.2


def _note(
    tx: Session, provider: Provider, city: str, people: Sequence[Traveller], outcome: str
) -> None:
    """Note how it went; what changed meanwhile goes on waiting, since now."""
    of_city = update(OutboxRow).where(OutboxRow.city == city)
    if outcome != _TAKEN:
        subjects = [one.subject for one in people]
        tx.execute(of_city.where(OutboxRow.subject.in_(subjects)).values(outcome=outcome))
        return
    now = provider.clock()
    for one in people:
        told = of_city.where(OutboxRow.subject == one.subject)
        taken = func.greatest(OutboxRow.delivered, one.sequence)
        more = OutboxRow.sequence > one.sequence
        tx.execute(told.values(delivered=taken, outcome=outcome, attempts=0))
        tx.execute(told.where(more).values(noted_at=now))
