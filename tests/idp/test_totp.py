"""Codes of an authenticator app, shown by an app nobody here wrote."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from pyotp import TOTP, parse_uri
from sqlalchemy import select

from idp import sessions
from idp.methods import totp
from idp.methods.tables import TotpRow
from idp.sessions import SignOn
from idp.sign_in_errors import TotpCodeWrong, TotpEnrolmentGone
from idp.vocabulary import Realm
from tests.idp.world import World

LABEL = "138****0001"


def signed_in(world: World, subject: str = "s-1") -> SignOn:
    with world.begin() as tx:
        return sessions.open_session(tx, world.provider, Realm.CITIZEN, subject, ("pwd",)).session


def app_of(world: World, own: SignOn) -> TOTP:
    """Set an app up, as a person scans what the page shows."""
    app = parse_uri(totp.enrol(world.provider, own, LABEL).uri)
    assert isinstance(app, TOTP)
    with world.begin() as tx:
        totp.confirm(tx, world.provider, own, app.at(world.clock()))
    return app


def is_right(world: World, code: str, subject: str = "s-1") -> bool:
    with world.begin() as tx:
        return totp.is_right(tx, world.provider, Realm.CITIZEN, subject, code)


def test_an_app_that_scanned_the_uri_shows_right_codes(world: World) -> None:
    app = app_of(world, signed_in(world))
    world.clock.tick(seconds=30)
    assert is_right(world, app.at(world.clock()))


def test_the_uri_names_us_and_no_number(world: World) -> None:
    uri = totp.enrol(world.provider, signed_in(world), LABEL).uri
    assert parse_qs(urlsplit(uri).query)["issuer"] == ["印信"]
    assert unquote(urlsplit(uri).path) == f"/印信:{LABEL}"


@pytest.mark.parametrize("late", [-30, 0, 30])
def test_a_clock_half_a_minute_off_is_forgiven(world: World, late: int) -> None:
    app = app_of(world, signed_in(world))
    world.clock.tick(minutes=5)
    assert is_right(world, app.at(int(world.clock().timestamp()) + late))


@pytest.mark.parametrize("late", [-60, 60, 3600])
def test_a_clock_that_is_further_off_is_not(world: World, late: int) -> None:
    app = app_of(world, signed_in(world))
    world.clock.tick(hours=5)
    assert not is_right(world, app.at(int(world.clock().timestamp()) + late))


def test_each_time_step_is_used_once_and_none_before_it(world: World) -> None:
    app = app_of(world, signed_in(world))
    assert not is_right(world, app.at(world.clock())), "used to confirm the app"
    before = app.at(world.clock())
    world.clock.tick(seconds=30)
    code = app.at(world.clock())
    assert is_right(world, code)
    assert not is_right(world, code)
    assert not is_right(world, before)


def test_of_many_who_send_one_code_at_once_one_is_let_in(world: World) -> None:
    app = app_of(world, signed_in(world))
    world.clock.tick(minutes=1)
    code = app.at(world.clock())
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: is_right(world, code), range(8)))
    assert sorted(answers) == [False] * 7 + [True]


@pytest.mark.parametrize(
    "code", ["", "000000", "12345", "1234567", "一二三四五六", "12 34", "\x00"]
)
def test_what_is_no_code_is_wrong(world: World, code: str) -> None:
    app = app_of(world, signed_in(world))
    world.clock.tick(minutes=1)
    assert not is_right(world, code if code != app.at(world.clock()) else "111111")


def test_nobodys_app_shows_nothing_right(world: World) -> None:
    app = app_of(world, signed_in(world))
    world.clock.tick(minutes=1)
    code = app.at(world.clock())
    assert not is_right(world, code, "s-2")
    with world.begin() as tx:
        assert not totp.is_right(tx, world.provider, Realm.STAFF, "s-1", code)


def test_an_app_counts_only_when_it_has_shown_a_right_code(world: World) -> None:
    own = signed_in(world)
    app = TOTP(totp.enrol(world.provider, own, LABEL).secret)
    wrong = f"{(int(app.at(world.clock())) + 1) % 1_000_000:06d}"
    with world.begin() as tx, pytest.raises(TotpCodeWrong):
        totp.confirm(tx, world.provider, own, wrong)
    with world.begin() as tx:
        assert not totp.is_enrolled(tx, Realm.CITIZEN, "s-1")
    again = totp.enrol(world.provider, own, LABEL)
    assert again.secret == app.secret, "the page may be loaded again"
    with world.begin() as tx:
        totp.confirm(tx, world.provider, own, app.at(world.clock()))
        assert totp.is_enrolled(tx, Realm.CITIZEN, "s-1")


def test_a_new_app_takes_the_place_of_the_one_before_not_sooner(world: World) -> None:
    own = signed_in(world)
    old = app_of(world, own)
    new = TOTP(totp.enrol(world.provider, own, LABEL).secret)
    assert new.secret != old.secret
    world.clock.tick(minutes=1)
    assert is_right(world, old.at(world.clock()))
    with world.begin() as tx:
        totp.confirm(tx, world.provider, own, new.at(world.clock()))
    world.clock.tick(minutes=1)
    assert not is_right(world, old.at(world.clock()))
    assert is_right(world, new.at(world.clock()))


def test_nobody_confirms_an_app_that_another_sign_on_was_shown(world: World) -> None:
    first, second = signed_in(world), signed_in(world)
    app = TOTP(totp.enrol(world.provider, first, LABEL).secret)
    with world.begin() as tx, pytest.raises(TotpEnrolmentGone):
        totp.confirm(tx, world.provider, second, app.at(world.clock()))
    assert totp.enrol(world.provider, second, LABEL).secret != app.secret


def test_setting_up_lapses(world: World) -> None:
    own = signed_in(world)
    totp.enrol(world.provider, own, LABEL)
    key = totp.ENROLLING.key(own.sid)
    assert 0 < world.provider.redis.ttl(key) <= 15 * 60
    world.provider.redis.delete(key)
    with world.begin() as tx, pytest.raises(TotpEnrolmentGone):
        totp.confirm(tx, world.provider, own, "123456")


def test_an_app_that_was_removed_opens_nothing(world: World) -> None:
    app = app_of(world, signed_in(world))
    world.clock.tick(minutes=1)
    with world.begin() as tx:
        assert totp.remove(tx, world.provider, Realm.CITIZEN, "s-1", by="s-1")
        assert not totp.remove(tx, world.provider, Realm.CITIZEN, "s-1", by="s-1")
    assert not is_right(world, app.at(world.clock()))


def test_the_secret_lies_open_nowhere(world: World) -> None:
    own = signed_in(world)
    enrolment = totp.enrol(world.provider, own, LABEL)
    secret = enrolment.secret
    redis = world.provider.redis
    kept = [redis.get(key) for key in redis.scan_iter("yinxin:idp:totp-enrolment:*")]
    assert kept
    assert not [body for body in kept if secret.encode() in (body or b"")]
    assert secret not in repr(enrolment)
    with world.begin() as tx:
        totp.confirm(tx, world.provider, own, TOTP(secret).at(world.clock()))
        sealed = tx.scalars(select(TotpRow.secret_sealed)).one()
    assert secret.encode() not in sealed
