"""备案: enter a made seal in the register under a number of its own; it is of no use before."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from seal.life.desk import SealDesk
from seal.life.numbers import new_record_number
from seal.life.register import change, check_move, held
from seal.seal_states import SealState


@dataclass(frozen=True, slots=True)
class Recording:
    """The wish of `by` to record `seal`."""

    seal: UUID
    by: str


def record(tx: Session, desk: SealDesk, command: Recording) -> str:
    """Record the seal and return its record number.

    Raises SealUnknown, SealMoveRefused, NumbersExhausted.
    """
    row = held(tx, command.seal)
    check_move(row, SealState.RECORDED)
    row.record_number = new_record_number(tx, row.owner, desk.clock())
    change(tx, desk, row, SealState.RECORDED, "seal.recorded", command.by)
    return row.record_number
