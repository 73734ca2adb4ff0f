"""Signing in by a phone: bound to one screen and one session, a minute a step, one number, once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest

from idp import interaction, sessions
from idp.method import Method
from idp.methods import qr_sign_in
from idp.methods.qr_sign_in import CHOICES, Screen, State
from idp.methods.sign_in import Entry
from idp.sessions import Ending, Opened, SignOn
from idp.sign_in_errors import QrGone, QrNotOffered
from idp.vocabulary import Realm
from tests.idp.world import World, answered

SCREEN = Entry("192.0.2.7", device="Edge · Windows", browser="the-screen")


@dataclass
class Play:
    """A code on a screen, and a citizen with a phone."""

    world: World
    code: str
    phone: SignOn

    @property
    def screen(self) -> Screen:
        return qr_sign_in.screen(self.world.provider, self.code, SCREEN.browser)

    def scan(self, own: SignOn | None = None) -> qr_sign_in.Question:
        return qr_sign_in.scan(self.world.provider, self.code, own or self.phone)

    def choose(self, number: int | None = None, own: SignOn | None = None) -> bool:
        chosen = number if number is not None else self.screen.number
        with self.world.begin() as tx:
            return qr_sign_in.choose(
                tx, self.world.provider, self.code, own or self.phone, chosen or 0
            )

    def refuse(self) -> None:
        with self.world.begin() as tx:
            qr_sign_in.refuse(tx, self.world.provider, self.code, self.phone)

    def enter(self, entry: Entry = SCREEN) -> Opened:
        with self.world.begin() as tx:
            return qr_sign_in.enter(tx, self.world.provider, self.code, entry)


def signed_on(
    world: World, subject: str, *methods: Method, level: int = 1, realm: Realm = Realm.CITIZEN
) -> SignOn:
    with world.begin() as tx:
        opened = sessions.open_session(
            tx, world.provider, realm, subject, methods or (Method.PASSWORD,), level=level
        )
    return opened.session


@pytest.fixture
def play(world: World) -> Play:
    code = qr_sign_in.begin(world.provider, SCREEN, None)
    return Play(world, code, signed_on(world, world.register()))


def stranger(play: Play) -> SignOn:
    return signed_on(play.world, play.world.register("李㛃", "13800000002"))


def test_who_scans_and_chooses_the_number_on_the_screen_is_signed_in_there(play: Play) -> None:
    assert play.screen == Screen(State.WAITING)
    question = play.scan()
    assert (question.device, question.client_id) == ("Edge · Windows", None)
    assert play.screen.state is State.SCANNED
    assert play.screen.number in question.choices
    assert play.choose()
    assert play.screen == Screen(State.CONFIRMED)
    opened = play.enter()
    assert opened.session.subject == play.phone.subject
    assert opened.session.sid != play.phone.sid


def test_there_are_three_numbers_to_choose_from(play: Play) -> None:
    choices = play.scan().choices
    assert len(set(choices)) == CHOICES == 3
    assert all(10 <= number <= 99 for number in choices)


def test_the_screen_gets_what_the_phone_had_proven_and_no_more(world: World) -> None:
    subject = world.register()
    weak = signed_on(world, subject, Method.PASSWORD)
    play = Play(world, qr_sign_in.begin(world.provider, SCREEN, None), weak)
    world.clock.tick(minutes=5)
    play = Play(world, qr_sign_in.begin(world.provider, SCREEN, None), weak)
    play.scan()
    play.choose()
    opened = play.enter().session
    assert opened.methods == (Method.QR, Method.PASSWORD)
    assert (opened.level, opened.signed_in_at) == (weak.level, weak.signed_in_at)


def test_a_phone_of_no_level_gives_none(world: World) -> None:
    phone = signed_on(world, world.register(), Method.PASSWORD, Method.SMS_CODE, level=0)
    play = Play(world, qr_sign_in.begin(world.provider, SCREEN, None), phone)
    play.scan()
    play.choose()
    assert play.enter().session.level == 0


def test_a_wrong_number_ends_the_code_for_good(play: Play) -> None:
    question = play.scan()
    right = play.screen.number
    wrong = next(number for number in question.choices if number != right)
    assert not play.choose(wrong)
    assert play.screen == Screen(State.CANCELLED)
    with pytest.raises(QrGone):
        play.choose(right)
    with pytest.raises(QrGone):
        play.enter()


def test_the_number_is_not_on_the_screen_before_the_scan(play: Play) -> None:
    """Whoever relays a picture of the screen relays no number with it."""
    assert play.screen.number is None


def test_a_refusal_is_shown_and_ends_the_code(play: Play) -> None:
    play.scan()
    play.refuse()
    assert play.screen == Screen(State.CANCELLED)
    with pytest.raises(QrGone):
        play.enter()


def test_nobody_gets_in_before_the_person_agreed(play: Play) -> None:
    with pytest.raises(QrGone):
        play.enter()
    play.scan()
    with pytest.raises(QrGone):
        play.enter()


def test_a_code_lets_in_once(play: Play) -> None:
    play.scan()
    play.choose()
    play.enter()
    with pytest.raises(QrGone):
        play.enter()
    with pytest.raises(QrGone):
        play.scan()


def test_of_several_that_enter_at_once_one_gets_in(play: Play) -> None:
    play.scan()
    play.choose()

    def tried(_: int) -> bool:
        try:
            play.enter()
        except QrGone:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(tried, range(4))) == 1


def test_of_two_phones_that_scan_at_once_one_has_the_code(play: Play) -> None:
    other = stranger(play)

    def tried(own: SignOn) -> bool:
        try:
            play.scan(own)
        except QrGone:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(tried, (play.phone, other))) == [False, True]


def test_another_browser_sees_nothing_of_the_code_and_is_not_let_in(play: Play) -> None:
    """Swapped session at the screen's side: the code alone is worth nothing."""
    play.scan()
    play.choose()
    for elsewhere in ("another", None):
        with pytest.raises(QrGone):
            qr_sign_in.screen(play.world.provider, play.code, elsewhere)
        with pytest.raises(QrGone):
            play.enter(replace(SCREEN, browser=elsewhere))
    assert play.enter().session.subject == play.phone.subject


def test_another_session_cannot_answer_for_the_phone_that_scanned(play: Play) -> None:
    """Swapped session at the phone's side, even by the same person at another device."""
    play.scan()
    number = play.screen.number
    for other in (stranger(play), signed_on(play.world, play.phone.subject)):
        with pytest.raises(QrGone):
            play.scan(other)
        with pytest.raises(QrGone):
            play.choose(number, other)


def test_a_phone_that_signed_out_meanwhile_lets_nobody_in(play: Play) -> None:
    play.scan()
    play.choose()
    with play.world.begin() as tx:
        sessions.end(tx, play.world.provider, play.phone.sid, by="test", why=Ending.SIGNED_OUT)
    with pytest.raises(QrGone):
        play.enter()


def test_reading_the_question_again_changes_nothing(play: Play) -> None:
    assert play.scan() == play.scan()


def test_a_code_is_scanned_within_a_minute(play: Play) -> None:
    play.world.clock.tick(seconds=60)
    assert play.screen == Screen(State.EXPIRED)
    with pytest.raises(QrGone):
        play.scan()


def test_the_number_is_chosen_within_a_minute(play: Play) -> None:
    play.scan()
    number = play.screen.number
    play.world.clock.tick(seconds=60)
    assert play.screen == Screen(State.EXPIRED)
    with pytest.raises(QrGone):
        play.choose(number)


def test_the_screen_goes_on_within_a_minute(play: Play) -> None:
    play.scan()
    play.choose()
    play.world.clock.tick(seconds=60)
    with pytest.raises(QrGone):
        play.enter()


def test_each_step_has_its_own_minute(play: Play) -> None:
    for step in (play.scan, play.choose, play.enter):
        play.world.clock.tick(seconds=59)
        step()


@pytest.mark.parametrize("again", [{"max_age": "600"}, {"prompt": "login"}])
def test_who_must_sign_in_anew_is_not_offered_a_phone_signed_in_long_ago(
    world: World, again: dict[str, str]
) -> None:
    uid, browser = waiting(world, **again)
    with pytest.raises(QrNotOffered):
        qr_sign_in.begin(world.provider, replace(SCREEN, interaction=uid, browser=browser), None)


def test_a_code_answers_the_request_it_was_made_for_and_no_other(world: World) -> None:
    uid, browser = waiting(world)
    at_request = replace(SCREEN, interaction=uid, browser=browser)
    phone = signed_on(world, world.register())
    play = Play(world, qr_sign_in.begin(world.provider, at_request, "portal-a"), phone)
    assert play.scan().client_id == "portal-a"
    number = qr_sign_in.screen(world.provider, play.code, browser).number
    play.choose(number)
    with pytest.raises(QrGone):
        play.enter(replace(at_request, interaction=None))
    opened = play.enter(at_request)
    assert interaction.waiting(world.provider, uid, browser).sid == opened.session.sid


def test_staff_scan_nothing(play: Play) -> None:
    clerk = signed_on(play.world, play.world.clerk(), realm=Realm.STAFF)
    with pytest.raises(QrNotOffered):
        play.scan(clerk)


def test_what_is_no_code_is_gone(play: Play) -> None:
    with pytest.raises(QrGone):
        qr_sign_in.scan(play.world.provider, "rubbish", play.phone)


def waiting(world: World, **more: str) -> tuple[str, str]:
    """A request that waits for a sign-in: its uid, and the cookie of its browser."""
    portal, browser = world.portal(world.client()), world.browser()
    location = browser.get(portal.url(**more)).headers["location"]
    cookie = browser.cookie(interaction.BROWSER_COOKIE)
    assert cookie is not None
    return answered(location)["interaction"], cookie


def test_no_screen_outlives_the_phone(play: Play) -> None:
    play.world.clock.tick(seconds=30)
    play.scan()
    play.choose()
    opened = play.enter()
    assert opened.session.expires_at == play.phone.expires_at
    assert opened.session.signed_in_at == play.phone.signed_in_at
