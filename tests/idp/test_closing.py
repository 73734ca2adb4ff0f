"""Closing an account: nothing works under it any more, and the subject stays one."""

import pytest

from idp import accounts, closing, evidence, sessions
from idp.errors import AccountUnknown, SignInRefused, SignInTooOld
from idp.sessions import SignOn
from idp.vocabulary import Realm
from tests.idp.approvals import approval, portal, post, proof, refresh_token, told
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
