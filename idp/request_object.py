"""Requests that the client signed (RFC 9101): sent by value, or by a reference it registered.

Only what stands in the object counts (RFC 9101 §6.3). FAPI 2.0 Message Signing §5.3.1 asks for more
of the object's times; clients that must sign, and those of FAPI 2.0, are held to it.
"""

import json
from collections.abc import Collection, Container, Mapping
from typing import Any

from idp import client_signed, sent_json
from idp.algorithms_offered import BY_CLIENTS, OF_FAPI2
from idp.client_keys import KeysUnavailable
from idp.clients import Client
from idp.errors import RedirectedError
from idp.outgoing import OutgoingFailed
from idp.parameters import Parameters, gather
from idp.provider import Provider
from idp.sent_json import JsonRefused
from idp.vocabulary import REQUEST_PARAMETERS, OAuthCode
from keys import jwe
from keys.compact import TokenError

LARGEST = 16 * 1024
"""Most characters of a request object."""

TYPES = ("oauth-authz-req+jwt", "JWT", None)  # RFC 9101 §10.8; Core §6 names none
MEDIA_TYPES = "application/oauth-authz-req+jwt, application/jwt"

_LEEWAY = 30
_LONGEST = 60 * 60  # FAPI 2.0 Message Signing §5.3.1: so old, and so long, in seconds
_MATCH = ("client_id", "response_type")  # Core §6.1: the same outside, where they are there too


def is_sent(sent: Parameters) -> bool:
    """Does the request bring a request object, by value or by reference?"""
    return not {"request", "request_uri"}.isdisjoint(sent.single)


def resolve(provider: Provider, client: Client, sent: Parameters) -> Parameters:
    """The parameters within the request object; call it outside any transaction.

    Raises `RedirectedError` `invalid_request_object`, `invalid_request_uri`, `invalid_request`.
    """
    token, reference = sent.get("request"), sent.get("request_uri")
    if token is not None and reference is not None:
        raise RedirectedError(OAuthCode.INVALID_REQUEST, "request and request_uri are both there")
    if reference is not None:
        token = _fetched(provider, client, reference)
    claims = _opened(provider, client, token or "")
    check_claims(provider, client, claims)
    inside = parameters_of(client, claims)
    for name in _MATCH:
        if sent.get(name) not in (None, inside.get(name)):
            raise _invalid(f"{name} differs from the one within the request object")
    return inside


def algorithms_of(client: Client) -> Collection[str]:
    """The algorithms a client may sign with: the one registered, else those it could have."""
    if client.request_object_signing_alg is not None:
        return (client.request_object_signing_alg,)
    return OF_FAPI2 if client.is_fapi2 else BY_CLIENTS


def check_claims(provider: Provider, client: Client, claims: Mapping[str, Any]) -> None:
    """RFC 9101 §4, §6.3 and FAPI 2.0 Message Signing §5.3.1. Raises `RedirectedError`."""
    strict = client.signs_requests or client.is_fapi2
    if claims.get("iss", None if strict else client.client_id) != client.client_id:
        raise _invalid("iss of the request object is not the client")
    aud = claims.get("aud", None if strict else provider.issuer)
    if provider.issuer not in (aud if isinstance(aud, list) else [aud]):
        raise _invalid("aud of the request object is not this provider")
    if "request" in claims or "request_uri" in claims:
        raise _invalid("a request object within a request object")
    if claims.get("client_id", client.client_id) != client.client_id:
        raise _invalid("client_id of the request object is not the client")
    _check_times(claims, int(provider.clock().timestamp()), strict=strict)


def parameters_of(
    client: Client, claims: Mapping[str, Any], known: Container[str] = REQUEST_PARAMETERS
) -> Parameters:
    """The claims that are parameters, as they would have been sent. Raises `RedirectedError`."""
    pairs = [] if "client_id" in claims else [("client_id", client.client_id)]
    for name, value in claims.items():
        if name in known:
            several = value if name == "resource" and isinstance(value, list) else [value]
            pairs += [(name, _as_sent(name, one)) for one in several]
    return gather((name, value) for name, value in pairs if value)


def _as_sent(name: str, value: Any) -> str:
    """RFC 9101 §4: texts are texts; numbers and JSON structures may stand as they are."""
    try:
        sent_json.check(value)
    except JsonRefused:
        raise _invalid(f"{name} of the request object cannot be read") from None
    match value:
        case str():
            return value
        case int() if not isinstance(value, bool):
            return str(value)
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        case _:
            raise _invalid(f"{name} of the request object is of the wrong type")


def _check_times(claims: Mapping[str, Any], now: int, *, strict: bool) -> None:
    expires, begins = _time(claims, "exp"), _time(claims, "nbf")
    if strict and (expires is None or begins is None):
        raise _invalid("exp and nbf of the request object are required")
    if expires is not None and expires <= now:
        raise _invalid("the request object has expired")
    if begins is not None and begins > now + _LEEWAY:
        raise _invalid("the request object is not valid yet")
    if not strict or expires is None or begins is None:
        return
    if begins < now - _LONGEST or expires - begins > _LONGEST:
        raise _invalid("the request object is older or lives longer than an hour")


def _time(claims: Mapping[str, Any], name: str) -> int | None:
    try:
        return client_signed.moment(claims, name)
    except ValueError:
        raise _invalid(f"{name} of the request object is not a time") from None


def _opened(provider: Provider, client: Client, token: str) -> Mapping[str, Any]:
    """The claims of a signed, or signed and then encrypted, object (RFC 9101 §6.1, §6.2)."""
    try:
        if token.count(".") == 4:
            token = _decrypted(provider, token)
        return client_signed.verified(
            provider, client, token, algorithms=algorithms_of(client), types=TYPES, largest=LARGEST
        ).claims
    except (TokenError, KeysUnavailable, UnicodeDecodeError):
        raise _invalid(
            "the request object cannot be read, or is not signed by the client"
        ) from None


def _decrypted(provider: Provider, token: str) -> str:
    opener = provider.opener(jwe.key_id(token, largest=LARGEST))
    if opener is None:
        raise _invalid("the request object is encrypted to a key that is not ours")
    return jwe.decrypt(token, opener, largest=LARGEST).payload.decode("ascii")


def _fetched(provider: Provider, client: Client, reference: str) -> str:
    """Core §6.2: only from where the client said beforehand."""
    if reference not in client.request_uris:
        raise RedirectedError(OAuthCode.INVALID_REQUEST_URI, "request_uri is not registered")
    try:
        body = provider.outgoing.get(
            reference.partition("#")[0], accept=MEDIA_TYPES, most_bytes=LARGEST
        )
        return body.decode("ascii").strip()
    except (OutgoingFailed, UnicodeDecodeError):
        raise RedirectedError(
            OAuthCode.INVALID_REQUEST_URI, "nothing usable is found at request_uri"
        ) from None


def _invalid(description: str) -> RedirectedError:
    return RedirectedError(OAuthCode.INVALID_REQUEST_OBJECT, description)
