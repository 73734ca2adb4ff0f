"""The access token and the answer it comes in."""

from dataclasses import replace
from typing import Any

import pytest

from idp import access_tokens, entitlements, tokens
from idp.approval import Approval
from idp.entitlement import Entitlement
from idp.vocabulary import GrantType, Realm
from keys import access_token
from keys.access_token import Caller
from keys.jose import TokenExpired
from tests.idp import approvals
from tests.idp.minting import approve, mint
from tests.idp.world import BODY, World

DETAIL = {"type": "licence_lookup", "licence_type": "food", "matter": "开店"}


def entitlement(world: World, approval: Approval) -> Entitlement:
    with world.begin() as tx:
        client = approvals.client(world, approval.client_id)
        return entitlements.of_person(tx, world.provider, client, approval)


def read(world: World, token: str, audience: str | None = None) -> Caller:
    """The token as a resource server of ours reads it."""
    return access_token.check(
        token,
        world.provider.token_keys(),
        issuer=world.issuer,
        audience=audience or world.issuer,
        now=world.clock(),
    )


def test_a_resource_reads_who_calls_and_how_they_signed_in(world: World) -> None:
    world.client()
    subject = world.register()
    approval = approve(world, subject, scopes=("openid", "profile"))
    caller = read(world, mint(world, approval).access_token)
    assert (caller.subject, caller.client_id) == (subject, "portal-a")
    assert caller.scopes == {"openid", "profile"}
    assert (caller.level, caller.acr) == (1, "urn:yinxin:level:natural:1")
    assert caller.signed_in_at == approval.signed_in_at
    assert caller.confirmation == {}
    assert caller.claims["sid"] == approval.sid
    assert caller.claims["realm"] == Realm.CITIZEN


def test_it_holds_nothing_of_what_was_asked_for_at_userinfo(world: World) -> None:
    world.client()
    asked = {"name": {"value": "张䶮"}}
    plain = mint(world, approve(world, world.register(), userinfo=asked)).access_token
    assert set(read(world, plain).claims) == {
        "iss", "sub", "aud", "client_id", "scope", "iat", "exp", "jti",
        "sid", "auth_time", "acr", "amr", "grant_id", "realm",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("bound", "scheme"),
    [({}, "Bearer"), ({"jkt": "k" * 43}, "DPoP"), ({"x5t#S256": "c" * 43}, "Bearer")],
)
def test_what_it_is_bound_to_stands_in_it_and_decides_its_type(
    world: World, bound: dict[str, str], scheme: str
) -> None:
    world.client()
    minted = mint(world, approve(world, world.register(), confirmation=bound))
    assert minted.token_type == scheme
    assert read(world, minted.access_token).confirmation == bound


def test_whoever_acts_for_somebody_is_named_in_it(world: World) -> None:
    world.client()
    chain = {"sub": "desk", "act": {"sub": "kiosk"}}
    acting = replace(entitlement(world, approve(world, world.register())), act=chain)
    assert access_tokens.claims(world.provider, acting)["act"] == chain


def test_what_was_allowed_in_detail_stands_in_it_and_in_the_answer(world: World) -> None:
    world.client()
    approval = approve(world, world.register(), authorization_details=(DETAIL,))
    minted = mint(world, approval)
    assert read(world, minted.access_token).claims["authorization_details"] == [DETAIL]
    assert minted.members["authorization_details"] == [DETAIL]


def test_one_audience_is_a_text_and_several_are_a_list(world: World) -> None:
    world.client(resources=("https://licences.example/api",))
    subject = world.register()
    alone = mint(world, approve(world, subject)).access_token
    assert read(world, alone).claims["aud"] == world.issuer
    both = approve(world, subject, resources=("https://licences.example/api",))
    token = mint(world, both).access_token
    expected = ["https://licences.example/api", world.issuer]
    assert read(world, token, "https://licences.example/api").claims["aud"] == expected


def test_no_two_tokens_have_one_name(world: World) -> None:
    world.client()
    approval = approve(world, world.register())
    names = {read(world, mint(world, approval).access_token).claims["jti"] for _ in range(5)}
    assert len(names) == 5


def test_it_lives_ten_minutes_and_says_so(world: World) -> None:
    world.client()
    minted = mint(world, approve(world, world.register()))
    assert minted.members["expires_in"] == 600
    world.clock.tick(seconds=599)
    read(world, minted.access_token)
    world.clock.tick(seconds=1)
    with pytest.raises(TokenExpired):
        read(world, minted.access_token)


def test_an_answer_has_no_empty_members(world: World) -> None:
    world.client()
    answer: dict[str, Any] = mint(world, approve(world, world.register())).members
    assert set(answer) == {"access_token", "token_type", "expires_in", "scope", "id_token"}


def test_a_machine_is_told_nothing_of_a_person(world: World) -> None:
    world.machine()
    client = approvals.client(world, "reviewer")
    assert client.grant_types == (GrantType.CLIENT_CREDENTIALS,)
    machine = Entitlement(
        client=client,
        subject=client.client_id,
        sub=client.client_id,
        scopes=("licence.read",),
        audiences=("https://licences.example/api",),
        organisation=BODY,
        approval=None,
    )
    minted = tokens.mint(world.provider, machine)
    assert minted.id_token is minted.refresh_token is None
    caller = read(world, minted.access_token, "https://licences.example/api")
    assert (caller.organisation, caller.level, caller.signed_in_at) == (BODY, 0, None)
    assert not {"sid", "grant_id", "realm", "auth_time"} & caller.claims.keys()
