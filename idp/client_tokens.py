"""Tokens for one client to read: signed with the algorithm it registered, encrypted if it asked."""

from collections.abc import Mapping
from typing import Any

from idp import algorithms_offered, client_keys
from idp.client_keys import KeysUnavailable
from idp.clients import Client
from idp.errors import OAuthError
from idp.provider import Provider
from idp.vocabulary import OAuthCode
from keys import jose, jwe
from keys.algorithms import ALGORITHMS, Algorithm, Purpose
from keys.curves import KeyMalformed

_BY_JOSE_NAME: Mapping[str, Algorithm] = {a.jose: a for a in ALGORITHMS.values()}


def algorithm(jose_name: str) -> Algorithm:
    """The algorithm that client metadata calls `jose_name`."""
    return _BY_JOSE_NAME[jose_name]


def signed(provider: Provider, claims: Mapping[str, Any], alg: str, typ: str = "JWT") -> str:
    """The claims, signed with our key for `alg` (a JOSE name). Raises `KeyNotFound`."""
    return jose.sign(claims, provider.signer(Purpose.ID_TOKEN, algorithm(alg)), typ)


def encrypted(
    provider: Provider,
    client: Client,
    content: str | bytes,
    alg: str | None,
    enc: str | None,
    cty: str | None = "JWT",
) -> str:
    """The content, encrypted to the client's key (RFC 7516); as it is when `alg` is `None`.

    `cty` is `JWT` for a token within, `None` for plain JSON. It may fetch the client's keys: call it
    outside any transaction. Raises `OAuthError` `invalid_request` when they cannot be had or are
    not sound.
    """
    if alg is None:
        return content if isinstance(content, str) else content.decode()
    try:
        key = client_keys.encryption_key(provider, client, alg)
        return jwe.encrypt(content, key, alg, enc or algorithms_offered.USUAL_ENCRYPTION, cty)
    except (KeysUnavailable, KeyMalformed):
        raise OAuthError(
            OAuthCode.INVALID_REQUEST, "the keys of this client to encrypt to cannot be had"
        ) from None
