"""What changes an account for good is done by whoever has just signed in, not by a screen left open."""

from datetime import timedelta

from idp.method import UPSTREAM, factors
from idp.provider import Provider
from idp.sessions import SignOn
from idp.sign_in_errors import SignInTooOld

WITHIN = timedelta(minutes=15)


def require_recent(provider: Provider, sign_on: SignOn) -> None:
    """Raise `SignInTooOld` unless the sign-on was made, or renewed, within the last 15 minutes.

    One that proved nothing, as by somebody else's word for an account of theirs, is none.
    """
    is_old = provider.clock() - sign_on.signed_in_at >= WITHIN
    is_proven = factors(sign_on.methods) or {*sign_on.methods} & UPSTREAM
    if is_old or not is_proven:
        raise SignInTooOld(minutes=int(WITHIN.total_seconds()) // 60)
