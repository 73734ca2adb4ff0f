"""Browsers an account was signed in at, and the notice of a new one."""

from datetime import timedelta

from idp.method import Method
from idp.methods import devices
from idp.methods.sign_in import Entry, Proof, enter
from idp.vocabulary import Realm
from tests.idp.world import World

PHONE = "13800000001"


def sign_in(world: World, subject: str, browser: str | None, name: str = "Firefox · Linux") -> None:
    entry = Entry("192.0.2.7", device=name, browser=browser)
    proof = Proof(Realm.CITIZEN, subject, (Method.PASSWORD,))
    with world.begin() as tx:
        enter(tx, world.provider, entry, proof)


def notices(world: World, phone: str = PHONE) -> list[dict[str, str]]:
    """What the phone was told of devices; a registration's code has no device."""
    return [each for each in world.inbox(phone) if "device" in each]


def known(world: World, subject: str) -> list[devices.Device]:
    with world.begin() as tx:
        return devices.of_account(tx, Realm.CITIZEN, subject)


def test_the_first_browser_of_an_account_is_nobodys_news(world: World) -> None:
    subject = world.register()
    sign_in(world, subject, "b-1")
    world.run_jobs()
    assert notices(world) == []
    assert [each.name for each in known(world, subject)] == ["Firefox · Linux"]


def test_of_a_new_browser_the_person_is_told_once(world: World) -> None:
    subject = world.register()
    sign_in(world, subject, "b-1")
    for _ in range(2):
        sign_in(world, subject, "b-2", "Chrome · Android")
        world.run_jobs()
    assert [each["device"] for each in notices(world)] == ["Chrome · Android"]
    assert len(known(world, subject)) == 2


def test_a_browser_is_known_by_its_last_use_whichever_is_noted_last(world: World) -> None:
    subject = world.register()
    sign_in(world, subject, "b-1")
    world.clock.tick(hours=1)
    latest = world.clock()
    sign_in(world, subject, "b-1", "Firefox · Windows")
    world.clock.tick(minutes=-5)
    sign_in(world, subject, "b-1", "Firefox · Windows")
    (browser,) = known(world, subject)
    assert (browser.name, browser.seen_at) == ("Firefox · Windows", latest)


def test_a_notice_says_when_in_the_time_of_china(world: World) -> None:
    subject = world.register()
    sign_in(world, subject, "b-1")
    sign_in(world, subject, "b-2")
    world.run_jobs()
    local = world.clock() + timedelta(hours=8)
    assert [each["time"] for each in notices(world)] == [f"{local:%Y-%m-%d %H:%M}"]


def test_a_job_that_runs_twice_tells_once(world: World) -> None:
    subject = world.register()
    sign_in(world, subject, "b-1")
    sign_in(world, subject, "b-2")
    ((_, arguments),) = [job for job in world.line.waiting if job[0] == devices.JOB]
    for _ in range(2):
        devices.tell(world.provider, **arguments)
    assert len(notices(world)) == 1


def test_a_gateway_that_is_down_is_tried_again(world: World) -> None:
    subject = world.register()
    sign_in(world, subject, "b-1")
    sign_in(world, subject, "b-2")
    world.outage("sms-gateway")
    world.run_jobs()
    world.outage("sms-gateway", down=False)
    world.run_jobs()
    assert len(notices(world)) == 1


def test_one_computer_is_new_to_each_of_its_people(world: World) -> None:
    first, second = world.register(), world.register("欧阳静姝", "13800000002")
    sign_in(world, first, "at-home")
    sign_in(world, first, "library")
    sign_in(world, second, "elsewhere")
    sign_in(world, second, "library")
    world.run_jobs()
    assert len(notices(world)) == len(notices(world, "13800000002")) == 1
    ours = {each.fingerprint for each in known(world, first)}
    assert not ours & {each.fingerprint for each in known(world, second)}


def test_a_forgotten_browser_is_news_again(world: World) -> None:
    subject = world.register()
    for browser in ("b-1", "b-2"):
        sign_in(world, subject, browser)
    world.run_jobs()
    citizen = Realm.CITIZEN
    second = next(
        each
        for each in known(world, subject)
        if devices.is_this(world.provider, each, citizen, subject, "b-2")
    )
    with world.begin() as tx:
        devices.forget(tx, citizen, "somebody else", second.fingerprint)
        assert len(devices.of_account(tx, citizen, subject)) == 2
        devices.forget(tx, citizen, subject, second.fingerprint)
    sign_in(world, subject, "b-2")
    world.run_jobs()
    assert len(notices(world)) == 2


def test_what_keeps_no_cookie_is_no_browser(world: World) -> None:
    subject = world.register()
    sign_in(world, subject, None)
    assert known(world, subject) == []


def test_the_cookie_is_not_kept(world: World) -> None:
    subject = world.register()
    sign_in(world, subject, "a-browser-of-mine")
    assert b"a-browser-of-mine" not in known(world, subject)[0].fingerprint
