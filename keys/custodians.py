"""Custodians (密钥管理员): the persons of the two-person rule, each known by a passphrase.

A passphrase is kept as argon2id (RFC 9106) with 19 MiB, 2 passes, 1 lane. Every attempt is counted
before it is checked, in a transaction of its own: guesses made at once, or cut short, count too.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from keys import journal
from keys.errors import DomainError
from keys.tables import custodian

Begin = Callable[[], AbstractContextManager[Session]]
"""Opens a transaction, and commits it at the end of the block."""

MINIMUM = 12
_MAXIMUM = 128
_LEAST_DIFFERENT = 5

FREE_ATTEMPTS = 5
"""So many wrong passphrases cost nothing; each one more costs a pause of `LOCKED`."""
LOCKED = timedelta(minutes=15)

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class PassphraseWeak(DomainError):
    """A custodian's passphrase is too short, over-long, or of a few characters repeated."""

    code = "custodian.passphrase_weak"


class PassphraseWrong(DomainError):
    """There is no such custodian with this passphrase; which of the two is not told."""

    code = "custodian.passphrase_wrong"


class CustodianLocked(DomainError):
    """Too many wrong passphrases: the next attempt is heard at `until`."""

    code = "custodian.locked"


@dataclass(frozen=True, slots=True)
class Custodian:
    """One who has just given the right passphrase: `prove` makes one, and the sandbox for its own."""

    name: str


def custodian_hash(passphrase: str, random: Callable[[int], bytes]) -> str:
    """Return the text to keep of a passphrase: slow, so outside transactions. Raises PassphraseWeak."""
    if not MINIMUM <= len(passphrase) <= _MAXIMUM or len(set(passphrase)) < _LEAST_DIFFERENT:
        raise PassphraseWeak(minimum=MINIMUM)
    return _hasher.hash(passphrase, salt=random(16))


def prove(begin: Begin, name: str, passphrase: str, now: datetime) -> Custodian:
    """Tell who is there by name and passphrase, in two transactions with the slow check between.

    Raises PassphraseWrong and CustodianLocked; both are journalled.
    """
    try:
        with begin() as tx:
            kept = _count_attempt(tx, name, now)
        # Where nobody has the name, an answer takes as long: names are not found by the clock.
        if not _is_right(passphrase, kept or _nobodys_hash()) or kept is None:
            raise PassphraseWrong(name=name)
    except (PassphraseWrong, CustodianLocked) as refused:
        with begin() as tx:
            details = {"reason": refused.code}
            journal.append(
                tx, at=now, actor=name, action="custodian.refused", subject=name, details=details
            )
        raise
    with begin() as tx:
        tx.execute(update(custodian).where(custodian.c.name == name).values(attempts=0))
    return Custodian(name)


def standing(tx: Session) -> tuple[str, ...]:
    """Return the names of those who are custodians now, in order."""
    query = select(custodian.c.name).where(custodian.c.removed_at.is_(None))
    return tuple(tx.scalars(query.order_by(custodian.c.name)))


def heard_again(attempts: int, tried_at: datetime | None) -> datetime | None:
    """Return when a custodian is heard again after so many wrong attempts; None is at once."""
    if tried_at is None or attempts < FREE_ATTEMPTS:
        return None
    return tried_at + LOCKED


def _count_attempt(tx: Session, name: str, now: datetime) -> str | None:
    """Count an attempt and return what is kept of the passphrase; None for nobody."""
    query = select(custodian).where(custodian.c.name == name, custodian.c.removed_at.is_(None))
    row = tx.execute(query.with_for_update()).first()
    if row is None:
        return None
    until = heard_again(row.attempts, row.tried_at)
    if until is not None and now < until:
        raise CustodianLocked(name=name, until=until.isoformat())
    counted = update(custodian).where(custodian.c.name == name)
    tx.execute(counted.values(attempts=row.attempts + 1, tried_at=now))
    return str(row.passphrase)


@cache
def _nobodys_hash() -> str:
    return _hasher.hash("a passphrase of nobody's")


def _is_right(passphrase: str, kept: str) -> bool:
    if len(passphrase) > _MAXIMUM:
        return False
    try:
        return _hasher.verify(kept, passphrase)
    except (VerificationError, InvalidHashError):
        return False
