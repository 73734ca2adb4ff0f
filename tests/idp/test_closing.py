"""Closing an account: nothing works under it any more, and the subject stays one."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from idp import accounts, closing, evidence, sessions
from idp.entities import giving, legal_levels, mandates
from idp.entities.mandates import Mandate
from idp.people_errors import AccountUnknown
from idp.sessions import SignOn
from idp.sign_in_errors import SignInRefused, SignInTooOld
from idp.vocabulary import Realm
from keys.tables import journal
from tests.idp.approvals import approval, portal, post, proof, refresh_token, told
from tests.idp.companies import AGENT, agent, found, gift, head, mandate_of, signed_in
from tests.idp.world import PEOPLE, World

NUMBER = PEOPLE["张䶮"].number


def signed_on(world: World, subject: str) -> SignOn:
    with world.begin() as tx:
        return sessions.open_session(tx, world.provider, Realm.CITIZEN, subject, ("pwd",)).session


def close(world: World, own: SignOn) -> None:
    with world.begin() as tx:
        closing.close(tx, world.provider, own)


def test_nobody_signs_in_with_a_closed_account(world: World) -> None:
    close(world, signed_on(world, world.register()))
    for name in (NUMBER, "13800000001"):
        with pytest.raises(SignInRefused):
            world.browser().sign_in(None, name)


def test_every_sign_on_ends_and_the_level_with_its_evidence(world: World) -> None:
    subject = world.register()
    own, other = signed_on(world, subject), signed_on(world, subject)
    close(world, own)
    with world.begin() as tx:
        assert sessions.by_sid(tx, world.provider, own.sid) is None
        assert sessions.by_sid(tx, world.provider, other.sid) is None
        assert all(not each.live(world.clock()) for each in evidence.of_subject(tx, subject))
        with pytest.raises(AccountUnknown):
            accounts.check_open(tx, subject)


def test_a_screen_left_open_closes_no_account(world: World) -> None:
    subject = world.register()
    own = signed_on(world, subject)
    world.clock.tick(minutes=15)
    with pytest.raises(SignInTooOld):
        close(world, own)
    with world.begin() as tx:
        accounts.check_open(tx, subject)


def test_the_phone_is_free_for_somebody_else(world: World) -> None:
    close(world, signed_on(world, world.register("张䶮", "13800000001")))
    world.register("李㛃", "13800000001")


def test_a_portal_that_kept_a_refresh_token_gets_nothing_for_it(world: World) -> None:
    subject, client = world.register(), portal(world)
    token = refresh_token(
        world, approval(world, client, subject, scopes=("openid", "offline_access"))
    )
    close(world, signed_on(world, subject))
    form = {"grant_type": "refresh_token", "refresh_token": token, **proof(client)}
    told(post(world, "/token", form), 400, "invalid_grant")


def kept(world: World, mandate: Mandate) -> Mandate:
    with world.begin() as tx:
        now = mandates.find(tx, mandate.id)
    assert now is not None
    return now


def test_who_closes_their_account_acts_for_nobody_and_nobody_for_them(world: World) -> None:
    citizen, helper = world.register("李㛃", "13800000002"), world.register(AGENT)
    own = signed_on(world, citizen)
    with world.begin() as tx:
        given = giving.to_helper(tx, world.provider, own, gift(world))
        held = giving.to_helper(tx, world.provider, signed_on(world, helper), gift(world, "李㛃"))
    close(world, own)
    assert [kept(world, one).ended_at is not None for one in (given, held)] == [True, True]
    world.register("李㛃", "13800000002")
    assert [kept(world, one).live(world.clock()) for one in (given, held)] == [False, False]


def test_the_company_of_a_closed_account_stands_on_nothing_and_its_agents_wait(
    world: World,
) -> None:
    chief, _ = head(world), world.register(AGENT)
    company, opened = found(world, chief), signed_in(world, chief)
    own, given = mandate_of(world, company), agent(world, opened, company)
    close(world, opened.session)
    assert kept(world, own).ended_at is not None
    assert (kept(world, given).ended_at, kept(world, given).frozen_at) == (None, world.clock())
    with world.begin() as tx:
        assert legal_levels.standing(tx, world.provider, company.subject).level.number == 0


def test_an_account_is_closed_once_and_gives_nothing_meanwhile(world: World) -> None:
    citizen, _ = world.register("李㛃", "13800000002"), world.register(AGENT)
    own = signed_on(world, citizen)

    def give() -> None:
        with world.begin() as tx:
            giving.to_helper(tx, world.provider, own, gift(world))

    with ThreadPoolExecutor(2) as pool:
        with world.begin() as tx:
            closing.close(tx, world.provider, own)
            late = [pool.submit(give), pool.submit(close, world, own)]
            with pytest.raises(TimeoutError):
                late[0].result(timeout=1)
        for one in late:
            with pytest.raises(AccountUnknown):
                one.result()
    with world.begin() as tx:
        assert mandates.of_principal(tx, citizen) == []
        actions = [row.action for row in tx.execute(journal.select())]
    assert actions.count("account.closed") == 1
