"""How strong a sign-in a request needs: pure rules over the request, its client and the ladder.

A rung meets every value below it, so what is asked for is compared by number. Values of another
realm, and values that are not ours, are met by nobody.
"""

from idp import claims_request, levels
from idp.clients import Client
from idp.request import AuthorizationRequest
from idp.vocabulary import Realm

BEYOND = 1 + max(level.number for level in (*levels.NATURAL, *levels.STAFF))
"""The number of a rung that nobody reaches."""


def needed(asked: AuthorizationRequest, client: Client, realm: Realm) -> int:
    """The rung without which the request is refused.

    It is the client's own floor, which nothing asked for lowers, or the lowest value of an
    essential `acr` when that is higher (OpenID Connect Core §5.5.1.1).
    """
    floor = floor_of(client, realm)
    essential = _numbers(realm, essential_acrs(asked))
    if not essential_acrs(asked):
        return floor
    return max(floor, min(essential, default=BEYOND))


def floor_of(client: Client, realm: Realm) -> int:
    """The rung below which nobody uses the client: its own, and of staff always both factors."""
    least = levels.STAFF[1].number if realm is Realm.STAFF else 0
    return least if client.minimum_acr is None else max(least, number_of(realm, client.minimum_acr))


def wanted(asked: AuthorizationRequest, client: Client, realm: Realm) -> int:
    """The rung to try for: the first value preferred that we know (Core §3.1.2.1 `acr_values`)."""
    preferred = _numbers(realm, _voluntary(asked) or client.default_acr_values)
    return max(needed(asked, client, realm), preferred[0] if preferred else 0)


def told(asked: AuthorizationRequest, client: Client, realm: Realm, reached: int) -> int:
    """The rung to tell the client, of a sign-in that reached `reached`.

    It is the one reached, but when `acr` is essential the highest of the values asked for: Core
    §5.5.1.1 wants one of them back, and a rung meets those below it.
    """
    met = [n for n in _numbers(realm, essential_acrs(asked)) if n <= reached]
    return max((n for n in met if n >= needed(asked, client, realm)), default=reached)


def essential_acrs(asked: AuthorizationRequest) -> tuple[str, ...]:
    """The values of an essential `acr` claim; none when it is voluntary or names no value."""
    conditions = asked.claims.id_token.get("acr")
    if not claims_request.is_essential(conditions):
        return ()
    return tuple(str(value) for value in claims_request.values(conditions))


def number_of(realm: Realm, acr: str) -> int:
    """The rung of an `acr` value in a realm; `BEYOND` for a value that is none of it."""
    level = levels.by_acr(acr)
    if level is None or levels.of_number(realm, level.number) is not level:
        return BEYOND
    return level.number


def _voluntary(asked: AuthorizationRequest) -> tuple[str, ...]:
    conditions = asked.claims.id_token.get("acr")
    if claims_request.is_essential(conditions):
        return asked.acr_values
    return asked.acr_values or tuple(str(value) for value in claims_request.values(conditions))


def _numbers(realm: Realm, acrs: tuple[str, ...]) -> list[int]:
    return [number for acr in acrs if (number := number_of(realm, acr)) != BEYOND]
