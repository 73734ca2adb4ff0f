"""The access token (RFC 9068): signed with ES256 whoever asks, so that every resource can read it."""

from typing import Any

from idp import id_tokens
from idp.approval import Approval
from idp.entitlement import Entitlement
from idp.provider import Provider
from keys import access_token, jose
from keys.algorithms import ES256, Purpose

REALM = "realm"
GRANT = "grant_id"
"""Our own claims: whose account it is, and the family of tokens it belongs to."""


def issue(provider: Provider, entitlement: Entitlement) -> str:
    """Sign it; call it outside any transaction."""
    signer = provider.signer(Purpose.ACCESS_TOKEN, ES256)
    return jose.sign(claims(provider, entitlement), signer, access_token.TYPE)


def claims(provider: Provider, entitlement: Entitlement) -> dict[str, Any]:
    """What it says (RFC 9068 §2.2)."""
    now = provider.clock()
    audiences = entitlement.audiences
    told: dict[str, Any] = {
        "iss": provider.issuer,
        "sub": entitlement.sub,
        "aud": audiences[0] if len(audiences) == 1 else list(audiences),
        "client_id": entitlement.client.client_id,
        "scope": " ".join(entitlement.scopes),
        "iat": int(now.timestamp()),
        "exp": int(entitlement.expires_at(now).timestamp()),
        "jti": provider.handle(16),
    }
    if entitlement.organisation is not None:
        told[access_token.ORGANISATION_CLAIM] = entitlement.organisation
    if entitlement.confirmation:
        told["cnf"] = dict(entitlement.confirmation)
    if entitlement.act is not None:
        told["act"] = dict(entitlement.act)
    told |= entitlement.acting
    if entitlement.approval is not None:
        told |= _of_approval(entitlement.approval)
    return told


def _of_approval(approval: Approval) -> dict[str, Any]:
    told = id_tokens.of_sign_in(approval) | {GRANT: approval.grant_id, REALM: str(approval.realm)}
    if approval.outlives_session:  # what names a sign-on dies with it (`revocations.of_token`)
        del told["sid"]
    if approval.authorization_details:  # RFC 9396 §9.1
        told["authorization_details"] = [dict(detail) for detail in approval.authorization_details]
    return told
