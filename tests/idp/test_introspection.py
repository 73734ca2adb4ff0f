"""Introspection: what a token stands for, told to whom it concerns, and written down nowhere."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import sessionmaker

from idp import revocations, sessions, tokens
from idp.approval import Approval
from idp.clients import Client
from idp.entitlement import LIFETIME, Entitlement
from idp.sessions import Ending
from idp.vocabulary import AuthMethod
from keys import jose
from keys.algorithms import ES256, Purpose
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
    refresh_token,
    told,
)
from tests.idp.world import World, mounted, served

INACTIVE = {"active": False}


def introspect(world: World, by: Client, token: str, **more: str) -> dict[str, object]:
    answer = post(world, "/introspect", {"token": token, **proof(by), **more})
    assert answer.status_code == 200, answer.text
    members: dict[str, object] = answer.json()
    return members


def begun(world: World, **changed: object) -> tuple[Client, Approval, str]:
    """A portal, what a person allowed it, and an access token."""
    to = portal(world)
    allowed = approval(world, to, world.register(), **changed)
    return to, allowed, access_token(world, to, allowed)


def machine(world: World, client_id: str, resource: str) -> Client:
    world.machine(
        client_id=client_id,
        client_secret=SECRET,
        auth_method=AuthMethod.POST,
        resources=(resource,),
        scopes=("licence.read",),
    )
    return client(world, client_id)


def machine_token(world: World, of: Client) -> str:
    form = {"grant_type": "client_credentials", **proof(of)}
    return str(post(world, "/token", form).json()["access_token"])


def test_an_access_token_is_told_as_it_is(world: World) -> None:
    to, allowed, token = begun(world)
    members = introspect(world, to, token)
    now = int(world.clock().timestamp())
    assert members.pop("jti")
    assert members == {
        "active": True,
        "token_type": "Bearer",
        "scope": "openid profile",
        "client_id": "portal-a",
        "iss": world.issuer,
        "aud": world.issuer,
        "sub": allowed.subject,
        "iat": now,
        "exp": now + int(LIFETIME.total_seconds()),
        "acr": "urn:yinxin:level:natural:1",
        "amr": ["pwd"],
        "auth_time": int(allowed.signed_in_at.timestamp()),
    }


def test_what_binds_and_delegates_a_token_is_told(world: World) -> None:
    to = portal(world)
    details = ({"type": "licence", "actions": ["read"]},)
    allowed = approval(world, to, world.register(), authorization_details=details)
    act = {"sub": "portal-b", "act": {"sub": "portal-c"}}
    entitlement = Entitlement(
        client=to,
        subject=allowed.subject,
        sub=allowed.subject,
        scopes=("profile",),
        audiences=(LICENCES,),
        organisation=None,
        approval=allowed,
        confirmation={"jkt": "a" * 43},
        act=act,
    )
    members = introspect(world, to, tokens.mint(world.provider, entitlement).access_token)
    assert (members["token_type"], members["cnf"]) == ("DPoP", {"jkt": "a" * 43})
    assert (members["act"], members["authorization_details"]) == (act, list(details))


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "no-such-type"])
def test_the_hint_changes_nothing(world: World, hint: str) -> None:
    to, allowed, token = begun(world)
    for shown in (token, refresh_token(world, allowed)):
        assert introspect(world, to, shown, token_type_hint=hint)["active"] is True


def test_whom_a_token_is_meant_for_may_ask_and_nobody_else(world: World) -> None:
    caller = machine(world, "caller", LICENCES)
    licences, tax = machine(world, "licences", LICENCES), machine(world, "tax", TAX)
    token = machine_token(world, caller)
    assert introspect(world, caller, token)["active"] is True
    assert introspect(world, licences, token)["client_id"] == "caller"
    assert introspect(world, tax, token) == INACTIVE


def test_a_refresh_token_is_told_to_its_client_alone(world: World) -> None:
    to, allowed, _ = begun(world)
    token = refresh_token(world, allowed)
    members = introspect(world, to, token)
    assert (members["active"], members["scope"]) == (True, "openid profile")
    assert introspect(world, portal(world, "portal-b"), token) == INACTIVE
    world.clock.tick(hours=8)
    assert introspect(world, to, token) == INACTIVE


def test_a_rotated_refresh_token_is_not_active(world: World) -> None:
    to, allowed, _ = begun(world)
    token = refresh_token(world, allowed)
    form = {"grant_type": "refresh_token", "refresh_token": token, **proof(to)}
    successor = post(world, "/token", form).json()["refresh_token"]
    assert introspect(world, to, token) == INACTIVE
    assert introspect(world, to, successor)["active"] is True


def test_what_was_revoked_is_told_as_nothing_else(world: World) -> None:
    to, allowed, token = begun(world)
    refreshing = refresh_token(world, allowed)
    with world.begin() as tx:
        revocations.revoke(tx, world.provider, revocations.grant(allowed.grant_id))
    assert introspect(world, to, token) == INACTIVE
    assert introspect(world, to, refreshing) == INACTIVE


def test_the_end_of_the_sign_on_ends_what_does_not_outlive_it(world: World) -> None:
    to = portal(world)
    subject = world.register()
    for scopes, lives in ((("openid",), False), (("openid", "offline_access"), True)):
        allowed = approval(world, to, subject, scopes=scopes)
        shown = access_token(world, to, allowed), refresh_token(world, allowed)
        with world.begin() as tx:
            sessions.end(tx, world.provider, allowed.sid, by=subject, why=Ending.SIGNED_OUT)
        assert [introspect(world, to, token)["active"] for token in shown] == [lives, lives]


def test_what_is_asked_again_within_a_second_is_told_from_memory(world: World) -> None:
    to, _, token = begun(world)
    first = introspect(world, to, token)
    kept = [*_statements(world, lambda: introspect(world, to, token))]
    assert kept == [], "and asks no database"
    assert introspect(world, to, token) == first
    world.clock.tick(seconds=1)
    assert [*_statements(world, lambda: introspect(world, to, token))] != []


def test_memory_tells_a_stranger_and_a_liar_no_more(world: World) -> None:
    to, _, token = begun(world)
    introspect(world, to, token)
    assert introspect(world, machine(world, "stranger", TAX), token) == INACTIVE
    wrong = post(
        world, "/introspect", {"token": token, "client_id": to.client_id, "client_secret": "x" * 30}
    )
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")


def test_what_is_revoked_is_forgotten_with_the_commit(world: World) -> None:
    to, allowed, token = begun(world)
    assert introspect(world, to, token)["active"]
    with world.begin() as tx:
        revocations.revoke(tx, world.provider, revocations.grant(allowed.grant_id))
    assert introspect(world, to, token) == INACTIVE


def _statements(world: World, act: Callable[[], object]) -> Iterator[str]:
    """What the database is asked while `act` runs."""
    seen: list[str] = []
    with world.begin() as tx:
        engine = tx.get_bind().engine

    def note(_c: object, _x: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    yield from seen


def test_a_lapsed_token_is_not_active(world: World) -> None:
    to, _, token = begun(world)
    world.clock.now += LIFETIME
    assert introspect(world, to, token) == INACTIVE


def test_what_is_no_token_of_ours_is_not_active(world: World) -> None:
    to, _, token = begun(world)
    id_token = jose.sign(
        {"iss": world.issuer, "aud": to.client_id, "iat": 1, "exp": 2**33, "sub": "x"},
        world.provider.signer(Purpose.ID_TOKEN, ES256),
        "JWT",
    )
    head, body, signature = token.split(".")
    strangers = (
        "x",
        "a.b.c",
        id_token,
        f"{head}.{body}.",
        f"{head}.{body}.{signature[::-1]}",
        "." * 9000,
        "ü.ü.ü",
    )
    for stranger in strangers:
        assert introspect(world, to, stranger) == INACTIVE


def test_who_asks_must_prove_itself(world: World) -> None:
    to, _, token = begun(world)
    told(post(world, "/introspect", {"token": token}), 401, "invalid_client")
    wrong = {"token": token, "client_id": to.client_id, "client_secret": SECRET[::-1]}
    told(post(world, "/introspect", wrong), 401, "invalid_client")
    public = portal(world, "app", client_secret=None, auth_method=AuthMethod.NONE)
    told(post(world, "/introspect", {"token": token, **proof(public)}), 401, "invalid_client")


def test_the_token_must_be_sent_once_in_a_form(world: World) -> None:
    to = portal(world)
    told(post(world, "/introspect", proof(to)), 400, "invalid_request")
    twice = httpx2.post(
        f"{world.issuer}/introspect",
        content=f"token=a&token=b&client_id={to.client_id}&client_secret={SECRET}",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    told(twice, 400, "invalid_request")
    as_json = httpx2.post(f"{world.issuer}/introspect", json={"token": "x", **proof(to)})
    told(as_json, 400, "invalid_request")


def test_a_signed_answer_is_for_the_one_that_asked(world: World) -> None:
    """RFC 9701 §5."""
    to = portal(world, introspection_signed_response_alg="PS256")
    token = access_token(world, to, approval(world, to, world.register()))
    accept = {"Accept": "application/token-introspection+jwt"}
    answer = post(world, "/introspect", {"token": token, **proof(to)}, headers=accept)
    assert answer.headers["content-type"] == "application/token-introspection+jwt"
    keys = KeySet.import_key_set(httpx2.get(f"{world.issuer}/jwks").json())
    signed = jwt.decode(answer.text, keys, algorithms=["PS256"])
    assert signed.header["typ"] == "token-introspection+jwt"
    assert signed.claims["aud"] == "portal-a"
    assert signed.claims["iss"] == world.issuer
    assert not signed.claims.keys() & {"sub", "exp"}
    assert signed.claims["token_introspection"] == introspect(world, to, token)
    dead = post(world, "/introspect", {"token": "x", **proof(to)}, headers=accept)
    assert (
        jwt.decode(dead.text, keys, algorithms=["PS256"]).claims["token_introspection"] == INACTIVE
    )


def test_nothing_is_written_for_an_answer(world: World, identity_database: Engine) -> None:
    to, allowed, token = begun(world)
    shown = token, refresh_token(world, allowed)
    said: list[str] = []

    def listen(*heard: object) -> None:
        said.append(str(heard[2]))

    event.listen(identity_database, "before_cursor_execute", listen)
    try:
        for one in shown:
            introspect(world, to, one)
    finally:
        event.remove(identity_database, "before_cursor_execute", listen)
    assert said
    assert all(statement.startswith("SELECT") for statement in said)


def test_without_redis_issued_tokens_are_still_told(world: World) -> None:
    to, allowed, token = begun(world)
    nowhere = Redis(unix_socket_path="/nowhere/valkey.sock", retry=Retry(NoBackoff(), 0))
    with served(mounted(replace(world.provider, redis=nowhere))) as url:
        for one in (token, refresh_token(world, allowed)):
            # The issuer is another's only by its address: tokens name the real one.
            answer = httpx2.post(f"{url}/oidc/introspect", data={"token": one, **proof(to)})
            assert answer.json()["active"] is True


def test_without_the_database_nothing_is_told(world: World) -> None:
    to, _, token = begun(world)
    nowhere = create_engine("postgresql+psycopg://nobody@/nothing?host=/nowhere")
    with served(mounted(replace(world.provider, begin=sessionmaker(nowhere).begin))) as url:
        answer = httpx2.post(f"{url}/oidc/introspect", data={"token": token, **proof(to)})
    told(answer, 503, "temporarily_unavailable")
    assert answer.headers["retry-after"]
