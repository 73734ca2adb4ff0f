import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc as stdnum_uscc
from stdnum.iso7064 import mod_11_2

from keys.identity_numbers import NumberWrong, mask_name, mask_number, resident_id, uscc

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "identifiers.json").read_text())
BODIES = st.tuples(st.integers(100000, 999999), st.dates(), st.integers(0, 999)).map(
    lambda t: f"{t[0]}{t[1]:%Y}{t[1]:%m%d}{t[2]:03}".rjust(17, "0")
)


@pytest.mark.parametrize("vector", VECTORS["gb11643_valid"], ids=lambda v: v["id"])
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
    assert resident_id(body + check) == body + check
    for other in set("0123456789X") - {check}:
        with pytest.raises(NumberWrong):
            resident_id(body + other)


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
