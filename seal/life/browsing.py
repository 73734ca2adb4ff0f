"""Look the register of seals up: page by page, for those whose bodies it is."""

from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from seal.life.tables import SealRow
from seal.seal_states import SealState

MOST = 100
"""The longest page."""

MARK_FORM = r"^([0-9]{1,11}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$"
"""What a mark looks like as text; nothing is the mark of the first page."""

Mark = tuple[datetime, UUID]
"""Where a page ends: when its last seal was changed, and which that is."""


def seals(
    tx: Session,
    owners: Collection[str] | None,
    *,
    states: Collection[SealState] = (),
    after: Mark | None = None,
    limit: int = MOST,
) -> tuple[SealRow, ...]:
    """Return seals of these bodies (USCC; None: of all), the last changed first.

    With `states` in those only; `after` turns the page.
    """
    query = select(SealRow)
    if owners is not None:
        query = query.where(SealRow.owner.in_(owners))
    if states:
        query = query.where(SealRow.state.in_(states))
    if after is not None:
        query = query.where(tuple_(SealRow.changed_at, SealRow.id) < after)
    newest = query.order_by(SealRow.changed_at.desc(), SealRow.id.desc())
    return tuple(tx.scalars(newest.limit(min(limit, MOST))))


def mark_of(row: SealRow) -> str:
    """Return the mark of a page that ends with `row`, as text."""
    return f"{row.changed_at.timestamp():.0f}.{row.id}"


def read_mark(text: str) -> Mark | None:
    """Return the mark that a text tells, None for one that is none."""
    seconds, _, number = text.partition(".")
    try:
        return datetime.fromtimestamp(int(seconds), UTC), UUID(number)
    except (ValueError, OverflowError, OSError):
        return None
