"""A name whose password was guessed at all day, and the ways back in."""

import pytest
from sqlalchemy import select

from idp.errors import TooManyTries
from idp.methods import recovery, sms_sign_in
from idp.methods.sign_in import Entry
from idp.sign_in_errors import PasswordLocked, SignInRefused
from keys.tables import journal
from tests.idp.proving_phones import code_on
from tests.idp.world import PASSWORD, PEOPLE, World

NUMBER = PEOPLE["张䶮"].number
PHONE = "13800000001"
NEW = "another good password"


def guess_all_day(world: World, name: str) -> None:
    """Guess as often as the quarter-hours allow, until the day's tries are used up."""
    for number in range(24):
        if number % 8 == 0:
            forget_quarter_hour(world)
        with pytest.raises(SignInRefused):
            world.browser().sign_in(None, name, "a wrong guess", address=f"192.0.2.{number}")
    forget_quarter_hour(world)


def forget_quarter_hour(world: World) -> None:
    for key in world.provider.redis.scan_iter("yinxin:idp:throttle:password-name:*"):
        world.provider.redis.delete(key)


@pytest.mark.parametrize("name", [NUMBER, PEOPLE["李㛃"].number, "nobody-here"])
def test_a_name_is_locked_alike_with_and_without_an_account(world: World, name: str) -> None:
    world.register()
    guess_all_day(world, name)
    with pytest.raises(PasswordLocked) as locked:
        world.browser().sign_in(None, name, PASSWORD)
    assert locked.value.parameters == {"hours": 24}


def test_a_lock_ends_with_the_day(world: World) -> None:
    world.register()
    guess_all_day(world, NUMBER)
    redis = world.provider.redis
    (key,) = redis.scan_iter("yinxin:idp:throttle:password-lock:*")
    assert 0 < redis.ttl(key) <= 24 * 3600


def test_a_right_password_forgives_the_wrong_ones(world: World) -> None:
    world.register()
    for _ in range(4):
        for _ in range(7):
            with pytest.raises(SignInRefused):
                world.browser().sign_in(None, NUMBER, "a wrong guess")
        world.browser().sign_in(None, NUMBER)


def test_the_quarter_hour_is_told_before_the_day(world: World) -> None:
    world.register()
    for _ in range(8):
        with pytest.raises(SignInRefused):
            world.browser().sign_in(None, NUMBER, "a wrong guess")
    for _ in range(30):
        with pytest.raises(TooManyTries):
            world.browser().sign_in(None, NUMBER, "a wrong guess")
    forget_quarter_hour(world)
    world.browser().sign_in(None, NUMBER)


def test_a_lock_keeps_nobody_from_signing_in_another_way(world: World) -> None:
    subject = world.register()
    guess_all_day(world, PHONE)
    ticket = sms_sign_in.begin(world.provider, PHONE, "192.0.2.7")
    proven = sms_sign_in.prove(world.provider, ticket.handle, code_on(world, PHONE))
    with world.begin() as tx:
        opened = sms_sign_in.enter(tx, world.provider, Entry("192.0.2.7"), proven)
    assert opened.session.subject == subject


def test_a_new_password_lifts_the_lock_of_every_name(world: World) -> None:
    world.register()
    guess_all_day(world, NUMBER)
    guess_all_day(world, PHONE)
    ticket = recovery.begin(world.provider, NUMBER, PHONE, "192.0.2.7")
    proven = recovery.prove(world.provider, ticket.handle, code_on(world, PHONE), NEW)
    with world.begin() as tx:
        recovery.recover(tx, world.provider, Entry("192.0.2.7"), proven)
    for name in (NUMBER, PHONE):
        world.browser().sign_in(None, name, NEW)


@pytest.mark.parametrize("name", [NUMBER, "nobody-here"])
def test_a_lock_stands_in_the_journal_once_and_names_no_name(world: World, name: str) -> None:
    subject = world.register()
    guess_all_day(world, name)
    for _ in range(3):
        with pytest.raises(PasswordLocked):
            world.browser().sign_in(None, name, PASSWORD)
    with world.begin() as tx:
        rows = tx.execute(select(journal)).mappings().all()
    (row,) = [row for row in rows if row["action"] == "password.locked"]
    assert row["subject"] == (subject if name == NUMBER else "nobody")
    assert name not in str(row)
