"""What an approval entitles to now: the rights and the claims of the moment, not of the approval."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from idp import accounts, claims_release, releases, staff, subjects
from idp.approval import Approval
from idp.clients import Client
from idp.entities import context, mandates
from idp.entitlement import Entitlement
from idp.entity_errors import ContextNotOpen
from idp.errors import OAuthError
from idp.levels import HIGHEST_STANDING
from idp.people_errors import AccountUnknown
from idp.provider import Provider
from idp.staff_errors import LocalAccountUnknown
from idp.staffing import local_accounts
from idp.vocabulary import STAFF_SCOPES, OAuthCode, Realm


def of_person(tx: Session, provider: Provider, client: Client, approval: Approval) -> Entitlement:
    """What the person's approval entitles the client to; claims for the ID Token count as released.

    Raises `OAuthError` `invalid_grant` when the account was closed, their level has fallen,
    the transaction is over, or the person may no longer act for whom they did.
    """
    scopes, organisation = approval.scopes, None
    ends_at = None if approval.live is None else approval.live.until
    if ends_at is not None and ends_at <= provider.clock():
        raise OAuthError(OAuthCode.INVALID_GRANT, "the live check has lapsed")
    try:
        if approval.realm is Realm.STAFF:
            member = staff.member(tx, provider, approval.subject)
            # Roles decide what of our APIs a member may ask for (RFC 6749 §3.3).
            scopes = tuple(s for s in scopes if s not in STAFF_SCOPES or s in member.scopes)
            organisation = member.organisation
        else:
            accounts.check_open(tx, approval.subject)
            ends_at = _earliest(ends_at, _stands_until(tx, provider, approval))
        acting = _acting(tx, provider, client, approval)
        id_claims = _id_claims(tx, provider, client, approval, acting)
    except AccountUnknown:
        raise OAuthError(OAuthCode.INVALID_GRANT, "the account is closed") from None
    except LocalAccountUnknown:
        description = "no account of the application is linked to the person"
        raise OAuthError(OAuthCode.INVALID_GRANT, description) from None
    except ContextNotOpen:
        raise OAuthError(OAuthCode.INVALID_GRANT, "the mandate is no longer in force") from None
    return Entitlement(
        client=client,
        subject=approval.subject,
        sub=subjects.told(provider, client, approval.subject),
        scopes=scopes,
        audiences=_audiences(provider, client, approval, scopes),
        organisation=organisation,
        approval=approval,
        confirmation=approval.confirmation,
        id_claims=id_claims,
        ends_at=_earliest(ends_at, context.ends_at(tx, approval.context)),
        acting=acting,
    )


def _acting(
    tx: Session, provider: Provider, client: Client, approval: Approval
) -> Mapping[str, Any]:
    """The claim that tells for whom the person acts; whom they act for reads that they did.

    Of staff it is by which account of its own they go into the application.
    """
    if approval.realm is Realm.STAFF:
        return local_accounts.told(tx, client, approval.subject, approval.local_account)
    acted = approval.context
    if acted is None:
        return {}
    live = approval.live is not None
    told = context.told(tx, provider, client, approval.subject, acted, live=live)
    mandates.used(tx, provider, acted.grant_id, client.client_id, approval.grant_id)
    return told


def _stands_until(tx: Session, provider: Provider, approval: Approval) -> datetime | None:
    """When what the person stood on at the approval lapses; a token made then tells no more.

    Raises `OAuthError` `invalid_grant` when it has, or was withdrawn.
    """
    used = min(approval.level, HIGHEST_STANDING)
    stands = accounts.standing(tx, provider, approval.subject, used)
    if stands.level.number < used:
        raise OAuthError(OAuthCode.INVALID_GRANT, "the person's level has fallen")
    return stands.until


def _earliest(*ends: datetime | None) -> datetime | None:
    return min((end for end in ends if end is not None), default=None)


def _id_claims(
    tx: Session,
    provider: Provider,
    client: Client,
    approval: Approval,
    acting: Mapping[str, Any],
) -> Mapping[str, Any]:
    if "openid" not in approval.scopes:
        return {}
    claims = claims_release.released(tx, provider, client, claims_release.in_id_token(approval))
    claims |= acting
    releases.record(
        tx,
        provider,
        client_id=client.client_id,
        subject=approval.subject,
        grant_id=approval.grant_id,
        place="id_token",
        claims=claims,
    )
    return claims


def _audiences(
    provider: Provider, client: Client, approval: Approval, scopes: tuple[str, ...]
) -> tuple[str, ...]:
    """The resources named, or the client's first when a scope needs one; and userinfo, ours."""
    resources = approval.resources
    if not resources and set(scopes) & set(STAFF_SCOPES):
        resources = client.resources[:1]
    return (*resources, provider.issuer)
