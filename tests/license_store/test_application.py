"""What an approval must bring: every fault found at once, each named."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from license_store.application import Application, problems_of
from license_store.catalogue import own_catalogue
from license_store.licence import Holder

TODAY = date(2025, 6, 2)
FOOD = own_catalogue().type_of("11100000MB0143028R901")
COMPANY = Holder("示例市知味堂餐饮管理有限公司", "001", "91990100MAXX90057C")
FIELDS = {field.name: (field.choices or ("好",))[0] for field in FOOD.fields}
GOOD = Application(FOOD.code, "C1", "approved", date(2025, 5, 30), (COMPANY,), FIELDS)


def faults(**changes: Any) -> dict[str, str]:
    return {p.field: p.code for p in problems_of(replace(GOOD, **changes), FOOD, TODAY)}


def test_a_good_application_has_no_fault() -> None:
    assert faults() == {}


def test_every_wrong_field_is_told_at_once() -> None:
    fields = FIELDS | {
        "premises": " ",
        "business_form": "网吧",
        "colour": "红",
        "signatory": "长" * 41,
    }
    del fields["residence"]
    assert faults(fields=fields, holders=(replace(COMPANY, number="91990100MAXX90057D"),)) == {
        "fields.premises": "licence.field.missing",
        "fields.residence": "licence.field.missing",
        "fields.business_form": "licence.field.not_a_choice",
        "fields.colour": "licence.field.unknown",
        "fields.signatory": "licence.field.too_long",
        "holders.0.number": "number.uscc.check",
    }


@pytest.mark.parametrize(
    ("holders", "fault"),
    [
        ((), {"holders": "licence.field.holder_count"}),
        ((COMPANY,) * 2, {"holders.1.number": "licence.field.holder_twice"}),
        ((replace(COMPANY, name=""),), {"holders.0.name": "licence.field.missing"}),
        ((replace(COMPANY, name="司" * 101),), {"holders.0.name": "licence.field.too_long"}),
        (
            (replace(COMPANY, number_type="411"),),
            {"holders.0.number_type": "licence.field.not_a_choice"},
        ),
        (
            (Holder("张䶮", "111", "330105188013010018"),),
            {"holders.0.number": "number.resident_id.date"},
        ),
        (
            (Holder("张䶮", "111", "330105188001010017"),),
            {"holders.0.number": "number.resident_id.check"},
        ),
    ],
)
def test_a_wrong_holder_is_named(holders: tuple[Holder, ...], fault: dict[str, str]) -> None:
    assert faults(holders=holders) == fault


def test_more_holders_than_the_type_takes_are_refused() -> None:
    assert faults(holders=(COMPANY,) * 6)["holders"] == "licence.field.holder_count"


def test_a_lower_case_x_does_not_make_another_person() -> None:
    twice = tuple(
        Holder("甲", "111", number) for number in ("11010519491231002X", "11010519491231002x")
    )
    assert faults(holders=twice) == {"holders.1.number": "licence.field.holder_twice"}


def test_dates_must_be_possible() -> None:
    assert faults(decided_on=date(2025, 6, 3)) == {"case.decided_on": "licence.field.in_the_future"}
    assert faults(valid_from=date(2025, 5, 29)) == {"valid_from": "licence.field.before_decision"}
    assert faults(valid_from=date(9999, 12, 31)) == {"valid_from": "licence.field.too_far_ahead"}
    assert faults(decided_on=TODAY, valid_from=TODAY) == {}


def test_a_licence_that_would_be_issued_expired_is_refused() -> None:
    # A food permit of five years from 3 June 2020 ends on 2 June 2025, which is today.
    old = date(2020, 1, 1)
    assert faults(decided_on=old, valid_from=date(2020, 6, 3)) == {}
    assert faults(decided_on=old, valid_from=date(2020, 6, 2)) == {
        "valid_from": "licence.field.already_expired"
    }
