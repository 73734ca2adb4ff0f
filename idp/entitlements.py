"""What an approval entitles to now: the rights and the claims of the moment, not of the approval."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from idp import accounts, claims_release, releases, staff, subjects
from idp.approval import Approval
from idp.clients import Client
from idp.entitlement import Entitlement
from idp.errors import AccountUnknown, OAuthError
from idp.provider import Provider
from idp.vocabulary import STAFF_SCOPES, OAuthCode, Realm


def of_person(tx: Session, provider: Provider, client: Client, approval: Approval) -> Entitlement:
    """What the person's approval entitles the client to; claims for the ID Token count as released.

    Raises `OAuthError` `invalid_grant` when the account was closed.
    """
    scopes, organisation = approval.scopes, None
    try:
        if approval.realm is Realm.STAFF:
            member = staff.member(tx, approval.subject)
            # Roles decide what of our APIs a member may ask for (RFC 6749 §3.3).
            scopes = tuple(s for s in scopes if s not in STAFF_SCOPES or s in member.scopes)
            organisation = member.organisation
        else:
            accounts.check_open(tx, approval.subject)
        id_claims = _id_claims(tx, provider, client, approval)
    except AccountUnknown:
        raise OAuthError(OAuthCode.INVALID_GRANT, "the account is closed") from None
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
    )


def _id_claims(
    tx: Session, provider: Provider, client: Client, approval: Approval
) -> Mapping[str, Any]:
    if "openid" not in approval.scopes:
        return {}
    claims = claims_release.released(tx, provider, client, claims_release.in_id_token(approval))
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
