"""Looking up: by number, for a purpose and a case, with a right, and never without a trace."""

from dataclasses import asdict, replace

import pytest
from sqlalchemy import select, text, update

from license_store import queries, rights, tables
from license_store.errors import HolderNumberWrong, NoLookupRight, TypeUnknown
from license_store.licence import State
from license_store.lookup import FoundLicence, Lookup, look_up
from tests.license_store.world import (
    COMPANY,
    FOOD,
    OTHER_PERSON,
    PERMIT,
    PERSON,
    REVIEWER,
    World,
    food_application,
)

ASKED = Lookup(
    consumer=REVIEWER,
    client_id="reviewer",
    subject="reviewer",
    type_code=FOOD,
    number_type="111",
    number=PERSON.number,
    purpose="核对经营资格",
    case_number="SC-2025-9",
)


@pytest.fixture
def held(world: World) -> tuple[str, str]:
    """The identifiers of a licence 张䶮 holds alone and one held together with 李㛃."""
    alone = world.issue(food_application(case_number="alone", holders=(PERSON,)))
    both = world.issue(food_application(case_number="both", holders=(PERSON, OTHER_PERSON)))
    world.issue(food_application(case_number="other", holders=(COMPANY,)))
    with world.begin() as tx:
        tx.execute(update(tables.LicenceRow).values(state=State.VALID))
    return alone.identifier, both.identifier


def ask(world: World, **changes: str) -> tuple[FoundLicence, ...] | NoLookupRight:
    with world.begin() as tx:
        return look_up(tx, world.desk, replace(ASKED, **changes))


def found(world: World, **changes: str) -> tuple[FoundLicence, ...]:
    answer = ask(world, **changes)
    assert not isinstance(answer, NoLookupRight)
    return answer


def test_every_licence_of_the_holder_and_type_is_found(world: World, held: tuple[str, str]) -> None:
    assert {one.identifier for one in found(world)} == set(held)
    other = found(world, number=OTHER_PERSON.number)
    assert [one.identifier for one in other] == [held[1]]


def test_the_answer_holds_no_name_and_no_number_of_a_person(
    world: World, held: tuple[str, str]
) -> None:
    told = str([asdict(one) for one in found(world)])
    for secret in (PERSON.name, PERSON.number, OTHER_PERSON.name, OTHER_PERSON.number):
        assert secret not in told


def test_only_the_fields_of_the_right_are_told_and_which_is_recorded(
    world: World, held: tuple[str, str]
) -> None:
    one = found(world)[0]
    assert set(one.fields) == {"premises", "business_items"}
    assert one.fields["premises"] == food_application().fields["premises"]
    with world.begin() as tx:
        (row,) = tx.scalars(select(tables.LookupRow))
        assert row.fields == ["business_items", "premises"]


def test_a_right_granted_again_tells_other_fields(world: World, held: tuple[str, str]) -> None:
    with world.begin() as tx:
        rights.grant_lookup(tx, REVIEWER, FOOD)
    assert found(world)[0].fields == {}


def test_nothing_found_is_an_empty_answer(world: World, held: tuple[str, str]) -> None:
    assert found(world, number="350702188001030032") == ()


def test_a_licence_past_its_term_is_found_and_not_in_force(
    world: World, held: tuple[str, str]
) -> None:
    assert all(one.in_force for one in found(world))
    world.clock.tick(days=5 * 366)
    assert not any(one.in_force for one in found(world))


def test_a_licence_still_being_sealed_is_not_found(world: World) -> None:
    world.issue(food_application(holders=(PERSON,)))
    assert found(world) == ()


def test_a_lookup_is_recorded_and_journalled_without_the_number(
    world: World, held: tuple[str, str]
) -> None:
    found(world)
    with world.begin() as tx:
        row = tx.scalars(select(tables.LookupRow)).one()
        told = tx.execute(
            text("SELECT action, details::text FROM keys.journal ORDER BY id DESC LIMIT 1")
        ).one()
    assert (row.consumer, row.purpose, row.case_number) == (REVIEWER, "核对经营资格", "SC-2025-9")
    assert (row.granted, row.found) == (True, 2)
    assert told.action == "licence.looked_up"
    assert PERSON.number not in told.details


@pytest.mark.parametrize(
    "changes", [{"type_code": PERMIT}, {"consumer": "11990100MBXX900426"}, {"consumer": ""}]
)
def test_without_the_right_nothing_is_told_and_the_refusal_is_recorded(
    world: World, held: tuple[str, str], changes: dict[str, str]
) -> None:
    answer = ask(world, **changes)
    assert isinstance(answer, NoLookupRight)
    with world.begin() as tx:
        row = tx.scalars(select(tables.LookupRow)).one()
        action = tx.execute(text("SELECT action FROM keys.journal ORDER BY id DESC")).scalar()
    assert (row.granted, row.found) == (False, 0)
    assert action == "licence.lookup_refused"


def test_a_wrong_number_is_refused_by_the_rule_it_breaks(world: World) -> None:
    with pytest.raises(HolderNumberWrong) as refused:
        ask(world, number="330105188001010017")
    assert refused.value.problems[0].code == "number.resident_id.check"


def test_an_unknown_type_is_refused(world: World) -> None:
    with pytest.raises(TypeUnknown):
        ask(world, type_code="0" * 21)


def test_a_holder_has_every_licence_listed_newest_first(
    world: World, held: tuple[str, str]
) -> None:
    world.clock.tick(days=1)
    newest = world.issue(food_application(case_number="new", holders=(PERSON,)))
    with world.begin() as tx:
        mine = queries.held_by(tx, world.desk, "111", PERSON.number)
        assert queries.held_by(tx, world.desk, "001", COMPANY.number)
    assert mine[0].licence.identifier == newest.identifier
    assert {one.licence.identifier for one in mine[1:]} == set(held)
    assert [h.number for h in mine[0].licence.holders] == [PERSON.number]
