"""The UserInfo endpoint (OpenID Connect Core §5.3): claims by scope, and those asked for singly.

The answer is JSON, or a token if the client registered for one (§5.3.2). Every telling is an event.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from idp import (
    access_tokens,
    claims_release,
    client_tokens,
    clients,
    consents,
    dpop,
    releases,
    revocations,
    sender,
    sessions,
    subjects,
    transaction,
    userinfo_claims,
)
from idp.call import JWT, NO_STORE, Answer, Call, told
from idp.claims_release import Asked
from idp.clients import Client
from idp.entities import context
from idp.entity_errors import ContextNotOpen
from idp.errors import OAuthError
from idp.people_errors import AccountUnknown
from idp.provider import Provider
from idp.staff_errors import LocalAccountUnknown
from idp.staffing import local_accounts
from idp.vocabulary import OFFLINE, OAuthCode, Realm
from keys import access_token
from keys.access_token import Caller
from keys.jose import TokenError

Claims = Mapping[str, Any]

_INTERACTION = "x-fapi-interaction-id"
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


@dataclass(frozen=True, slots=True)
class _Known:
    """Who asks, and of whom: what a good token says, in our own words."""

    client: Client
    realm: Realm
    subject: str
    grant_id: str


class _DeadToken(Exception):
    """The token died before its time: revoked, consent taken back, its sign-on or its client gone."""


def answer(provider: Provider, call: Call) -> Answer:
    """Tell the claims the token allows. Raises `OAuthError` (RFC 6750 §3.1, RFC 9449 §7.1)."""
    caller = _caller(provider, call)
    asked = userinfo_claims.kept(provider, str(caller.claims.get(access_tokens.GRANT)))
    with provider.begin() as tx:
        try:
            known = _known(tx, provider, caller)
            claims = {"sub": caller.subject, **_released(tx, provider, known, caller, asked)}
        except (_DeadToken, AccountUnknown, ContextNotOpen, LocalAccountUnknown):
            raise _refused(call, OAuthCode.INVALID_TOKEN, "the token is dead") from None
    return _recognisable(provider, call, _as_registered(provider, known.client, claims))


def _recognisable(provider: Provider, call: Call, answered: Answer) -> Answer:
    """FAPI 1.0 Baseline §6.2.1: the answer bears its question's number, a UUID, or one of ours."""
    sent = call.headers.get(_INTERACTION, "")
    number = sent if _UUID.fullmatch(sent) else str(UUID(bytes=provider.random(16), version=4))
    return replace(answered, headers={**answered.headers, _INTERACTION: number})


def _caller(provider: Provider, call: Call) -> Caller:
    """Who shows the token. By now it is well signed, ours, alive, for us, and shown by its holder."""
    token = sender.token(call)
    if token is None:
        # RFC 6750 §3.1: the challenge of a request without credentials has no error code.
        raise OAuthError(
            OAuthCode.INVALID_TOKEN,
            "no access token was sent",
            status=401,
            challenge=f"Bearer, {dpop.challenge()}",
        )
    try:
        caller = access_token.check(
            token,
            provider.token_keys(),
            issuer=provider.issuer,
            audience=provider.issuer,
            now=provider.clock(),
        )
    except TokenError as refused:
        raise _refused(call, OAuthCode.INVALID_TOKEN, refused.code) from None
    sender.check(provider, caller, call)
    if "openid" not in caller.scopes:
        raise _refused(call, OAuthCode.INSUFFICIENT_SCOPE, "openid is needed", status=403)
    return caller


def _known(tx: Session, provider: Provider, caller: Caller) -> _Known:
    """Whose token it is. Raises `_DeadToken`."""
    claims = caller.claims
    client, realm = clients.known(tx, provider, caller.client_id), claims.get(access_tokens.REALM)
    if client is None or realm is None:
        raise _DeadToken
    if revocations.any_revoked(tx, provider, revocations.of_token(claims)):
        raise _DeadToken
    if not context.still_stands(tx, provider, claims):
        raise _DeadToken
    # With `offline_access` it outlives the sign-on (Core §11).
    sid = str(claims.get("sid"))
    if OFFLINE not in caller.scopes and sessions.by_sid(tx, provider, sid) is None:
        raise _DeadToken
    subject = subjects.recognised(provider, client, caller.subject)
    if subject is None or consents.missing(tx, client, subject, caller.scopes - {"openid"}):
        raise _DeadToken
    return _Known(client, Realm(realm), subject, str(claims[access_tokens.GRANT]))


def _released(
    tx: Session, provider: Provider, known: _Known, caller: Caller, asked: Claims
) -> Claims:
    wanted = Asked(known.realm, known.subject, caller.scopes, asked)
    claims = claims_release.released(tx, provider, known.client, wanted)
    claims |= _acting(tx, provider, known, caller)
    releases.record(
        tx,
        provider,
        client_id=known.client.client_id,
        subject=known.subject,
        grant_id=known.grant_id,
        place="userinfo",
        claims=claims,
    )
    return claims


def _acting(tx: Session, provider: Provider, known: _Known, caller: Caller) -> Claims:
    """For whom the person acts, as things stand now, by the scope that releases it.

    Of staff it is by which account of its own they go into the application.
    """
    if known.realm is Realm.STAFF:
        chosen = caller.claims.get(local_accounts.CLAIM)
        return local_accounts.told(tx, known.client, known.subject, chosen)
    acted = context.of_claims(tx, caller.claims)
    if acted is None:
        return {}
    live = transaction.of_claims(caller.claims) is not None
    told = context.told(tx, provider, known.client, known.subject, acted, live=live)
    return {name: block for name, block in told.items() if name in caller.scopes}


def _as_registered(provider: Provider, client: Client, claims: Claims) -> Answer:
    """JSON, signed with `iss` and `aud`, encrypted, or both (Core §5.3.2)."""
    alg, enc = client.userinfo_encrypted_response_alg, client.userinfo_encrypted_response_enc
    if client.userinfo_signed_response_alg is not None:
        envelope = {"iss": provider.issuer, "aud": client.client_id}
        token = client_tokens.signed(
            provider, {**claims, **envelope}, client.userinfo_signed_response_alg
        )
        sealed = client_tokens.encrypted(provider, client, token, alg, enc)
    elif alg is not None:
        plain = told(claims).body
        sealed = client_tokens.encrypted(provider, client, plain, alg, enc, cty=None)
    else:
        return told(claims)
    return Answer(200, sealed.encode("ascii"), JWT, NO_STORE)


def _refused(call: Call, error: OAuthCode, description: str, *, status: int = 401) -> OAuthError:
    """The challenge is of the scheme that was used (RFC 6750 §3, RFC 9449 §7.1)."""
    by_dpop = call.headers.get("authorization", "").lower().startswith("dpop ")
    challenge = dpop.challenge(error) if by_dpop else f'Bearer error="{error}"'
    return OAuthError(error, description, status=status, challenge=challenge)
