"""The rows of private keys: how one is found, and what may be known of it."""

from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from keys.algorithms import ALGORITHMS, Purpose
from keys.errors import DomainError
from keys.key_states import Kept, KeyRecord, State
from keys.signer import PublicKey
from keys.tables import private_key

KeyRow = Row[tuple[Any, ...]]


class KeyNotFound(DomainError):
    """There is no active key of this purpose for this owner."""

    code = "key.not_found"


class KeyUnknown(DomainError):
    """No key has this name."""

    code = "key.unknown"


def active_row(tx: Session, purpose: Purpose, owner: str) -> KeyRow:
    """Return the row of the key that signs for a purpose and owner. Raises KeyNotFound."""
    query = select(private_key).where(
        private_key.c.purpose == purpose.value,
        private_key.c.owner == owner,
        private_key.c.state == State.ACTIVE.value,
    )
    row = tx.execute(query).first()
    if row is None:
        raise KeyNotFound(purpose=purpose.value, owner=owner)
    return row


def row_of(tx: Session, kid: str, *, lock: bool = False) -> KeyRow:
    """Return the row of a key, locked until the transaction ends if so asked. Raises KeyUnknown."""
    query = select(private_key).where(private_key.c.kid == kid)
    row = tx.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise KeyUnknown(kid=kid)
    return row


def record_of(row: KeyRow) -> KeyRecord:
    """Return what may be known of a row's key."""
    return KeyRecord(
        public_key=public_key_of(row),
        purpose=Purpose(row.purpose),
        owner=row.owner,
        state=State(row.state),
        kept=_kept(row),
        made_at=row.made_at,
        published_at=row.published_at,
        active_at=row.active_at,
        retiring_at=row.retiring_at,
        retired_at=row.retired_at,
        destroyed_at=row.destroyed_at,
    )


def public_key_of(row: KeyRow) -> PublicKey:
    """Return the public half of a row's key; it was checked when it was written."""
    return PublicKey(row.kid, ALGORITHMS[row.algorithm], row.spki)


def _kept(row: KeyRow) -> Kept:
    if row.handle is not None:
        return Kept.TOKEN
    return Kept.NOWHERE if row.wrapped is None else Kept.WRAPPED
