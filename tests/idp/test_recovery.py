"""The way back for whoever forgot the password."""

import pytest
from sqlalchemy import select

from idp import evidence, sessions
from idp.errors import FieldWrong, PasswordWeak, RecoveryRefused, SignInRefused, SmsCodeGone
from idp.levels import Evidence, EvidenceKind
from idp.method import Method
from idp.methods import recovery
from idp.methods.sign_in import Entry
from idp.sessions import Opened
from idp.tables import SessionRow
from keys.tables import journal
from tests.idp.proving_phones import code_on
from tests.idp.world import PASSWORD, PEOPLE, World

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
    seen = Evidence(
        kind=EvidenceKind.COUNTER,
        source="counter",
        reference="c-1",
        compared=("name", "number"),
        happened_at=world.clock(),
    )
    with world.begin() as tx:
        evidence.record(tx, world.provider, subject, seen)
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
