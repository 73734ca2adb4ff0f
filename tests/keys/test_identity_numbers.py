import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc as stdnum_uscc
from stdnum.iso7064 import mod_11_2

from keys import divisions
from keys.identity_numbers import (
    NumberWrong,
    ResidentIdDivision,
    citizen_form,
    hk_macao_permit,
    mask_name,
    mask_number,
    passport,
    permanent_residence,
    resident_id,
    taiwan_permit,
    uscc,
)

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "identifiers.json").read_text())
BODIES = st.tuples(st.integers(100000, 999999), st.dates(), st.integers(0, 999)).map(
    lambda t: f"{t[0]}{t[1]:%Y}{t[1]:%m%d}{t[2]:03}".rjust(17, "0")
)


FOREIGN = "911124198108030024"
"""The specimen of the foreign permanent resident's card of 2023, which the vectors hold too."""


@pytest.mark.parametrize(
    "vector", [v for v in VECTORS["gb11643_valid"] if v["id"] != FOREIGN], ids=lambda v: v["id"]
)
def test_a_good_id_number_is_itself(vector: dict[str, str]) -> None:
    assert resident_id(vector["id"]) == vector["id"]


@pytest.mark.parametrize("vector", VECTORS["gb11643_wrong"], ids=lambda v: v["why"])
def test_a_wrong_id_number_says_what_is_wrong(vector: dict[str, str]) -> None:
    with pytest.raises(NumberWrong) as wrong:
        resident_id(vector["id"])
    assert wrong.value.code == vector["code"]
    assert not wrong.value.parameters


def test_a_small_x_and_spaces_around_are_put_right() -> None:
    assert resident_id(" 13060218800104004x ") == "13060218800104004X"


@given(BODIES)
def test_the_check_character_is_the_one_an_independent_implementation_finds(body: str) -> None:
    check = mod_11_2.calc_check_digit(body)
    assert citizen_form(body + check) == body + check
    for other in set("0123456789X") - {check}:
        with pytest.raises(NumberWrong):
            citizen_form(body + other)


def checked(body: str) -> str:
    return body + str(mod_11_2.calc_check_digit(body))


@pytest.mark.parametrize(
    ("division", "why"),
    [
        ("330103", "abolished in 2021"),
        ("440524", "a county until 1992"),
        ("110101", "of today"),
        ("330114", "made in 2021"),
        ("810000", "residence permit, Hong Kong"),
        ("820000", "residence permit, Macao"),
        ("830000", "residence permit, Taiwan"),
    ],
)
def test_a_division_lives_on_in_the_numbers(division: str, why: str) -> None:
    number = checked(f"{division}18800101001")
    assert resident_id(number) == number, why


@pytest.mark.parametrize("division", ["990100", "000000", "330199", "123456", "911124"])
def test_a_division_that_never_was_is_refused(division: str) -> None:
    with pytest.raises(ResidentIdDivision):
        resident_id(checked(f"{division}18800101001"))


def test_of_a_division_younger_than_the_data_the_prefecture_is_known() -> None:
    young = checked(f"330199{divisions.DATA_END}0101001")
    assert resident_id(young) == young
    with pytest.raises(ResidentIdDivision):
        resident_id(checked(f"990199{divisions.DATA_END}0101001"))


@pytest.mark.parametrize("number", [FOREIGN, "CAN990188070701"])
def test_a_permanent_residents_card_has_one_of_two_forms(number: str) -> None:
    assert permanent_residence(f" {number.lower()} ") == number


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("811124198108030024", "form"),
        ("91112419810803002", "form"),
        ("CA1990188070701", "form"),
        ("９11124198108030024", "form"),
        ("", "form"),
        ("911124198113030024", "date"),
        ("911124198108030025", "check"),
    ],
)
def test_a_wrong_permanent_residents_card_says_what_is_wrong(number: str, code: str) -> None:
    with pytest.raises(NumberWrong) as wrong:
        permanent_residence(number)
    assert wrong.value.code == f"number.permanent_residence.{code}"


@pytest.mark.parametrize(
    ("typed", "number"),
    [("h99000001", "H99000001"), ("M9900000203", "M99000002"), (" H99000001 ", "H99000001")],
)
def test_a_permit_keeps_the_nine_characters_of_a_lifetime(typed: str, number: str) -> None:
    assert hk_macao_permit(typed) == number


@pytest.mark.parametrize(
    "number", ["", "99000001", "K99000001", "H9900000", "H990000011", "Ｈ99000001"]
)
def test_another_form_is_no_permit_of_hong_kong_or_macao(number: str) -> None:
    with pytest.raises(NumberWrong) as wrong:
        hk_macao_permit(number)
    assert wrong.value.code == "number.hk_macao_permit.form"


@pytest.mark.parametrize("number", ["", "9900000", "990000011", "H9900001", "９９０００００１"])
def test_another_form_is_no_permit_of_taiwan(number: str) -> None:
    assert taiwan_permit(" 99000001 ") == "99000001"
    with pytest.raises(NumberWrong) as wrong:
        taiwan_permit(number)
    assert wrong.value.code == "number.taiwan_permit.form"


@pytest.mark.parametrize("number", ["", "E1", "ABCDEF", "E9900000-1", "E99０00001", "1" * 18])
def test_another_form_is_no_passport(number: str) -> None:
    assert passport(" e990 00001") == "E99000001"
    with pytest.raises(NumberWrong) as wrong:
        passport(number)
    assert wrong.value.code == "number.passport.form"


@pytest.mark.parametrize("vector", VECTORS["gb32100_valid"], ids=lambda v: v["code"])
def test_a_good_credit_code_is_itself(vector: dict[str, str]) -> None:
    assert uscc(vector["code"].lower()) == vector["code"]
    assert stdnum_uscc.calc_check_digit(vector["code"][:17]) == vector["code"][17]


@pytest.mark.parametrize("vector", VECTORS["gb32100_wrong"], ids=lambda v: v["why"])
def test_a_wrong_credit_code_says_what_is_wrong(vector: dict[str, str]) -> None:
    with pytest.raises(NumberWrong) as wrong:
        uscc(vector["code"])
    assert wrong.value.code == vector["code_of_error"]


@given(
    st.sampled_from(VECTORS["gb32100_valid"]),
    st.integers(0, 17),
    st.sampled_from("0123456789ABCXY"),
)
def test_one_changed_character_of_a_credit_code_is_noticed(
    vector: dict[str, str], place: int, character: str
) -> None:
    code = vector["code"]
    changed = code[:place] + character + code[place + 1 :]
    if changed != code:
        with pytest.raises(NumberWrong):
            uscc(changed)


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张䶮", "张*"),
        ("欧阳明月", "欧***"),
        ("阿卜杜·热合曼", "阿**·***"),
        ("𬭎", "𬭎"),
        ("葛\U000e0100根\U000e0101", "葛\U000e0100*"),
        ("", ""),
    ],
)
def test_a_masked_name_keeps_its_first_character(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("13060218800104004X", "130***********004X"),
        ("10000000000", "100****0000"),
        ("1234567890", "**********"),
        ("", ""),
    ],
)
def test_a_masked_number_hides_its_middle(number: str, masked: str) -> None:
    assert mask_number(number) == masked
