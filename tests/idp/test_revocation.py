"""Revocation: an access token alone, a refresh token with its grant, and never another's."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import sessionmaker

from idp import revocations
from idp.approval import Approval
from idp.clients import Client
from idp.entitlement import LIFETIME
from idp.tables import RevocationRow
from idp.vocabulary import AuthMethod
from keys.tables import journal
from tests.idp.approvals import (
    access_token,
    approval,
    portal,
    post,
    proof,
    refresh_token,
    told,
)
from tests.idp.test_introspection import introspect
from tests.idp.world import World, mounted, served


def begun(world: World, **changed: Any) -> tuple[Client, Approval]:
    to = portal(world, **changed)
    return to, approval(world, to, world.register())


def revoke(world: World, by: Client, token: str, **more: str) -> httpx2.Response:
    return post(world, "/revoke", {"token": token, **proof(by), **more})


def is_active(world: World, by: Client, token: str) -> bool:
    return introspect(world, by, token)["active"] is True


@pytest.mark.parametrize("hint", [None, "access_token", "refresh_token", "no-such-type"])
def test_an_access_token_dies_alone_whatever_the_hint(world: World, hint: str | None) -> None:
    to, allowed = begun(world)
    dead, other = access_token(world, to, allowed), access_token(world, to, allowed)
    more = {} if hint is None else {"token_type_hint": hint}
    answer = revoke(world, to, dead, **more)
    assert (answer.status_code, answer.content) == (200, b"")
    assert not is_active(world, to, dead)
    assert is_active(world, to, other)
    assert is_active(world, to, refresh_token(world, allowed))


@pytest.mark.parametrize("hint", [None, "access_token", "refresh_token"])
def test_a_refresh_token_takes_its_grant_with_it(world: World, hint: str | None) -> None:
    to, allowed = begun(world)
    access, refreshing = access_token(world, to, allowed), refresh_token(world, allowed)
    other = approval(world, to, allowed.subject)
    spared = access_token(world, to, other)
    more = {} if hint is None else {"token_type_hint": hint}
    assert revoke(world, to, refreshing, **more).status_code == 200
    assert not is_active(world, to, access)
    assert not is_active(world, to, refreshing)
    assert is_active(world, to, spared)
    form = {"grant_type": "refresh_token", "refresh_token": refreshing, **proof(to)}
    told(post(world, "/token", form), 400, "invalid_grant")


def test_a_revoked_access_token_opens_nothing_here(world: World) -> None:
    to, allowed = begun(world)
    token = access_token(world, to, allowed)
    revoke(world, to, token)
    answer = httpx2.get(f"{world.issuer}/userinfo", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


def test_asking_again_and_again_is_told_in_the_journal_once(world: World) -> None:
    to, allowed = begun(world)
    for token in (access_token(world, to, allowed), refresh_token(world, allowed)):
        for _ in range(3):
            assert revoke(world, to, token).status_code == 200
    with world.begin() as tx:
        rows = tx.scalars(select(journal.c.action).where(journal.c.action.like("%.revoked")))
        assert sorted(rows) == ["grant.revoked", "token.revoked"]


def test_a_public_client_revokes_its_own(world: World) -> None:
    to, allowed = begun(world, client_secret=None, auth_method=AuthMethod.NONE)
    token = refresh_token(world, allowed)
    assert revoke(world, to, token).status_code == 200
    told(
        post(
            world,
            "/token",
            {"grant_type": "refresh_token", "refresh_token": token, **proof(to)},
        ),
        400,
        "invalid_grant",
    )


def test_anothers_token_is_refused_and_lives_on(world: World) -> None:
    """RFC 7009 §2.1."""
    to, allowed = begun(world)
    other = portal(world, "portal-b")
    for token in (access_token(world, to, allowed), refresh_token(world, allowed)):
        told(revoke(world, other, token), 400, "invalid_grant")
        assert is_active(world, to, token)


def test_an_unknown_or_dead_token_is_no_error(world: World) -> None:
    """RFC 7009 §2.2."""
    to, allowed = begun(world)
    lapsed = access_token(world, to, allowed)
    world.clock.now += LIFETIME
    twice = refresh_token(world, allowed)
    for token in ("x", "a.b.c", lapsed, twice, twice):
        assert revoke(world, to, token).status_code == 200


def test_an_id_token_cannot_be_revoked(world: World) -> None:
    """RFC 7009 §2.2.1."""
    to, allowed = begun(world)
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token(world, allowed)}
    id_token = post(world, "/token", form | proof(to)).json()["id_token"]
    told(revoke(world, to, id_token), 400, "unsupported_token_type")


def test_who_revokes_must_prove_itself_and_say_what(world: World) -> None:
    to = portal(world)
    told(post(world, "/revoke", {"token": "x"}), 401, "invalid_client")
    told(post(world, "/revoke", proof(to)), 400, "invalid_request")


def test_what_is_revoked_twice_is_dead_for_the_longer_time(world: World) -> None:
    now = world.clock()
    with world.begin() as tx:
        for hours in (2, 5, 3):
            revocations.revoke(tx, world.provider, "token:t", now + timedelta(hours=hours))
    with world.begin() as tx:
        assert tx.scalars(select(RevocationRow.until)).one() == now + timedelta(hours=5)


def test_any_one_of_several_is_enough(world: World) -> None:
    with world.begin() as tx:
        revocations.revoke(tx, world.provider, revocations.session("s"))
        assert revocations.any_revoked(tx, world.provider, ["grant:s", "session:s"])
        assert not revocations.any_revoked(tx, world.provider, ["grant:s", "token:s"])
        assert not revocations.any_revoked(tx, world.provider, [])


def test_a_database_that_is_away_revokes_nothing_and_says_so(world: World) -> None:
    to, allowed = begun(world)
    token = access_token(world, to, allowed)
    nowhere = create_engine("postgresql+psycopg://nobody@/nothing?host=/nowhere")
    with served(mounted(replace(world.provider, begin=sessionmaker(nowhere).begin))) as url:
        answer = httpx2.post(f"{url}/oidc/revoke", data={"token": token, **proof(to)})
    told(answer, 503, "temporarily_unavailable")
    with world.begin() as tx:
        assert tx.scalars(select(func.count()).select_from(RevocationRow)).one() == 0
