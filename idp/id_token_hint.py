"""Whom a client means by an ID Token it was given before (OpenID Connect Core §3.1.2.1).

One that has expired is good: it says who, not that they are signed in. One by somebody else, one
that was changed, and one given to another client are not.
"""

from dataclasses import dataclass

from idp.clients import Client
from idp.provider import Provider
from idp.subjects import recognised
from keys.compact import TokenError
from keys.presented import ClientKey, verify_presented

_TYPES = ("JWT", None)


class HintRefused(Exception):
    """The token is none of ours, or not this client's."""


@dataclass(frozen=True, slots=True)
class Hinted:
    """An ID Token of ours: to which clients, about whom (`sub` as those know it), in which sign-on."""

    audiences: tuple[str, ...]
    sub: str
    sid: str | None


def read(provider: Provider, token: str) -> Hinted:
    """Read an ID Token of ours, live or not, signed by any key that is still published.

    Raises `HintRefused`.
    """
    keys = provider.token_keys()
    try:
        found = verify_presented(
            token,
            [ClientKey(kid, (key,)) for kid, key in keys.items()],
            algorithms={key.algorithm.jose for key in keys.values()},
            types=_TYPES,
        )
    except TokenError:
        raise HintRefused from None
    claims = found.claims
    aud, sub, sid = claims.get("aud"), claims.get("sub"), claims.get("sid")
    audiences = aud if isinstance(aud, list) else [aud]
    # A logout token of ours has the same keys and audience; `events` tells it (Back-Channel §2.4).
    if claims.get("iss") != provider.issuer or not isinstance(sub, str) or "events" in claims:
        raise HintRefused
    return Hinted(tuple(map(str, audiences)), sub, sid if isinstance(sid, str) else None)


def subject(provider: Provider, client: Client, token: str) -> str:
    """The subject an ID Token of this client is about. Raises `HintRefused`."""
    hinted = read(provider, token)
    known = recognised(provider, client, hinted.sub)
    if client.client_id not in hinted.audiences or known is None:
        raise HintRefused
    return known
