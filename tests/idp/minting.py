"""Tokens minted from approvals, without the way through the authorization endpoint."""

from typing import Any

import httpx2

from idp import entitlements, tokens
from idp.approval import Approval
from idp.claims_request import ClaimsRequest
from idp.tokens import Minted
from tests.idp import approvals
from tests.idp.world import World


def approve(
    world: World,
    subject: str,
    *,
    scopes: tuple[str, ...] = ("openid",),
    id_token: dict[str, Any] | None = None,
    userinfo: dict[str, Any] | None = None,
    **more: Any,
) -> Approval:
    """What a person who has just signed in allows portal-a, with what is asked for singly."""
    client = approvals.client(world, "portal-a")
    claims = ClaimsRequest(id_token or {}, userinfo or {})
    asked: dict[str, Any] = {"scopes": scopes, "claims": claims, "nonce": None, **more}
    return approvals.approval(world, client, subject, **asked)


def mint(world: World, approval: Approval) -> Minted:
    """The tokens of an approval."""
    client = approvals.client(world, approval.client_id)
    with world.begin() as tx:
        entitlement = entitlements.of_person(tx, world.provider, client, approval)
    return tokens.mint(world.provider, entitlement)


def told(world: World, approval: Approval) -> dict[str, Any]:
    """What userinfo tells by the access token of an approval."""
    token = mint(world, approval).access_token
    sent = {"Authorization": f"Bearer {token}"}
    answer = httpx2.get(f"{world.issuer}/userinfo", headers=sent)
    assert answer.status_code == 200
    claims: dict[str, Any] = answer.json()
    return claims
