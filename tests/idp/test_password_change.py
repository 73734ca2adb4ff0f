"""Somebody who is signed in chooses a new password."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from idp import sessions
from idp.errors import TooManyTries
from idp.methods import password_change
from idp.methods.password_change import Wanted
from idp.sessions import SignOn
from idp.sign_in_errors import PasswordDiffers, PasswordWeak, SignInRefused, SignInTooOld
from idp.vocabulary import Realm
from keys.errors import DomainError
from tests.idp.world import PASSWORD, PEOPLE, World

NUMBER = PEOPLE["张䶮"].number
PHONE = "13800000001"
NEW = "another good password"


def signed_in(world: World, subject: str, realm: Realm = Realm.CITIZEN) -> SignOn:
    methods = ("pwd",) if realm is Realm.CITIZEN else ("pwd", "otp")
    with world.begin() as tx:
        return sessions.open_session(tx, world.provider, realm, subject, methods).session


def change(world: World, own: SignOn, former: str = PASSWORD, new: str = NEW) -> int:
    with world.begin() as tx:
        claimed = password_change.claim(tx, world.provider, Wanted(own, former, new))
    proven = password_change.prove(world.provider, claimed)
    with world.begin() as tx:
        return password_change.keep(tx, world.provider, proven)


def test_the_new_password_opens_and_the_old_one_does_not(world: World) -> None:
    change(world, signed_in(world, world.register()))
    world.browser().sign_in(None, PHONE, NEW)
    with pytest.raises(SignInRefused):
        world.browser().sign_in(None, PHONE, PASSWORD)


def test_staff_change_theirs_too(world: World) -> None:
    own = signed_in(world, world.clerk(), Realm.STAFF)
    change(world, own)
    with pytest.raises(PasswordDiffers):
        change(world, own)
    change(world, own, NEW, PASSWORD)


def test_every_session_but_this_one_ends(world: World) -> None:
    subject = world.register()
    own, other = signed_in(world, subject), signed_in(world, subject)
    assert change(world, own) == 1
    with world.begin() as tx:
        assert sessions.by_sid(tx, world.provider, own.sid)
        assert not sessions.by_sid(tx, world.provider, other.sid)


def test_whoever_does_not_know_the_old_one_changes_nothing(world: World) -> None:
    own = signed_in(world, world.register())
    for _ in range(8):
        with pytest.raises(PasswordDiffers):
            change(world, own, "a wrong guess")
    with pytest.raises(TooManyTries):
        change(world, own)
    world.browser().sign_in(None, PHONE, PASSWORD)


@pytest.mark.parametrize("weak", ["short", f"1{NUMBER}", f"{PHONE}abc", "a" * 20, "ab" * 70])
def test_a_weak_one_is_refused(world: World, weak: str) -> None:
    own = signed_in(world, world.register())
    with pytest.raises(PasswordWeak):
        change(world, own, new=weak)


def test_a_screen_left_open_changes_nothing(world: World) -> None:
    own = signed_in(world, world.register())
    world.clock.tick(minutes=15)
    with pytest.raises(SignInTooOld):
        change(world, own)


def test_of_two_changes_at_once_one_is_kept(world: World) -> None:
    subject = world.register()

    def attempt(number: int) -> str:
        try:
            change(world, signed_in(world, subject), new=f"{NEW} {number}")
        except DomainError as refused:
            return refused.code
        return f"{NEW} {number}"

    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(attempt, range(4)))
    kept = [each for each in outcomes if each.startswith(NEW)]
    assert len(kept) == 1
    world.browser().sign_in(None, PHONE, kept[0])
