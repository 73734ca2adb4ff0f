"""停用、挂失: a seal is suspended or reported lost, and nothing is stamped with it from that commit on.

A loss counts from a moment before its report: what was stamped since then is judged as stamped
with a lost seal (`seal.seal_states`). Only the keeper brings a seal back into use, in person.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from seal.life import certificates
from seal.life.desk import SealDesk
from seal.life.errors import AlreadyRemade, CutOffWrong, NotTheKeeper, SealMoveRefused
from seal.life.register import change, check_move, given_reason, held, history, note
from seal.life.remaking import TAKEN_OVER, successor
from seal.life.tables import SealRow
from seal.seal_states import SealState


@dataclass(frozen=True, slots=True)
class Stop:
    """The wish of `by` to suspend `seal` or to bring it back into use, and why."""

    seal: UUID
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Loss:
    """The report of `by` that nobody knows who has held `seal` since `since` (aware UTC)."""

    seal: UUID
    by: str
    reason: str
    since: datetime


def suspend(tx: Session, desk: SealDesk, command: Stop) -> None:
    """Stop the seal at once. Raises SealUnknown, SealMoveRefused, ReasonMissing."""
    row = held(tx, command.seal)
    reason = given_reason(command.reason)
    change(tx, desk, row, SealState.SUSPENDED, "seal.suspended", command.by, reason=reason)


def resume(tx: Session, desk: SealDesk, command: Stop) -> None:
    """Bring a suspended seal back into use.

    Raises SealUnknown, SealMoveRefused, NotTheKeeper, AlreadyRemade, CertificateNotBound,
    ReasonMissing.
    """
    row = _to_be_used_again(tx, command, SealState.SUSPENDED)
    _bring_back(tx, desk, row, "seal.resumed", command)


def report_lost(tx: Session, desk: SealDesk, command: Loss) -> None:
    """Stop the seal at once and for the time since it was lost; its certificates are held.

    Raises SealUnknown, SealMoveRefused, CutOffWrong, ReasonMissing.
    """
    row = held(tx, command.seal)
    check_move(row, SealState.LOST)
    reason = given_reason(command.reason)
    since = command.since.replace(microsecond=0)
    handed_out = min(e.since for e in history(tx, row.id) if e.state is SealState.ISSUED)
    if not handed_out <= since <= desk.clock():
        raise CutOffWrong(since=command.since.isoformat())
    certificates.hold(tx, desk, row, command.by)
    change(
        tx, desk, row, SealState.LOST, "seal.reported_lost", command.by, reason=reason, since=since
    )


def found(tx: Session, desk: SealDesk, command: Stop) -> None:
    """Bring a seal that was lost back into use; the time that it was lost stays what it was.

    Raises as `resume`.
    """
    row = _to_be_used_again(tx, command, SealState.LOST)
    certificates.release(tx, desk, row, command.by)
    _bring_back(tx, desk, row, "seal.found", command)


def _to_be_used_again(tx: Session, command: Stop, state: SealState) -> SealRow:
    row = held(tx, command.seal)
    if row.state != state:
        raise SealMoveRefused(state=row.state, target=SealState.IN_USE)
    if row.keeper != command.by:
        raise NotTheKeeper()
    new = successor(tx, row)
    if new is not None and new.state in TAKEN_OVER:
        raise AlreadyRemade()
    return row


def _bring_back(tx: Session, desk: SealDesk, row: SealRow, action: str, command: Stop) -> None:
    reason = given_reason(command.reason)
    serials = certificates.bound(tx, desk, row)
    change(tx, desk, row, SealState.IN_USE, action, command.by, reason=reason)
    note(tx, desk, row, "seal.certificates_bound", command.by, serials)
