"""What a backchannel authentication request asks, plain or signed (CIBA Core 1.0 §7.1, §7.1.1).

The signed form is also held to the FAPI CIBA profile §5.2.2: it lives for an hour at most, and says
something by which the person can tell this request from any other.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter

from idp import artifacts, asking, client_signed, pending, request_checks, request_object
from idp.asking import Wishes
from idp.client_keys import KeysUnavailable
from idp.clients import Client
from idp.errors import OAuthError, RedirectedError
from idp.parameters import Parameters
from idp.provider import Provider
from idp.submission import Submission
from idp.vocabulary import BACKCHANNEL_PARAMETERS, CLIENT_PARAMETERS, Delivery, OAuthCode
from keys.compact import TokenError

HINTS = ("login_hint", "id_token_hint", "login_hint_token")
USUAL_LIFETIME = timedelta(minutes=5)

_IN_OBJECT: Mapping[str, str] = MappingProxyType(
    {
        name: section
        for name, section in BACKCHANNEL_PARAMETERS.items()
        if name not in CLIENT_PARAMETERS and name != "request"
    }
)
# §7.1.1: texts, but for the expiry; RFC 9396 §2 and RFC 8707 §2 have JSON of their own.
_SHAPES: Mapping[str, type | tuple[type, ...]] = MappingProxyType(
    {
        "requested_expiry": (str, int),
        "authorization_details": (str, list),
        "resource": (str, list),
    }
)
_LEEWAY = 30
_LONGEST = 60 * 60
_LONGEST_JTI = 512
_LONGEST_MESSAGE = 128
_USED = artifacts.Kind("backchannel-request", TypeAdapter(bool), timedelta(seconds=2 * _LONGEST))
_SECONDS = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{22,1024}={0,2}")
"""RFC 6750 §2.1 `b64token`, long enough for the 128 bits of CIBA Core 1.0 §7.1."""


@dataclass(frozen=True, slots=True)
class BackchannelRequest:
    """A request that passed every check; `hint` is one of `HINTS` and its value."""

    wishes: Wishes
    hint: tuple[str, str] = field(repr=False)
    acr_values: tuple[str, ...]
    binding_message: str | None
    lifetime: timedelta
    notification_token: str | None = field(repr=False)


def effective(provider: Provider, client: Client, sent: Parameters) -> Parameters:
    """The parameters that count; call it outside any transaction. Raises `OAuthError`."""
    token = sent.get("request")
    algorithm = client.backchannel_authentication_request_signing_alg
    if token is None:
        if algorithm is not None or client.signs_requests:
            raise _invalid("this client must sign its requests")
        return sent
    if algorithm is None:
        raise _invalid("this client did not register to sign its requests")
    if sent.resources or not _IN_OBJECT.keys().isdisjoint(sent.single):
        raise _invalid("parameters stand outside the signed request")
    claims = _verified(provider, client, token, algorithm)
    lapses_in = _check_claims(provider, client, claims)
    inside = _parameters(client, claims)
    # Last, so that nobody can use up the jti of a request that is not theirs.
    handle = f"{client.client_id} {claims['jti']}"
    if not artifacts.is_first(provider, _USED, handle, True, timedelta(seconds=lapses_in)):
        raise _invalid("the signed request was used before")
    return inside


def read(sent: Parameters, client: Client) -> BackchannelRequest:
    """Check what is asked and read it. Raises `OAuthError`."""
    for check in _CHECKS:
        check(sent, client)
    (name,) = _hints(sent)
    expiry = sent.get("requested_expiry")
    asked = USUAL_LIFETIME if expiry is None else timedelta(seconds=int(expiry))
    wants_ping = client.backchannel_token_delivery_mode is Delivery.PING
    return BackchannelRequest(
        wishes=asking.wishes(sent, client),
        hint=(name, sent.get(name) or ""),
        acr_values=sent.words("acr_values") or client.default_acr_values,
        binding_message=sent.get("binding_message"),
        lifetime=min(asked, pending.LONGEST),
        notification_token=sent.get("client_notification_token") if wants_ping else None,
    )


def scope_asks_for_openid(sent: Parameters, client: Client) -> None:
    """CIBA Core 1.0 §7.1."""
    try:
        request_checks.scope_asks_for_openid(Submission(sent), client)
    except RedirectedError as refused:
        raise OAuthError(refused.error, refused.description) from None


def one_hint_is_given(sent: Parameters, client: Client) -> None:
    """CIBA Core 1.0 §7.1: one and only one; tokens of others' making are not understood here."""
    hints = _hints(sent)
    if len(hints) != 1:
        raise _invalid("exactly one of login_hint and id_token_hint is needed")
    if hints == ["login_hint_token"]:
        raise _invalid("login_hint_token is not supported")


def binding_message_can_be_shown(sent: Parameters, client: Client) -> None:
    """CIBA Core 1.0 §7.1: short, plain; §13 `invalid_binding_message`."""
    message = sent.get("binding_message")
    if message is None:
        return
    if len(message) > _LONGEST_MESSAGE or not message.isprintable() or message.isspace():
        raise OAuthError(
            OAuthCode.INVALID_BINDING_MESSAGE,
            f"binding_message must be a line of at most {_LONGEST_MESSAGE} characters",
        )


def request_can_be_told_apart(sent: Parameters, client: Client) -> None:
    """FAPI CIBA profile §5.2.2: the person sees which request it is; asked of clients that sign."""
    if client.backchannel_authentication_request_signing_alg is None:
        return
    if sent.get("binding_message") is None and sent.get("authorization_details") is None:
        raise _invalid("binding_message is required")


def user_code_is_not_sent(sent: Parameters, client: Client) -> None:
    """CIBA Core 1.0 §7.1: the metadata says that there are none here; a check would be missed."""
    if sent.get("user_code") is not None:
        raise _invalid("user_code is not supported")


def expiry_is_seconds(sent: Parameters, client: Client) -> None:
    """CIBA Core 1.0 §7.1 `requested_expiry`."""
    expiry = sent.get("requested_expiry")
    if expiry is not None and not _SECONDS.fullmatch(expiry):
        raise _invalid("requested_expiry must be a positive number of seconds")


def notification_token_is_given(sent: Parameters, client: Client) -> None:
    """CIBA Core 1.0 §7.1: required of clients that are pinged."""
    if client.backchannel_token_delivery_mode is not Delivery.PING:
        return
    if not _TOKEN.fullmatch(sent.get("client_notification_token") or ""):
        raise _invalid("client_notification_token must be a b64token of 22 to 1024 characters")


_CHECKS: tuple[Callable[[Parameters, Client], None], ...] = (
    scope_asks_for_openid,
    one_hint_is_given,
    binding_message_can_be_shown,
    request_can_be_told_apart,
    user_code_is_not_sent,
    expiry_is_seconds,
    notification_token_is_given,
)


def _hints(sent: Parameters) -> list[str]:
    return [name for name in HINTS if sent.get(name) is not None]


def _verified(provider: Provider, client: Client, token: str, algorithm: str) -> Mapping[str, Any]:
    try:
        return client_signed.verified(
            provider,
            client,
            token,
            algorithms=(algorithm,),
            types=request_object.TYPES,
            largest=request_object.LARGEST,
        ).claims
    except (TokenError, KeysUnavailable):
        raise _invalid("the signed request is not signed by the client as it registered") from None


def _check_claims(provider: Provider, client: Client, claims: Mapping[str, Any]) -> int:
    """CIBA Core 1.0 §7.1.1; return for how many seconds the request must be remembered."""
    aud, jti = claims.get("aud"), claims.get("jti")
    if claims.get("iss") != client.client_id:
        raise _invalid("iss of the signed request is not the client")
    if provider.issuer not in (aud if isinstance(aud, list) else [aud]):
        raise _invalid("aud of the signed request is not this provider")
    if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI:
        raise _invalid("jti of the signed request is missing")
    now = int(provider.clock().timestamp())
    expires, issued, begins = (_time(claims, name) for name in ("exp", "iat", "nbf"))
    if expires <= now:
        raise _invalid("the signed request has expired")
    if max(issued, begins) > now + _LEEWAY:
        raise _invalid("the signed request is not valid yet")
    if begins < now - _LONGEST or expires - begins > _LONGEST:
        raise _invalid("the signed request is older or lives longer than an hour")
    return expires - now


def _time(claims: Mapping[str, Any], name: str) -> int:
    try:
        moment = client_signed.moment(claims, name)
    except ValueError:
        moment = None
    if moment is None:
        raise _invalid(f"{name} of the signed request is missing or not a time")
    return moment


def _parameters(client: Client, claims: Mapping[str, Any]) -> Parameters:
    for name in sorted(_IN_OBJECT.keys() & claims.keys()):
        if not isinstance(claims[name], _SHAPES.get(name, str)):
            raise _invalid(f"{name} of the signed request is of the wrong type")
    try:
        return request_object.parameters_of(client, claims, _IN_OBJECT)
    except RedirectedError as refused:
        raise _invalid(refused.description) from None


def _invalid(description: str) -> OAuthError:
    return OAuthError(OAuthCode.INVALID_REQUEST, description)
