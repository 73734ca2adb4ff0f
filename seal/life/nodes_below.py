"""How it stands with the nodes below: how far each was heard, when it was asked, and what is wrong."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from seal.life.tables import NodeRow


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a node: changes up to `last` are here, of those up to `newest` it has.

    `asked_at` and `heard_at` (aware UTC) are the last question and the last good answer; `trouble`
    says in a word why a later question had none, "" when nothing is wrong.
    """

    origin: str
    last: int = 0
    newest: int = 0
    asked_at: datetime | None = None
    heard_at: datetime | None = None
    trouble: str = ""


def standing(tx: Session, origin: str) -> Standing:
    """Return how it stands with a node, also when it was never asked."""
    row = tx.scalar(
        select(NodeRow).where(NodeRow.origin == origin).execution_options(populate_existing=True)
    )
    if row is None:
        return Standing(origin)
    return Standing(origin, row.last, row.newest, row.asked_at, row.heard_at, row.trouble)


def note_heard(tx: Session, origin: str, newest: int, at: datetime) -> None:
    """Write down that a node answered well, and what its newest change was."""
    _note(tx, origin, asked_at=at, heard_at=at, newest=newest, trouble="")


def note_trouble(tx: Session, origin: str, trouble: str, at: datetime) -> None:
    """Write down that a node was asked in vain, and why in a word."""
    _note(tx, origin, asked_at=at, trouble=trouble)


def _note(tx: Session, origin: str, **told: datetime | int | str) -> None:
    tx.execute(insert(NodeRow).values(origin=origin, last=0).on_conflict_do_nothing())
    tx.execute(update(NodeRow).where(NodeRow.origin == origin).values(told))
