"""Token introspection (RFC 7662), answered in JSON or, where it is asked for, signed (RFC 9701).

A token has one form: an access token is signed, a refresh token is one random word. So
`token_type_hint` is not needed, and nothing is written for an answer.
"""

from typing import Any

from sqlalchemy.orm import Session

from idp import client_auth, client_tokens, issued_tokens, refresh_tokens, revocations, subjects
from idp.call import NO_STORE, Answer, Call, told
from idp.clients import Client
from idp.entities import context
from idp.errors import OAuthError
from idp.provider import Provider
from idp.vocabulary import INTROSPECTION_PARAMETERS, OAuthCode
from keys.access_token import Caller
from keys.jose import TokenError

MEDIA_TYPE = "application/token-introspection+jwt"

TOLD = (
    "scope",
    "client_id",
    "exp",
    "iat",
    "nbf",
    "sub",
    "aud",
    "iss",
    "jti",
    "cnf",
    "act",
    "acr",
    "amr",
    "auth_time",
    "authorization_details",
    "organisation",
    "entity",
    "helping",
)
"""The claims of an access token that are told (RFC 7662 §2.2, RFC 9449 §6.2, RFC 8693 §4.1,
RFC 9470 §6.2, RFC 9396 §9.2; the last three are ours)."""

_Members = dict[str, Any]
_INACTIVE: _Members = {"active": False}


def answer(provider: Provider, call: Call) -> Answer:
    """Tell a client whether a token is active, and what it stands for. Raises `OAuthError`."""
    if repeated := sorted(call.sent.repeated & INTROSPECTION_PARAMETERS.keys()):
        raise OAuthError(OAuthCode.INVALID_REQUEST, f"{repeated[0]} is repeated")
    client, token = _asking(provider, call), _token(call)
    with provider.reading() as tx:
        members = _members(tx, provider, client, token)
    if MEDIA_TYPE in call.headers.get("accept", ""):
        return _signed(provider, client, members)
    return told(members)


def at_once(provider: Provider, call: Call) -> Answer | None:
    """The answer, when this very token was found alive within this second; else `None`.

    Portals ask about the same token with every page. Nothing is waited for here.
    """
    caller = provider.live_tokens.get(call.sent.get("token") or "", provider.clock())
    if caller is None or call.sent.repeated or MEDIA_TYPE in call.headers.get("accept", ""):
        return None
    has_lapsed = int(provider.clock().timestamp()) >= caller.claims["exp"]
    if has_lapsed or not client_auth.is_at_hand(provider, call):
        return None
    return told(_of_live_token(_asking(provider, call), caller))


def _asking(provider: Provider, call: Call) -> Client:
    """RFC 7662 §2.1: who asks must have proved itself, so that nobody can try tokens out."""
    client = client_auth.authenticate(provider, call)
    if client.is_public:
        raise OAuthError(OAuthCode.INVALID_CLIENT, "only confidential clients may ask", status=401)
    return client


def _token(call: Call) -> str:
    token = call.sent.get("token")
    if token is None:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "token is missing")
    return token


def _members(tx: Session, provider: Provider, client: Client, token: str) -> _Members:
    if "." in token:
        return _of_access_token(tx, provider, client, token)
    return _of_refresh_token(tx, provider, client, token)


def _of_access_token(tx: Session, provider: Provider, client: Client, token: str) -> _Members:
    try:
        caller = issued_tokens.read(provider, token)
    except TokenError:
        return _INACTIVE
    if revocations.any_revoked(tx, provider, revocations.of_token(caller.claims)):
        return _INACTIVE
    if not context.still_stands(tx, provider, caller.claims):
        return _INACTIVE
    provider.live_tokens.keep(token, caller, provider.clock())
    return _of_live_token(client, caller)


def _of_live_token(client: Client, caller: Caller) -> _Members:
    # RFC 7662 §2.2: a client that may not know about a token is told that it is not active.
    if not issued_tokens.concerns(client, caller):
        return _INACTIVE
    claims = {name: caller.claims[name] for name in TOLD if name in caller.claims}
    return {"active": True, "token_type": _type(caller)} | claims


def _of_refresh_token(tx: Session, provider: Provider, client: Client, token: str) -> _Members:
    kept = refresh_tokens.find(tx, provider, token)
    if kept is None or kept.client_id != client.client_id:
        return _INACTIVE
    approval = kept.approval
    ids = [revocations.grant(approval.grant_id)]
    if not approval.outlives_session:
        ids.append(revocations.session(approval.sid))
    if not kept.is_live(provider.clock()) or revocations.any_revoked(tx, provider, ids):
        return _INACTIVE
    # What was revoked with a mandate is kept as long as access tokens live, which is less than this.
    if not context.is_open(tx, provider, approval.subject, approval.context):
        return _INACTIVE
    return {
        "active": True,
        "scope": " ".join(approval.scopes),
        "client_id": kept.client_id,
        "exp": int(kept.expires_at.timestamp()),
        "iat": int(kept.issued_at.timestamp()),
        "sub": subjects.told(provider, client, approval.subject),
        "iss": provider.issuer,
    }


def _type(caller: Caller) -> str:
    """RFC 9449 §6.2; a token bound to a certificate is a bearer's still (RFC 8705 §3)."""
    return "DPoP" if "jkt" in caller.confirmation else "Bearer"


def _signed(provider: Provider, client: Client, members: _Members) -> Answer:
    """RFC 9701 §5: the answer as evidence, for this client alone."""
    claims = {
        "iss": provider.issuer,
        "aud": client.client_id,
        "iat": int(provider.clock().timestamp()),
        "token_introspection": members,
    }
    alg = client.introspection_signed_response_alg
    body = client_tokens.signed(provider, claims, alg, "token-introspection+jwt")
    return Answer(200, body.encode(), MEDIA_TYPE, NO_STORE)
