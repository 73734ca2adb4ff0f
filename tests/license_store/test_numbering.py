"""Identifiers and check characters, against published and synthetic vectors."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_10 as other_mod_11_10
from stdnum.iso7064 import mod_37_36 as other_mod_37_36

from license_store.errors import IdentifierWrong
from license_store.numbering import Identifier, mod_11_10, mod_37_36

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "licence_numbers.json").read_text("utf-8")
)
VALID = [v["identifier"] for v in VECTORS["gbt36904_published_valid"]] + [
    v["identifier"] for v in VECTORS["gbt36904_synthetic_valid"]
]
BROKEN = [v["identifier"] for v in VECTORS["gbt36904_published_invalid"]] + [
    v["identifier"] for v in VECTORS["gbt36904_mutations"]
]

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
identifiers = st.builds(
    Identifier,
    type_code=st.from_regex(r"[0-9A-Z]{18}[0-9]{3}", fullmatch=True),
    issuer=st.from_regex(r"[0-9A-Z]{18}", fullmatch=True),
    serial=st.from_regex(r"[0-9A-Z]{1,32}", fullmatch=True),
    version=st.from_regex(r"[0-9]{3}", fullmatch=True),
)


@pytest.mark.parametrize("text", VALID)
def test_a_valid_identifier_is_read_and_spelled_the_same(text: str) -> None:
    assert str(Identifier.parse(text)) == text


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_identifier_is_refused(text: str) -> None:
    with pytest.raises(IdentifierWrong):
        Identifier.parse(text)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (VALID[0].replace("1.2.156.3005.2", "1.2.156.3005.3"), "root"),
        (VALID[0].lower(), "form"),
        (VALID[0] + "\n", "form"),
        (VALID[0].replace("1", "１"), "root"),
        (VALID[0][:-1] + ("A" if VALID[0][-1] != "A" else "B"), "check"),
        ("", "root"),
    ],
)
def test_the_wrong_part_is_named(text: str, part: str) -> None:
    with pytest.raises(IdentifierWrong) as refused:
        Identifier.parse(text)
    assert refused.value.parameters == {"part": part}


@given(identifiers)
def test_every_identifier_survives_spelling_and_reading(identifier: Identifier) -> None:
    assert Identifier.parse(str(identifier)) == identifier


@given(identifiers, st.data())
def test_any_one_wrong_character_is_caught(identifier: Identifier, data: st.DataObject) -> None:
    text = str(identifier)
    places = [i for i, c in enumerate(text) if c != "." and i > len("1.2.156.3005.2")]
    place = data.draw(st.sampled_from(places))
    other = data.draw(st.sampled_from([c for c in ALPHABET if c != text[place]]))
    with pytest.raises(IdentifierWrong):
        Identifier.parse(text[:place] + other + text[place + 1 :])


@pytest.mark.parametrize("vector", VECTORS["iso7064"])
def test_the_check_characters_fit_the_vectors(vector: dict[str, str]) -> None:
    rules = {"MOD 37,36": mod_37_36, "MOD 11,10": mod_11_10}
    if vector["mode"] in rules:
        assert rules[vector["mode"]](vector["body"]) == vector["check"]


@given(st.text(ALPHABET, min_size=1), st.text("0123456789", min_size=1))
def test_the_check_characters_agree_with_another_implementation(body: str, digits: str) -> None:
    assert mod_37_36(body) == other_mod_37_36.calc_check_digit(body)
    assert mod_11_10(digits) == other_mod_11_10.calc_check_digit(digits)


@pytest.mark.parametrize("vector", VECTORS["food_licence_number"])
def test_the_check_digit_of_food_licences_fits_the_vectors(vector: dict[str, Any]) -> None:
    digits = vector["no"][2:]
    assert (mod_11_10(digits[:-1]) == digits[-1]) is vector["valid"]
