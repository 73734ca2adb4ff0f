"""After too many wrong passwords in a day, no password is taken for a name until the day is over.

The way back is open at once: a sign-in by anything else, or a new password by recovery. It is kept
per name typed and realm, whether or not an account has that name: a lock tells strangers nothing.
"""

from idp import throttle
from idp.errors import TooManyTries
from idp.provider import Provider
from idp.sign_in_errors import PasswordLocked
from idp.vocabulary import Realm
from keys import journal

_NOBODY = "nobody"


def count(provider: Provider, realm: Realm, name: str) -> int:
    """Count a try before it is made, and return how many are left. Raises `PasswordLocked`."""
    try:
        return throttle.count(provider, throttle.PASSWORD_LOCK, who(realm, name))
    except TooManyTries as locked:
        hours = -(-int(locked.parameters["seconds"]) // 3600)
        raise PasswordLocked(hours=hours) from None


def note(provider: Provider, realm: Realm, subject: str | None) -> None:
    """Tell the journal of a lock, by the last wrong password; call it outside any transaction.

    Of a name that nobody has (`None`) as well: else the time of the answer would tell who has one.
    """
    with provider.begin() as tx:
        journal.append(
            tx,
            at=provider.clock(),
            actor="service",
            action="password.locked",
            subject=subject or _NOBODY,
            details={"realm": realm},
        )


def lift(provider: Provider, realm: Realm, *names: str) -> None:
    """Forget every wrong password, by all the names of an account: it has shown who it is."""
    for name in names:
        for limit in (throttle.PASSWORD_LOCK, throttle.PASSWORD_PER_NAME):
            throttle.forgive(provider, limit, who(realm, name))


def who(realm: Realm, name: str) -> str:
    """How tries at a name are counted, however it is written."""
    return f"{realm}:{name.strip().upper()}"
