"""A person proves themselves at a counter by a code on their phone."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import select

from idp import counter, sessions
from idp.counter import Counter, Tier
from idp.errors import TooManyTries
from idp.level_errors import CounterIsNotTheirs
from idp.method import Method
from idp.methods import counter_codes
from idp.methods.counter_codes import Present
from idp.sessions import Ending, SignOn
from idp.sign_in_errors import CounterCodeNotOffered, CounterCodeWrong
from idp.vocabulary import Realm
from keys.tables import journal
from tests.idp.world import BODY, PEOPLE, World

WINDOW = Counter("hall-1", "示例市政务服务中心1号窗口", BODY, Tier.CITY, "990100")


@pytest.fixture
def clerk(world: World) -> SignOn:
    with world.begin() as tx:
        counter.place(tx, world.provider, WINDOW, by="a-test")
        elsewhere = replace(WINDOW, code="hall-2", body="11990100MBXX90026G")
        counter.place(tx, world.provider, elsewhere, by="a-test")
    return signed_on(world, world.clerk("zhou", "counter-clerk"), Realm.STAFF)


@pytest.fixture
def phone(world: World) -> SignOn:
    return signed_on(world, world.register())


def signed_on(world: World, subject: str, realm: Realm = Realm.CITIZEN, level: int = 1) -> SignOn:
    methods = (Method.PASSWORD, Method.TOTP)
    with world.begin() as tx:
        opened = sessions.open_session(tx, world.provider, realm, subject, methods, level=level)
    return opened.session


def read(world: World, clerk: SignOn, code: str, at: str = "hall-1") -> Present:
    with world.begin() as tx:
        return counter_codes.redeem(tx, world.provider, clerk, at, code)


def test_the_clerk_learns_who_shows_the_code_and_not_their_number(
    world: World, clerk: SignOn, phone: SignOn
) -> None:
    present = read(world, clerk, counter_codes.make(world.provider, phone))
    assert (present.person.subject, present.person.name) == (phone.subject, "张䶮")
    assert present.level.number == phone.level
    assert present.person.number != PEOPLE["张䶮"].number
    assert "*" in present.person.number


def test_who_read_the_code_where_is_in_the_journal(
    world: World, clerk: SignOn, phone: SignOn
) -> None:
    read(world, clerk, counter_codes.make(world.provider, phone))
    with world.begin() as tx:
        query = select(journal).where(journal.c.action == "counter-code.read")
        (row,) = tx.execute(query).all()
    assert (row.actor, row.subject) == (clerk.subject, phone.subject)
    assert row.details == {"counter": "hall-1", "body": BODY}


@pytest.mark.parametrize("typed", ["{0}", " {0} ", "{1}", "{2}"])
def test_it_may_be_typed_in_groups_and_in_wide_digits(
    world: World, clerk: SignOn, phone: SignOn, typed: str
) -> None:
    code = counter_codes.make(world.provider, phone)
    wide = "".join(chr(0xFF10 + int(digit)) for digit in code)
    grouped = f"{code[:4]} {code[4:8]} {code[8:]}"
    assert read(world, clerk, typed.format(code, grouped, wide)).person.name == "张䶮"


def test_a_code_is_read_once_by_however_many(world: World, clerk: SignOn, phone: SignOn) -> None:
    code = counter_codes.make(world.provider, phone)

    def tried(_: int) -> bool:
        try:
            read(world, clerk, code)
        except CounterCodeWrong:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(tried, range(4))) == 1


def test_a_code_lasts_a_minute(world: World, clerk: SignOn, phone: SignOn) -> None:
    code = counter_codes.make(world.provider, phone)
    world.clock.tick(seconds=60)
    with pytest.raises(CounterCodeWrong):
        read(world, clerk, code)


def test_a_phone_that_signed_out_shows_nobody(world: World, clerk: SignOn, phone: SignOn) -> None:
    code = counter_codes.make(world.provider, phone)
    with world.begin() as tx:
        sessions.end(tx, world.provider, phone.sid, by="test", why=Ending.SIGNED_OUT)
    with pytest.raises(CounterCodeWrong):
        read(world, clerk, code)


def test_nobody_reads_a_code_who_does_not_serve_at_that_counter(
    world: World, clerk: SignOn, phone: SignOn
) -> None:
    other = signed_on(world, world.clerk("wu", "licence-clerk"), Realm.STAFF)
    half = signed_on(world, clerk.subject, Realm.STAFF, level=0)
    code = counter_codes.make(world.provider, phone)
    for who, at in ((other, "hall-1"), (half, "hall-1"), (phone, "hall-1"), (clerk, "hall-2")):
        with pytest.raises(CounterIsNotTheirs):
            read(world, who, code, at)
    assert read(world, clerk, code).person.name == "张䶮", "nobody spent it"


def test_a_clerk_who_guesses_is_stopped(world: World, clerk: SignOn) -> None:
    for typed in ("", "rubbish", *["123456789012"] * 18):
        with pytest.raises(CounterCodeWrong):
            read(world, clerk, typed)
    with pytest.raises(TooManyTries):
        read(world, clerk, "123456789012")


def test_staff_show_no_code(world: World, clerk: SignOn) -> None:
    with pytest.raises(CounterCodeNotOffered):
        counter_codes.make(world.provider, clerk)
