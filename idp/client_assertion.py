"""The client that proves itself by a token it signed: private_key_jwt (RFC 7523 §2.2, §3, Core §9)."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter

from idp import algorithms_offered, artifacts, client_signed
from idp.artifacts import Kind
from idp.call import Call
from idp.client_keys import KeysUnavailable
from idp.clients import Client
from idp.provider import Provider
from keys import compact
from keys.compact import TokenError
from keys.jose import LARGEST_TOKEN

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523 §2.2
_TYPES = (None, "JWT", "client-authentication+jwt")
_LEEWAY = 30
"""Seconds that two clocks may differ: FAPI 2.0 Security Profile §5.3.2.1 asks for 10 to 60."""

_LONGEST = 3600
"""How far ahead `exp` may be, in seconds: for so long every `jti` is remembered."""

_LONGEST_JTI = 512
_USED = Kind("client-assertion", TypeAdapter(bool), timedelta(seconds=_LONGEST))


class AssertionRefused(Exception):
    """The assertion proves nothing; the text says why, for the log."""


def claimed_client(assertion: str) -> str | None:
    """Return whom an assertion says it is by, before it is believed; `None` when it cannot be read."""
    try:
        _, payload, _ = compact.parts(assertion, 3, LARGEST_TOKEN)
        subject = compact.json_object(payload).get("sub")
    except TokenError:
        return None
    return subject if isinstance(subject, str) else None


def check(provider: Provider, client: Client, call: Call, assertion: str) -> None:
    """Raise `AssertionRefused` unless `client` signed this assertion, for us, now, and once."""
    claims = _signed(provider, client, assertion)
    if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
        raise AssertionRefused("iss or sub")
    if not _is_for_us(provider, client, call, claims.get("aud")):
        raise AssertionRefused("aud")
    lapses_in = _check_moments(provider, claims)
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI:
        raise AssertionRefused("jti")
    # Last, so that nobody can use up the jti of an assertion that is not theirs.
    handle = f"{client.client_id} {jti}"
    if not artifacts.is_first(provider, _USED, handle, True, timedelta(seconds=lapses_in)):
        raise AssertionRefused("used before")


def algorithms_of(client: Client) -> Collection[str]:
    """Return the `alg` names a client may sign with."""
    allowed = frozenset(
        algorithms_offered.OF_FAPI2 if client.is_fapi2 else algorithms_offered.BY_CLIENTS
    )
    told = client.auth_signing_alg
    return allowed if told is None else allowed & {told}


def _signed(provider: Provider, client: Client, assertion: str) -> Mapping[str, Any]:
    try:
        return client_signed.verified(
            provider, client, assertion, algorithms=algorithms_of(client), types=_TYPES
        ).claims
    except TokenError as refused:
        raise AssertionRefused(refused.code) from None
    except KeysUnavailable:
        raise AssertionRefused("the keys cannot be had") from None


def _is_for_us(provider: Provider, client: Client, call: Call, audience: object) -> bool:
    if client.is_fapi2:
        # FAPI 2.0 Security Profile §5.3.2.1: the issuer, as a string, and nothing else.
        return audience == provider.issuer
    named = audience if isinstance(audience, list) else [audience]
    return any(isinstance(one, str) and one in _names(provider, call) for one in named)


def _names(provider: Provider, call: Call) -> set[str]:
    """Our issuer; the token endpoint (Core §9); the endpoint that is called (CIBA Core §7.1)."""
    ours = {provider.issuer, f"{provider.issuer}/token", call.url}
    if provider.mtls_url is None:
        return {*ours}
    # RFC 8705 §5: the same endpoints where client certificates are asked for.
    called = call.url.removeprefix(provider.issuer)
    return {*ours, f"{provider.mtls_url}/token", f"{provider.mtls_url}{called}"}


def _check_moments(provider: Provider, claims: Mapping[str, Any]) -> int:
    """Return for how many seconds the assertion must be remembered."""
    now = int(provider.clock().timestamp())
    expires = _moment(claims, "exp")
    if expires is None or not now - _LEEWAY < expires <= now + _LONGEST:
        raise AssertionRefused("exp")
    for name in ("iat", "nbf"):
        moment = _moment(claims, name)
        if moment is not None and moment > now + _LEEWAY:
            raise AssertionRefused(name)
    return expires + _LEEWAY - now + 1


def _moment(claims: Mapping[str, Any], name: str) -> int | None:
    try:
        return client_signed.moment(claims, name)
    except ValueError:
        raise AssertionRefused(name) from None
