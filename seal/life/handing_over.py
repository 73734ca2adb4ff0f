"""发放: a recorded seal is handed to its keeper, who accepts it in person; then it is in use.

With that the certificates of its keys are bound to it: they are looked at then, and named in the
journal beside who accepted. A seal that takes another's place does so at the same moment.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from seal.life import certificates
from seal.life.desk import SealDesk
from seal.life.errors import (
    ApplicationWrong,
    FieldProblem,
    HandedToOneself,
    NotTheKeeper,
    SealMoveRefused,
)
from seal.life.register import change, enter, given_reason, held, note
from seal.life.remaking import take_over
from seal.seal_states import SealState


@dataclass(frozen=True, slots=True)
class HandOver:
    """The wish of `by` to hand `seal` to its keeper."""

    seal: UUID
    by: str


@dataclass(frozen=True, slots=True)
class Acceptance:
    """`by` takes `seal` over: proven to be that person by whoever brings this."""

    seal: UUID
    by: str


@dataclass(frozen=True, slots=True)
class Entrusting:
    """The wish of `by` to give `seal`, which is suspended, to another keeper, and why."""

    seal: UUID
    by: str
    keeper: str
    reason: str


def issue(tx: Session, desk: SealDesk, command: HandOver) -> None:
    """Hand the seal out. Raises SealUnknown, HandedToOneself, SealMoveRefused."""
    row = held(tx, command.seal)
    if row.keeper == command.by:
        raise HandedToOneself()
    change(tx, desk, row, SealState.ISSUED, "seal.issued", command.by)


def accept(tx: Session, desk: SealDesk, command: Acceptance) -> None:
    """Take the seal over and into use; its predecessor, if it has one, is suspended for good.

    Raises SealUnknown, NotTheKeeper, SealMoveRefused, CertificateNotBound.
    """
    row = held(tx, command.seal)
    if row.keeper != command.by:
        raise NotTheKeeper()
    if row.state != SealState.ISSUED:
        raise SealMoveRefused(state=row.state, target=SealState.IN_USE)
    serials = certificates.bound(tx, desk, row)
    old = held(tx, row.predecessor) if row.predecessor else None
    change(tx, desk, row, SealState.IN_USE, "seal.accepted", command.by)
    note(tx, desk, row, "seal.certificates_bound", command.by, serials)
    if old is not None:
        take_over(tx, desk, old, row, command.by)


def entrust(tx: Session, desk: SealDesk, command: Entrusting) -> None:
    """Make somebody else the keeper of a suspended seal, who brings it back into use in person.

    Raises SealUnknown, HandedToOneself, ApplicationWrong, SealMoveRefused, ReasonMissing.
    """
    row = held(tx, command.seal)
    keeper = command.keeper.strip()
    if keeper == command.by:
        raise HandedToOneself()
    if not keeper:
        raise ApplicationWrong((FieldProblem("keeper", "seal.field.missing"),))
    if row.state != SealState.SUSPENDED:
        raise SealMoveRefused(state=row.state, target=SealState.SUSPENDED)
    row.keeper = keeper
    reason = given_reason(command.reason)
    enter(tx, desk, row, "seal.entrusted", command.by, reason=reason)
