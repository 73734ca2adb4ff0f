"""Sign-ons: one for every portal, limits by level, and an end that happens once."""

from concurrent.futures import ThreadPoolExecutor, wait
from itertools import pairwise

import pytest
from sqlalchemy import select

from idp import clients, revocations, sessions
from idp.sessions import COOKIE, LIMITS, Ending, Opened, SignOn
from idp.tables import SessionRow
from idp.vocabulary import Realm
from keys.tables import journal
from tests.idp.world import PEOPLE, Browser, World

NUMBER = PEOPLE["张䶮"].number


def signed_on(
    world: World, subject: str = "person-1", *, level: int = 1, realm: Realm = Realm.CITIZEN
) -> Opened:
    with world.begin() as tx:
        return sessions.open_session(
            tx, world.provider, realm, subject, ("pwd",), level=level, device="Firefox · Linux"
        )


def again(
    world: World, former: str, subject: str = "person-1", realm: Realm = Realm.CITIZEN
) -> Opened:
    with world.begin() as tx:
        return sessions.sign_on(
            tx,
            world.provider,
            realm,
            subject,
            ("pwd", "otp"),
            level=1,
            device="Chrome · Windows",
            former=former,
        )


def found(world: World, cookie: str | None) -> SignOn | None:
    with world.begin() as tx:
        return sessions.find(tx, world.provider, cookie)


def ended(world: World, sid: str) -> bool:
    with world.begin() as tx:
        return sessions.end(tx, world.provider, sid, by="tester", why=Ending.SIGNED_OUT)


def seen_at(world: World, sid: str) -> object:
    with world.begin() as tx:
        return tx.scalar(select(SessionRow.seen_at).where(SessionRow.sid == sid))


@pytest.mark.parametrize(("realm", "level"), LIMITS)
def test_a_session_that_nobody_uses_lapses(world: World, realm: Realm, level: int) -> None:
    opened = signed_on(world, level=level, realm=realm)
    world.clock.tick(seconds=LIMITS[realm, level].idle.total_seconds() - 1)
    assert found(world, opened.cookie)
    world.clock.tick(seconds=LIMITS[realm, level].idle.total_seconds())
    assert found(world, opened.cookie) is None
    with world.begin() as tx:
        assert sessions.by_sid(tx, world.provider, opened.session.sid) is None
        assert sessions.of_subject(tx, world.provider, "person-1") == []


@pytest.mark.parametrize(("realm", "level"), LIMITS)
def test_a_session_in_use_lapses_at_its_absolute_limit(
    world: World, realm: Realm, level: int
) -> None:
    opened = signed_on(world, level=level, realm=realm)
    step = LIMITS[realm, level].idle / 2
    for _ in range(int(LIMITS[realm, level].absolute / step) - 1):
        world.clock.tick(seconds=step.total_seconds())
        assert found(world, opened.cookie)
    world.clock.tick(seconds=step.total_seconds())
    assert found(world, opened.cookie) is None


def test_a_higher_level_never_lasts_longer() -> None:
    limits = [LIMITS[Realm.CITIZEN, level] for level in range(3)]
    for weaker, stronger in pairwise(limits):
        assert stronger.idle <= weaker.idle
        assert stronger.absolute <= weaker.absolute
    assert all(limit.idle < limit.absolute for limit in LIMITS.values())


def test_use_is_noted_at_most_once_a_minute(world: World) -> None:
    opened = signed_on(world)
    first = seen_at(world, opened.session.sid)
    world.clock.tick(seconds=59)
    found(world, opened.cookie)
    assert seen_at(world, opened.session.sid) == first
    world.clock.tick(seconds=1)
    with world.begin() as tx:
        sessions.by_sid(tx, world.provider, opened.session.sid)
    assert seen_at(world, opened.session.sid) == world.clock()


def test_signing_in_again_goes_on_with_the_session_under_a_new_cookie(world: World) -> None:
    first = signed_on(world)
    world.clock.tick(minutes=10)
    second = again(world, first.cookie)
    assert second.session.sid == first.session.sid
    assert second.session.signed_in_at == world.clock()
    assert second.session.methods == ("pwd", "otp")
    assert found(world, first.cookie) is None, "the cookie of before is worth nothing"
    assert found(world, second.cookie) == second.session


def test_somebody_elses_session_in_the_browser_ends(world: World) -> None:
    first = signed_on(world)
    second = again(world, first.cookie, "person-2")
    assert second.session.sid != first.session.sid
    assert found(world, first.cookie) is None
    with world.begin() as tx:
        revoked = [revocations.session(first.session.sid)]
        assert revocations.any_revoked(tx, world.provider, revoked)
        row = tx.execute(select(journal).where(journal.c.action == "session.ended")).one()
    assert row.details == {"realm": "citizen", "why": "replaced"}


def test_a_session_of_the_other_realm_is_not_gone_on_with(world: World) -> None:
    first = signed_on(world)
    second = again(world, first.cookie, realm=Realm.STAFF)
    assert second.session.sid != first.session.sid
    assert found(world, first.cookie) is None


def test_a_cookie_planted_before_the_sign_in_is_not_taken(world: World) -> None:
    opened = again(world, "planted")
    assert opened.cookie != "planted"
    assert found(world, "planted") is None


def test_an_end_kills_what_was_given_and_is_journalled_once(world: World) -> None:
    opened = signed_on(world)
    assert ended(world, opened.session.sid)
    assert not ended(world, opened.session.sid)
    assert found(world, opened.cookie) is None
    with world.begin() as tx:
        assert revocations.any_revoked(
            tx, world.provider, [revocations.session(opened.session.sid)]
        )
        rows = tx.execute(select(journal).where(journal.c.action == "session.ended")).all()
    assert [(row.actor, row.subject) for row in rows] == [("tester", "person-1")]


def test_of_many_that_end_one_session_at_once_exactly_one_does(world: World) -> None:
    registered = world.client(backchannel_logout_uri="https://portal-a.example/logout")
    opened = signed_on(world)
    with world.begin() as tx:
        client = clients.find(tx, registered.client_id)
        assert client
        sessions.seen_by(tx, world.provider, opened.session.sid, client, "person-1")
        sessions.seen_by(tx, world.provider, opened.session.sid, client, "person-1")
    with ThreadPoolExecutor(20) as pool:
        won = list(pool.map(lambda _: ended(world, opened.session.sid), range(20)))
    assert sum(won) == 1
    assert len(world.line.waiting) == 1, "one notice for the one client"


def test_a_client_that_gets_tokens_just_as_the_session_ends_is_told_of_the_end(
    world: World,
) -> None:
    registered = world.client(backchannel_logout_uri="https://portal-a.example/logout")
    opened = signed_on(world)
    with ThreadPoolExecutor(1) as pool:
        with world.begin() as tx:
            client = clients.find(tx, registered.client_id)
            assert client
            sessions.seen_by(tx, world.provider, opened.session.sid, client, "person-1")
            ending = pool.submit(ended, world, opened.session.sid)
            wait([ending], timeout=0.5)
        assert ending.result()
    assert len(world.line.waiting) == 1


def test_a_person_sees_where_they_are_signed_in_and_ends_the_others(world: World) -> None:
    first, second, third = (signed_on(world) for _ in range(3))
    stranger = signed_on(world, "person-2")
    world.clock.tick(minutes=5)
    assert found(world, second.cookie)
    with world.begin() as tx:
        listed = sessions.of_subject(tx, world.provider, "person-1")
        assert listed[0].sid == second.session.sid, "the latest used comes first"
        assert {each.sid for each in listed} == {o.session.sid for o in (first, second, third)}
        assert {each.device for each in listed} == {"Firefox · Linux"}
        assert sessions.end_others(tx, world.provider, second.session) == 2
    assert found(world, second.cookie)
    assert found(world, stranger.cookie)
    assert found(world, first.cookie) is found(world, third.cookie) is None


def test_a_client_that_got_tokens_is_on_the_sessions_list(world: World) -> None:
    subject = world.register()
    portal = world.portal(world.client())
    browser = world.browser()
    portal.token(browser.authorize(portal.url(), NUMBER))
    with world.begin() as tx:
        session = sessions.find(tx, world.provider, browser.cookie(COOKIE))
        assert session
        told = sessions.told_to(tx, session.sid)
    assert [(each.client_id, each.sub) for each in told] == [("portal-a", subject)]


def test_prompt_login_keeps_the_other_portals_signed_in(world: World) -> None:
    world.register()
    portal = world.portal(world.client())
    browser = world.browser()
    browser.authorize(portal.url(), NUMBER)
    before = _session(world, browser)
    world.clock.tick(minutes=2)
    location = browser.get(portal.url(prompt="login")).headers["location"]
    browser.sign_in(location, NUMBER)
    after = _session(world, browser)
    assert after.sid == before.sid
    assert after.signed_in_at > before.signed_in_at
    assert world.line.waiting == []


def _session(world: World, browser: Browser) -> SignOn:
    session = found(world, browser.cookie(COOKIE))
    assert session
    return session
