"""The audit journal as an auditor reads it: what happened, by whom, to what, a page at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from keys.tables import journal


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the journal; `position` is its place in the chain, `None` until it is chained."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: Mapping[str, Any]
    position: int | None


def entries(
    tx: Session, *, after: int = 0, limit: int = 100, subject: str = "", action: str = ""
) -> list[Entry]:
    """Rows whose id is beyond `after`, the oldest first; of one subject, of one action, if told."""
    query = select(journal).where(journal.c.id > after).order_by(journal.c.id).limit(limit)
    if subject:
        query = query.where(journal.c.subject == subject)
    if action:
        query = query.where(journal.c.action == action)
    return [
        Entry(row.id, row.at, row.actor, row.action, row.subject, row.details, row.position)
        for row in tx.execute(query)
    ]
