"""Passkeys: made by whoever proved two factors, answered once, counted, and bound to browser and origin."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from idp import closing, sessions
from idp.errors import TooManyTries
from idp.method import Method
from idp.methods import change_notice, passkey_ceremonies, passkey_sign_in, passkeys
from idp.methods.change_notice import Change
from idp.methods.passkey_sign_in import Sent
from idp.methods.sign_in import Entry
from idp.sessions import Opened, SignOn
from idp.sign_in_errors import (
    PasskeyCopied,
    PasskeyKnown,
    PasskeyRefused,
    PasskeyUnknown,
    SecondFactorNeeded,
    SignInTooOld,
)
from idp.vocabulary import Realm
from tests.idp.authenticator import Authenticator
from tests.idp.world import World

BROWSER = "browser-cookie"
STRONG = (Method.PASSWORD, Method.SMS_CODE)


def signed_on(world: World, subject: str, *methods: Method, realm: Realm = Realm.CITIZEN) -> Opened:
    with world.begin() as tx:
        return sessions.open_session(tx, world.provider, realm, subject, methods or STRONG, level=1)


def device(world: World, *, verifies: bool = True, counts: bool = True) -> Authenticator:
    return Authenticator(world.provider.public_url, verifies, counts)


def options(world: World, own: SignOn, browser: str = BROWSER) -> str:
    with world.begin() as tx:
        return passkeys.begin(tx, world.provider, own, browser, "张䶮")


def enrol(world: World, own: SignOn, held: Authenticator) -> Authenticator:
    """Make a passkey on the device, as the page does."""
    answer = held.create(options(world, own))
    made = passkeys.prove(world.provider, own, BROWSER, answer, "Chrome · Windows")
    with world.begin() as tx:
        passkeys.add(tx, world.provider, own, made)
    return held


def owner(world: World) -> tuple[SignOn, Authenticator]:
    """A citizen with a passkey."""
    own = signed_on(world, world.register()).session
    return own, enrol(world, own, device(world))


def asked(world: World, browser: str = BROWSER) -> str:
    return passkey_ceremonies.ask_to_sign_in(world.provider, browser)


def proven(
    world: World,
    answer: str,
    realm: Realm = Realm.CITIZEN,
    *,
    browser: str = BROWSER,
    session: str | None = None,
    adds: bool = False,
) -> passkey_sign_in.Proven:
    entry = Entry("192.0.2.7", browser=browser, session=session)
    with world.begin() as tx:
        claimed = passkey_sign_in.claim(tx, world.provider, Sent(realm, answer, entry, adds))
    return passkey_sign_in.prove(world.provider, claimed)


def entered(world: World, one: passkey_sign_in.Proven) -> Opened:
    with world.begin() as tx:
        return passkey_sign_in.enter(tx, world.provider, one)


def test_whoever_has_a_passkey_signs_in_by_it_alone_and_with_two_factors(world: World) -> None:
    own, held = owner(world)
    opened = entered(world, proven(world, held.get(asked(world))))
    assert opened.session.subject == own.subject
    assert opened.session.methods == (Method.PASSKEY,)
    with world.begin() as tx:
        (kept,) = passkeys.of_account(tx, Realm.CITIZEN, own.subject)
    assert (kept.device, kept.used_at) == ("Chrome · Windows", world.clock())


def test_a_passkey_of_a_second_factor_adds_to_the_session(world: World) -> None:
    own, held = owner(world)
    by_password = signed_on(world, own.subject, Method.PASSWORD)
    more = proven(world, held.get(asked(world)), session=by_password.cookie, adds=True)
    opened = entered(world, more)
    assert opened.session.sid == by_password.session.sid
    assert opened.session.methods == (Method.PASSWORD, Method.PASSKEY)


def test_somebody_elses_passkey_is_no_second_factor(world: World) -> None:
    _, held = owner(world)
    other = signed_on(world, world.register("李㛃", "13800000002"), Method.PASSWORD)
    with pytest.raises(PasskeyRefused):
        entered(world, proven(world, held.get(asked(world)), session=other.cookie, adds=True))


def test_a_member_of_staff_signs_in_by_a_passkey_to_the_staffs_realm_only(world: World) -> None:
    own = signed_on(world, world.clerk(), realm=Realm.STAFF).session
    held = enrol(world, own, device(world))
    opened = entered(world, proven(world, held.get(asked(world)), Realm.STAFF))
    assert (opened.session.realm, opened.session.level) == (Realm.STAFF, 1)
    with pytest.raises(PasskeyRefused):
        proven(world, held.get(asked(world)))


def test_a_password_alone_makes_no_passkey(world: World) -> None:
    own = signed_on(world, world.register(), Method.PASSWORD).session
    with pytest.raises(SecondFactorNeeded):
        options(world, own)


def test_a_sign_in_of_a_while_ago_makes_and_removes_no_passkey(world: World) -> None:
    own, _ = owner(world)
    world.clock.tick(minutes=15)
    with pytest.raises(SignInTooOld):
        options(world, own)
    with world.begin() as tx, pytest.raises(SignInTooOld):
        passkeys.remove(tx, world.provider, own, 1)


def test_what_was_asked_to_be_made_is_made_once(world: World) -> None:
    own = signed_on(world, world.register()).session
    answer = device(world).create(options(world, own))
    passkeys.prove(world.provider, own, BROWSER, answer)
    with pytest.raises(PasskeyRefused):
        passkeys.prove(world.provider, own, BROWSER, answer)


def test_one_persons_challenge_makes_nobody_else_a_passkey(world: World) -> None:
    own = signed_on(world, world.register()).session
    other = signed_on(world, world.register("李㛃", "13800000002")).session
    with pytest.raises(PasskeyRefused):
        passkeys.prove(world.provider, other, BROWSER, device(world).create(options(world, own)))


def test_a_passkey_is_kept_once_whoever_brings_it(world: World) -> None:
    _, held = owner(world)
    other = signed_on(world, world.register("李㛃", "13800000002")).session
    with pytest.raises(PasskeyKnown):
        enrol(world, other, held)


def test_a_device_that_does_not_verify_its_owner_makes_no_passkey(world: World) -> None:
    own = signed_on(world, world.register()).session
    with pytest.raises(PasskeyRefused):
        enrol(world, own, device(world, verifies=False))


def test_a_device_that_does_not_verify_its_owner_signs_nobody_in(world: World) -> None:
    _, held = owner(world)
    held.verifies = False
    with pytest.raises(PasskeyRefused):
        proven(world, held.get(asked(world)))


def test_an_answer_counts_once(world: World) -> None:
    _, held = owner(world)
    answer = held.get(asked(world))
    proven(world, answer)
    with pytest.raises(PasskeyRefused):
        proven(world, answer)


def test_of_two_answers_to_one_challenge_one_counts(world: World) -> None:
    _, held = owner(world)
    answer = held.get(asked(world))

    def tried(_: int) -> bool:
        try:
            proven(world, answer)
        except PasskeyRefused:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(tried, range(4))) == 1


def test_another_browsers_challenge_is_not_answered_here(world: World) -> None:
    _, held = owner(world)
    with pytest.raises(PasskeyRefused):
        proven(world, held.get(asked(world)), browser="another")


def test_a_page_of_another_origin_gets_nothing_that_counts(world: World) -> None:
    _, held = owner(world)
    held.origin = "https://yinxin.example.evil"
    with pytest.raises(PasskeyRefused):
        proven(world, held.get(asked(world)))


def test_an_answer_to_a_challenge_to_make_one_signs_nobody_in(world: World) -> None:
    own, held = owner(world)
    with pytest.raises(PasskeyRefused):
        proven(world, held.get(options(world, own)))


def test_another_key_under_the_same_name_is_refused(world: World) -> None:
    _, held = owner(world)
    forged = device(world)
    forged.credential_id, forged.user_handle = held.credential_id, held.user_handle
    with pytest.raises(PasskeyRefused):
        proven(world, forged.get(asked(world)))


def test_a_passkey_that_names_another_account_is_refused(world: World) -> None:
    _, held = owner(world)
    held.user_handle = b"somebody-else"
    with pytest.raises(PasskeyRefused):
        proven(world, held.get(asked(world)))


def test_a_counter_that_does_not_go_up_is_a_copy(world: World) -> None:
    own, held = owner(world)
    entered(world, proven(world, held.get(asked(world))))
    held.uses = 0
    again = proven(world, held.get(asked(world)))
    with pytest.raises(PasskeyCopied):
        entered(world, again)
    with world.begin() as tx:
        passkey_sign_in.note_copy(tx, world.provider, again)
        (kept,) = passkeys.of_account(tx, Realm.CITIZEN, own.subject)
    assert kept.used_at is not None


def test_of_two_that_say_the_same_count_one_gets_in(world: World) -> None:
    _, held = owner(world)
    first = proven(world, held.get(asked(world)))
    held.uses = 0
    second = proven(world, held.get(asked(world)))

    def tried(one: passkey_sign_in.Proven) -> bool:
        try:
            entered(world, one)
        except PasskeyCopied:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(tried, (first, second))) == [False, True]


def test_a_device_that_does_not_count_signs_in_again_and_again(world: World) -> None:
    own = signed_on(world, world.register()).session
    held = enrol(world, own, device(world, counts=False))
    for _ in range(2):
        assert entered(world, proven(world, held.get(asked(world)))).session.subject == own.subject


def test_a_removed_passkey_signs_nobody_in_even_when_proven_before(world: World) -> None:
    own, held = owner(world)
    before = proven(world, held.get(asked(world)))
    with world.begin() as tx:
        (kept,) = passkeys.of_account(tx, Realm.CITIZEN, own.subject)
        passkeys.remove(tx, world.provider, own, kept.id)
    with pytest.raises(PasskeyRefused):
        entered(world, before)
    with pytest.raises(PasskeyRefused):
        proven(world, held.get(asked(world)))


def test_who_closed_the_account_and_registers_again_starts_without_the_old_passkeys(
    world: World,
) -> None:
    own, held = owner(world)
    with world.begin() as tx:
        closing.close(tx, world.provider, own)
    assert world.register() == own.subject
    with pytest.raises(PasskeyRefused):
        proven(world, held.get(asked(world)))


def test_nobody_removes_anothers_passkey(world: World) -> None:
    own, _ = owner(world)
    other = signed_on(world, world.register("李㛃", "13800000002")).session
    with world.begin() as tx:
        (kept,) = passkeys.of_account(tx, Realm.CITIZEN, own.subject)
        with pytest.raises(PasskeyUnknown):
            passkeys.remove(tx, world.provider, other, kept.id)


@pytest.mark.parametrize(
    "answer", ["", "rubbish", "[]", "{}", '{"id":"AA","rawId":"AA","type":"public-key"}']
)
def test_rubbish_is_refused_as_any_other_answer(world: World, answer: str) -> None:
    own = signed_on(world, world.register()).session
    with pytest.raises(PasskeyRefused):
        proven(world, answer)
    with pytest.raises(PasskeyRefused):
        passkeys.prove(world.provider, own, BROWSER, answer)


def test_who_tries_too_often_waits(world: World) -> None:
    _, held = owner(world)
    answer = held.get(asked(world))
    proven(world, answer)
    for _ in range(120):
        with pytest.raises(PasskeyRefused):
            proven(world, answer)
    with pytest.raises(TooManyTries):
        proven(world, answer)


def test_the_person_is_told_of_a_new_passkey(world: World) -> None:
    owner(world)
    told = [each["change"] for job, each in world.line.waiting if job == change_notice.JOB]
    assert told == [Change.METHOD]
