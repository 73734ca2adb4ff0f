"""Staff come, move and go, each at a time of its own."""

from datetime import timedelta

import pytest

from idp import sessions, staff
from idp.people_errors import AccountUnknown
from idp.staff_errors import TimesWrong
from idp.staffing import appointments, lifecycle
from idp.staffing.appointments import Post
from idp.staffing.lifecycle import Transfer
from idp.vocabulary import Realm
from tests.idp.staffing.tree import BUREAU, BY, CITY, COUNTY, employ, plant, scopes
from tests.idp.world import PASSWORD, World


def transfer(world: World, subject: str, body: str, *roles: str, **ahead: float) -> None:
    at = world.clock() + timedelta(**ahead) if ahead else None
    with world.begin() as tx:
        lifecycle.transfer(tx, world.provider, subject, Transfer(body, roles, at), by=BY)


def close(world: World, subject: str, **ahead: float) -> None:
    at = world.clock() + timedelta(**ahead) if ahead else None
    with world.begin() as tx:
        lifecycle.close(tx, world.provider, subject, by=BY, at=at)


def settle(world: World) -> int:
    with world.begin() as tx:
        return lifecycle.settle_due(tx, world.provider)


def signed_on(world: World, subject: str) -> str:
    with world.begin() as tx:
        opened = sessions.open_session(
            tx, world.provider, Realm.STAFF, subject, ("pwd", "otp"), level=1
        )
    return opened.session.sid


def is_signed_on(world: World, sid: str) -> bool:
    with world.begin() as tx:
        return sessions.by_sid(tx, world.provider, sid) is not None


def organisation(world: World, subject: str) -> str:
    with world.begin() as tx:
        return staff.member(tx, world.provider, subject).organisation


def test_an_account_may_open_later(world: World) -> None:
    since = world.clock() + timedelta(days=1)
    opening = staff.Opening("early", "周远", CITY, ("licence-clerk",), PASSWORD, since)
    with world.begin() as tx:
        subject = staff.open_account(tx, world.provider, opening, by=BY)
        assert staff.credentials(tx, world.provider, "early") is None
        with pytest.raises(AccountUnknown):
            staff.member(tx, world.provider, subject)
    world.clock.tick(days=1)
    assert scopes(world, subject) == {"licence.issue", "licence.read"}


def test_without_a_password_nobody_signs_in_by_one(world: World) -> None:
    opening = staff.Opening("keyless", "周远", CITY, (), None)
    with world.begin() as tx:
        staff.open_account(tx, world.provider, opening, by=BY)
        assert staff.credentials(tx, world.provider, "keyless") is None


def test_a_transfer_changes_body_and_roles_at_its_moment_and_ends_the_sign_ons(
    world: World,
) -> None:
    plant(world)
    subject = employ(world, BUREAU, "licence-officer")
    transfer(world, subject, COUNTY, "case-reviewer", minutes=20)
    sid = signed_on(world, subject)
    assert settle(world) == 0
    assert organisation(world, subject) == BUREAU
    assert "licence.revoke" in scopes(world, subject)
    world.clock.tick(minutes=20)
    assert organisation(world, subject) == COUNTY
    assert scopes(world, subject) == {"licence.lookup"}
    assert settle(world) == 1
    assert not is_signed_on(world, sid)


def test_a_transfer_at_once_ends_the_sign_ons_at_once(world: World) -> None:
    subject = employ(world, BUREAU, "licence-officer")
    sid = signed_on(world, subject)
    transfer(world, subject, COUNTY)
    assert organisation(world, subject) == COUNTY
    assert not scopes(world, subject)
    assert not is_signed_on(world, sid)


def test_an_earlier_transfer_takes_the_place_of_a_later_one(world: World) -> None:
    subject = employ(world, BUREAU)
    transfer(world, subject, CITY, "licence-officer", days=2)
    transfer(world, subject, COUNTY, "case-reviewer", days=1)
    world.clock.tick(days=3)
    assert organisation(world, subject) == COUNTY
    assert scopes(world, subject) == {"licence.lookup"}
    assert settle(world) == 1


def test_an_account_closes_at_its_moment(world: World) -> None:
    subject = employ(world, BUREAU, "licence-clerk")
    close(world, subject, minutes=20)
    sid = signed_on(world, subject)
    assert organisation(world, subject) == BUREAU
    world.clock.tick(minutes=20)
    with world.begin() as tx:
        assert staff.credentials(tx, world.provider, "zhou.yuan") is None
        with pytest.raises(AccountUnknown):
            staff.member(tx, world.provider, subject)
    assert settle(world) == 1
    assert settle(world) == 0
    assert not is_signed_on(world, sid)


def test_a_closed_account_neither_moves_nor_closes_again(world: World) -> None:
    subject = employ(world, BUREAU)
    close(world, subject)
    with pytest.raises(AccountUnknown):
        transfer(world, subject, COUNTY)
    with pytest.raises(AccountUnknown):
        close(world, subject)


def test_whoever_comes_back_holds_nothing_of_before(world: World) -> None:
    subject = employ(world, BUREAU, "licence-officer")
    close(world, subject)
    world.clock.tick(days=1)
    with world.begin() as tx:
        lifecycle.keep_open(tx, world.provider, subject, by=BY)
    assert organisation(world, subject) == BUREAU
    assert not scopes(world, subject)


def test_a_closing_that_is_called_off_changes_nothing(world: World) -> None:
    subject = employ(world, BUREAU, "case-reviewer")
    close(world, subject, days=1)
    with world.begin() as tx:
        lifecycle.keep_open(tx, world.provider, subject, by=BY)
    world.clock.tick(days=2)
    assert settle(world) == 0
    assert scopes(world, subject) == {"licence.lookup"}


def test_a_suspended_account_is_as_closed_until_it_is_resumed(world: World) -> None:
    subject = employ(world, BUREAU, "case-reviewer")
    sid = signed_on(world, subject)
    with world.begin() as tx:
        lifecycle.suspend(tx, world.provider, subject, by=BY)
        assert staff.credentials(tx, world.provider, "zhou.yuan") is None
    assert not is_signed_on(world, sid)
    with world.begin() as tx:
        lifecycle.resume(tx, world.provider, subject, by=BY)
    assert scopes(world, subject) == {"licence.lookup"}


def test_a_removed_account_leaves_its_name_to_another(world: World) -> None:
    subject = employ(world, BUREAU, "licence-officer")
    sid = signed_on(world, subject)
    with world.begin() as tx:
        lifecycle.remove(tx, world.provider, subject, by=BY)
    assert not is_signed_on(world, sid)
    assert employ(world, BUREAU) != subject


def keep_open(world: World, subject: str) -> None:
    with world.begin() as tx:
        lifecycle.keep_open(tx, world.provider, subject, by=BY)


def test_a_role_with_an_end_of_its_own_ends_then_when_a_closing_is_called_off(
    world: World,
) -> None:
    subject, ends = employ(world, BUREAU), world.clock() + timedelta(days=2)
    with world.begin() as tx:
        post = Post("case-reviewer", BUREAU, until=ends)
        appointments.appoint(tx, world.provider, subject, post, by=BY)
    close(world, subject, days=1)
    keep_open(world, subject)
    world.clock.tick(days=1)
    assert scopes(world, subject) == {"licence.lookup"}
    world.clock.tick(days=1)
    assert not scopes(world, subject)


def test_a_closing_that_is_put_off_leaves_everything_until_then(world: World) -> None:
    subject = employ(world, BUREAU, "case-reviewer")
    close(world, subject, days=1)
    close(world, subject, days=3)
    world.clock.tick(days=2)
    assert settle(world) == 0
    assert scopes(world, subject) == {"licence.lookup"}
    world.clock.tick(days=1)
    assert settle(world) == 1


def test_a_transfer_that_is_put_off_changes_nothing_until_then(world: World) -> None:
    subject = employ(world, BUREAU, "licence-officer")
    transfer(world, subject, CITY, "licence-clerk", days=1)
    transfer(world, subject, COUNTY, "case-reviewer", days=3)
    world.clock.tick(days=2)
    assert settle(world) == 0
    assert organisation(world, subject) == BUREAU
    assert "licence.revoke" in scopes(world, subject)
    world.clock.tick(days=1)
    assert settle(world) == 1
    assert organisation(world, subject) == COUNTY
    assert scopes(world, subject) == {"licence.lookup"}


def test_whoever_is_transferred_before_they_leave_is_signed_out_when_they_leave(
    world: World,
) -> None:
    subject = employ(world, BUREAU, "licence-officer")
    close(world, subject, minutes=20)
    transfer(world, subject, COUNTY, "case-reviewer", minutes=10)
    world.clock.tick(minutes=10)
    assert settle(world) == 1
    sid = signed_on(world, subject)
    world.clock.tick(minutes=10)
    assert settle(world) == 1
    assert not is_signed_on(world, sid)
    keep_open(world, subject)
    assert not scopes(world, subject)


def test_calling_a_closing_off_leaves_an_earlier_transfer_as_it_was(world: World) -> None:
    subject = employ(world, BUREAU, "licence-officer")
    transfer(world, subject, COUNTY, "case-reviewer", minutes=10)
    close(world, subject, minutes=20)
    sid = signed_on(world, subject)
    keep_open(world, subject)
    world.clock.tick(minutes=10)
    assert settle(world) == 1
    assert not is_signed_on(world, sid)
    world.clock.tick(minutes=10)
    assert scopes(world, subject) == {"licence.lookup"}


def test_nobody_is_transferred_after_they_have_left(world: World) -> None:
    subject = employ(world, BUREAU)
    close(world, subject, days=1)
    with pytest.raises(TimesWrong):
        transfer(world, subject, COUNTY, days=1)


def test_what_is_given_before_somebody_leaves_is_not_there_when_they_come_back(
    world: World,
) -> None:
    subject = employ(world, BUREAU)
    close(world, subject, days=1)
    with world.begin() as tx:
        post = Post("case-reviewer", BUREAU)
        appointments.appoint(tx, world.provider, subject, post, by=BY)
    assert scopes(world, subject) == {"licence.lookup"}
    world.clock.tick(days=1)
    with world.begin() as tx, pytest.raises(AccountUnknown):
        appointments.appoint(tx, world.provider, subject, post, by=BY)
    keep_open(world, subject)
    assert not scopes(world, subject)
