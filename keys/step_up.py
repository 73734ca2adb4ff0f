"""How a resource asks for a better or fresher sign-in than a token tells of (RFC 9470)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from keys.access_token import Caller
from keys.compact import TokenError


class SignInInsufficient(TokenError):
    """The person must sign in again, as told: `acr_values` ("" for any) and `max_age` (-1 for any)."""

    code = "token.sign_in_insufficient"


def require_sign_in(
    caller: Caller,
    *,
    acr_values: Sequence[str] = (),
    max_age: timedelta | None = None,
    now: datetime,
) -> None:
    """Raise `SignInInsufficient` unless the person signed in as asked.

    At one of the levels `acr_values`, if any are named, and less than `max_age` ago. A token that
    does not tell is as good as one that tells the worst (RFC 9470 §6.2).
    """
    weak = acr_values and caller.acr not in acr_values
    stale = max_age is not None and (
        caller.signed_in_at is None or now - caller.signed_in_at >= max_age
    )
    if weak or stale:
        raise SignInInsufficient(
            acr_values=" ".join(acr_values),
            max_age=-1 if max_age is None else int(max_age.total_seconds()),
        )
