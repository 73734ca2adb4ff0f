"""Whoever lost the register's word, or never had it, has it asked again."""

import threading
from datetime import date

import pytest
from sqlalchemy import update

from idp import accounts, evidence, reconfirmation, sessions
from idp.errors import FieldWrong, TooManyTries
from idp.identity_documents import Document
from idp.levels import EvidenceKind
from idp.people_errors import (
    EthnicityOrSexDiffers,
    IdentityDiffers,
    PhoneTaken,
    RegisterUnavailable,
    SmsCodeWrong,
)
from idp.reconfirmation import Known, Reconfirmed
from idp.sign_in_errors import SignInTooOld, SmsCodeGone
from idp.tables import EvidenceRow, PersonRow
from idp.vocabulary import Realm
from tests.idp.proving_phones import code_on, wrong
from tests.idp.standing import level_of, raised
from tests.idp.test_registration_papers import of, register, typed
from tests.idp.world import PEOPLE, World, heard

PHONE = "13800000001"
REGISTERS = (EvidenceKind.POPULATION_REGISTER, EvidenceKind.EXIT_ENTRY_REGISTER)
HELD = {
    "name": "张䶮",
    "ethnicity": PEOPLE["张䶮"].ethnicity,
    "sex": PEOPLE["张䶮"].sex,
    "nationality": "",
    "birthdate": "",
}


def fallen(world: World, subject: str) -> str:
    """Let the register's word be withdrawn."""
    with world.begin() as tx:
        for piece in evidence.of_kinds(tx, subject, REGISTERS, world.clock()):
            evidence.withdraw(tx, world.provider, piece.id or 0, by="a-test", why="differs")
    assert level_of(world, subject) == 0
    return subject


def imported(world: World, *, phone: bool = True) -> str:
    """An account that says name and number, and that nobody has confirmed."""
    subject = world.register()
    bare: dict[str, object] = {"ethnicity": "", "sex": "0"}
    if not phone:
        protector = world.provider.protector
        bare |= {
            "phone_index": protector.index("no-phone", subject),
            "phone_sealed": protector.seal("", world.provider.random),
        }
    with world.begin() as tx:
        tx.execute(update(PersonRow).where(PersonRow.subject == subject).values(**bare))
        tx.execute(
            update(EvidenceRow)
            .where(EvidenceRow.subject == subject)
            .values(withdrawn_at=world.clock())
        )
    return subject


def known(world: World, subject: str) -> Known:
    with world.begin() as tx:
        opened = sessions.open_session(tx, world.provider, Realm.CITIZEN, subject, ("pwd",))
        return reconfirmation.known(tx, world.provider, opened.session)


def asked(
    world: World, account: Known, told: dict[str, str] | None = None, phone: str = PHONE
) -> Reconfirmed:
    ticket = reconfirmation.begin(world.provider, account, phone, "192.0.2.1")
    code = code_on(world, phone)
    return reconfirmation.prove(world.provider, account, ticket.handle, code, told or HELD)


def keep(world: World, found: Reconfirmed) -> int:
    with world.begin() as tx:
        return reconfirmation.keep(tx, world.provider, found).level.number


def test_whoever_fell_stands_at_basic_again(world: World) -> None:
    subject = fallen(world, world.register())
    assert keep(world, asked(world, known(world, subject))) == level_of(world, subject) == 1


def test_whoever_was_imported_comes_to_basic_and_the_account_says_what_was_confirmed(
    world: World,
) -> None:
    subject = imported(world)
    with world.begin() as tx:
        assert not accounts.particulars(tx, world.provider, subject).phone_proven
    assert keep(world, asked(world, known(world, subject))) == 1
    with world.begin() as tx:
        person = accounts.person(tx, world.provider, subject)
        assert accounts.particulars(tx, world.provider, subject).phone_proven
    assert (person.ethnicity, person.sex) == (HELD["ethnicity"], HELD["sex"])


def test_a_foreigner_asks_the_exit_and_entry_register(world: World) -> None:
    paper = of(Document.PASSPORT)
    subject = fallen(world, register(world, typed(paper)))
    told = {
        "name": "erika  specimen",
        "ethnicity": "",
        "sex": "",
        "nationality": "deu",
        "birthdate": "1889-11-12",
    }
    assert keep(world, asked(world, known(world, subject), told)) == 1
    with world.begin() as tx:
        (piece,) = evidence.of_kinds(tx, subject, REGISTERS, world.clock())
        born = accounts.particulars(tx, world.provider, subject).birthdate
        found = accounts.credentials(tx, world.provider, f"DEU {paper.number}")
    assert piece.kind is EvidenceKind.EXIT_ENTRY_REGISTER
    assert born == date(1889, 11, 12)
    assert found is not None
    assert found.subject == subject


def test_an_account_without_a_phone_gets_the_one_that_was_proven(world: World) -> None:
    subject = imported(world, phone=False)
    account = known(world, subject)
    with pytest.raises(FieldWrong):
        reconfirmation.begin(world.provider, account, "", "192.0.2.1")
    assert keep(world, asked(world, account, phone="13800000055")) == 1
    with world.begin() as tx:
        assert accounts.particulars(tx, world.provider, subject).phone == "13800000055"


def test_a_phone_comes_to_an_account_only_in_a_fresh_sign_in(world: World) -> None:
    account = known(world, imported(world, phone=False))
    world.clock.tick(minutes=20)
    with pytest.raises(SignInTooOld):
        reconfirmation.begin(world.provider, account, PHONE, "192.0.2.1")


def test_nobody_gets_the_phone_of_somebody_else(world: World) -> None:
    subject = imported(world, phone=False)
    world.register("李㛃", "13800000002")
    with pytest.raises(PhoneTaken):
        keep(world, asked(world, known(world, subject), phone="13800000002"))
    assert level_of(world, subject) == 0


def test_the_code_goes_to_the_phone_of_the_account_whatever_is_typed(world: World) -> None:
    account = known(world, fallen(world, world.register()))
    reconfirmation.begin(world.provider, account, "13800000077", "192.0.2.1")
    assert world.inbox("13800000077") == []


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"name": "张龙"}, IdentityDiffers),
        ({"sex": "2" if HELD["sex"] == "1" else "1"}, EthnicityOrSexDiffers),
    ],
    ids=["name", "sex"],
)
def test_three_of_four_give_nothing_and_use_the_code_up(
    world: World, changed: dict[str, str], error: type[Exception]
) -> None:
    subject = fallen(world, world.register())
    account = known(world, subject)
    ticket = reconfirmation.begin(world.provider, account, "", "192.0.2.1")
    code = code_on(world, PHONE)
    with pytest.raises(error):
        reconfirmation.prove(world.provider, account, ticket.handle, code, HELD | changed)
    with pytest.raises(SmsCodeGone):
        reconfirmation.prove(world.provider, account, ticket.handle, code, HELD)
    assert level_of(world, subject) == 0


def test_a_register_that_is_down_leaves_the_code_good(world: World) -> None:
    account = known(world, fallen(world, world.register()))
    ticket = reconfirmation.begin(world.provider, account, "", "192.0.2.1")
    code = code_on(world, PHONE)
    world.outage("population-register")
    with pytest.raises(RegisterUnavailable):
        reconfirmation.prove(world.provider, account, ticket.handle, code, HELD)
    world.outage("population-register", down=False)
    found = reconfirmation.prove(world.provider, account, ticket.handle, code, HELD)
    assert keep(world, found) == 1


def test_a_wrong_code_asks_nobody_and_a_code_of_somebody_else_is_gone(world: World) -> None:
    account = known(world, fallen(world, world.register()))
    other = known(world, world.register("李㛃", "13800000002"))
    ticket = reconfirmation.begin(world.provider, account, "", "192.0.2.1")
    code = code_on(world, PHONE)
    world.outage("population-register")
    with pytest.raises(SmsCodeWrong):
        reconfirmation.prove(world.provider, account, ticket.handle, wrong(code), HELD)
    theirs = {"name": "李㛃", **{k: v for k, v in HELD.items() if k != "name"}}
    with pytest.raises(SmsCodeGone):
        reconfirmation.prove(world.provider, other, ticket.handle, code, theirs)


def test_the_register_is_not_asked_again_and_again(world: World) -> None:
    account = known(world, fallen(world, world.register()))
    for _ in range(4):  # the first was the registration
        with pytest.raises(IdentityDiffers):
            asked(world, account, HELD | {"name": "张龙"})
        world.provider.redis.delete(*world.provider.redis.keys("*sms-phone*"))
    with pytest.raises(TooManyTries):
        asked(world, account)


def test_what_was_vouched_for_by_a_former_name_goes(world: World) -> None:
    subject = world.register()
    raised(world, subject)
    with world.begin() as tx:
        tx.execute(update(PersonRow).values(name="张龙"))
    fallen(world, subject)
    assert keep(world, asked(world, known(world, subject))) == 1, "the counter saw another name"


def test_the_same_name_keeps_what_was_vouched_for(world: World) -> None:
    subject = world.register()
    raised(world, subject)
    fallen(world, subject)
    assert keep(world, asked(world, known(world, subject))) == 2


def test_a_phone_that_changed_meanwhile_stops_it(world: World) -> None:
    subject = fallen(world, world.register())
    found = asked(world, known(world, subject))
    with world.begin() as tx:
        moved = world.provider.protector.index("phone", "13800000088")
        tx.execute(update(PersonRow).values(phone_index=moved))
    with pytest.raises(SmsCodeGone):
        keep(world, found)
    assert level_of(world, subject) == 0


def test_of_two_with_one_code_one_asks(world: World) -> None:
    account = known(world, fallen(world, world.register()))
    ticket = reconfirmation.begin(world.provider, account, "", "192.0.2.1")
    code, ended = code_on(world, PHONE), []

    def try_it() -> None:
        try:
            reconfirmation.prove(world.provider, account, ticket.handle, code, HELD)
            ended.append("found")
        except SmsCodeGone:
            ended.append("gone")

    both = [threading.Thread(target=try_it) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(ended) == ["found", "gone"]


def test_no_name_and_no_number_is_said(world: World) -> None:
    account = known(world, fallen(world, world.register()))
    ticket = reconfirmation.begin(world.provider, account, "", "192.0.2.1")
    code = code_on(world, PHONE)
    with heard() as lines:
        keep(world, reconfirmation.prove(world.provider, account, ticket.handle, code, HELD))
    said = "\n".join(lines)
    assert account.number not in said
    assert PHONE not in said
