"""People who came from another node and are here otherwise: they wait until somebody decides.

What came waits sealed. One row of one source waits once: when it comes again it takes the place of
what came before.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from idp.node_errors import ConflictUnknown
from idp.nodes import many
from idp.nodes.tables import ConflictRow
from idp.provider import Provider
from keys import journal


class By(StrEnum):
    """How somebody came."""

    IMPORT = "import"
    PUSH = "push"
    SIGN_IN = "sign-in"


class Resolution(StrEnum):
    """What was decided: the same person after all; to be judged anew; not to be taken."""

    MERGE = "merge"
    RETRY = "retry"
    REFUSE = "refuse"


OVERTAKEN = "overtaken"
"""What stood in the way went by itself."""


@dataclass(frozen=True, slots=True)
class Came:
    """Who came: from where, as which row or subject of theirs, how, and what stands in the way.

    `reason` is `name`, `closed`, `phone`, `number` or `link`: what is otherwise with the account
    `subject` here.
    """

    source: str
    row: str
    by: By
    reason: str
    subject: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """A conflict that waits."""

    id: int
    came: Came
    opened_at: datetime


def keep(tx: Session, provider: Provider, came: Came, sealed: bytes) -> None:
    """Let somebody decide; `sealed` is what came."""
    row = {
        "source": came.source,
        "row": came.row,
        "came_by": came.by,
        "reason": came.reason,
        "subject": came.subject,
        "sealed": sealed,
        "opened_at": provider.clock(),
    }
    statement = insert(ConflictRow).values(row)
    newer = {name: statement.excluded[name] for name in ("reason", "subject", "sealed")}
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=[ConflictRow.source, ConflictRow.row],
            index_where=ConflictRow.resolved_at.is_(None),
            set_=newer,
        )
    )


def waiting(tx: Session, *, most: int = 1000) -> list[Conflict]:
    """The conflicts that wait, the oldest first."""
    query = select(ConflictRow).where(ConflictRow.resolved_at.is_(None))
    rows = tx.scalars(query.order_by(ConflictRow.id).limit(most))
    return [Conflict(row.id, _came(row), row.opened_at) for row in rows]


def hold(tx: Session, conflict_id: int) -> tuple[Came, bytes]:
    """A conflict that waits and what came, held until the transaction ends. Raises `ConflictUnknown`."""
    query = select(ConflictRow).where(
        ConflictRow.id == conflict_id, ConflictRow.resolved_at.is_(None)
    )
    row = tx.scalar(query.with_for_update())
    if row is None:
        raise ConflictUnknown
    return _came(row), row.sealed


def resolved(
    tx: Session, provider: Provider, conflict_id: int, resolution: Resolution, *, by: str
) -> None:
    """Note what was decided of a conflict that is held, and forget what came."""
    row = tx.get_one(ConflictRow, conflict_id)
    row.resolved_at, row.resolved_by = provider.clock(), by
    row.resolution, row.sealed = resolution, b""
    tx.flush()
    journal.append(
        tx,
        at=provider.clock(),
        actor=by,
        action="conflict.resolved",
        subject=row.subject,
        details={"source": row.source, "reason": row.reason, "resolution": resolution},
    )


def close(tx: Session, provider: Provider, source: str, rows: Collection[str]) -> None:
    """End the conflicts of rows that came again and met with none."""
    over = (
        ConflictRow.source == source,
        many.among(ConflictRow.row, rows),
        ConflictRow.resolved_at.is_(None),
    )
    told = {"resolved_at": provider.clock(), "resolved_by": "idp", "resolution": OVERTAKEN}
    tx.execute(update(ConflictRow).where(*over).values(**told, sealed=b""))


def _came(row: ConflictRow) -> Came:
    return Came(row.source, row.row, By(row.came_by), row.reason, row.subject)
