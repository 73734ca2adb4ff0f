"""Access tokens of ours that come back: to be told about, revoked or exchanged."""

from collections.abc import Collection

from idp.clients import Client
from idp.provider import Provider
from keys import access_token
from keys.access_token import Caller
from keys.jose import AnyAudience


def read(provider: Provider, token: str) -> Caller:
    """Who calls by an access token that we signed and that has not lapsed, whoever it is for.

    Whether it was revoked is asked of `revocations`. Raises `TokenError`.
    """
    return access_token.check(
        token,
        provider.token_keys(),
        issuer=provider.issuer,
        audience=AnyAudience.ANY,
        now=provider.clock(),
    )


def concerns(client: Client, caller: Caller) -> bool:
    """Is the token any business of this client: its own, or one for a resource of its own?"""
    own = caller.client_id == client.client_id
    return own or not set(client.resources).isdisjoint(audiences(caller))


def audiences(caller: Caller) -> Collection[str]:
    """The token's `aud`, always as several."""
    aud = caller.claims.get("aud", ())
    return (aud,) if isinstance(aud, str) else tuple(aud)
