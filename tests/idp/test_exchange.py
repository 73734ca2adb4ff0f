"""Token exchange: somebody acts for somebody else, by less, elsewhere, and the token says so."""

from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from idp import revocations, sessions
from idp.approval import Approval
from idp.clients import Client
from idp.entitlement import LIFETIME
from idp.errors import OAuthError
from idp.grant_exchange import ACCESS_TOKEN, JWT, narrowed
from idp.sessions import Ending
from idp.vocabulary import AuthMethod, GrantType, Realm, SubjectType
from keys.tables import journal
from tests.idp.approvals import (
    LICENCES,
    SECRET,
    TAX,
    access_token,
    approval,
    client,
    portal,
    post,
    proof,
    told,
)
from tests.idp.test_introspection import introspect
from tests.idp.test_sign_in import claims_of
from tests.idp.world import World

SCOPES = ("licence.read", "licence.lookup")
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"


def citizen_portal(world: World, **changed: Any) -> Client:
    """Where the person signs in: its tokens are for the gateway."""
    scopes = ("openid", "profile", "offline_access", *SCOPES)
    return portal(world, scopes=scopes, resources=(LICENCES,), **changed)


def machine(world: World, client_id: str = "gateway", **changed: object) -> Client:
    """A service behind the portal that calls on another."""
    asked: dict[str, object] = {
        "client_id": client_id,
        "client_secret": SECRET,
        "auth_method": AuthMethod.POST,
        "grant_types": (GrantType.CLIENT_CREDENTIALS, GrantType.TOKEN_EXCHANGE),
        "scopes": ("licence.read", "licence.issue"),
        "resources": (TAX, LICENCES),
    }
    world.machine(**(asked | changed))
    return client(world, client_id)


def signed_in(world: World, **changed: object) -> tuple[Client, Approval, str]:
    """A portal, what a person allowed it, and its access token for the gateway."""
    to = citizen_portal(world)
    scopes = ("openid", "profile", *SCOPES)
    allowed = approval(world, to, world.register(), **({"scopes": scopes} | changed))
    return to, allowed, access_token(world, to, allowed)


def exchange(world: World, by: Client, token: str, **more: str) -> httpx2.Response:
    form = {
        "grant_type": str(GrantType.TOKEN_EXCHANGE),
        "subject_token": token,
        "subject_token_type": ACCESS_TOKEN,
        **proof(by),
    }
    return post(world, "/token", form | more)


def own_token(world: World, of: Client) -> str:
    form = {"grant_type": "client_credentials", **proof(of)}
    return str(post(world, "/token", form).json()["access_token"])


def claims(world: World, answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return claims_of(world, answer.json()["access_token"])


def test_a_gateway_acts_for_the_person_and_the_token_says_so(world: World) -> None:
    _, allowed, token = signed_in(world)
    gateway = machine(world)
    answer = exchange(world, gateway, token)
    told_back = answer.json()
    assert told_back.keys() == {
        "access_token",
        "issued_token_type",
        "token_type",
        "expires_in",
        "scope",
    }
    assert told_back["issued_token_type"] == ACCESS_TOKEN
    new, old = claims(world, answer), claims_of(world, token)
    assert (new["sub"], new["client_id"], new["aud"]) == (allowed.subject, "gateway", TAX)
    assert new["act"] == {"sub": "gateway", "client_id": "gateway"}
    assert new["scope"] == told_back["scope"] == "licence.read"
    for same in ("acr", "auth_time", "amr", "sid", "grant_id"):
        assert new[same] == old[same]
    assert introspect(world, gateway, told_back["access_token"])["act"] == new["act"]


def test_a_chain_of_exchanges_is_nested_and_not_endless(world: World) -> None:
    _, _, token = signed_in(world)
    names = [f"hop-{n}" for n in range(1, 7)]
    hops = [machine(world, name, resources=(LICENCES,)) for name in names]
    for hop in hops[:5]:
        token = exchange(world, hop, token).json()["access_token"]
    act: Any = claims_of(world, token)["act"]
    found = []
    while act is not None:
        found.append(act["sub"])
        act = act.get("act")
    assert found == names[4::-1]
    told(exchange(world, hops[5], token), 400, "invalid_request")


def test_an_actor_token_names_who_acts(world: World) -> None:
    _, allowed, token = signed_in(world)
    gateway, robot = machine(world), machine(world, "robot", resources=(LICENCES,))
    actor = {"actor_token": own_token(world, robot), "actor_token_type": ACCESS_TOKEN}
    new = claims(world, exchange(world, gateway, token, **actor))
    assert new["sub"] == allowed.subject
    assert new["act"] == {"sub": "robot", "client_id": "gateway"}


def test_a_machines_token_is_exchanged_for_its_own_organisation(world: World) -> None:
    gateway, robot = machine(world), machine(world, "robot", resources=(LICENCES,))
    token = own_token(world, robot)
    new = claims(world, exchange(world, gateway, token, scope="licence.read"))
    assert (new["sub"], new["act"]["sub"]) == ("robot", "gateway")
    assert new["organisation"] == claims_of(world, token)["organisation"]
    assert not new.keys() & {"acr", "sid", "grant_id"}


def test_the_new_token_never_outlives_the_old(world: World) -> None:
    _, _, token = signed_in(world)
    world.clock.now += LIFETIME / 2
    answer = exchange(world, machine(world), token)
    assert claims(world, answer)["exp"] == claims_of(world, token)["exp"]
    assert answer.json()["expires_in"] == LIFETIME.total_seconds() / 2


def test_no_refresh_token_and_no_id_token_come_of_it(world: World) -> None:
    gateway = machine(
        world,
        realm=Realm.CITIZEN,
        redirect_uris=("https://gateway.example/callback",),
        grant_types=(
            GrantType.AUTHORIZATION_CODE,
            GrantType.REFRESH_TOKEN,
            GrantType.TOKEN_EXCHANGE,
        ),
        scopes=("openid", "profile", "offline_access", "licence.read"),
    )
    scopes = ("openid", "profile", "offline_access", *SCOPES)
    _, _, token = signed_in(world, scopes=scopes)
    answer = exchange(world, gateway, token).json()
    assert answer["scope"] == "licence.read"
    assert not answer.keys() & {"refresh_token", "id_token"}


def test_what_kills_the_old_sign_in_kills_the_new_token(world: World) -> None:
    _, allowed, token = signed_in(world)
    gateway = machine(world)
    new = exchange(world, gateway, token).json()["access_token"]
    with world.begin() as tx:
        sessions.end(tx, world.provider, allowed.sid, by=allowed.subject, why=Ending.SIGNED_OUT)
    assert introspect(world, gateway, new) == {"active": False}


def test_what_outlives_the_sign_on_may_be_exchanged_after_it(world: World) -> None:
    _, allowed, token = signed_in(world, scopes=("openid", "offline_access", *SCOPES))
    gateway = machine(world)
    with world.begin() as tx:
        sessions.end(tx, world.provider, allowed.sid, by=allowed.subject, why=Ending.SIGNED_OUT)
    new = exchange(world, gateway, token).json()["access_token"]
    assert introspect(world, gateway, new)["active"] is True


def test_a_pairwise_subject_is_told_as_the_exchanging_client_knows_it(world: World) -> None:
    to = citizen_portal(world, subject_type=SubjectType.PAIRWISE)
    allowed = approval(world, to, world.register(), scopes=("openid", "licence.read"))
    token = access_token(world, to, allowed)
    assert claims_of(world, token)["sub"] != allowed.subject
    assert claims(world, exchange(world, machine(world), token))["sub"] == allowed.subject


def test_only_details_the_client_is_registered_for_go_with_it(world: World) -> None:
    read, write = {"type": "licence_lookup"}, {"type": "of-another"}
    _, _, token = signed_in(world, authorization_details=(read, write))
    gateway = machine(world, authorization_details_types=("licence_lookup",))
    new = claims(world, exchange(world, gateway, token))
    assert new["authorization_details"] == [read]


def test_a_revoked_or_lapsed_token_is_refused(world: World) -> None:
    to, allowed, token = signed_in(world)
    gateway = machine(world)
    world.clock.now += LIFETIME
    told(exchange(world, gateway, token), 400, "invalid_request")
    fresh = access_token(world, to, allowed)
    with world.begin() as tx:
        revocations.revoke(tx, world.provider, revocations.grant(allowed.grant_id))
    told(exchange(world, gateway, fresh), 400, "invalid_request")


def test_a_token_that_is_no_business_of_the_client_is_refused(world: World) -> None:
    _, _, token = signed_in(world)
    stranger = machine(world, "stranger", resources=(TAX,))
    told(exchange(world, stranger, token), 400, "invalid_request")


def test_a_client_may_narrow_its_own_token(world: World) -> None:
    gateway = machine(world)
    new = claims(world, exchange(world, gateway, own_token(world, gateway), scope="licence.read"))
    assert (new["scope"], new["act"]["sub"]) == ("licence.read", "gateway")


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"subject_token": ""}, "invalid_request"),
        ({"subject_token": "x"}, "invalid_request"),
        ({"subject_token_type": ""}, "invalid_request"),
        ({"subject_token_type": ID_TOKEN}, "invalid_request"),
        ({"requested_token_type": ID_TOKEN}, "invalid_request"),
        ({"actor_token": "x"}, "invalid_request"),
        ({"actor_token": "x", "actor_token_type": ACCESS_TOKEN}, "invalid_request"),
        ({"actor_token_type": ACCESS_TOKEN}, "invalid_request"),
        ({"resource": "https://elsewhere.example"}, "invalid_target"),
        ({"audience": "https://elsewhere.example"}, "invalid_target"),
        ({"scope": "licence.issue"}, "invalid_scope"),
        ({"scope": "licence.lookup"}, "invalid_scope"),
        ({"scope": "openid"}, "invalid_scope"),
    ],
)
def test_a_bad_request_is_refused(world: World, changed: dict[str, str], error: str) -> None:
    _, _, token = signed_in(world)
    told(exchange(world, machine(world), token, **changed), 400, error)


@pytest.mark.parametrize("name", ["resource", "audience"])
def test_the_target_may_be_named_either_way(world: World, name: str) -> None:
    _, _, token = signed_in(world)
    form = {name: LICENCES, "requested_token_type": JWT, "subject_token_type": JWT}
    assert claims(world, exchange(world, machine(world), token, **form))["aud"] == LICENCES


def test_only_clients_registered_for_it_exchange(world: World) -> None:
    to, _, token = signed_in(world)
    told(exchange(world, to, token), 400, "unauthorized_client")


def test_every_exchange_is_journalled_without_the_tokens(world: World) -> None:
    _, allowed, token = signed_in(world)
    new = exchange(world, machine(world), token).json()["access_token"]
    with world.begin() as tx:
        row = tx.execute(select(journal).where(journal.c.action == "token.exchanged")).one()
    assert (row.actor, row.subject) == ("gateway", allowed.subject)
    assert row.details["of"] == "portal-a"
    assert row.details["audiences"] == TAX
    assert not any(secret in str(row) for secret in (token, new))


WORDS = st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True)


@given(asked=WORDS, allowed=WORDS)
def test_an_exchange_never_widens(asked: list[str], allowed: list[str]) -> None:
    wanted = set(asked or allowed)
    if wanted and wanted <= set(allowed):
        assert set(narrowed(" ".join(asked) or None, tuple(allowed))) == wanted
    else:
        with pytest.raises(OAuthError):
            narrowed(" ".join(asked) or None, tuple(allowed))
