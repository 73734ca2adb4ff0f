"""Signed heads: where the journal's chain ended and with what digest, by the journal's own key.

The chain has no key, so whoever may write to the database could cut its end off or make it anew.
Not so with heads; each names the one before it. What was chained after the last head is not yet
safe, and nor is a journal whose last heads are removed with their rows, or whose keys are others'
put in: keep a head elsewhere too (`journal.compare`).
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc8785
from sqlalchemy import Row, insert, select
from sqlalchemy.orm import Session

from keys import jose
from keys.jose import TokenError
from keys.journal_faults import (
    JournalCutOff,
    JournalHeadForged,
    JournalHeadMissing,
    JournalRewritten,
)
from keys.signer import PublicKey, Signer
from keys.tables import journal_head

CONTENT_TYPE = "application/yinxin-journal-head+json"
_FIRST = ""
_BATCH = 1000

_HeadRow = Row[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Head:
    """The chain ended at `position` with `digest`.

    `at` is when that was signed, never earlier than the head before (as RFC 6962 §3.5 has it);
    `previous` is SHA-256 over that head's token, in hexadecimal, "" for the first.
    """

    position: int
    digest: bytes
    at: datetime
    previous: str


@dataclass(frozen=True, slots=True)
class Signed:
    """A head and its token, a compact JWS (RFC 7515) over canonical JSON."""

    head: Head
    kid: str
    token: str


def sign(head: Head, signer: Signer) -> Signed:
    """Sign a head. Raises what the signer raises."""
    told: dict[str, str | int] = {
        "position": head.position,
        "digest": head.digest.hex(),
        "at": int(head.at.timestamp()),
        "previous": head.previous,
    }
    token = jose.sign_bytes(rfc8785.dumps(told), signer, CONTENT_TYPE)
    return Signed(head, signer.public_key.kid, token)


def read(token: str, keys: Mapping[str, PublicKey]) -> Head:
    """Check a head's token by the journal's keys (by kid) and read it. Raises a TokenError."""
    told = json.loads(jose.verify_bytes(token, keys, content_type=CONTENT_TYPE))
    return Head(
        told["position"],
        bytes.fromhex(told["digest"]),
        datetime.fromtimestamp(told["at"], UTC),
        told["previous"],
    )


def following(newest: Signed | None, position: int, digest: bytes, now: datetime) -> Head:
    """Return the head to sign after the newest one: the chain ends at `position` now."""
    if newest is None:
        return Head(position, digest, now, _FIRST)
    return Head(position, digest, max(now, newest.head.at), fingerprint(newest.token))


def newest(tx: Session, keys: Mapping[str, PublicKey]) -> Signed | None:
    """Return the newest head stored, None without one. Raises JournalHeadForged."""
    row = _newest(tx)
    return Signed(_checked(row, keys), row.kid, row.token) if row else None


def store(tx: Session, signed: Signed) -> bool:
    """Keep a head, unless another was stored after the one it names; return whether it was kept.

    The caller holds the sequence.
    """
    last = _newest(tx)
    if signed.head.previous != (fingerprint(last.token) if last else _FIRST):
        return False
    row = {
        "position": signed.head.position,
        "digest": signed.head.digest,
        "kid": signed.kid,
        "token": signed.token,
        "signed_at": signed.head.at,
    }
    tx.execute(insert(journal_head).values(row))
    return True


def fingerprint(token: str) -> str:
    """Return what the next head calls the one with this token."""
    return hashlib.sha256(token.encode()).hexdigest()


@contextmanager
def among(
    tx: Session, first: int, last: int | None, keys: Mapping[str, PublicKey] | None
) -> Iterator["Heads"]:
    """Yield the heads stored for the positions from just before `first` to `last` (or any later).

    `keys` are the journal's, by kid; without them the heads are left out.
    """
    if keys is None:
        yield Heads(iter(()), {}, None)
        return
    query = select(journal_head).where(journal_head.c.position >= first - 1)
    if last is not None:
        query = query.where(journal_head.c.position <= last)
    ordered = query.order_by(journal_head.c.position).execution_options(yield_per=_BATCH)
    with tx.execute(ordered) as rows:
        yield Heads(iter(rows), keys, _FIRST if first == 1 else None)


class Heads:
    """The heads of a range of the journal, met one after another as the rows go by."""

    def __init__(
        self, rows: Iterator[_HeadRow], keys: Mapping[str, PublicKey], previous: str | None
    ) -> None:
        """Take the stored heads in order; `previous` is what the first must name (None: anything)."""
        self._rows = rows
        self._keys = keys
        self._previous = previous
        self._next = next(rows, None)
        self.met = 0

    def meet(self, position: int, digest: bytes) -> None:
        """Compare the head at `position`, if there is one, with the chain's digest there.

        Raises JournalHeadForged, JournalHeadMissing, JournalRewritten.
        """
        if self._next is None or self._next.position != position:
            return
        head = _checked(self._next, self._keys)
        if head.digest != digest:
            raise JournalRewritten(position=position)
        if self._previous is not None and head.previous != self._previous:
            raise JournalHeadMissing(position=position)
        self._previous = fingerprint(self._next.token)
        self.met += 1
        self._next = next(self._rows, None)

    def end(self, position: int) -> None:
        """The chain ended at `position`. Raises JournalCutOff when a head tells of more rows."""
        if self._next is not None:
            head = _checked(self._next, self._keys)
            raise JournalCutOff(position=position + 1, head=head.position)


def _newest(tx: Session) -> _HeadRow | None:
    return tx.execute(
        select(journal_head).order_by(journal_head.c.position.desc()).limit(1)
    ).first()


def _checked(row: _HeadRow, keys: Mapping[str, PublicKey]) -> Head:
    """Return the head that was signed. Raises JournalHeadForged unless its row says the same."""
    try:
        head, kid = read(row.token, keys), jose.key_id(row.token)
    except TokenError:
        raise JournalHeadForged(position=row.position, kid=row.kid) from None
    if (head.position, head.digest, head.at, kid) != (
        row.position,
        row.digest,
        row.signed_at,
        row.kid,
    ):
        raise JournalHeadForged(position=row.position, kid=row.kid)
    return head
