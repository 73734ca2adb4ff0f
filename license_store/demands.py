"""Which operations of the licence API ask people how, and how lately, they signed in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from keys.access_token import Caller
from keys.step_up import require_sign_in


@dataclass(frozen=True, slots=True)
class Demand:
    """What a sign-in must be: at one of the levels (any, if none are named), not longer ago."""

    acr_values: tuple[str, ...] = ()
    max_age: timedelta | None = None


DEMANDS: Mapping[str, Demand] = MappingProxyType(
    {
        # A licence that was ended comes back by no operation: the clerk must be there in person.
        "revoke_licence": Demand(max_age=timedelta(minutes=15)),
    }
)
"""By operation; a sign-on itself lasts a working day."""


def meet(caller: Caller, operation: str, now: datetime) -> None:
    """See that the caller's sign-in is good enough for the operation. Raises `SignInInsufficient`.

    A machine, whose tokens have the client itself as subject (RFC 9068 §2.2), signs in nowhere: it
    proves itself anew for each token.
    """
    if caller.subject == caller.client_id:
        return
    demand = DEMANDS[operation]
    require_sign_in(caller, acr_values=demand.acr_values, max_age=demand.max_age, now=now)
