"""Registration with every paper: which register answers, what is asked, and one subject per number."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from idp import accounts, claims_table, registration
from idp.errors import FieldWrong
from idp.identity_documents import RULES, Document, index_names
from idp.levels import EvidenceKind
from idp.people_errors import (
    NationalityOrBirthdateDiffers,
    NumberTaken,
    PaperDiffers,
    ParticularsDiffer,
    PhoneTaken,
    SourceUnavailable,
    UsernameTaken,
)
from idp.registration import Form
from idp.tables import PersonRow
from keys.errors import DomainError
from keys.identity_numbers import NumberWrong
from service.simulators.outside import PaperRecord
from service.simulators.registers import load_papers
from tests.idp.world import PASSWORD, PEOPLE, World, form

PAPERS = load_papers()
PHONE = "13800000001"


def of(document: Document) -> PaperRecord:
    return next(paper for paper in PAPERS if paper.document == document)


def typed(paper: PaperRecord, phone: str = PHONE, **changed: str) -> Form:
    """What the holder of a fixture paper types: only what is asked for."""
    asks = RULES[Document(paper.document)].asks
    told = {
        "number": paper.number,
        "name": paper.name,
        "ethnicity": "",
        "sex": "",
        "phone": phone,
        "password": PASSWORD,
        "document": paper.document,
        "nationality": paper.nationality if "nationality" in asks else "",
        "birthdate": paper.birthdate.isoformat() if "birthdate" in asks else "",
    }
    return Form(**(told | changed))


def register(world: World, filled: Form) -> str:
    proven = world.prove(filled)
    with world.begin() as tx:
        return registration.open_account(tx, world.provider, proven).subject


def people(world: World) -> int:
    with world.begin() as tx:
        return tx.scalar(select(func.count()).select_from(PersonRow)) or 0


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: f"{paper.document}-{paper.nationality}")
def test_the_holder_of_any_paper_stands_at_the_basic_level(
    world: World, paper: PaperRecord
) -> None:
    subject = register(world, typed(paper))
    with world.begin() as tx:
        known = accounts.particulars(tx, world.provider, subject)
    assert known.standing.level.name_zh == "初级"
    kinds = [piece.kind for piece in known.standing.because]
    assert kinds == [EvidenceKind.SMS_CODE, EvidenceKind.EXIT_ENTRY_REGISTER]
    assert known.birthdate == paper.birthdate
    assert claims_table.birthdate(known) == paper.birthdate.isoformat()
    told = {"type": paper.document, "number": paper.number}
    assert claims_table.identity_document(known) == told


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: f"{paper.document}-{paper.nationality}")
def test_the_number_is_what_they_sign_in_with(world: World, paper: PaperRecord) -> None:
    subject = register(world, typed(paper))
    name = paper.number
    if paper.document == Document.PASSPORT:
        name = f"{paper.nationality.lower()} {paper.number}"
    with world.begin() as tx:
        for typing in (name, f" {name.lower()} "):
            found = accounts.credentials(tx, world.provider, typing)
            assert found is not None
            assert found.subject == subject


def test_a_passport_without_its_state_names_nobody(world: World) -> None:
    register(world, typed(of(Document.PASSPORT)))
    with world.begin() as tx:
        assert accounts.credentials(tx, world.provider, of(Document.PASSPORT).number) is None


@pytest.mark.parametrize(
    ("document", "changed", "error"),
    [
        (Document.PASSPORT, {"name": "SOMEBODY ELSE"}, PaperDiffers),
        (Document.PASSPORT, {"number": "E99000002"}, PaperDiffers),
        (Document.PASSPORT, {"nationality": "CAN"}, NationalityOrBirthdateDiffers),
        (Document.PASSPORT, {"birthdate": "1889-11-13"}, NationalityOrBirthdateDiffers),
        (Document.HK_MACAO_PERMIT, {"birthdate": "1884-05-07"}, NationalityOrBirthdateDiffers),
        (Document.TAIWAN_PERMIT, {"name": "张三"}, PaperDiffers),
    ],
    ids=str,
)
def test_three_of_four_is_refused_by_kind_and_stores_nothing(
    world: World, document: Document, changed: dict[str, str], error: type[ParticularsDiffer]
) -> None:
    with pytest.raises(error) as refused:
        world.prove(typed(of(document), **changed))
    assert refused.value.parameters == {}
    assert people(world) == 0


@pytest.mark.parametrize(
    ("document", "changed", "field"),
    [
        (Document.PASSPORT, {"nationality": "Canada"}, "nationality"),
        (Document.PASSPORT, {"nationality": ""}, "nationality"),
        (Document.PASSPORT, {"birthdate": ""}, "birthdate"),
        (Document.PASSPORT, {"birthdate": "12.11.1889"}, "birthdate"),
        (Document.PERMANENT_RESIDENCE, {"birthdate": "1885-07-08"}, "birthdate"),
        (Document.PASSPORT, {"document": "driving_licence"}, "document"),
        (Document.PASSPORT, {"username": "Erika!"}, "username"),
    ],
    ids=str,
)
def test_a_field_of_the_wrong_form_is_named(
    world: World, document: Document, changed: dict[str, str], field: str
) -> None:
    with pytest.raises(FieldWrong) as refused:
        world.prove(typed(of(document), **changed))
    assert refused.value.parameters == {"field": field}


@pytest.mark.parametrize(
    ("document", "number", "code"),
    [
        (Document.RESIDENT_ID, "810000188001010015", "number.resident_id.permit"),
        (Document.RESIDENT_ID, "990100188001010019", "number.resident_id.division"),
        (Document.RESIDENCE_PERMIT, "330105188001010018", "number.residence_permit.form"),
        (Document.RESIDENCE_PERMIT, "810000188001010016", "number.resident_id.check"),
        (Document.PERMANENT_RESIDENCE, "330105188001010018", "number.permanent_residence.form"),
        (Document.HK_MACAO_PERMIT, "Ｈ９９０００００１", "number.hk_macao_permit.form"),
        (Document.TAIWAN_PERMIT, "9900001", "number.taiwan_permit.form"),
        (Document.PASSPORT, "护照一号", "number.passport.form"),
    ],
    ids=str,
)
def test_a_wrong_number_is_named_before_anyone_is_asked(
    world: World, document: Document, number: str, code: str
) -> None:
    wrong = replace(form(), document=document.value, number=number)
    with pytest.raises(NumberWrong) as refused:
        registration.begin_registration(world.provider, wrong, "192.0.2.1")
    assert refused.value.code == code
    assert not list(world.provider.redis.scan_iter("*"))


def test_an_administration_that_is_down_gives_try_later_and_no_level(world: World) -> None:
    world.outage("exit-entry")
    filled = typed(of(Document.PASSPORT))
    ticket = registration.begin_registration(world.provider, filled, "192.0.2.1")
    code = world.inbox(PHONE)[-1]["code"]
    with pytest.raises(SourceUnavailable):
        registration.prove_registration(world.provider, ticket.handle, code)
    assert people(world) == 0
    world.outage("exit-entry", down=False)
    proven = registration.prove_registration(world.provider, ticket.handle, code)
    assert proven.confirmed.kind is EvidenceKind.EXIT_ENTRY_REGISTER


def test_the_booklet_and_the_card_of_one_permit_are_one_person(world: World) -> None:
    paper = of(Document.HK_MACAO_PERMIT)
    register(world, typed(paper))
    renewed = world.prove(typed(paper, "13800000002", number=f"{paper.number}02"))
    with world.begin() as tx, pytest.raises(NumberTaken):
        registration.open_account(tx, world.provider, renewed)


def test_two_states_may_give_out_one_passport_number(world: World) -> None:
    first = world.prove(typed(of(Document.PASSPORT)))
    other = replace(first.applicant, nationality="CAN", phone="13800000002")
    with world.begin() as tx:
        registration.open_account(tx, world.provider, first)
        registration.open_account(tx, world.provider, replace(first, applicant=other))
    assert people(world) == 2


def test_eighteen_character_numbers_of_all_papers_share_one_space(world: World) -> None:
    first = world.prove(typed(of(Document.RESIDENCE_PERMIT)))
    other = replace(first.applicant, document=Document.RESIDENT_ID, phone="13800000002")
    with world.begin() as tx:
        registration.open_account(tx, world.provider, first)
    with world.begin() as tx, pytest.raises(NumberTaken):
        registration.open_account(tx, world.provider, replace(first, applicant=other))


def test_of_twenty_registrations_of_one_passport_at_once_one_makes_the_subject(
    world: World,
) -> None:
    first = world.prove(typed(of(Document.PASSPORT)))
    crowd = [
        replace(first, applicant=replace(first.applicant, phone=f"139000000{n:02d}"))
        for n in range(20)
    ]

    def open_one(proven: registration.Proven) -> str:
        try:
            with world.begin() as tx:
                return registration.open_account(tx, world.provider, proven).subject
        except NumberTaken as refused:
            return refused.code

    with ThreadPoolExecutor(20) as pool:
        outcomes = Counter(pool.map(open_one, crowd))
    assert outcomes.pop("registration.number_taken") == 19
    assert len(outcomes) == 1
    assert people(world) == 1


def test_a_user_name_may_be_chosen_and_is_one_persons(world: World) -> None:
    subject = register(world, form(username="zhang.yan"))
    with world.begin() as tx:
        found = accounts.credentials(tx, world.provider, "zhang.yan")
    assert found is not None
    assert found.subject == subject
    second = world.prove(form("李㛃", "13800000002", username="zhang.yan"))
    with world.begin() as tx, pytest.raises(UsernameTaken):
        registration.open_account(tx, world.provider, second)


@pytest.mark.parametrize("name", ["h99000001", "can990188070701", "ab", "1abc", "Zhang", "a b c"])
def test_a_user_name_is_nobodys_number(world: World, name: str) -> None:
    with pytest.raises(FieldWrong) as refused:
        world.prove(form(username=name))
    assert refused.value.parameters == {"field": "username"}


def test_the_same_phone_and_number_are_told_apart_from_the_user_name(world: World) -> None:
    register(world, form(username="zhang.yan"))
    same: dict[str, Form] = {
        "registration.number_taken": form(phone="13800000009"),
        "registration.phone_taken": form("李㛃"),
        "registration.username_taken": form("王𬭎", "13800000008", username="zhang.yan"),
    }
    for code, filled in same.items():
        proven = world.prove(filled)
        with world.begin() as tx, pytest.raises(DomainError) as refused:
            registration.open_account(tx, world.provider, proven)
        assert refused.value.code == code


def test_every_number_has_a_space_of_its_paper() -> None:
    number = PEOPLE["张䶮"].number
    assert index_names(number) == (("resident_id", number),)
    assert index_names("h99000001") == (("hk_macao_permit", "H99000001"),)
    assert index_names("DEU C01X00T47") == (("passport", "DEUC01X00T47"),)
    assert index_names("zhang.yan") == ()


def closed(world: World, subject: str) -> None:
    with world.begin() as tx:
        gone = {"closed_at": world.clock(), "username": None, "phone_index": b"nobody's"}
        tx.execute(update(PersonRow).where(PersonRow.subject == subject).values(gone))


def test_whoever_closed_an_account_and_comes_back_is_the_same_subject(world: World) -> None:
    subject = register(world, form())
    closed(world, subject)
    assert register(world, form(phone="13800000003", username="zhang.yan")) == subject
    with world.begin() as tx:
        found = accounts.credentials(tx, world.provider, "13800000003")
    assert found is not None
    assert found.subject == subject
    assert people(world) == 1


def test_who_comes_back_takes_nobodys_phone(world: World) -> None:
    closed(world, register(world, form()))
    register(world, form("李㛃", "13800000002"))
    proven = world.prove(form(phone="13800000002"))
    with world.begin() as tx, pytest.raises(PhoneTaken) as refused:
        registration.open_account(tx, world.provider, proven)
    assert refused.value.__cause__ is None


def test_of_twenty_that_come_back_at_once_one_does(world: World) -> None:
    closed(world, register(world, form()))
    first = world.prove(form(phone="13800000003"))
    crowd = [
        replace(first, applicant=replace(first.applicant, phone=f"139000000{n:02d}"))
        for n in range(20)
    ]

    def open_one(proven: registration.Proven) -> str:
        try:
            with world.begin() as tx:
                return registration.open_account(tx, world.provider, proven).subject
        except NumberTaken as refused:
            return refused.code

    with ThreadPoolExecutor(20) as pool:
        outcomes = Counter(pool.map(open_one, crowd))
    assert outcomes["registration.number_taken"] == 19
    assert people(world) == 1
