"""How a client proves itself wherever no person is in between (OpenID Connect Core §9, RFC 8705 §2).

A client uses the method it registered, except that a secret may come in the header or in the body:
which of the two is a habit of client libraries. Secrets are random, so an HMAC comparison is
enough and `/token` stays fast.
"""

import base64
import binascii
import logging
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from idp import client_assertion, client_tls, clients
from idp.call import Call
from idp.client_assertion import AssertionRefused
from idp.clients import SECRET, Client
from idp.errors import OAuthError
from idp.fingerprint import fingerprint, matches
from idp.provider import Provider
from idp.vocabulary import CLIENT_PARAMETERS, AuthMethod, OAuthCode

_WITH_SECRET = (AuthMethod.BASIC, AuthMethod.POST)
_BY_CERTIFICATE = (AuthMethod.TLS, AuthMethod.SELF_SIGNED_TLS)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Presented:
    """Who the caller says it is, by which method, with which secret or assertion.

    The method is `none` when there is neither: the connection itself may tell more.
    """

    method: AuthMethod
    client_id: str
    proof: str = field(default="", repr=False)


def presented(call: Call) -> Presented:
    """Read the caller's proof from header and body. Raises `OAuthError` for none, or for two."""
    if repeated := sorted(call.sent.repeated & CLIENT_PARAMETERS.keys()):
        raise OAuthError(OAuthCode.INVALID_REQUEST, f"{repeated[0]} is repeated")
    authorization = call.headers.get("authorization")
    secret, assertion = call.sent.get("client_secret"), call.sent.get("client_assertion")
    if sum(proof is not None for proof in (authorization, secret, assertion)) > 1:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "two client authentication methods")
    named = call.sent.get("client_id")
    if authorization is not None:
        return _by_header(call, authorization, named)
    if assertion is not None:
        return _by_assertion(call, assertion, named)
    if named is None:
        raise _refused(call, "client authentication is missing")
    if secret is not None:
        return Presented(AuthMethod.POST, named, secret)
    return Presented(AuthMethod.NONE, named)


def is_at_hand(provider: Provider, call: Call) -> bool:
    """Say whether the caller's proof can be judged without waiting: a secret, of a client remembered."""
    shown = presented(call)
    return shown.method in _WITH_SECRET and clients.is_remembered(provider, shown.client_id)


def authenticate(provider: Provider, call: Call) -> Client:
    """The client that proved itself. Raises `OAuthError` `invalid_client`, the same for every cause
    but one: a client whose registration has ended is told so.

    It may fetch the client's keys: call it outside any transaction.
    """
    shown = presented(call)
    client = clients.named(provider, shown.client_id)
    if not _secret_is_right(provider, client, shown) or client is None:
        raise _failed(call, shown, "no such client, or a wrong secret")
    if client.auth_method is not shown.method and not _may_stand_for(client, shown.method):
        raise _failed(call, shown, "not the method registered")
    _check_possession(provider, client, call, shown)
    if client.has_ended(provider.clock()):
        # Only whoever proved to be the client is told.
        raise _refused(call, "the registration of the client has ended")
    return client


def _may_stand_for(client: Client, shown: AuthMethod) -> bool:
    if shown in _WITH_SECRET:
        return client.has_secret
    # RFC 8705 §2: beside the certificate of the connection the body holds `client_id` alone.
    return shown is AuthMethod.NONE and client.auth_method in _BY_CERTIFICATE


def _check_possession(provider: Provider, client: Client, call: Call, shown: Presented) -> None:
    """Raise unless a client that registered a key has it."""
    if client.auth_method is AuthMethod.PRIVATE_KEY_JWT:
        try:
            client_assertion.check(provider, client, call, shown.proof)
        except AssertionRefused as refused:
            raise _failed(call, shown, str(refused)) from None
    if client.auth_method in _BY_CERTIFICATE and not _has_certificate(provider, client, call):
        raise _failed(call, shown, "not the certificate registered")


def _has_certificate(provider: Provider, client: Client, call: Call) -> bool:
    if call.certificate is None:
        return False
    if client.auth_method is AuthMethod.TLS:
        return client_tls.is_issued_to(client, call.certificate)
    return client_tls.is_registered(provider, client, call.certificate)


def _secret_is_right(provider: Provider, client: Client | None, shown: Presented) -> bool:
    """Whether the secret is the client's, in the same time for every client and for none."""
    if shown.method not in _WITH_SECRET:
        return True
    stored = client.secret_fingerprint if client is not None else None
    nobody = fingerprint(provider.secret, SECRET, "")
    return matches(provider.secret, SECRET, shown.proof, stored or nobody) and stored is not None


def _by_header(call: Call, authorization: str, named: str | None) -> Presented:
    """RFC 6749 §2.3.1: both halves are form-encoded before they are joined."""
    scheme, _, credentials = authorization.partition(" ")
    try:
        decoded = base64.b64decode(credentials.strip(), validate=True).decode()
    except (binascii.Error, UnicodeError):
        decoded = ""
    client_id, colon, secret = decoded.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise _refused(call, "the Authorization header is not Basic")
    if named not in (None, unquote_plus(client_id)):
        raise OAuthError(OAuthCode.INVALID_REQUEST, "two client identifiers")
    return Presented(AuthMethod.BASIC, unquote_plus(client_id), unquote_plus(secret))


def _by_assertion(call: Call, assertion: str, named: str | None) -> Presented:
    if call.sent.get("client_assertion_type") != client_assertion.TYPE:
        raise _refused(call, "client_assertion_type is not supported")
    client_id = client_assertion.claimed_client(assertion)
    # RFC 7523 §3: beside an assertion, client_id is not needed, but must agree with it.
    if client_id is None or named not in (None, client_id):
        raise _refused(call, "client authentication failed")
    return Presented(AuthMethod.PRIVATE_KEY_JWT, client_id, assertion)


def _failed(call: Call, shown: Presented, cause: str) -> OAuthError:
    # Who it was is told by nobody trustworthy; the cause is ours.
    _log.info("client_auth.failed", extra={"method": shown.method.value, "cause": cause})
    return _refused(call, "client authentication failed")


def _refused(call: Call, description: str) -> OAuthError:
    # RFC 6749 §5.2: 401 always allowed; a challenge is due when the header was used.
    by_header = "authorization" in call.headers
    challenge = 'Basic realm="yinxin"' if by_header else None
    return OAuthError(OAuthCode.INVALID_CLIENT, description, status=401, challenge=challenge)
