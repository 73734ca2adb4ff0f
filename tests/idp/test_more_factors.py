"""What whoever is signed in may still prove, and what that adds up to."""

import base64
import hashlib

import pytest
from pyotp import TOTP
from sqlalchemy import update

from idp import accounts, sessions
from idp.errors import TooManyTries
from idp.method import Method
from idp.methods import more_factors, sign_in, totp, totp_sign_in
from idp.methods.password_sign_in import Typed
from idp.methods.sign_in import Entry, Proof
from idp.sessions import Ending, Opened, SignOn
from idp.sign_in_errors import SessionUnknown, SignInRefused, TotpCodeWrong
from idp.tables import PersonRow
from idp.vocabulary import Realm
from tests.idp.world import PASSWORD, PEOPLE, World, signed_in

NUMBER = PEOPLE["张䶮"].number
PHONE = "13800000001"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def opened(world: World, subject: str, *methods: str, realm: Realm = Realm.CITIZEN) -> Opened:
    level = 1 if realm is Realm.CITIZEN else 0
    with world.begin() as tx:
        return sessions.open_session(tx, world.provider, realm, subject, methods, level=level)


def offers(world: World, own: SignOn) -> tuple[Method, ...]:
    with world.begin() as tx:
        return more_factors.offers(tx, own)


def with_app(world: World, subject: str, realm: Realm = Realm.CITIZEN) -> TOTP:
    with world.begin() as tx:
        totp.keep(tx, world.provider, realm, subject, SECRET)
    return TOTP(SECRET)


@pytest.mark.parametrize(
    ("methods", "expected"),
    [
        (("pwd",), (Method.TOTP, Method.SMS_CODE)),
        (("sms",), (Method.PASSWORD,)),
        (("pwd", "sms"), ()),
        (("passkey",), ()),
    ],
    ids=["password", "sms", "both", "passkey"],
)
def test_only_what_adds_a_factor_is_offered(
    world: World, methods: tuple[str, ...], expected: tuple[Method, ...]
) -> None:
    subject = world.register()
    with_app(world, subject)
    assert offers(world, opened(world, subject, *methods).session) == expected


def test_an_app_is_offered_to_whoever_has_one(world: World) -> None:
    own = opened(world, world.register(), "pwd").session
    assert offers(world, own) == (Method.SMS_CODE,)


def test_staff_without_a_second_factor_must_set_one_up(world: World) -> None:
    subject = world.clerk()
    own = opened(world, subject, "pwd", realm=Realm.STAFF).session
    with world.begin() as tx:
        totp.remove(tx, world.provider, Realm.STAFF, subject, by="test")
        assert more_factors.must_enrol(tx, own)
    with_app(world, subject, Realm.STAFF)
    with world.begin() as tx:
        assert not more_factors.must_enrol(tx, own)


def test_a_citizen_need_set_nothing_up(world: World) -> None:
    own = opened(world, world.register(), "pwd").session
    with world.begin() as tx:
        assert not more_factors.must_enrol(tx, own)


def test_the_app_on_top_of_the_password_is_two_factors(world: World) -> None:
    subject = world.clerk()
    app = with_app(world, subject, Realm.STAFF)
    first = opened(world, subject, "pwd", realm=Realm.STAFF)
    world.clock.tick(minutes=1)
    entry = Entry("192.0.2.7", session=first.cookie)
    with world.begin() as tx:
        second = totp_sign_in.enter(
            tx, world.provider, entry, first.session, app.at(world.clock())
        ).session
    assert (second.sid, second.methods, second.level) == (first.session.sid, ("pwd", "otp"), 1)


def test_the_app_cannot_be_guessed_at_length(world: World) -> None:
    subject = world.register()
    app = with_app(world, subject)
    own = opened(world, subject, "pwd").session
    wrong = f"{(int(app.at(world.clock())) + 1) % 1_000_000:06d}"
    for _ in range(5):
        totp_sign_in.count_try(world.provider, own)
        with world.begin() as tx, pytest.raises(TotpCodeWrong):
            totp_sign_in.enter(tx, world.provider, Entry("192.0.2.7"), own, wrong)
    with pytest.raises(TooManyTries):
        totp_sign_in.count_try(world.provider, own)


def test_a_second_factor_of_somebody_else_adds_nothing_to_this_sign_on(world: World) -> None:
    first, second = world.register(), world.register("欧阳静姝", "13800000002")
    entry = Entry("192.0.2.7", session=opened(world, first, "pwd").cookie)
    with world.begin() as tx:
        proof = Proof(Realm.CITIZEN, second, (Method.SMS_CODE,), adds=True)
        session = sign_in.enter(tx, world.provider, entry, proof).session
    assert (session.subject, session.methods) == (second, ("sms",))


def test_nothing_of_ours_is_added_to_another_nodes_word(world: World) -> None:
    subject = world.register()
    entry = Entry("192.0.2.7", session=opened(world, subject, "upstream").cookie)
    with world.begin() as tx:
        proof = Proof(Realm.CITIZEN, subject, (Method.SMS_CODE,), adds=True)
        session = sign_in.enter(tx, world.provider, entry, proof).session
    assert session.methods == ("sms",)


def test_the_password_on_top_of_a_code_is_two_factors(world: World) -> None:
    subject = world.register()
    entry = Entry("192.0.2.7", session=opened(world, subject, "sms").cookie)
    session = signed_in(
        world.provider, Typed(Realm.CITIZEN, PHONE, PASSWORD, entry, adds=True)
    ).session
    assert session.methods == ("sms", "pwd")


def salted(password: str) -> str:
    salt = b"8 octets"
    digest = hashlib.sha256(password.encode() + salt).digest()
    return "{SSHA256}" + base64.b64encode(digest + salt).decode()


def test_another_systems_hash_is_kept_as_ours_after_the_first_sign_in(world: World) -> None:
    subject = world.register()
    foreign = salted("as it was before")
    with world.begin() as tx:
        whose = update(PersonRow).where(PersonRow.subject == subject)
        tx.execute(whose.values(password_hash=foreign))
    with pytest.raises(SignInRefused):
        world.browser().sign_in(None, NUMBER, "a wrong guess")
    for _ in range(2):
        world.browser().sign_in(None, NUMBER, "as it was before")
    with world.begin() as tx:
        kept = accounts.credentials(tx, world.provider, NUMBER)
    assert kept
    assert kept.password_hash.startswith("$argon2id$")


def test_one_factor_more_makes_the_first_no_newer_and_the_session_no_longer(world: World) -> None:
    subject = world.register()
    first = opened(world, subject, "pwd")
    for hours in (1, 1):
        world.clock.tick(hours=hours)
        entry = Entry("192.0.2.7", session=first.cookie)
        proof = Proof(Realm.CITIZEN, subject, (Method.SMS_CODE,), adds=True)
        with world.begin() as tx:
            second = sign_in.enter(tx, world.provider, entry, proof)
        assert second.session.methods == ("pwd", "sms")
        assert second.session.signed_in_at == first.session.signed_in_at
        assert second.session.expires_at == first.session.expires_at
        first = second


def test_two_factors_at_once_are_a_sign_in_of_their_own(world: World) -> None:
    subject = world.register()
    first = opened(world, subject, "pwd")
    world.clock.tick(hours=1)
    proof = Proof(Realm.CITIZEN, subject, (Method.PASSKEY,), adds=True)
    with world.begin() as tx:
        entry = Entry("192.0.2.7", session=first.cookie)
        second = sign_in.enter(tx, world.provider, entry, proof).session
    assert (second.sid, second.signed_in_at) == (first.session.sid, world.clock())


def test_an_app_adds_nothing_to_a_sign_on_that_ended_meanwhile(world: World) -> None:
    subject = world.register()
    app = with_app(world, subject)
    first = opened(world, subject, "pwd")
    with world.begin() as tx:
        why = Ending.FROM_ANOTHER_DEVICE
        sessions.end(tx, world.provider, first.session.sid, by=subject, why=why)
    entry = Entry("192.0.2.7", session=first.cookie)
    with world.begin() as tx, pytest.raises(SessionUnknown):
        totp_sign_in.enter(tx, world.provider, entry, first.session, app.at(world.clock()))
    with world.begin() as tx:
        assert sessions.of_subject(tx, world.provider, subject) == []
