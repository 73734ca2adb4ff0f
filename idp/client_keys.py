"""The keys of clients: told at registration, or fetched from where the client says they are.

Fetched ones are remembered for five minutes, so a client changes its keys without asking us
(OpenID Connect Core §10.1.1, §10.2.1).
"""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

from idp import artifacts
from idp.artifacts import Kind
from idp.clients import Client
from idp.outgoing import OutgoingFailed
from idp.provider import Provider
from keys import jwe, presented
from keys.curves import KeyMalformed
from keys.presented import ClientKey

JwkSet = dict[str, Any]

_READER = TypeAdapter(JwkSet)
_FETCHED = Kind("client-keys", _READER, timedelta(minutes=5))
# Keys that cannot be had, or lack a kid again and again, are not asked for with every request.
_ASKED = Kind("client-keys-asked", TypeAdapter(bool), timedelta(seconds=30))
_log = logging.getLogger(__name__)


class KeysUnavailable(Exception):
    """A client's keys cannot be fetched, or what is there are not keys."""


def verification_keys(
    provider: Provider, client: Client, *, again: bool = False
) -> tuple[ClientKey, ...]:
    """Return the keys that check what `client` signs; none when it registered none.

    `again` fetches them anew, at most every 30 seconds: for a token whose key is not among them.
    Raises `KeysUnavailable`.
    """
    try:
        return presented.client_keys(_key_set(provider, client, again=again))
    except KeyMalformed as wrong:
        raise _unavailable(client, wrong.code) from None


def encryption_key(provider: Provider, client: Client, alg: str) -> Mapping[str, object]:
    """Return the public JWK to encrypt to with `alg` (RFC 7518 §4.1). Raises `KeysUnavailable`."""
    try:
        return jwe.recipient_key(_key_set(provider, client, again=False), alg)
    except KeyMalformed as wrong:
        raise _unavailable(client, wrong.code) from None


def _key_set(provider: Provider, client: Client, *, again: bool) -> JwkSet:
    if client.jwks_uri is None:
        return dict(client.jwks or {"keys": []})
    kept = artifacts.get(provider, _FETCHED, client.jwks_uri)
    if kept is not None and not (again and _may_ask(provider, client.jwks_uri)):
        return kept
    if kept is None and artifacts.get(provider, _ASKED, client.jwks_uri):
        raise _unavailable(client, "asked a moment ago")
    return _fetched(provider, client, client.jwks_uri)


def _fetched(provider: Provider, client: Client, uri: str) -> JwkSet:
    try:
        body = provider.outgoing.get(uri, accept="application/jwk-set+json, application/json")
        found = _READER.validate_json(body)
    except OutgoingFailed as failed:
        cause = failed.reason.value
    except ValidationError:
        cause = "not JSON"
    else:
        artifacts.keep(provider, _FETCHED, uri, found)
        return found
    _may_ask(provider, uri)
    raise _unavailable(client, cause)


def _may_ask(provider: Provider, uri: str) -> bool:
    """Say whether nobody asked within the last half minute, and note that somebody did."""
    return artifacts.is_first(provider, _ASKED, uri, True, _ASKED.lifetime)


def _unavailable(client: Client, cause: str) -> KeysUnavailable:
    _log.warning("client_keys.unavailable", extra={"client_id": client.client_id, "cause": cause})
    return KeysUnavailable(cause)
