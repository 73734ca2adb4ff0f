"""The catalogue as data: what it ships, and how a wrong file is refused."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from license_store import content
from license_store.catalogue import DERIVED, LicenceType, Validity, own_catalogue, read_catalogue
from license_store.errors import CatalogueWrong, TypeUnknown
from license_store.licence import Holder, Issuer, Licence, State
from seal import template

TYPES = Path(__file__).parents[2] / "license_store" / "types"
FOOD = "11100000MB0143028R901"
PERMIT = "11100000000013338W009"


def licence(type_code: str, **fields: str) -> Licence:
    return Licence(
        id=UUID(int=1),
        type_code=type_code,
        issuer=Issuer("11330105002500287C", "示例市机关", "340104"),
        case_number="C1",
        holders=(Holder("甲", "001", "91990100MAXX90057C"),),
        fields=fields,
        issued_at=datetime(2025, 5, 21, 16, 30, tzinfo=UTC),
        valid_from=date(2025, 5, 22),
        valid_until=None,
    )


def test_a_food_licence_number_fits_a_published_rule() -> None:
    food = own_catalogue().type_of(FOOD)
    sold = licence(FOOD, business_form="集中用餐单位食堂")
    # JY 3 340104 000123 and its check digit, as the vector JY13401040001232 but of another kind.
    assert food.printed_number(sold, 123)[:-1] == "JY3340104000123"
    sales = licence(FOOD, business_form="食品销售经营者")
    assert food.printed_number(sales, 123) == "JY13401040001232"


def test_a_permit_number_carries_the_local_day_of_issue() -> None:
    permit = own_catalogue().type_of(PERMIT)
    one = licence(PERMIT, project_class="市政基础设施工程")
    # 16:30 UTC is half past midnight of the next day in China.
    assert permit.printed_number(one, 7) == "340104202505220702"
    assert permit.series(one) == "34010420250522*02"


@pytest.mark.parametrize("licence_type", tuple(own_catalogue()), ids=lambda t: t.template)
def test_every_type_fills_the_form_it_names(licence_type: LicenceType) -> None:
    fields = {f.name: (f.choices or ("甲",))[0] for f in licence_type.fields}
    printed = content.face_values(licence(licence_type.code, **fields))
    assert set(template.load(licence_type.template).fields) <= set(printed)
    assert set(printed) == set(fields) | DERIVED


def test_every_type_codes_every_state_a_holder_can_see() -> None:
    for licence_type in own_catalogue():
        assert set(licence_type.state_codes) == set(State) - {State.SEALING}
        assert len(set(licence_type.state_codes.values())) == len(licence_type.state_codes)


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(TypeUnknown):
        own_catalogue().type_of("11100000000013338W999")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('template = "food_permit"', "", "template"),
        ("max_holders = 5", 'max_holders = "5"', "max_holders"),
        ("max_holders = 5", "max_holders = 5\nmax_holder = 5", "max_holder"),
        ('rule = "years"', 'rule = "decades"', "validity.rule"),
        ("years = 5", "", "validity"),
        ('part = "check"', 'part = "chekc"', "number.4"),
        ('name = "premises"', 'name = "residence"', ""),
        ('name = "premises"', 'name = "issuer_name"', "fields.2.name"),
        ('"集中用餐单位食堂" = "3"', '"别的" = "3"', ""),
        ('code = "11100000MB0143028R901"', 'code = "11100000000013338W901"', ""),
        ("max_length = 200", "max_length = -1", "fields.4.max_length"),
        ("[validity]", "[validity", ""),
        ('revoked = "03"', 'revked = "03"', "state_codes.revked.[key]"),
    ],
)
def test_a_wrong_file_is_refused_by_file_and_key(
    tmp_path: Path, old: str, new: str, key: str
) -> None:
    good = (TYPES / "food_permit.toml").read_text("utf-8")
    assert old in good
    (tmp_path / "food_permit.toml").write_text(good.replace(old, new, 1), "utf-8")
    with pytest.raises(CatalogueWrong) as refused:
        read_catalogue(tmp_path)
    assert refused.value.parameters["file"] == "food_permit.toml"
    assert refused.value.parameters["key"] == key


def test_two_files_with_one_code_are_refused(tmp_path: Path) -> None:
    shutil.copy(TYPES / "food_permit.toml", tmp_path / "a.toml")
    shutil.copy(TYPES / "food_permit.toml", tmp_path / "b.toml")
    with pytest.raises(CatalogueWrong) as refused:
        read_catalogue(tmp_path)
    assert refused.value.parameters["file"] == "b.toml"


@given(st.dates(date(1950, 1, 1), date(2150, 1, 1)), st.integers(1, 100))
def test_a_term_of_years_ends_the_day_before_an_anniversary(start: date, years: int) -> None:
    last = Validity(rule="years", years=years).until(start)
    assert last is not None
    after = date.fromordinal(last.toordinal() + 1)
    assert after.year == start.year + years
    assert (after.month, after.day) in {(start.month, start.day), (3, 1)}


def test_an_open_term_has_no_end() -> None:
    assert Validity(rule="open").until(date(2025, 1, 1)) is None
