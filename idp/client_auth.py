"""How a client proves itself at the token endpoint (OpenID Connect Core §9, RFC 6749 §2.3.1).

A client uses the method it registered, except that a secret may come in the header or in the body:
which of the two is a habit of client libraries. Secrets are random, so an HMAC comparison is
enough and `/token` stays fast.
"""

import base64
import binascii
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from sqlalchemy.orm import Session

from idp import clients
from idp.clients import SECRET, Client
from idp.errors import OAuthError
from idp.fingerprint import fingerprint, matches
from idp.parameters import Parameters
from idp.provider import Provider
from idp.vocabulary import AuthMethod, OAuthCode

_WITH_SECRET = {AuthMethod.BASIC, AuthMethod.POST}


@dataclass(frozen=True, slots=True)
class Presented:
    """Who the caller says it is, by which method, with which secret."""

    method: AuthMethod
    client_id: str
    secret: str | None = field(default=None, repr=False)


def presented(sent: Parameters, authorization: str | None) -> Presented:
    """Read the caller's proof from header and body. Raises `OAuthError` for none, or for two."""
    if authorization is not None:
        if sent.get("client_secret") is not None:
            raise OAuthError(OAuthCode.INVALID_REQUEST, "two client authentication methods")
        client_id, secret = _basic(authorization)
        if sent.get("client_id") not in (None, client_id):
            raise OAuthError(OAuthCode.INVALID_REQUEST, "two client identifiers")
        return Presented(AuthMethod.BASIC, client_id, secret)
    named = sent.get("client_id")
    if named is None:
        raise _refused("client authentication is missing", by_header=True)
    if sent.get("client_secret") is not None:
        return Presented(AuthMethod.POST, named, sent.get("client_secret"))
    return Presented(AuthMethod.NONE, named)


def authenticate(
    tx: Session, provider: Provider, sent: Parameters, authorization: str | None
) -> Client:
    """The client that proved itself. Raises `OAuthError` `invalid_client`, the same for every cause."""
    proof = presented(sent, authorization)
    client = clients.find(tx, proof.client_id)
    secret_is_right = _secret_is_right(provider, client, proof)
    if client is None or not secret_is_right or not _fits(client.auth_method, proof.method):
        raise _refused("client authentication failed", by_header=authorization is not None)
    return client


def _fits(registered: AuthMethod, used: AuthMethod) -> bool:
    return used is registered or {used, registered} == _WITH_SECRET


def _secret_is_right(provider: Provider, client: Client | None, proof: Presented) -> bool:
    if proof.method is AuthMethod.NONE:
        return True
    stored = client.secret_fingerprint if client is not None else None
    nobody = fingerprint(provider.secret, SECRET, "")
    secret = proof.secret or ""
    return matches(provider.secret, SECRET, secret, stored or nobody) and stored is not None


def _basic(authorization: str) -> tuple[str, str]:
    """RFC 6749 §2.3.1: both halves are form-encoded before they are joined."""
    scheme, _, credentials = authorization.partition(" ")
    try:
        decoded = base64.b64decode(credentials.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        decoded = ""
    client_id, colon, secret = decoded.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise _refused("the Authorization header is not Basic", by_header=True)
    return unquote_plus(client_id), unquote_plus(secret)


def _refused(description: str, *, by_header: bool) -> OAuthError:
    # RFC 6749 §5.2: 401 always allowed; a challenge is due when the header was used.
    challenge = 'Basic realm="yinxin"' if by_header else None
    return OAuthError(OAuthCode.INVALID_CLIENT, description, status=401, challenge=challenge)
