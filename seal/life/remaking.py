"""重新制作: another seal in the place of one whose certificate ends, whose name changes, that is damaged.

It is a seal of its own, with keys, number and record of its own, applied for in one step and
reviewed like any; it names its predecessor. Until it is accepted the predecessor goes on.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from seal.life import grants
from seal.life.application import Draft, Submission, begin, submit
from seal.life.desk import SealDesk
from seal.life.errors import AlreadyRemade, SealMoveRefused
from seal.life.register import change, held
from seal.life.tables import SealRow
from seal.seal_states import SealState

_REMADE = frozenset(
    {
        SealState.ISSUED,
        SealState.IN_USE,
        SealState.SUSPENDED,
        SealState.LOST,
        SealState.DESTROYED,
    }
)
_GIVEN_UP = frozenset({SealState.REJECTED, SealState.DESTROYED})

TAKEN_OVER = frozenset({SealState.IN_USE, SealState.SUSPENDED, SealState.LOST})
"""The states of a new seal in which the old one is not brought back."""


@dataclass(frozen=True, slots=True)
class Remaking:
    """The wish of `by` for a seal in the place of `predecessor`, until `until` (aware UTC).

    What is None stays as it was.
    """

    predecessor: UUID
    by: str
    until: datetime
    owner_name: str | None = None
    name: str | None = None
    keeper: str | None = None
    picture_png: bytes | None = None
    picture_ofd: bytes | None = None


def remake(tx: Session, desk: SealDesk, command: Remaking) -> UUID:
    """Apply for the new seal, hand the application in, and return the new seal's id.

    Raises SealUnknown, SealMoveRefused, AlreadyRemade, ApplicationWrong.
    """
    old = held(tx, command.predecessor)
    if old.state not in _REMADE:
        raise SealMoveRefused(state=old.state, target=SealState.SUBMITTED)
    if successor(tx, old) is not None:
        raise AlreadyRemade()
    new = begin(tx, desk, _drafted(old, command), predecessor=old.id)
    submit(tx, desk, Submission(new, command.by))
    return new


def successor(tx: Session, row: SealRow) -> SealRow | None:
    """Return the seal that takes, or is to take, the place of this one."""
    query = select(SealRow).where(SealRow.predecessor == row.id, SealRow.state.not_in(_GIVEN_UP))
    return tx.scalars(query).first()


def take_over(tx: Session, desk: SealDesk, old: SealRow, new: SealRow, by: str) -> None:
    """Stop the held predecessor, if it is in use, and let the new seal have its grants."""
    grants.carry_over(tx, desk, old, new, by)
    if old.state == SealState.IN_USE:
        reason = f"→ {new.esid}"
        change(tx, desk, old, SealState.SUSPENDED, "seal.replaced", by, reason=reason)


def _drafted(old: SealRow, wish: Remaking) -> Draft:
    draft = Draft(
        owner=old.owner,
        owner_name=wish.owner_name or old.owner_name,
        name=wish.name or old.name,
        kind=old.kind,
        legal_basis=old.legal_basis,
        keeper=wish.keeper or old.keeper,
        picture_png=wish.picture_png or old.picture_png,
        width=old.width,
        height=old.height,
        until=wish.until,
        by=wish.by,
    )
    if wish.picture_png is not None or wish.picture_ofd is not None:
        return replace(draft, picture_ofd=wish.picture_ofd or b"")
    return replace(draft, picture_ofd=old.picture if old.picture_type == "ofd" else b"")
