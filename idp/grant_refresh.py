"""The refresh token grant (RFC 6749 §6): the approval still stands, and may be used for less."""

from dataclasses import replace

from sqlalchemy.orm import Session

from idp import consents, entitlements, refresh_tokens, sessions
from idp.approval import Approval
from idp.call import Call
from idp.clients import Client
from idp.entitlement import Entitlement
from idp.errors import OAuthError
from idp.provider import Provider
from idp.vocabulary import OFFLINE, OAuthCode


def authorise(tx: Session, provider: Provider, client: Client, call: Call) -> Entitlement:
    """What the refresh token still entitles to. Raises `OAuthError`.

    The approval goes on whole: a narrower `scope` is for this access token alone.
    """
    token = call.sent.get("refresh_token")
    if token is None:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "refresh_token is missing")
    approval, next_token = refresh_tokens.redeem(tx, provider, client, token)
    _check_standing(tx, provider, client, approval)
    left = _left(client, approval)
    # What this access token is not for is neither told nor journalled as told.
    wanted = replace(left, scopes=narrowed(call.sent.get("scope"), approval.scopes, left.scopes))
    entitlement = entitlements.of_person(tx, provider, client, wanted)
    if not entitlement.scopes:
        raise OAuthError(OAuthCode.INVALID_SCOPE, "nothing is left of what was granted")
    return replace(entitlement, refresh_token=next_token)


def narrowed(asked: str | None, granted: tuple[str, ...], left: tuple[str, ...]) -> tuple[str, ...]:
    """Of the scopes that are `left` of those once granted, the ones asked for; all when none is.

    Raises `OAuthError` `invalid_scope` for one that was never granted (RFC 6749 §6).
    """
    words = set(granted if asked is None else asked.split())
    if not words <= set(granted):
        raise OAuthError(OAuthCode.INVALID_SCOPE, "scope goes beyond what was granted")
    # `offline_access` is how long the grant lasts, which one access token cannot change.
    return tuple(scope for scope in left if scope in words or scope == OFFLINE)


def _left(client: Client, approval: Approval) -> Approval:
    """What is left of an approval now that the client is registered as it is."""
    resources = tuple(one for one in approval.resources if one in client.resources)
    if approval.resources and not resources:
        raise OAuthError(OAuthCode.INVALID_TARGET, "no resource is left of what was granted")
    return replace(
        approval,
        scopes=tuple(scope for scope in approval.scopes if scope in client.scopes),
        resources=resources,
        authorization_details=tuple(
            detail
            for detail in approval.authorization_details
            if detail["type"] in client.authorization_details_types
        ),
    )


def _check_standing(tx: Session, provider: Provider, client: Client, approval: Approval) -> None:
    """The person has neither signed out nor changed their mind; `entitlements` sees to the account."""
    if not approval.outlives_session and sessions.by_sid(tx, provider, approval.sid) is None:
        raise _invalid("the person has signed out")
    items = [scope for scope in approval.scopes if scope != "openid"]
    if consents.missing(tx, client, approval.subject, items):
        raise _invalid("the person has taken back their consent")


def _invalid(description: str) -> OAuthError:
    return OAuthError(OAuthCode.INVALID_GRANT, description)
