"""Pruning: what has lapsed goes, what may still be asked for stays."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update

from idp import evidence, pruning, refresh_tokens, revocations, sessions
from idp.clients import Client
from idp.levels import Evidence, EvidenceKind
from idp.methods import devices
from idp.sessions import Ending
from idp.tables import Base, RefreshTokenRow, RevocationRow, SessionClientRow, SessionRow
from idp.vocabulary import Realm
from tests.idp.approvals import approval, portal, post, proof, refresh_token
from tests.idp.world import World
from tests.rig import Rig

NOTHING = {
    "refresh_token": 0,
    "revocation": 0,
    "logout_notice": 0,
    "session_client": 0,
    "session": 0,
    "release": 0,
    "device": 0,
    "evidence": 0,
}


def prune(world: World) -> dict[str, int]:
    return pruning.run(world.begin, world.clock())


def count(world: World, kind: type[Base]) -> int:
    with world.begin() as tx:
        return tx.scalars(select(func.count()).select_from(kind)).one()


def lived(world: World) -> Client:
    """A person signed in at a portal, refreshed once, and signed out."""
    to = portal(world)
    allowed = approval(world, to, world.register())
    token = refresh_token(world, allowed)
    form = {"grant_type": "refresh_token", "refresh_token": token, **proof(to)}
    assert post(world, "/token", form).status_code == 200
    with world.begin() as tx:
        sessions.seen_by(tx, world.provider, allowed.sid, to, allowed.subject)
        revocations.revoke(tx, world.provider, revocations.grant(allowed.grant_id))
        sessions.end(tx, world.provider, allowed.sid, by=allowed.subject, why=Ending.SIGNED_OUT)
    return to


def test_what_may_still_be_asked_for_stays(world: World) -> None:
    lived(world)
    assert prune(world) == NOTHING


def test_what_has_lapsed_goes_when_its_time_has_come(world: World) -> None:
    lived(world)
    world.clock.tick(hours=8)
    assert prune(world) == NOTHING | {"refresh_token": 2, "revocation": 1}
    world.clock.now += pruning.SHOWN_FOR
    assert prune(world) == NOTHING | {"revocation": 1, "session_client": 1, "session": 1}
    for kind in (RefreshTokenRow, RevocationRow, SessionClientRow, SessionRow):
        assert count(world, kind) == 0
    assert prune(world) == NOTHING


def test_a_live_family_keeps_its_spent_tokens_so_that_reuse_is_seen(world: World) -> None:
    to = portal(world)
    scopes = ("openid", "offline_access")
    token = refresh_token(world, approval(world, to, world.register(), scopes=scopes))
    form = {"grant_type": "refresh_token", "refresh_token": token, **proof(to)}
    post(world, "/token", form)
    world.clock.now += refresh_tokens.IDLE - timedelta(days=1)
    prune(world)
    assert count(world, RefreshTokenRow) == 2


def test_what_somebody_keeps_from_lapsing_meanwhile_stays(world: World) -> None:
    allowed = approval(world, portal(world), world.register())
    refresh_token(world, allowed)
    world.clock.tick(hours=8)
    with ThreadPoolExecutor(1) as other:
        with world.begin() as tx:
            tx.execute(update(RefreshTokenRow).values(expires_at=world.clock() + timedelta(days=1)))
            pruned = other.submit(prune, world)
            wait_until_somebody_waits(world)
        assert pruned.result()["refresh_token"] == 0
    assert count(world, RefreshTokenRow) == 1


def wait_until_somebody_waits(world: World) -> None:
    """See that another transaction is held up by a lock of this test."""
    asked = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    for _ in range(500):
        with world.begin() as tx:
            if tx.scalars(asked).one():
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


def test_more_than_a_batch_goes_in_several(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 3)
    with world.begin() as tx:
        for n in range(10):
            revocations.revoke(tx, world.provider, f"token:{n}", world.clock())
        revocations.revoke(tx, world.provider, "token:live")
    assert prune(world)["revocation"] == 10
    assert count(world, RevocationRow) == 1


def test_a_browser_is_forgotten_when_its_cookie_is(world: World) -> None:
    subject, browsers = world.register(), ("b-1", "b-2")
    for browser in browsers:
        with world.begin() as tx:
            devices.notice(tx, world.provider, Realm.CITIZEN, subject, browser, "Firefox", "pwd")
        world.clock.tick(days=1)
    world.clock.now += devices.KEPT - timedelta(days=1)
    assert prune(world) == NOTHING | {"device": 1}
    with world.begin() as tx:
        (left,) = devices.of_account(tx, Realm.CITIZEN, subject)
        assert devices.is_this(world.provider, left, Realm.CITIZEN, subject, "b-2")


def test_a_lapsed_word_of_another_node_goes_and_what_levels_stand_on_stays(world: World) -> None:
    subject = world.register()
    word = Evidence(
        kind=EvidenceKind.UPSTREAM,
        source="province",
        reference="r-1",
        compared=(),
        happened_at=world.clock(),
        valid_until=world.clock() + timedelta(hours=1),
    )
    with world.begin() as tx:
        evidence.record(tx, world.provider, subject, word)
        before = len(evidence.of_subject(tx, subject))
    world.clock.tick(hours=1)
    assert prune(world) == NOTHING
    world.clock.now += pruning.SHOWN_FOR + timedelta(seconds=1)
    assert prune(world)["evidence"] == 1
    with world.begin() as tx:
        kinds = [piece.kind for piece in evidence.of_subject(tx, subject)]
    assert len(kinds) == before - 1
    assert EvidenceKind.UPSTREAM not in kinds


def test_it_is_an_hourly_job_of_the_service(rig: Rig) -> None:
    world = rig.world
    with world.begin() as tx:
        revocations.revoke(tx, world.provider, "token:lapsed", rig.clock())
    job = world.queue.jobs["prune_identity"]
    assert job.every == "7 * * * *"
    job.run()
    with world.begin() as tx:
        assert not revocations.any_revoked(tx, world.provider, ["token:lapsed"])
