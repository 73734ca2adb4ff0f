"""使用记录: every stamp of a seal, by whom and under which grant, and how many there are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seal.life.tables import SealUseRow

MOST = 1000
"""The longest page of a log."""


@dataclass(frozen=True, slots=True)
class Use:
    """One stamp: `reference` is the caller's name of the document, `digest` that of what was stamped."""

    number: int
    at: datetime
    by: str
    grant: UUID
    form: str
    licence_type: str
    reference: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Counts:
    """How many stamps a seal made: in all, by form, and by type of licence; when the last one was."""

    total: int
    by_form: Mapping[str, int]
    by_licence_type: Mapping[str, int]
    last_at: datetime | None


def log(tx: Session, seal: UUID, *, before: int | None = None, limit: int = 100) -> tuple[Use, ...]:
    """Return stamps of a seal, the newest first; those before a number, to turn the page."""
    query = select(SealUseRow).where(SealUseRow.seal == seal)
    if before is not None:
        query = query.where(SealUseRow.number < before)
    rows = tx.scalars(query.order_by(SealUseRow.number.desc()).limit(min(limit, MOST)))
    return tuple(
        Use(
            row.number,
            row.at,
            row.by,
            row.grant,
            row.form,
            row.licence_type,
            row.reference,
            row.digest,
        )
        for row in rows
    )


def counts(tx: Session, seal: UUID) -> Counts:
    """Return how often a seal was used."""
    query = (
        select(SealUseRow.form, SealUseRow.licence_type, func.count(), func.max(SealUseRow.at))
        .where(SealUseRow.seal == seal)
        .group_by(SealUseRow.form, SealUseRow.licence_type)
        .order_by(SealUseRow.form, SealUseRow.licence_type)
    )
    by_form: dict[str, int] = {}
    by_type: dict[str, int] = {}
    last_at = None
    for form, licence_type, number, newest in tx.execute(query):
        by_form[form] = by_form.get(form, 0) + number
        by_type[licence_type] = by_type.get(licence_type, 0) + number
        last_at = max(newest, last_at or newest)
    return Counts(sum(by_form.values()), by_form, by_type, last_at)
