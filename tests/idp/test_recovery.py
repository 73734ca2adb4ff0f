"""The way back for whoever forgot the password."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from idp import evidence, sessions
from idp.errors import FieldWrong, TooManyTries
from idp.levels import Evidence, EvidenceKind
from idp.method import Method, together
from idp.methods import password_change, phone_change, recovery, sign_in
from idp.methods.password_change import Wanted
from idp.methods.password_sign_in import Typed
from idp.methods.sign_in import Entry, Proof, enter
from idp.sessions import Opened
from idp.sign_in_errors import (
    PasswordWeak,
    RecoveryRefused,
    SecondFactorNeeded,
    SignInRefused,
    SmsCodeGone,
)
from idp.tables import SessionRow
from idp.vocabulary import Realm
from keys.tables import journal
from tests.idp.proving_phones import code_on
from tests.idp.world import PASSWORD, PEOPLE, World, signed_in

NUMBER, OTHER = PEOPLE["张䶮"].number, PEOPLE["李㛃"].number
PHONE = "13800000001"
NEW = "another good password"
ENTRY = Entry("192.0.2.7", browser="b-1")


def recover(world: World, number: str = NUMBER, phone: str = PHONE) -> Opened:
    ticket = recovery.begin(world.provider, number, phone, "192.0.2.7")
    proven = recovery.prove(world.provider, ticket.handle, code_on(world, phone), NEW)
    with world.begin() as tx:
        return recovery.recover(tx, world.provider, ENTRY, proven)


def test_number_phone_and_code_set_a_new_password(world: World) -> None:
    subject = world.register()
    assert recover(world).session.subject == subject
    world.browser().sign_in(None, NUMBER, NEW)
    with pytest.raises(SignInRefused):
        world.browser().sign_in(None, NUMBER, PASSWORD)


def test_every_other_session_ends(world: World) -> None:
    subject = world.register()
    for _ in range(2):
        world.browser().sign_in(None, NUMBER)
    opened = recover(world)
    with world.begin() as tx:
        live = sessions.of_subject(tx, world.provider, subject)
        ended = tx.scalars(select(SessionRow).where(SessionRow.ended_at.is_not(None))).all()
    assert [each.sid for each in live] == [opened.session.sid]
    assert len(ended) == 2


def test_recovery_raises_no_level_and_reaches_no_further_than_an_sms(world: World) -> None:
    subject = world.register()
    seen(world, subject)
    with world.begin() as tx:
        before = evidence.of_subject(tx, subject)
    session = recover(world).session
    assert (session.methods, session.level) == ((Method.SMS_CODE,), 1)
    with world.begin() as tx:
        assert evidence.of_subject(tx, subject) == before


@pytest.mark.parametrize(
    ("number", "phone"),
    [(OTHER, PHONE), (NUMBER, "13800000002"), (NUMBER, "13800000009"), (OTHER, "13800000009")],
    ids=["other-number", "other-phone", "unknown-phone", "both-unknown"],
)
def test_a_number_and_a_phone_of_two_people_are_refused_alike(
    world: World, number: str, phone: str
) -> None:
    world.register()
    world.register("欧阳静姝", "13800000002")
    with pytest.raises(RecoveryRefused) as refused:
        recover(world, number, phone)
    assert refused.value.parameters == {}
    world.browser().sign_in(None, NUMBER, PASSWORD)


@pytest.mark.parametrize("stranger", [PHONE, "zhang.yan", "", "1101 0119"])
def test_only_an_id_number_counts_not_another_name_of_the_account(
    world: World, stranger: str
) -> None:
    world.register()
    with pytest.raises((RecoveryRefused, FieldWrong)):
        recover(world, stranger)


def test_a_small_x_is_the_same_number(world: World) -> None:
    subject = world.register("欧阳静姝", "13800000002")
    number = PEOPLE["欧阳静姝"].number
    assert number.endswith("X")
    assert recover(world, f" {number.lower()} ", "13800000002").session.subject == subject


def test_a_weak_password_is_mended_with_the_same_code(world: World) -> None:
    world.register()
    ticket = recovery.begin(world.provider, NUMBER, PHONE, "192.0.2.7")
    code = code_on(world, PHONE)
    for weak in ("short", f"x{NUMBER}y", f"my {PHONE}"):
        with pytest.raises(PasswordWeak):
            recovery.prove(world.provider, ticket.handle, code, weak)
    recovery.prove(world.provider, ticket.handle, code, NEW)
    with pytest.raises(SmsCodeGone):
        recovery.prove(world.provider, ticket.handle, code, NEW)


def test_it_stands_in_the_journal_without_a_number(world: World) -> None:
    subject = world.register()
    recover(world)
    with world.begin() as tx:
        rows = tx.execute(select(journal)).mappings().all()
    told = [row for row in rows if row["action"] == "password.recovered"]
    assert [row["subject"] for row in told] == [subject]
    assert NUMBER not in str(told)
    assert PHONE not in str(told)


def seen(world: World, subject: str) -> None:
    """Let a counter see the person, now."""
    piece = Evidence(
        kind=EvidenceKind.COUNTER,
        source="counter",
        reference="c-1",
        compared=("name", "number"),
        happened_at=world.clock(),
    )
    with world.begin() as tx:
        evidence.record(tx, world.provider, subject, piece)


def level_by_password_and_phone(world: World, password: str = NEW) -> int:
    """How far somebody gets who knows the password and holds the phone."""
    first = signed_in(world.provider, Typed(Realm.CITIZEN, PHONE, password, ENTRY))
    entry = replace(ENTRY, session=first.cookie)
    proof = Proof(Realm.CITIZEN, first.session.subject, (Method.SMS_CODE,), adds=True)
    with world.begin() as tx:
        return enter(tx, world.provider, entry, proof).session.level


def test_whoever_holds_the_phone_does_not_make_themselves_both_factors(world: World) -> None:
    subject = world.register()
    seen(world, subject)
    assert level_by_password_and_phone(world, PASSWORD) == 2
    world.clock.tick(minutes=1)
    recover(world)
    assert level_by_password_and_phone(world) == 1
    own = signed_in(world.provider, Typed(Realm.CITIZEN, PHONE, NEW, ENTRY)).session
    with world.begin() as tx:
        assert sign_in.reachable(tx, world.provider, own) == 1, "nor is anybody asked in vain"
    with pytest.raises(SecondFactorNeeded):
        phone_change.begin(world.provider, own, "13900000001", "192.0.2.7")


def test_a_recovered_password_counts_as_known_again_once_the_person_was_seen(world: World) -> None:
    subject = world.register()
    recover(world)
    own = signed_in(world.provider, Typed(Realm.CITIZEN, PHONE, NEW, ENTRY)).session
    world.clock.tick(minutes=1)
    seen(world, subject)
    assert level_by_password_and_phone(world) == 2
    entry = replace(ENTRY, session=None)
    assert together(own.methods, (Method.PASSWORD,)) == (Method.PASSWORD,), "typed twice is once"
    again = signed_in(world.provider, Typed(Realm.CITIZEN, PHONE, NEW, entry)).session
    assert again.level == 1


@pytest.mark.parametrize(("methods", "level"), [(("pwd-recovered",), 1), (("passkey",), 2)])
def test_one_chosen_instead_is_worth_as_much_as_who_chose_it(
    world: World, methods: tuple[str, ...], level: int
) -> None:
    subject = world.register()
    seen(world, subject)
    world.clock.tick(minutes=1)
    recover(world)
    with world.begin() as tx:
        citizen = Realm.CITIZEN
        own = sessions.open_session(tx, world.provider, citizen, subject, methods).session
        wanted = Wanted(own, NEW, "yet another password")
        claimed = password_change.claim(tx, world.provider, wanted)
    proven = password_change.prove(world.provider, claimed)
    with world.begin() as tx:
        password_change.keep(tx, world.provider, proven)
    assert level_by_password_and_phone(world, "yet another password") == level


def test_nobody_finds_the_number_of_a_phone_by_trying(world: World) -> None:
    world.register()
    for _ in range(5):
        with pytest.raises(RecoveryRefused):
            recover(world, OTHER)
    with pytest.raises(TooManyTries):
        recover(world)
