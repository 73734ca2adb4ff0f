"""A person hears of every change to how they sign in, at the phone they had before it."""

import pytest
from pyotp import TOTP

from idp import sessions
from idp.methods import change_notice, password_change, phone_change, recovery, totp
from idp.methods.change_notice import Change
from idp.methods.password_change import Wanted
from idp.methods.sign_in import Entry
from idp.sessions import SignOn
from idp.vocabulary import Realm
from tests.idp.proving_phones import code_on
from tests.idp.world import PASSWORD, PEOPLE, World

NUMBER = PEOPLE["张䶮"].number
OLD, NEW = "13800000001", "13900000001"
GOOD = "another good password"


def signed_in(world: World, subject: str, realm: Realm = Realm.CITIZEN) -> SignOn:
    methods = ("pwd",) if realm is Realm.CITIZEN else ("pwd", "otp")
    with world.begin() as tx:
        return sessions.open_session(tx, world.provider, realm, subject, methods).session


def notices(world: World, phone: str = OLD) -> list[dict[str, str]]:
    """What the phone was told that is no code."""
    return [each for each in world.inbox(phone) if set(each) == {"time"}]


def change_phone(world: World, own: SignOn) -> None:
    ticket = phone_change.begin(world.provider, own, NEW, "192.0.2.7")
    proven = phone_change.prove(world.provider, own, ticket.handle, code_on(world, NEW))
    with world.begin() as tx:
        phone_change.keep(tx, world.provider, own, proven)


def change_password(world: World, own: SignOn) -> None:
    with world.begin() as tx:
        claimed = password_change.claim(tx, world.provider, Wanted(own, PASSWORD, GOOD))
    proven = password_change.prove(world.provider, claimed)
    with world.begin() as tx:
        password_change.keep(tx, world.provider, proven)


def recover(world: World, _own: SignOn) -> None:
    ticket = recovery.begin(world.provider, NUMBER, OLD, "192.0.2.7")
    proven = recovery.prove(world.provider, ticket.handle, code_on(world, OLD), GOOD)
    with world.begin() as tx:
        recovery.recover(tx, world.provider, Entry("192.0.2.7"), proven)


def enrol_app(world: World, own: SignOn) -> None:
    secret = totp.enrol(world.provider, own, "own").secret
    with world.begin() as tx:
        totp.confirm(tx, world.provider, own, TOTP(secret).at(world.clock()))


@pytest.mark.parametrize(
    "changed", [change_phone, change_password, recover, enrol_app], ids=lambda each: each.__name__
)
def test_the_phone_of_before_is_told_when_and_the_new_one_is_not(
    world: World, changed: object
) -> None:
    assert callable(changed)
    changed(world, signed_in(world, world.register()))
    world.run_jobs()
    (told,) = notices(world)
    assert told == {"time": change_notice.in_china(world.clock())}
    assert notices(world, NEW) == []


def test_what_waits_in_line_holds_no_phone_to_read(world: World) -> None:
    change_phone(world, signed_in(world, world.register()))
    (waiting,) = [told for job, told in world.line.waiting if job == change_notice.JOB]
    assert OLD not in str(waiting)
    assert waiting["change"] == Change.PHONE


def test_a_job_that_runs_twice_tells_once_and_one_that_failed_is_tried_again(world: World) -> None:
    change_password(world, signed_in(world, world.register()))
    ((_, told),) = [job for job in world.line.waiting if job[0] == change_notice.JOB]
    world.outage("sms-gateway")
    world.run_jobs()
    world.outage("sms-gateway", down=False)
    for _ in range(2):
        change_notice.tell(world.provider, **told)
    assert len(notices(world)) == 1


def test_staff_have_no_phone_to_tell(world: World) -> None:
    change_password(world, signed_in(world, world.clerk(), Realm.STAFF))
    assert [job for job, _ in world.line.waiting if job == change_notice.JOB] == []
