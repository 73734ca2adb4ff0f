"""审核: another person than the applicant approves an application, or rejects it with reasons."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from seal.life.desk import SealDesk
from seal.life.errors import ReviewedByApplicant
from seal.life.numbers import new_esid
from seal.life.register import change, check_move, given_reason, held
from seal.life.tables import SealRow
from seal.seal_states import SealState


@dataclass(frozen=True, slots=True)
class Review:
    """What the reviewer `by` says of the application for `seal`, and why."""

    seal: UUID
    by: str
    reason: str


def approve(tx: Session, desk: SealDesk, command: Review) -> str:
    """Approve, allot the seal its number and return that (the esid).

    Raises SealUnknown, ReviewedByApplicant, ReasonMissing, SealMoveRefused, NumbersExhausted.
    """
    row = _for_another(tx, command)
    check_move(row, SealState.APPROVED)
    row.esid = new_esid(tx, row.owner)
    reason = given_reason(command.reason)
    change(tx, desk, row, SealState.APPROVED, "seal.approved", command.by, reason=reason)
    return row.esid


def reject(tx: Session, desk: SealDesk, command: Review) -> None:
    """Reject; the applicant may amend it and hand it in again.

    Raises SealUnknown, ReviewedByApplicant, ReasonMissing, SealMoveRefused.
    """
    row = _for_another(tx, command)
    reason = given_reason(command.reason)
    change(tx, desk, row, SealState.REJECTED, "seal.rejected", command.by, reason=reason)


def _for_another(tx: Session, command: Review) -> SealRow:
    row = held(tx, command.seal)
    if row.applied_by == command.by:
        raise ReviewedByApplicant()
    return row
