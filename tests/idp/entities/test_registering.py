"""An entity registers through its representative: who may, what the registers must say, who wins."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import delete, func, select

from idp.entities import entity, legal_levels, mandates, registering
from idp.entities.entity import Alias, Category
from idp.entities.tables import EntityAliasRow, EntityRow, MandateRow
from idp.entity_errors import (
    AliasTaken,
    AliasWrong,
    EntityDiffers,
    EntityEnded,
    EntityFieldWrong,
    NotRepresentative,
    RepresentativeNotRealName,
)
from idp.levels import SEVEN_PARTICULARS
from idp.people_errors import SourceUnavailable
from idp.tables import EvidenceRow
from keys.errors import DomainError
from keys.identity_numbers import UsccCheck, UsccForm
from tests.idp.companies import AGENT, BUILDER, FOOD, FOODS_HEAD, change, found, head
from tests.idp.world import PEOPLE, World, heard


def nothing_is_stored(world: World) -> bool:
    with world.begin() as tx:
        rows = [tx.scalar(select(func.count()).select_from(t)) for t in (EntityRow, MandateRow)]
    return rows == [0, 0]


def test_a_representative_registers_a_company_which_stands_on_the_basic_level(
    world: World,
) -> None:
    subject = head(world)
    company = found(world, subject)
    with world.begin() as tx:
        standing = legal_levels.standing(tx, world.provider, company.subject)
        held = mandates.representative(tx, company.subject)
    assert standing.level.acr == "urn:yinxin:level:legal:1"
    assert standing.because[0].compared == SEVEN_PARTICULARS
    assert held is not None
    assert (held.holder, held.principal, held.until) == (subject, company.subject, None)
    assert company.category is Category.ENTERPRISE


def test_only_who_is_real_name_registers_one(world: World) -> None:
    subject = head(world)
    with world.begin() as tx:
        tx.execute(delete(EvidenceRow))
    with pytest.raises(RepresentativeNotRealName):
        found(world, subject)
    assert nothing_is_stored(world)


def test_nobody_registers_a_company_that_somebody_else_represents(world: World) -> None:
    subject = world.register(AGENT)
    with pytest.raises(NotRepresentative):
        found(world, subject)
    assert nothing_is_stored(world)


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(replace(BUILDER, name="示例市另一家有限公司"), id="name"),
        pytest.param(replace(BUILDER, registration_number="990100000000000"), id="registration"),
        pytest.param(FOOD, id="whole"),
    ],
)
def test_a_company_that_is_not_as_described_is_refused_without_a_word_of_what_it_is(
    world: World, form: registering.Form
) -> None:
    subject = head(world)
    expected = NotRepresentative if form == FOOD else EntityDiffers
    with heard() as lines, pytest.raises(expected) as refused:
        found(world, subject, form)
    assert refused.value.parameters == {}
    assert BUILDER.name not in "".join(lines)
    assert nothing_is_stored(world)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"uscc": "91990100MAXX91017"}, UsccForm),
        ({"uscc": "91990100MAXX91017G"}, UsccCheck),
        ({"uscc": "91990100MAXX91025F"}, UsccCheck),
        ({"name": " "}, EntityFieldWrong),
        ({"name": "甲" * 101}, EntityFieldWrong),
        ({"registration_number": "九九"}, EntityFieldWrong),
    ],
    ids=["short", "check", "swapped", "no-name", "long-name", "no-number"],
)
def test_a_malformed_form_asks_nobody(
    world: World, changed: dict[str, str], expected: type[DomainError]
) -> None:
    subject = head(world)
    world.outage("business-register")
    with pytest.raises(expected):
        found(world, subject, replace(BUILDER, **changed))


def test_a_register_that_does_not_answer_gives_no_level(world: World) -> None:
    subject = head(world)
    world.outage("business-register")
    with pytest.raises(SourceUnavailable):
        found(world, subject)
    assert nothing_is_stored(world)
    world.outage("business-register", down=False)
    assert found(world, subject).name == BUILDER.name


@pytest.mark.parametrize("state", ["cancelled", "revoked"])
def test_a_company_that_is_no_more_is_not_registered(world: World, state: str) -> None:
    subject = head(world)
    change(world, "entity", uscc=BUILDER.uscc, state=state)
    with pytest.raises(EntityEnded):
        found(world, subject)


def test_registrations_of_the_same_instant_make_one_entity(world: World) -> None:
    subject = head(world)
    with world.begin() as tx:
        application = registering.prepare(tx, world.provider, subject, BUILDER)
    confirmed = registering.ask(world.provider, application)

    def register(_: int) -> str:
        with world.begin() as tx:
            return registering.open_entity(tx, world.provider, confirmed).subject

    with ThreadPoolExecutor(8) as pool:
        subjects = set(pool.map(register, range(8)))
    assert len(subjects) == 1
    with world.begin() as tx:
        assert tx.scalar(select(func.count()).select_from(EntityRow)) == 1
        assert len(mandates.of_principal(tx, subjects.pop())) == 1


def test_a_new_representative_takes_the_company_over(world: World) -> None:
    former = head(world)
    company = found(world, former)
    number = PEOPLE[FOODS_HEAD].number
    change(world, "entity", uscc=BUILDER.uscc, representative_number=number)
    successor = head(world, FOODS_HEAD, "13800000010")
    assert found(world, successor).subject == company.subject
    with world.begin() as tx:
        assert mandates.of_holder(tx, former) == []
        (held,) = mandates.of_holder(tx, successor)
        assert legal_levels.standing(tx, world.provider, company.subject).level.number == 1
    assert held.principal == company.subject


def test_a_company_is_found_by_any_number_it_had(world: World) -> None:
    company = found(world, head(world))
    with world.begin() as tx:
        entity.record_alias(
            tx, world.provider, company, Alias.TAX, "990100MAXX91017", source="clerk"
        )
    numbers = (
        BUILDER.uscc.lower(),
        BUILDER.registration_number,
        company.organisation_code,
        "990100maxx91017",
    )
    with world.begin() as tx:
        assert {entity.find(tx, number) for number in numbers} == {company}
        assert entity.find(tx, "990100") is None
        assert entity.aliases(tx, company.subject)[Alias.ORGANISATION] == "MAXX91017"


def test_a_former_number_is_of_one_entity(world: World) -> None:
    builder = found(world, head(world))
    food = found(world, head(world, FOODS_HEAD, "13800000010"), FOOD)
    with world.begin() as tx:
        for _ in range(2):
            entity.record_alias(
                tx, world.provider, builder, Alias.SOCIAL_INSURANCE, "SI1", source="clerk"
            )
        with pytest.raises(AliasTaken):
            entity.record_alias(
                tx, world.provider, food, Alias.SOCIAL_INSURANCE, "si1", source="clerk"
            )
        with pytest.raises(AliasWrong):
            entity.record_alias(
                tx, world.provider, food, Alias.ORGANISATION, "MAXX91017", source="clerk"
            )
        count = select(func.count()).where(EntityAliasRow.number == "SI1")
        assert tx.scalar(count) == 1


def test_a_number_of_two_kinds_and_two_entities_names_neither(world: World) -> None:
    builder = found(world, head(world))
    food = found(world, head(world, FOODS_HEAD, "13800000010"), FOOD)
    with world.begin() as tx:
        entity.record_alias(tx, world.provider, builder, Alias.TAX, "77", source="clerk")
        entity.record_alias(tx, world.provider, food, Alias.STATISTICS, "77", source="clerk")
        assert entity.find(tx, "77") is None


@pytest.mark.parametrize(
    ("code", "category"),
    [
        ("11990100MBXX90018M", Category.AUTHORITY),
        ("12990100MBXX90018M", Category.INSTITUTION),
        ("52990100MBXX90018M", Category.SOCIAL_ORGANISATION),
        ("91990100MAXX91017F", Category.ENTERPRISE),
        ("93990100MAXX91017F", Category.OTHER),
    ],
)
def test_what_an_entity_is_stands_in_its_code(code: str, category: Category) -> None:
    assert entity.Entity("s", code, "n", "r").category is category
