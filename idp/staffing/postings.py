"""Where a member of staff works: one body at a time, each from a moment on."""

from datetime import datetime

from sqlalchemy import ColumnElement, Subquery, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from idp.staffing.tables import PostingRow


def begin(tx: Session, subject: str, body: str, since: datetime) -> None:
    """Let somebody work for a body from then on, and for no other."""
    finish(tx, subject, since)
    tx.add(PostingRow(subject=subject, body=body, since=since, until=None))
    tx.flush()


def finish(tx: Session, subject: str, at: datetime) -> None:
    """Let somebody work nowhere from then on; what was to begin later does not begin."""
    of_subject = PostingRow.subject == subject
    tx.execute(delete(PostingRow).where(of_subject, PostingRow.since > at))
    tx.execute(update(PostingRow).where(of_subject, _lasts_beyond(at)).values(until=at))


def body_of(tx: Session, subject: str, now: datetime) -> str | None:
    """The body somebody works for now."""
    query = select(PostingRow.body).where(
        PostingRow.subject == subject, PostingRow.since <= now, _lasts_beyond(now)
    )
    return tx.scalar(query)


def latest() -> Subquery:
    """Of everybody, the `body` they work, will work or last worked for, and `since` when."""
    columns = PostingRow.subject, PostingRow.body, PostingRow.since
    query = select(*columns).ext(distinct_on(PostingRow.subject))
    newest = PostingRow.subject, PostingRow.since.desc(), PostingRow.id.desc()
    return query.order_by(*newest).subquery("latest")


def bodies(tx: Session) -> frozenset[str]:
    """Every body that somebody works, will work or last worked for."""
    return frozenset(tx.scalars(select(latest().c.body).distinct()))


def last_body(tx: Session, subject: str) -> str | None:
    """The body somebody works, will work or last worked for."""
    of = latest()
    return tx.scalar(select(of.c.body).where(of.c.subject == subject))


def to_come(tx: Session, subject: str, now: datetime) -> datetime | None:
    """When somebody begins to work elsewhere, if that is to come."""
    query = select(func.min(PostingRow.since)).where(PostingRow.subject == subject)
    return tx.scalar(query.where(PostingRow.since > now))


def go_on(tx: Session, subject: str, ended: datetime) -> None:
    """Let what was to finish at `ended` go on; what was to begin then or later does not begin."""
    of_subject = PostingRow.subject == subject
    tx.execute(delete(PostingRow).where(of_subject, PostingRow.since >= ended))
    tx.execute(update(PostingRow).where(of_subject, PostingRow.until == ended).values(until=None))


def _lasts_beyond(at: datetime) -> ColumnElement[bool]:
    return or_(PostingRow.until.is_(None), PostingRow.until > at)
