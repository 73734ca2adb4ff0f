"""Resource indicators (RFC 8707): which of the audiences allowed a token is asked for."""

from collections.abc import Collection

from idp.errors import OAuthError
from idp.parameters import Parameters
from idp.vocabulary import OAuthCode


def named(sent: Parameters) -> tuple[str, ...]:
    """Those a request names: by `resource`, and by the `audience` of RFC 8693 §2.1, the same here."""
    audience = sent.get("audience")
    return sent.resources if audience is None else (*sent.resources, audience)


def narrowed(asked: Collection[str], allowed: Collection[str]) -> tuple[str, ...]:
    """The resources asked for, all of which must be allowed; none asked for means no choice.

    RFC 8707 §2.2: at the token endpoint a client may name fewer than it was granted, never others.
    Raises `OAuthError` `invalid_target`.
    """
    if not set(asked) <= set(allowed):
        raise OAuthError(OAuthCode.INVALID_TARGET, "resource was not granted to this client")
    return tuple(dict.fromkeys(asked))
