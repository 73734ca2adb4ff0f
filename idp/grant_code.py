"""The authorization code: given once by the dispatcher, taken once at the token endpoint.

Taking is one atomic step in Redis, so of any number of parallel uses exactly one wins. A code
that comes again revokes what the first use gave (RFC 6749 §4.1.2, RFC 9700 §4.5).
"""

import base64
import hashlib
import hmac
import logging
import re
from dataclasses import dataclass, replace
from datetime import timedelta

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from idp import accounts, artifacts, levels, sessions, staff
from idp.clients import Client
from idp.errors import AccountUnknown, OAuthError
from idp.parameters import Parameters
from idp.provider import Provider
from idp.request import AuthorizationRequest
from idp.sessions import SignOn
from idp.tokens import LIFETIME, Entitlement, SignInFacts
from idp.vocabulary import LICENCE_SCOPES, OAuthCode, Realm

_log = logging.getLogger(__name__)
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636 §4.1


@dataclass(frozen=True, slots=True)
class Given:
    """What a code stands for."""

    grant_id: str
    sid: str
    request: AuthorizationRequest


CODE = artifacts.Kind("code", TypeAdapter(Given), timedelta(seconds=60))
_FAMILY = artifacts.Kind("code-family", TypeAdapter(str), timedelta(minutes=15))
_REVOKED = artifacts.Kind("revoked-grant", TypeAdapter(bool), LIFETIME)


def give(provider: Provider, request: AuthorizationRequest, session: SignOn) -> str:
    """Make a code for an answered request."""
    # The hint has served, and may be somebody's number: it is not kept with the code.
    given = Given(provider.handle(16), session.sid, replace(request, login_hint=None))
    code = artifacts.put(provider, CODE, given)
    artifacts.keep(provider, _FAMILY, code, given.grant_id)
    return code


def authorise(tx: Session, provider: Provider, client: Client, sent: Parameters) -> Entitlement:
    """Redeem a code (RFC 6749 §4.1.3, RFC 7636 §4.6). Raises `OAuthError`."""
    code = sent.get("code")
    if code is None:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "code is missing")
    given = artifacts.take(provider, CODE, code)
    if given is None:
        _revoke_family(provider, client, code)
        raise _invalid("the code is unknown, lapsed or used")
    _check_binding(client, sent, given.request)
    session = sessions.by_sid(tx, provider, given.sid)
    if session is None:
        raise _invalid("the person has signed out")
    try:
        return _entitlement(tx, provider, client, given, session)
    except AccountUnknown:
        raise _invalid("the account is closed") from None


def is_revoked(provider: Provider, grant_id: str) -> bool:
    """Was the grant revoked while a token of it may still live?"""
    return artifacts.get(provider, _REVOKED, grant_id) is not None


def _revoke_family(provider: Provider, client: Client, code: str) -> None:
    grant_id = artifacts.get(provider, _FAMILY, code)
    if grant_id is None:
        return
    artifacts.keep(provider, _REVOKED, grant_id, content=True)
    _log.warning("code.presented_again", extra={"client_id": client.client_id})


def _check_binding(client: Client, sent: Parameters, request: AuthorizationRequest) -> None:
    if request.client_id != client.client_id:
        raise _invalid("the code was given to another client")
    if sent.get("redirect_uri") != request.redirect_uri:
        raise _invalid("redirect_uri is not the one of the request")
    verifier = sent.get("code_verifier") or ""
    if not _VERIFIER.fullmatch(verifier):
        raise _invalid("code_verifier is missing or malformed")
    if not hmac.compare_digest(_challenge(verifier), request.code_challenge):
        raise _invalid("code_verifier does not match")


def _challenge(verifier: str) -> str:
    """RFC 7636 §4.2, S256."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _entitlement(
    tx: Session, provider: Provider, client: Client, given: Given, session: SignOn
) -> Entitlement:
    asked = given.request
    scopes, organisation, level = asked.scopes, None, levels.STAFF
    if session.realm is Realm.STAFF:
        member = staff.member(tx, session.subject)
        # Roles decide what of the licence API a member may ask for (RFC 6749 §3.3: less may be given).
        scopes = tuple(s for s in scopes if s not in LICENCE_SCOPES or s in member.scopes)
        organisation = member.organisation
    else:
        accounts.person(tx, provider, session.subject)
        level = accounts.standing(tx, provider, session.subject).level
    return Entitlement(
        client=client,
        subject=session.subject,
        scopes=scopes,
        audiences=_audiences(provider, client, asked, scopes),
        organisation=organisation,
        sign_in=SignInFacts(
            sid=session.sid,
            signed_in_at=session.signed_in_at,
            methods=session.methods,
            level=level,
            nonce=asked.nonce,
            grant_id=given.grant_id,
        ),
    )


def _audiences(
    provider: Provider, client: Client, asked: AuthorizationRequest, scopes: tuple[str, ...]
) -> tuple[str, ...]:
    """The resources named, or the client's first when a scope needs one; and userinfo, ours."""
    resources = asked.resources
    if not resources and set(scopes) & set(LICENCE_SCOPES):
        resources = client.resources[:1]
    return (*resources, provider.issuer)


def _invalid(description: str) -> OAuthError:
    return OAuthError(OAuthCode.INVALID_GRANT, description)
