"""The audit journal: who did what, to what, when. Adding is a plain insert; a sequencer chains later.

Each chained row's digest covers the digest before it, so a row that is changed, removed or put in
between is found by `verify`, which names it; signed heads (`journal_heads`) keep the end from being
cut off and the whole from being written anew. Writers never wait for the chain.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc8785
from sqlalchemy import Result, Row, bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from keys import journal_heads
from keys.journal_faults import (
    JournalCutOff,
    JournalRewritten,
    JournalRowChanged,
    JournalRowMisplaced,
    JournalRowMissing,
)
from keys.journal_heads import Head, Heads
from keys.signer import PublicKey
from keys.tables import journal

BATCH = 1000
"""How many rows are chained, or read, at once."""

_BEGINNING = bytes(32)
# One sequencer at a time, across processes: an advisory lock under the journal's own number.
_SEQUENCER_LOCK = 0x59494E58  # "YINX"
# What JSON carries exactly (RFC 7493 §2.2); a row that cannot be chained would stop all after it.
_LARGEST_INTEGER = 2**53 - 1

_JournalRow = Row[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Batch:
    """So many rows were chained; the chain now ends at `position` with `digest`."""

    count: int
    position: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Verified:
    """So many rows and signed heads hold; the last row stands at `last_position` with `digest`."""

    rows: int
    heads: int
    last_position: int
    digest: bytes


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
    here may be an ID number, a phone number or a secret. ValueError for an integer beyond ±(2⁵³-1).
    """
    if any(isinstance(value, int) and abs(value) > _LARGEST_INTEGER for value in details.values()):
        raise ValueError("an integer too large for the journal")
    row = {"at": at, "actor": actor, "action": action, "subject": subject, "details": dict(details)}
    tx.execute(insert(journal).values(row))


def chain(tx: Session, clock: Callable[[], datetime], limit: int = BATCH) -> Batch:
    """Chain at most `limit` rows that are not yet, in the order of their ids.

    Waits for another sequencer to commit. Rows of transactions still open come in a later call.
    The order is the chain's alone: a clock that stepped back changes nothing but `chained_at`.
    """
    hold_sequence(tx)
    position, digest = end(tx)
    unchained = (
        select(journal).where(journal.c.position.is_(None)).order_by(journal.c.id).limit(limit)
    )
    now, links = clock(), []
    for row in tx.execute(unchained):
        position += 1
        digest = _link(digest, _content(row, position, now))
        links.append({"row": row.id, "position": position, "digest": digest, "chained_at": now})
    if links:
        tx.execute(update(journal).where(journal.c.id == bindparam("row")), links)
    return Batch(len(links), position, digest)


def hold_sequence(tx: Session) -> None:
    """Let no other sequencer write until this transaction ends."""
    tx.execute(select(func.pg_advisory_xact_lock(_SEQUENCER_LOCK)))


def end(tx: Session) -> tuple[int, bytes]:
    """Return position and digest of the last chained row; (0, 32 zero bytes) without one."""
    last = (
        select(journal.c.position, journal.c.digest)
        .where(journal.c.position.is_not(None))
        .order_by(journal.c.position.desc())
        .limit(1)
    )
    row = tx.execute(last).first()
    return (row.position, row.digest) if row else (0, _BEGINNING)


def verify(
    tx: Session,
    first: int = 1,
    last: int | None = None,
    keys: Mapping[str, PublicKey] | None = None,
) -> Verified:
    """Check the chained rows from position `first` to `last` (or the end), and the heads among them.

    `keys` are the journal's own, old ones too, by kid; without them heads are not looked at. A
    range starts from the digest of the row before it, which is believed unless a head is there.
    Rows not yet chained are not looked at. Raises the JournalBroken of the first place that is wrong.
    """
    # The heads' query runs first: its snapshot has no head of a row that the rows' has not.
    with journal_heads.among(tx, first, last, keys) as heads:
        position, digest = first - 1, _digest_at(tx, first - 1, heads)
        heads.meet(position, digest)
        with _chained(tx, first, last) as rows:
            for row in rows:
                position += 1
                link = _expected(digest, position, row)
                if link is None or row.digest != link or row.position != position:
                    raise _fault(tx, row, position, digest)
                heads.meet(position, link)
                digest = link
        heads.end(position)
    if last is not None and position < last:
        raise JournalRowMissing(position=position + 1)
    return Verified(position - first + 1, heads.met, position, digest)


def compare(tx: Session, head: Head) -> None:
    """Compare the chain, which `verify` found whole, with a head that was kept elsewhere.

    Whoever may write to the database could have put in keys and heads of their own; not there.
    Raises JournalCutOff, JournalRewritten.
    """
    position, _ = end(tx)
    if position < head.position:
        raise JournalCutOff(position=position + 1, head=head.position)
    if head.digest != _stored_digest(tx, head.position):
        raise JournalRewritten(position=head.position)


def leaves(tx: Session, first: int, last: int) -> Iterator[bytes]:
    """Yield the leaf hash of each row from position `first` to `last`: SHA-256(0x00 ‖ row).

    That is a leaf of a transparency log (RFC 6962 §2.1, RFC 9162 §2.1.1) over the row as canonical
    JSON (RFC 8785). The rows are believed: `verify` them first. Raises JournalRowMissing.
    """
    position = first - 1
    with _chained(tx, first, last) as rows:
        for row in rows:
            position += 1
            if row.position != position:
                raise JournalRowMissing(position=position)
            yield hashlib.sha256(b"\x00" + _content(row, position, row.chained_at)).digest()
    if position < last:
        raise JournalRowMissing(position=position + 1)


def _chained(tx: Session, first: int, last: int | None) -> Result[tuple[Any, ...]]:
    chained = select(journal).where(journal.c.position >= first).order_by(journal.c.position)
    if last is not None:
        chained = chained.where(journal.c.position <= last)
    return tx.execute(chained.execution_options(yield_per=BATCH))


def _stored_digest(tx: Session, position: int) -> bytes | None:
    digest: bytes | None = tx.scalar(select(journal.c.digest).where(journal.c.position == position))
    return digest


def _digest_at(tx: Session, position: int, heads: Heads) -> bytes:
    """Return the digest that the row after `position` covers."""
    if position == 0:
        return _BEGINNING
    digest = _stored_digest(tx, position)
    if digest is None:
        if end(tx)[0] < position:
            heads.end(position - 1)
        raise JournalRowMissing(position=position)
    return digest


def _fault(tx: Session, row: _JournalRow, position: int, before: bytes) -> Exception:
    """Return what is wrong at `position`, where `row` or a later one stands after `before`."""
    belongs = _that_belongs(tx, position, before)
    if belongs is not None:
        return JournalRowMisplaced(row=row.id, position=position, belongs=belongs)
    if row.position != position:
        return JournalRowMissing(position=position)
    return JournalRowChanged(row=row.id, position=position)


def _that_belongs(tx: Session, position: int, before: bytes) -> int | None:
    """Return the id of the row, wherever it stands, that was chained at `position` after `before`."""
    digested = select(journal).where(journal.c.digest.is_not(None))
    with tx.execute(digested.execution_options(yield_per=BATCH)) as rows:
        for row in rows:
            if row.digest == _expected(before, position, row):
                return int(row.id)
    return None


def _expected(before: bytes, position: int, row: _JournalRow) -> bytes | None:
    """Return the digest of the row at `position`; None when no sequencer could have chained it."""
    if row.chained_at is None:
        return None
    try:
        return _link(before, _content(row, position, row.chained_at))
    except rfc8785.CanonicalizationError:
        return None


def _link(before: bytes, content: bytes) -> bytes:
    return hashlib.sha256(before + content).digest()


def _content(row: _JournalRow, position: int, chained_at: datetime) -> bytes:
    """Return the row as canonical JSON (RFC 8785), as it stands, or is to stand, in the chain."""
    return rfc8785.dumps(
        {
            "position": position,
            "id": row.id,
            "at": row.at.astimezone(UTC).isoformat(),
            "actor": row.actor,
            "action": row.action,
            "subject": row.subject,
            "details": row.details,
            "chained_at": chained_at.astimezone(UTC).isoformat(),
        }
    )
