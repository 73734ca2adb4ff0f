"""Passwords, kept as argon2id (RFC 9106) with 19 MiB, 2 passes, 1 lane.

Checking costs the same whether or not the account exists, so that time tells nothing.
"""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from idp.errors import PasswordWeak
from idp.provider import Provider

MINIMUM = 10
_MAXIMUM = 128
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_nobody = _hasher.hash("nobody's password", salt=bytes(16))


def check_strength(password: str, *own_numbers: str) -> None:
    """Raise `PasswordWeak` for one that is short, over-long, or contains a number of the person's."""
    contains_own = any(number and number in password for number in own_numbers)
    if not MINIMUM <= len(password) <= _MAXIMUM or contains_own or len(set(password)) < 4:
        raise PasswordWeak(minimum=MINIMUM)


def protect(provider: Provider, password: str) -> str:
    """The text to store."""
    return _hasher.hash(password, salt=provider.random(16))


def is_right(password: str, stored: str | None) -> bool:
    """Does `password` open what is stored? `None` is for no account, "" for one without a password."""
    if len(password) > _MAXIMUM:
        return False
    try:
        _hasher.verify(stored or _nobody, password)
    except (VerificationError, InvalidHashError):
        return False
    return bool(stored)
