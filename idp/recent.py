"""What changes an account for good is done by whoever has just signed in, not by a screen left open."""

from datetime import timedelta

from idp.errors import SignInTooOld
from idp.provider import Provider
from idp.sessions import SignOn

WITHIN = timedelta(minutes=15)


def require_recent(provider: Provider, sign_on: SignOn) -> None:
    """Raise `SignInTooOld` unless the sign-on was made, or renewed, within the last 15 minutes."""
    if provider.clock() - sign_on.signed_in_at >= WITHIN:
        raise SignInTooOld(minutes=int(WITHIN.total_seconds()) // 60)
