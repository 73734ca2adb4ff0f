"""Accounts at WeChat and Alipay: bound by a person who proved two factors, and worth nothing alone."""

import pytest
from sqlalchemy import select

from idp import closing, sessions
from idp.method import Method
from idp.methods import social_bindings
from idp.methods.sign_in import Entry
from idp.methods.social_bindings import Platform, SocialAccount
from idp.methods.tables import SocialBindingRow
from idp.sessions import Opened, SignOn
from idp.sign_in_errors import (
    SecondFactorNeeded,
    SignInTooOld,
    SocialAccountTaken,
    SocialAccountUnbound,
)
from idp.vocabulary import Realm
from tests.idp.world import World

WECHAT = SocialAccount(Platform.WECHAT, "oX-5k3f9Qe")
ENTRY = Entry("192.0.2.7", browser="mini-app")


def signed_on(world: World, subject: str, *methods: Method) -> SignOn:
    proven = methods or (Method.PASSWORD, Method.SMS_CODE)
    with world.begin() as tx:
        opened = sessions.open_session(tx, world.provider, Realm.CITIZEN, subject, proven)
    return opened.session


def bind(world: World, own: SignOn, account: SocialAccount = WECHAT) -> None:
    with world.begin() as tx:
        social_bindings.bind(tx, world.provider, own, account)


def enter(world: World, account: SocialAccount = WECHAT) -> Opened:
    with world.begin() as tx:
        return social_bindings.enter(tx, world.provider, account, ENTRY)


def test_a_bound_account_tells_who_it_is_and_reaches_nothing(world: World) -> None:
    own = signed_on(world, world.register())
    bind(world, own)
    session = enter(world).session
    assert (session.subject, session.level) == (own.subject, 0)


def test_what_a_social_account_alone_opened_closes_no_account(world: World) -> None:
    bind(world, signed_on(world, world.register()))
    session = enter(world).session
    with world.begin() as tx, pytest.raises(SignInTooOld):
        closing.close(tx, world.provider, session)


def test_an_account_bound_to_nobody_signs_nobody_in(world: World) -> None:
    with pytest.raises(SocialAccountUnbound):
        enter(world)


def test_the_same_identifier_at_another_platform_is_another_account(world: World) -> None:
    bind(world, signed_on(world, world.register()))
    with pytest.raises(SocialAccountUnbound):
        enter(world, SocialAccount(Platform.ALIPAY, WECHAT.openid))


def test_an_account_is_bound_to_one_person(world: World) -> None:
    bind(world, signed_on(world, world.register()))
    with pytest.raises(SocialAccountTaken):
        bind(world, signed_on(world, world.register("李㛃", "13800000002")))


def test_the_newest_of_a_platform_stands_in_for_the_one_before(world: World) -> None:
    own = signed_on(world, world.register())
    bind(world, own)
    newer = SocialAccount(Platform.WECHAT, "another")
    bind(world, own, newer)
    assert enter(world, newer).session.subject == own.subject
    with pytest.raises(SocialAccountUnbound):
        enter(world)


def test_who_takes_a_binding_away_is_not_signed_in_by_it(world: World) -> None:
    own = signed_on(world, world.register())
    bind(world, own)
    with world.begin() as tx:
        assert social_bindings.unbind(tx, world.provider, own, Platform.WECHAT)
        assert not social_bindings.unbind(tx, world.provider, own, Platform.WECHAT)
        assert social_bindings.of_subject(tx, own.subject) == []
    with pytest.raises(SocialAccountUnbound):
        enter(world)


def test_one_factor_binds_nothing_nor_does_a_social_account_itself(world: World) -> None:
    subject = world.register()
    refusals = {Method.PASSWORD: SecondFactorNeeded, Method.SOCIAL: SignInTooOld}
    for method, expected in refusals.items():
        with pytest.raises(expected):
            bind(world, signed_on(world, subject, method))


def test_a_sign_in_of_a_while_ago_binds_nothing(world: World) -> None:
    own = signed_on(world, world.register())
    world.clock.tick(minutes=15)
    with pytest.raises(SignInTooOld):
        bind(world, own)


def test_a_closed_account_is_nobodys(world: World) -> None:
    own = signed_on(world, world.register())
    bind(world, own)
    with world.begin() as tx:
        closing.close(tx, world.provider, own)
    with pytest.raises(SocialAccountUnbound):
        enter(world)
    world.register()
    with pytest.raises(SocialAccountUnbound):
        enter(world)


def test_the_platforms_identifier_is_not_kept_as_it_is(world: World) -> None:
    bind(world, signed_on(world, world.register()))
    with world.begin() as tx:
        (row,) = tx.scalars(select(SocialBindingRow)).all()
    assert WECHAT.openid.encode() not in row.account_index
