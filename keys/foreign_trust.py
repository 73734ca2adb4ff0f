"""Another province's authorities and issuers, taken over after review (K06 CA 互认, L17 证照互认).

One person imports what the neighbour's list says, read by the neighbour's pinned root keys; another
accepts it, entry by entry. Any one person can end it again, from a moment on.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.orm import Session

from keys import journal
from keys.algorithms import Purpose
from keys.foreign_entries import (
    ANCHOR_PURPOSES,
    ISSUER_PURPOSES,
    Entry,
    ForeignTrustError,
    check_collisions,
    check_fit,
    document,
    ended,
    kind_of,
    name_of,
    read,
    wanted,
)
from keys.tables import foreign_trust
from keys.trust import Anchor, TrustedIssuer, TrustList

_LONGEST_SOURCE = 64
# Reviews happen one at a time, across processes: two sources must not claim one name together.
_REVIEW_LOCK = 0x59494E46  # "YINF"


class SourceRefused(ForeignTrustError):
    """The source has no name, or one too long."""

    code = "foreign_trust.source_refused"


class PurposeNotForeign(ForeignTrustError):
    """Nobody else is ever trusted for this purpose."""

    code = "foreign_trust.purpose_refused"


class ForeignOlder(ForeignTrustError):
    """The list imported (`version`) is older than one imported before (`known`)."""

    code = "foreign_trust.older"


class ForeignUnknown(ForeignTrustError):
    """There is no entry of this number."""

    code = "foreign_trust.not_found"


class ForeignSettled(ForeignTrustError):
    """The entry is in a `state` that does not allow this."""

    code = "foreign_trust.settled"


class ForeignSamePerson(ForeignTrustError):
    """Who imported an entry cannot be who accepts it."""

    code = "foreign_trust.same_person"


class State(StrEnum):
    """How an entry stands. One that is replaced gave way to a newer one of its name."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"


_LISTED = (State.ACCEPTED, State.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Foreign:
    """An entry of another's list. `valid_until` (aware UTC) is set when it was withdrawn."""

    id: int
    entry: Entry
    state: State
    proposed_by: str
    reviewed_by: str | None
    valid_until: datetime | None


def propose(
    tx: Session,
    source: str,
    told: TrustList,
    purposes: Collection[Purpose],
    *,
    own: TrustList,
    by: str,
    now: datetime,
) -> tuple[int, ...]:
    """Put what `source` says of itself up for review and return the numbers of the new entries.

    `told` is its list, already read by its pinned keys (`trust_signing.read_publication`);
    `purposes` what we want to trust it for; `own` our list as it is. Entries that are as they were
    are passed over. Raises a ForeignTrustError, and then nothing is proposed.
    """
    if not source.strip() or not source.isprintable() or len(source) > _LONGEST_SOURCE:
        raise SourceRefused(longest=_LONGEST_SOURCE)
    for purpose in purposes:
        if purpose not in ANCHOR_PURPOSES | ISSUER_PURPOSES:
            raise PurposeNotForeign(purpose=purpose.value)
    known = _newest_version(tx, source)
    if told.version < known:
        raise ForeignOlder(source=source, version=told.version, known=known)
    entries = wanted(told, source, frozenset(purposes))
    others = _others(tx, source, own)
    for entry in entries:
        check_fit(entry)
        check_collisions(entry, others)
    new = [entry for entry in entries if not _stands(tx, entry)]
    return tuple(_insert(tx, entry, told.version, by, now) for entry in new)


def accept(tx: Session, number: int, *, own: TrustList, by: str, now: datetime) -> Foreign:
    """Trust a proposed entry from now on; an older one of its name gives way.

    Raises ForeignUnknown, ForeignSettled, ForeignSamePerson, ForeignCollision.
    """
    tx.execute(select(func.pg_advisory_xact_lock(_REVIEW_LOCK)))
    row = _proposed(tx, number)
    if row.proposed_by == by:
        raise ForeignSamePerson(name=by)
    entry = _entry(row)
    check_collisions(entry, _others(tx, row.source, own))
    _replace(tx, entry, _LISTED)
    return _review(tx, row, State.ACCEPTED, by, now)


def refuse(tx: Session, number: int, *, by: str, now: datetime) -> Foreign:
    """Turn a proposed entry down. Raises ForeignUnknown, ForeignSettled."""
    return _review(tx, _proposed(tx, number), State.REFUSED, by, now)


def withdraw(tx: Session, number: int, from_when: datetime, *, by: str, now: datetime) -> Foreign:
    """Trust nothing the entry's keys sign at or after `from_when`; what they signed before counts on.

    The moment (aware UTC) may be past, when a key was found lost; it can be brought forward later,
    never put off. Raises ForeignUnknown, ForeignSettled.
    """
    row = _locked(tx, number)
    put_off = row.valid_until is not None and row.valid_until <= from_when
    if row.state not in _LISTED or put_off:
        raise ForeignSettled(number=number, state=row.state)
    changed = {"state": State.WITHDRAWN, "valid_until": from_when}
    return _change(tx, row, "foreign_trust.withdrawn", changed, by, now)


def find(tx: Session, state: State | None = None) -> tuple[Foreign, ...]:
    """Return every entry, or those of one state, oldest first."""
    query = select(foreign_trust).order_by(foreign_trust.c.id)
    if state is not None:
        query = query.where(foreign_trust.c.state == state)
    return tuple(_foreign(row) for row in tx.execute(query))


def trusted(tx: Session) -> tuple[tuple[Anchor, ...], tuple[TrustedIssuer, ...]]:
    """Return the authorities and the issuers of others for our list, ended where withdrawn."""
    entries = _listed(tx)
    return (
        tuple(entry for entry in entries if isinstance(entry, Anchor)),
        tuple(entry for entry in entries if isinstance(entry, TrustedIssuer)),
    )


def _listed(tx: Session) -> tuple[Entry, ...]:
    query = select(foreign_trust).where(foreign_trust.c.state.in_(_LISTED))
    return tuple(ended(_entry(row), row.valid_until) for row in tx.execute(query))


def _others(tx: Session, source: str, own: TrustList) -> tuple[Entry, ...]:
    """Return our own entries, and what was accepted from anybody but `source`."""
    ours: tuple[Entry, ...] = (*own.anchors, *own.issuers)
    return (
        *(entry for entry in ours if not entry.source),
        *(entry for entry in _listed(tx) if entry.source != source),
    )


def _newest_version(tx: Session, source: str) -> int:
    version = foreign_trust.c.content["version"].as_integer()
    return tx.scalar(select(func.max(version)).where(foreign_trust.c.source == source)) or 0


def _stands(tx: Session, entry: Entry) -> bool:
    """Say whether the newest entry of that name says the same, and waits or was accepted."""
    newest = select(foreign_trust).where(*_named(entry)).order_by(foreign_trust.c.id.desc())
    row = tx.execute(newest.limit(1)).first()
    if row is None or row.state not in (State.PROPOSED, State.ACCEPTED):
        return False
    return _entry(row) == entry


def _insert(tx: Session, entry: Entry, version: int, by: str, now: datetime) -> int:
    _replace(tx, entry, (State.PROPOSED,))
    row = {
        "source": entry.source,
        "kind": kind_of(entry),
        "name": name_of(entry),
        "content": {"version": version, "entry": document(entry)},
        "state": State.PROPOSED,
        "proposed_by": by,
        "proposed_at": now,
    }
    made = tx.execute(insert(foreign_trust).values(row).returning(foreign_trust)).one()
    _tell(tx, made, "foreign_trust.proposed", by, now)
    return int(made.id)


def _replace(tx: Session, entry: Entry, states: tuple[State, ...]) -> None:
    older = update(foreign_trust).where(*_named(entry), foreign_trust.c.state.in_(states))
    tx.execute(older.values(state=State.REPLACED))


def _locked(tx: Session, number: int) -> Row[Any]:
    query = select(foreign_trust).where(foreign_trust.c.id == number).with_for_update()
    row = tx.execute(query).first()
    if row is None:
        raise ForeignUnknown(number=number)
    return row


def _proposed(tx: Session, number: int) -> Row[Any]:
    row = _locked(tx, number)
    if row.state != State.PROPOSED:
        raise ForeignSettled(number=number, state=row.state)
    return row


def _review(tx: Session, row: Row[Any], state: State, by: str, now: datetime) -> Foreign:
    changed = {"state": state, "reviewed_by": by, "reviewed_at": now}
    return _change(tx, row, f"foreign_trust.{state}", changed, by, now)


def _change(
    tx: Session, row: Row[Any], action: str, changed: dict[str, Any], by: str, now: datetime
) -> Foreign:
    made = update(foreign_trust).where(foreign_trust.c.id == row.id).values(changed)
    _tell(tx, row, action, by, now)
    return _foreign(tx.execute(made.returning(foreign_trust)).one())


def _tell(tx: Session, row: Row[Any], action: str, by: str, now: datetime) -> None:
    details = {"source": row.source, "kind": row.kind, "entry": row.id}
    journal.append(tx, at=now, actor=by, action=action, subject=row.name, details=details)


def _named(entry: Entry) -> tuple[Any, ...]:
    return (
        foreign_trust.c.source == entry.source,
        foreign_trust.c.kind == kind_of(entry),
        foreign_trust.c.name == name_of(entry),
    )


def _foreign(row: Row[Any]) -> Foreign:
    state, end = State(row.state), row.valid_until
    return Foreign(row.id, _entry(row), state, row.proposed_by, row.reviewed_by, end)


def _entry(row: Row[Any]) -> Entry:
    return read(row.kind, row.content["entry"])
