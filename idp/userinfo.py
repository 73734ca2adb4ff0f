"""The UserInfo endpoint's answer (OpenID Connect Core §5.3): claims by scope, nothing more."""

from sqlalchemy.orm import Session

from idp import accounts, grant_code, sessions, staff
from idp.errors import AccountUnknown, OAuthError
from idp.provider import Provider
from idp.sessions import SignOn
from idp.vocabulary import OAuthCode, Realm
from keys import access_token
from keys.access_token import Caller
from keys.jose import TokenError

Claims = dict[str, str | bool]


def answer(tx: Session, provider: Provider, token: str | None) -> Claims:
    """The claims the token's scopes allow. Raises `OAuthError` (RFC 6750 §3.1)."""
    if token is None:
        # RFC 6750 §3.1: the challenge of a request without credentials has no error code.
        raise OAuthError(
            OAuthCode.INVALID_TOKEN, "no access token was sent", status=401, challenge="Bearer"
        )
    caller = _caller(tx, provider, token)
    session = _session(tx, provider, caller)
    try:
        return {"sub": caller.subject} | _claims(tx, provider, session, caller.scopes)
    except AccountUnknown:
        raise _invalid("the account is closed") from None


def _caller(tx: Session, provider: Provider, token: str) -> Caller:
    keys = {key.kid: key for key in provider.token_keys(tx)}
    try:
        caller = access_token.check(
            token, keys, issuer=provider.issuer, audience=provider.issuer, now=provider.clock()
        )
    except TokenError as refused:
        raise _invalid(refused.code) from None
    if "openid" not in caller.scopes:
        raise _refused(OAuthCode.INSUFFICIENT_SCOPE, "openid is needed", status=403)
    if grant_code.is_revoked(provider, str(caller.claims.get("grant_id"))):
        raise _invalid("the grant was revoked")
    return caller


def _session(tx: Session, provider: Provider, caller: Caller) -> SignOn:
    session = sessions.by_sid(tx, provider, str(caller.claims.get("sid")))
    if session is None:
        raise _invalid("the person has signed out")
    return session


def _claims(tx: Session, provider: Provider, session: SignOn, scopes: frozenset[str]) -> Claims:
    """OpenID Connect Core §5.4: what each scope releases."""
    if session.realm is Realm.STAFF:
        member = staff.member(tx, session.subject)
        profile: Claims = {"name": member.name, "preferred_username": member.username}
        organisation: Claims = {access_token.ORGANISATION_CLAIM: member.organisation}
        return organisation | (profile if "profile" in scopes else {})
    person = accounts.person(tx, provider, session.subject)
    claims: Claims = {}
    if "profile" in scopes:
        claims["name"] = person.name
    if "phone" in scopes:
        claims["phone_number"] = f"+86{accounts.reveal_phone(tx, provider, session.subject)}"
        claims["phone_number_verified"] = True
    return claims


def _invalid(description: str) -> OAuthError:
    return _refused(OAuthCode.INVALID_TOKEN, description, status=401)


def _refused(error: OAuthCode, description: str, *, status: int) -> OAuthError:
    return OAuthError(error, description, status=status, challenge=f'Bearer error="{error}"')
