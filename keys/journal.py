"""The audit journal: who did what, to what, when. Adding is a plain insert; a sequencer chains later.

Each chained row's digest covers the digest before it, so a row that is changed, removed or put in
between is found by `verify`, which names it. Writers never wait for the chain.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import rfc8785
from sqlalchemy import Row, bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from keys.errors import DomainError
from keys.tables import journal

_BEGINNING = bytes(32)
# One sequencer at a time, across processes: an advisory lock under the journal's own number.
_SEQUENCER_LOCK = 0x59494E58  # "YINX"
_BATCH = 1000


class JournalBroken(DomainError):
    """The chain does not hold; `row` is the id of the first row that is wrong, `position` its place."""

    code = "journal.broken"


def append(
    tx: Session,
    *,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    details: Mapping[str, str | int],
) -> None:
    """Add a row in the caller's transaction.

    `action` is a dotted word (`licence.issued`), `actor` and `subject` are identifiers. Nothing
    here may be an ID number, a phone number or a secret.
    """
    row = {"at": at, "actor": actor, "action": action, "subject": subject, "details": dict(details)}
    tx.execute(insert(journal).values(row))


def chain(tx: Session, clock: Callable[[], datetime]) -> int:
    """Chain the rows that are not yet, in the order of their ids, and return how many.

    Waits for another sequencer to commit. Rows of transactions still open come in a later call.
    """
    tx.execute(select(func.pg_advisory_xact_lock(_SEQUENCER_LOCK)))
    position, digest = _end(tx)
    unchained = select(journal).where(journal.c.position.is_(None)).order_by(journal.c.id)
    now, links = clock(), []
    for row in tx.execute(unchained):
        position += 1
        digest = _digest(digest, position, row)
        links.append({"row": row.id, "position": position, "digest": digest, "chained_at": now})
    if links:
        tx.execute(update(journal).where(journal.c.id == bindparam("row")), links)
    return len(links)


def verify(tx: Session) -> int:
    """Check the chain from its beginning and return how many rows it has.

    Raises JournalBroken. Rows cut off the end leave no trace here; rows not yet chained are not
    looked at.
    """
    chained = select(journal).where(journal.c.position.is_not(None)).order_by(journal.c.position)
    digest, checked = _BEGINNING, 0
    with tx.execute(chained.execution_options(yield_per=_BATCH)) as rows:
        for row in rows:
            digest = _digest(digest, checked + 1, row)
            if row.position != checked + 1 or row.digest != digest:
                raise JournalBroken(row=row.id, position=checked + 1)
            checked += 1
    return checked


def _end(tx: Session) -> tuple[int, bytes]:
    """Return position and digest of the last chained row."""
    last = (
        select(journal.c.position, journal.c.digest)
        .where(journal.c.position.is_not(None))
        .order_by(journal.c.position.desc())
        .limit(1)
    )
    row = tx.execute(last).first()
    return (row.position, row.digest) if row else (0, _BEGINNING)


def _digest(before: bytes, position: int, row: Row[tuple[object, ...]]) -> bytes:
    content = {
        "position": position,
        "id": row.id,
        "at": row.at.astimezone(UTC).isoformat(),
        "actor": row.actor,
        "action": row.action,
        "subject": row.subject,
        "details": row.details,
    }
    return hashlib.sha256(before + rfc8785.dumps(content)).digest()
