"""Token exchange (RFC 8693): who was given a token asks for one to act with elsewhere, by less.

It is delegation and never impersonation (§1.1): every token that comes of it names, in `act`, who
acts for whom, however long the chain (§4.1). `may_act` is neither asked for nor given: who may
exchange is registered, and what for, and only a client that proves itself can be.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from idp import (
    clients,
    entitlements,
    issued_tokens,
    levels,
    resources,
    revocations,
    subjects,
    transaction,
)
from idp.access_tokens import GRANT, REALM
from idp.approval import Approval
from idp.call import Call
from idp.clients import Client
from idp.entities import context
from idp.entitlement import Entitlement
from idp.errors import OAuthError
from idp.parameters import Parameters
from idp.provider import Provider
from idp.vocabulary import IDENTITY_SCOPES, OFFLINE, OAuthCode, Realm
from keys import journal
from keys.access_token import Caller
from keys.jose import TokenError

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a name (RFC 8693 §3)
JWT = "urn:ietf:params:oauth:token-type:jwt"

_ASKED_FOR = (None, ACCESS_TOKEN, JWT)
_LONGEST_CHAIN = 5
_AT_USERINFO = frozenset((*IDENTITY_SCOPES, OFFLINE))
"""Scopes that mean something here alone, and so nothing to another resource."""


def authorise(tx: Session, provider: Provider, client: Client, call: Call) -> Entitlement:
    """What the client may do with another's token. Raises `OAuthError` (RFC 8693 §2.2.2)."""
    sent = call.sent
    if sent.get("requested_token_type") not in _ASKED_FOR:
        raise _invalid("requested_token_type must be that of an access token")
    subject = _presented(tx, provider, client, sent, "subject_token")
    actor = _actor(tx, provider, client, sent)
    entitled = _delegated(tx, provider, client, subject)
    delegated = replace(
        entitled,
        scopes=narrowed(sent.get("scope"), entitled.scopes),
        audiences=_targets(client, sent),
        act=_act(client, subject, actor),
        ends_at=datetime.fromtimestamp(subject.claims["exp"], UTC),
        issued_token_type=ACCESS_TOKEN,
    )
    _journal(tx, provider, subject, delegated)
    return delegated


def narrowed(asked: str | None, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """The scopes asked for, or all that are allowed. Raises `OAuthError` `invalid_scope`."""
    words = set(allowed if asked is None else asked.split())
    if not words or not words <= set(allowed):
        raise OAuthError(OAuthCode.INVALID_SCOPE, "scope goes beyond the subject token and client")
    return tuple(scope for scope in allowed if scope in words)


def _presented(
    tx: Session, provider: Provider, client: Client, sent: Parameters, name: str
) -> Caller:
    """The caller of a live access token of ours that is this client's business."""
    token = sent.get(name)
    if token is None:
        raise _invalid(f"{name} is missing")
    if sent.get(f"{name}_type") not in (ACCESS_TOKEN, JWT):
        raise _invalid(f"{name}_type must be that of an access token")
    try:
        caller = issued_tokens.read(provider, token)
    except TokenError:
        raise _invalid(f"{name} is not a live access token of this server") from None
    if revocations.any_revoked(tx, provider, revocations.of_token(caller.claims)):
        raise _invalid(f"{name} was revoked")
    if not issued_tokens.concerns(client, caller):
        raise _invalid(f"{name} was neither given to this client nor meant for it")
    return caller


def _actor(tx: Session, provider: Provider, client: Client, sent: Parameters) -> Caller | None:
    if sent.get("actor_token") is not None:
        return _presented(tx, provider, client, sent, "actor_token")
    if sent.get("actor_token_type") is not None:
        raise _invalid("actor_token_type without an actor_token")
    return None


def _targets(client: Client, sent: Parameters) -> tuple[str, ...]:
    """Where the token is to be used: the resources named, or the first."""
    targets = resources.narrowed(resources.named(sent), client.resources) or client.resources[:1]
    if not targets:
        raise OAuthError(OAuthCode.INVALID_TARGET, "this client has no resource registered")
    return targets


def _act(client: Client, subject: Caller, actor: Caller | None) -> Mapping[str, Any]:
    """RFC 8693 §4.1: who acts now, with whoever acted before within. §4.3: through which client."""
    act: dict[str, Any] = {
        "sub": client.client_id if actor is None else actor.subject,
        "client_id": client.client_id,
    }
    former = subject.claims.get("act")
    if former is not None:
        act["act"] = former
    if _length(act) > _LONGEST_CHAIN:
        raise _invalid("the token was handed on too often")
    return act


def _length(act: Mapping[str, Any] | None) -> int:
    return 0 if act is None else 1 + _length(act.get("act"))


def _delegated(tx: Session, provider: Provider, client: Client, caller: Caller) -> Entitlement:
    """What is common to the subject token and the client, as things stand now."""
    scopes = tuple(scope for scope in client.scopes if scope in caller.scopes - _AT_USERINFO)
    origin = clients.find(tx, caller.client_id)
    if origin is None:
        raise _invalid("the client of the subject token is gone")
    if GRANT not in caller.claims:
        return _of_machine(client, caller, scopes)
    subject = subjects.recognised(provider, origin, caller.subject)
    if subject is None:
        raise _invalid("the subject token is of nobody we know")
    entitled = entitlements.of_person(
        tx, provider, client, _approval(tx, client, caller, subject, scopes)
    )
    return replace(entitled, scopes=tuple(s for s in entitled.scopes if s in scopes))


def _of_machine(client: Client, caller: Caller, scopes: tuple[str, ...]) -> Entitlement:
    return Entitlement(
        client=client,
        subject=caller.subject,
        sub=caller.subject,
        scopes=scopes,
        audiences=(),
        organisation=caller.organisation or None,
        approval=None,
    )


def _approval(
    tx: Session, client: Client, caller: Caller, subject: str, scopes: tuple[str, ...]
) -> Approval:
    """The approval behind the subject token; the new token dies with the same grant and sign-on."""
    claims = caller.claims
    level = levels.by_acr(caller.acr)
    if level is None or caller.signed_in_at is None:
        raise _invalid("the subject token does not say how the person signed in")
    return Approval(
        grant_id=claims[GRANT],
        client_id=client.client_id,
        realm=Realm(claims[REALM]),
        subject=subject,
        sid=claims.get("sid", ""),
        signed_in_at=caller.signed_in_at,
        methods=tuple(claims["amr"]),
        level=level.number,
        context=context.of_claims(tx, claims),
        scopes=(*scopes, OFFLINE) if OFFLINE in caller.scopes else scopes,
        authorization_details=tuple(
            detail
            for detail in claims.get("authorization_details", ())
            if detail["type"] in client.authorization_details_types
        ),
        live=transaction.of_claims(claims),
    )


def _journal(tx: Session, provider: Provider, subject: Caller, to: Entitlement) -> None:
    journal.append(
        tx,
        at=provider.clock(),
        actor=to.client.client_id,
        action="token.exchanged",
        subject=to.subject,
        details={
            "token": str(subject.claims["jti"]),
            "of": subject.client_id,
            "scopes": " ".join(to.scopes),
            "audiences": " ".join(to.audiences),
        },
    )


def _invalid(description: str) -> OAuthError:
    """RFC 8693 §2.2.2: a token that is not accepted, for whatever reason, makes a bad request."""
    return OAuthError(OAuthCode.INVALID_REQUEST, description)
