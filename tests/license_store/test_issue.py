"""Issuing: what is refused leaves nothing behind, and one case makes one licence, however often asked."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from threading import Barrier

import pytest
from sqlalchemy import func, select, text

from keys import cose, journal
from keys.errors import DomainError
from license_store import queries, tables
from license_store.application import Application
from license_store.errors import (
    CaseConflict,
    CaseUndecided,
    FieldsWrong,
    IssuerUnknown,
    NumbersExhausted,
    TypeNotAllowed,
    TypeUnknown,
)
from license_store.issue import Receipt
from license_store.licence import local_date
from license_store.numbering import Identifier
from seal import qr, statement
from seal.life.errors import GrantMissing, SealMissing, SealNotInUse, SealOutOfTerm
from seal.typesetting import FieldTooLong, GlyphMissing
from tests.license_store.world import (
    COMPANY,
    FOOD,
    FOOD_FIELDS,
    HOUSING,
    MARKET,
    OTHER_PERSON,
    PERMIT,
    PERSON,
    World,
    food_application,
)


def everything_stored(world: World) -> dict[str, int]:
    """Return how many rows each table of the desk has, but for the rights it was seeded with."""
    kept = ("issuers", "issuer_types", "lookup_rights")
    with world.begin() as tx:
        counts = {
            name: tx.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in tables.metadata.tables.items()
            if table.name not in kept
        }
        counts["journal"] = tx.execute(text("SELECT count(*) FROM keys.journal")).scalar_one()
    counts["jobs"] = len(world.jobs)
    return counts


def test_a_receipt_names_a_valid_identifier_of_type_and_issuer(world: World) -> None:
    receipt = world.issue(food_application())
    identifier = Identifier.parse(receipt.identifier)
    assert (identifier.type_code, identifier.issuer) == (FOOD, MARKET.uscc)
    assert identifier.serial == receipt.number == "JY2990100000001" + receipt.number[-1]
    assert identifier.version == "001"


def test_numbers_run_within_their_series(world: World) -> None:
    fields = dict(FOOD_FIELDS) | {"business_form": "食品销售经营者"}
    numbers = [
        world.issue(food_application(case_number=case, fields=chosen)).number[:-1]
        for case, chosen in (("A", FOOD_FIELDS), ("B", FOOD_FIELDS), ("C", fields))
    ]
    assert numbers == ["JY2990100000001", "JY2990100000002", "JY1990100000001"]


def test_the_intent_is_journalled_and_the_sealing_put_in_line(world: World) -> None:
    receipt = world.issue(food_application())
    assert world.jobs == [("seal_licence", {"licence_id": str(receipt.licence_id)})]
    with world.begin() as tx:
        told = tx.execute(text("SELECT action, actor, subject FROM keys.journal")).one()
        assert told == ("licence.issue.intended", "desk/clerk", receipt.identifier)
        assert journal.chain(tx, world.clock).count == 1


def test_a_term_starts_on_the_day_of_issue_unless_told_otherwise(world: World) -> None:
    world.issue(food_application())
    world.issue(food_application(case_number="later", valid_from=date(2025, 7, 1)))
    with world.begin() as tx:
        terms = tx.execute(
            select(tables.LicenceRow.valid_from, tables.LicenceRow.valid_until).order_by(
                tables.LicenceRow.valid_from
            )
        ).all()
    assert [tuple(term) for term in terms] == [
        (date(2025, 6, 2), date(2030, 6, 1)),
        (date(2025, 7, 1), date(2030, 6, 30)),
    ]


@pytest.mark.parametrize(
    ("changes", "issuer", "refusal"),
    [
        ({"type_code": "11100000000013338W999"}, MARKET.uscc, TypeUnknown),
        ({}, "11990100MBXX900426", IssuerUnknown),
        ({}, HOUSING.uscc, TypeNotAllowed),
        ({"type_code": PERMIT}, MARKET.uscc, TypeNotAllowed),
        ({"decision": "pending"}, MARKET.uscc, CaseUndecided),
        ({"decision": "refused"}, MARKET.uscc, CaseUndecided),
        ({"fields": {}}, MARKET.uscc, FieldsWrong),
        ({"holders": (replace(PERSON, number="330105188001010017"),)}, MARKET.uscc, FieldsWrong),
        ({"holders": (replace(COMPANY, name="示例🍜面馆"),)}, MARKET.uscc, GlyphMissing),
        (
            {"fields": dict(FOOD_FIELDS) | {"supervisor": "吴岚\u202e邵青"}},
            MARKET.uscc,
            GlyphMissing,
        ),
        (
            {
                "holders": tuple(
                    replace(COMPANY, name="示例" * 50, number=number)
                    for number in (COMPANY.number, "91990100MAXX900657", "91990100MAXX90014Y")
                )
            },
            MARKET.uscc,
            FieldTooLong,
        ),
    ],
)
def test_what_is_refused_leaves_nothing_behind(
    world: World, changes: dict[str, object], issuer: str, refusal: type[DomainError]
) -> None:
    before = everything_stored(world)
    with pytest.raises(refusal):
        world.issue(food_application(**changes), issuer)
    assert everything_stored(world) == before


def test_a_character_that_cannot_be_printed_is_named(world: World) -> None:
    with pytest.raises(GlyphMissing) as refused:
        world.issue(food_application(holders=(replace(COMPANY, name="示例🍜面馆"),)))
    assert refused.value.parameters == {
        "field": "holder_name",
        "character": "🍜",
        "code_point": "U+1F35C",
    }


def test_rare_characters_of_names_are_printed(world: World) -> None:
    holders = (PERSON, OTHER_PERSON)
    fields = dict(FOOD_FIELDS) | {"legal_representative": "王𬭎"}
    assert world.issue(food_application(holders=holders, fields=fields)).number


def test_the_longest_holders_leave_the_code_printable(world: World) -> None:
    numbers = (COMPANY.number, "91990100MAXX900657", "91990100MAXX90014Y")
    holders = tuple(replace(COMPANY, name="示例公司" * 9, number=number) for number in numbers)
    receipt = world.issue_and_seal(food_application(holders=holders))
    with world.begin() as tx:
        code = queries.by_identifier(tx, world.desk, receipt.identifier).code
    stated = statement.decode(cose.read(statement.read_code(code)).payload)
    assert stated.holder_masked == "示例公司示例公司示例公司示例公…"
    # Version 15, 0.49 mm a module on a face: still read from a photocopy.
    assert len(qr.modules(code)) <= 17 + 4 * 15


def test_a_body_without_a_seal_is_refused_before_anything_is_stored(world: World) -> None:
    with world.begin() as tx:
        tx.execute(text("TRUNCATE seal.seal CASCADE"))
    before = everything_stored(world)
    with pytest.raises(SealMissing):
        world.issue(food_application())
    assert everything_stored(world) == before


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ("UPDATE seal.seal SET state = 'suspended'", SealNotInUse),
        ("DELETE FROM seal.seal_grant", GrantMissing),
    ],
    ids=["stopped", "not granted"],
)
def test_a_seal_that_may_not_be_used_is_refused_before_anything_is_stored(
    world: World, change: str, refusal: type[DomainError]
) -> None:
    with world.begin() as tx:
        tx.execute(text(change))
    before = everything_stored(world)
    with pytest.raises(refusal):
        world.issue(food_application())
    assert everything_stored(world) == before


def test_the_same_case_again_is_the_same_licence(world: World) -> None:
    first = world.issue(food_application())
    stored = everything_stored(world)
    world.clock.tick(days=3)
    again = world.issue(food_application())
    assert again == replace(first, repeated=True)
    assert everything_stored(world) == stored


def test_a_repeat_is_answered_though_the_clock_no_longer_allows_the_first(world: World) -> None:
    """Clocks are set back, and a start a year ahead is too far ahead again the day before."""
    ahead = food_application(valid_from=date(2026, 6, 3))
    first = world.issue(ahead)
    world.clock.tick(days=-4)
    with pytest.raises(FieldsWrong):
        world.issue(replace(ahead, case_number="another"))
    assert world.issue(ahead) == replace(first, repeated=True)


def test_the_same_number_written_otherwise_is_the_same_case(world: World) -> None:
    first = world.issue(food_application())
    written = replace(COMPANY, number=f" {COMPANY.number.lower()} ")
    assert world.issue(food_application(holders=(written,))).identifier == first.identifier


@pytest.mark.parametrize(
    "changes",
    [
        {"holders": (PERSON,)},
        {"fields": dict(FOOD_FIELDS) | {"premises": "别处"}},
        {"decided_on": date(2025, 5, 29)},
        {"valid_from": date(2025, 7, 1)},
    ],
)
def test_the_same_case_with_other_content_is_a_conflict(
    world: World, changes: dict[str, object]
) -> None:
    first = world.issue(food_application())
    with pytest.raises(CaseConflict) as refused:
        world.issue(food_application(**changes))
    assert refused.value.parameters["identifier"] == first.identifier


def test_a_double_click_makes_one_licence(world: World) -> None:
    together = Barrier(6)

    def click(_: int) -> Receipt:
        together.wait()
        return world.issue(food_application())

    with ThreadPoolExecutor(6) as clerks:
        receipts = list(clerks.map(click, range(6)))
    assert len({receipt.identifier for receipt in receipts}) == 1
    assert sum(not receipt.repeated for receipt in receipts) == 1
    assert everything_stored(world)["licence.licences"] == 1
    assert everything_stored(world)["jobs"] == 1


def test_different_cases_at_once_get_different_numbers_and_places(world: World) -> None:
    def submit(case: int) -> Receipt:
        return world.issue(food_application(case_number=f"C{case}"))

    with ThreadPoolExecutor(6) as clerks:
        receipts = list(clerks.map(submit, range(18)))
    assert sorted(int(r.number[9:15]) for r in receipts) == list(range(1, 19))
    with world.begin() as tx:
        places = tx.execute(
            select(tables.LicenceRow.status_list, tables.LicenceRow.status_index)
        ).all()
    assert len(set(places)) == 18


def test_a_series_without_numbers_left_is_refused(world: World) -> None:
    permit = Application(
        type_code=PERMIT,
        case_number="S1",
        decision="approved",
        decided_on=date(2025, 5, 30),
        holders=(COMPANY,),
        fields={
            "project_name": "示例工程",
            "project_class": "房屋建筑工程",
            "site_address": "示例市",
            "scale": "1 平方米",
            "contract_price": "1 万元",
            "construction_unit": "示例建工",
            "construction_lead": "郑立",
            "contract_period": "1 日历天",
        },
    )
    with world.begin() as tx:
        series = {"type_code": PERMIT, "series": "99010020250602*01", "last": 98}
        tx.add(tables.NumberSeriesRow(**series))
    assert world.issue(permit, HOUSING.uscc).number == "990100202506029901"
    before = everything_stored(world)
    with pytest.raises(NumbersExhausted):
        world.issue(replace(permit, case_number="S2"), HOUSING.uscc)
    assert everything_stored(world) == before


def test_no_id_number_stands_in_the_database_in_the_clear(world: World) -> None:
    world.issue(food_application(holders=(PERSON, OTHER_PERSON)))
    with world.begin() as tx:
        for table in (*tables.metadata.sorted_tables, "keys.journal"):
            for row in tx.execute(text(f"SELECT t::text FROM {table} t")).scalars():  # noqa: S608
                assert PERSON.number not in row
                assert PERSON.number.encode().hex() not in row


@pytest.mark.parametrize("days", [-30, 30 * 365])
def test_a_body_whose_seal_is_out_of_term_issues_nothing(world: World, days: int) -> None:
    before = everything_stored(world)
    world.clock.tick(days=days)
    today = local_date(world.clock.now)
    with pytest.raises(SealOutOfTerm) as refused:
        world.issue(food_application(decided_on=today))
    assert refused.value.parameters["owner"] == MARKET.uscc
    assert everything_stored(world) == before


def test_the_seals_own_term_counts_though_its_certificates_run_on(world: World) -> None:
    """The seal of these tests lasts a year, its certificates longer."""
    world.clock.tick(days=400)
    with pytest.raises(SealOutOfTerm):
        world.issue(food_application())
