"""The register of seals: a row each, and every change of one written down in three places at once.

The row has the state, `seal_event` the history, the journal who did it: all in one transaction. A
seal is held while it changes, so of two that want to change it the second sees what the first
did. Events get their numbers in the order in which they are committed: who reads on from the last
number misses none (`flow`). Hold every seal first, then change.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from keys import journal
from seal.life.desk import SealDesk
from seal.life.errors import ReasonMissing, SealMoveRefused, SealUnknown
from seal.life.tables import SealEventRow, SealRow
from seal.seal_states import FOLLOWS, SealState

LONGEST_REASON = 500
"""How many characters a reason has at most."""

# One change at a time is numbered, across processes.
_REGISTER_LOCK = 0x59494E53  # "YINS"


@dataclass(frozen=True, slots=True)
class Event:
    """One change as the owner's people see it: `at` when recorded, `since` when it counts from."""

    number: int
    at: datetime
    since: datetime
    state: SealState
    by: str
    witness: str
    reason: str


def held(tx: Session, seal: UUID) -> SealRow:
    """Return the row of a seal; nobody else changes or uses it before this transaction ends.

    Raises SealUnknown.
    """
    query = select(SealRow).where(SealRow.id == seal).with_for_update()
    row = tx.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise SealUnknown()
    return row


def find(tx: Session, seal: UUID) -> SealRow:
    """Return the row of a seal, to look at. Raises SealUnknown."""
    row = tx.get(SealRow, seal)
    if row is None:
        raise SealUnknown()
    return row


def check_move(row: SealRow, target: SealState) -> None:
    """Do nothing when a seal may go to `target` from where it is. Raises SealMoveRefused."""
    if target not in FOLLOWS[SealState(row.state)]:
        raise SealMoveRefused(state=row.state, target=target)


def change(
    tx: Session,
    desk: SealDesk,
    row: SealRow,
    target: SealState,
    action: str,
    by: str,
    *,
    reason: str = "",
    witness: str = "",
    since: datetime | None = None,
) -> None:
    """Bring a seal that is `held` to another state, counting from `since` (now) on.

    `action` is the word for the journal (`seal.approved`). Raises SealMoveRefused.
    """
    check_move(row, target)
    row.state = target
    enter(tx, desk, row, action, by, reason=reason, witness=witness, since=since)


def enter(
    tx: Session,
    desk: SealDesk,
    row: SealRow,
    action: str,
    by: str,
    *,
    reason: str = "",
    witness: str = "",
    since: datetime | None = None,
) -> None:
    """Write down what a seal has come to: in its row, in its history and in the journal."""
    # A clock that was set back does not put a change before the one it follows.
    at = max(desk.clock(), row.changed_at)
    row.changed_at = at
    tx.flush()
    tx.execute(select(func.pg_advisory_xact_lock(_REGISTER_LOCK)))
    event = SealEventRow(
        seal=row.id,
        at=at,
        since=since or at,
        state=row.state,
        by=by,
        witness=witness,
        reason=reason,
    )
    tx.add(event)
    tx.flush()
    # The reason stays in the history: it may name somebody, which the journal never does.
    note(tx, desk, row, action, by, {"state": row.state, "event": event.number})


def note(
    tx: Session, desk: SealDesk, row: SealRow, action: str, by: str, details: dict[str, str | int]
) -> None:
    """Journal what was done about a seal."""
    journal.append(
        tx,
        at=desk.clock(),
        actor=by,
        action=action,
        subject=row.esid or str(row.id),
        details={"seal": str(row.id), **details},
    )


def history(tx: Session, seal: UUID) -> tuple[Event, ...]:
    """Return everything that happened to a seal, in the order recorded."""
    query = select(SealEventRow).where(SealEventRow.seal == seal).order_by(SealEventRow.number)
    return tuple(
        Event(e.number, e.at, e.since, SealState(e.state), e.by, e.witness, e.reason)
        for e in tx.scalars(query)
    )


def given_reason(reason: str) -> str:
    """Return a reason, tidied. Raises ReasonMissing when there is none, or no end of it."""
    tidy = reason.strip()
    if not 0 < len(tidy) <= LONGEST_REASON:
        raise ReasonMissing(most=LONGEST_REASON)
    return tidy
