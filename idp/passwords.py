"""Passwords, kept as argon2id (RFC 9106) with 19 MiB, 2 passes, 1 lane.

Checking costs the same whether or not the account exists, so that time tells nothing. One that was
set by recovery says so, and since when, before its hash: `{recovered 1795410000}$argon2id$…`.
"""

import re
from datetime import UTC, datetime

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from idp.provider import Provider
from idp.sign_in_errors import PasswordWeak

MINIMUM = 10
_MAXIMUM = 128
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_nobody = _hasher.hash("nobody's password", salt=bytes(16))
_RECOVERED = re.compile(r"\{recovered (\d{1,12})\}", re.ASCII)


def check_strength(password: str, *own_numbers: str) -> None:
    """Raise `PasswordWeak` for one that is short, over-long, or contains a number of the person's."""
    contains_own = any(number and number in password for number in own_numbers)
    if not MINIMUM <= len(password) <= _MAXIMUM or contains_own or len(set(password)) < 4:
        raise PasswordWeak(minimum=MINIMUM)


def protect(provider: Provider, password: str) -> str:
    """The text to store."""
    return _hasher.hash(password, salt=provider.random(16))


def recovered(protected: str, at: datetime) -> str:
    """The text to store of a password that was set by recovery at `at`."""
    return f"{{recovered {int(at.timestamp())}}}{protected}"


def recovered_at(stored: str) -> datetime | None:
    """When a stored password was set by recovery; `None` for one that was not."""
    found = _RECOVERED.match(stored)
    return None if found is None else datetime.fromtimestamp(int(found[1]), UTC)


def is_right(password: str, stored: str | None) -> bool:
    """Does `password` open what is stored? `None` is for no account, "" for one without a password."""
    if len(password) > _MAXIMUM:
        return False
    try:
        _hasher.verify(_RECOVERED.sub("", stored or "", count=1) or _nobody, password)
    except (VerificationError, InvalidHashError):
        return False
    return bool(stored)
