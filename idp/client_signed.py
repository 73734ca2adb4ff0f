"""What a client signed: an assertion, a request object, a backchannel request, by one of its keys."""

import math
from collections.abc import Collection, Mapping
from typing import Any

from idp import client_keys
from idp.clients import Client
from idp.provider import Provider
from keys.jose import LARGEST_TOKEN, TokenUnknownKey
from keys.presented import Presented, verify_presented


def verified(
    provider: Provider,
    client: Client,
    token: str,
    *,
    algorithms: Collection[str],
    types: Collection[str | None],
    largest: int = LARGEST_TOKEN,
) -> Presented:
    """Header and claims of a token that the client signed; what is claimed is for the caller to judge.

    A key that is not known is looked for once more where the client publishes its keys: it may have
    changed them. Raises `TokenError`, `KeysUnavailable`.
    """

    def by(*, again: bool) -> Presented:
        keys = client_keys.verification_keys(provider, client, again=again)
        return verify_presented(token, keys, algorithms=algorithms, types=types, largest=largest)

    try:
        return by(again=False)
    except TokenUnknownKey:
        return by(again=True)


def moment(claims: Mapping[str, Any], name: str) -> int | None:
    """The whole seconds of a NumericDate (RFC 7519 §2), or `None`. Raises `ValueError` for no time."""
    value = claims.get(name)
    if value is None:
        return None
    # A bool is an int to Python, and not to JSON. An int is not asked whether it is finite: one too
    # large for a float has no answer.
    if type(value) is int or (isinstance(value, float) and math.isfinite(value)):
        return int(value)
    raise ValueError(name)
