"""The `claims` parameter, by itself."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp import claims_request
from idp.claims_request import NO_CLAIMS
from idp.sent_json import JsonRefused


def test_both_places_are_read_and_anything_else_is_ignored() -> None:
    asked = claims_request.parse(
        json.dumps(
            {
                "id_token": {"acr": {"essential": True, "values": ["a", "b"], "x": 1}},
                "userinfo": {"name": None, "email": {}, "shoe_size": {"value": 43}},
                "elsewhere": {"name": None},
            }
        )
    )
    assert asked.id_token == {"acr": {"essential": True, "values": ["a", "b"]}}
    assert asked.userinfo == {"name": None, "email": {}, "shoe_size": {"value": 43}}


@pytest.mark.parametrize("text", ["{}", '{"userinfo": null}', '{"id_token": {}}'])
def test_nothing_may_be_asked_for(text: str) -> None:
    assert claims_request.parse(text) == NO_CLAIMS


def test_verified_claims_have_a_form_of_their_own() -> None:
    verified = {"verification": {"trust_framework": None}, "claims": {"name": None}}
    asked = claims_request.parse(json.dumps({"userinfo": {"verified_claims": verified}}))
    assert asked.userinfo["verified_claims"] == verified


@pytest.mark.parametrize(
    "told",
    [
        [],
        "name",
        {"userinfo": []},
        {"userinfo": "name"},
        {"userinfo": {"name": True}},
        {"userinfo": {"name": {"essential": "yes"}}},
        {"userinfo": {"name": {"values": "x"}}},
        {"userinfo": {"name": {"values": []}}},
        {"userinfo": {"name": {"values": ["x"] * 33}}},
        {"userinfo": {"name": {"value": "x", "values": ["x"]}}},
        {"userinfo": {"n" * 129: None}},
        {"userinfo": {f"claim-{n}": None for n in range(101)}},
    ],
)
def test_what_is_malformed_or_too_much_is_refused(told: Any) -> None:
    with pytest.raises(JsonRefused):
        claims_request.parse(json.dumps(told))


@pytest.mark.parametrize(
    ("conditions", "values", "essential"),
    [
        (None, (), False),
        ({}, (), False),
        ({"essential": True}, (), True),
        ({"value": "a"}, ("a",), False),
        ({"values": ["a", "b"], "essential": True}, ("a", "b"), True),
    ],
)
def test_conditions_say_which_values_and_how_badly(
    conditions: Any, values: tuple[str, ...], essential: bool
) -> None:
    assert claims_request.values(conditions) == values
    assert claims_request.is_essential(conditions) is essential


@given(st.recursive(st.none() | st.text(), lambda x: st.dictionaries(st.text(), x), max_leaves=9))
def test_no_json_breaks_the_reader(told: Any) -> None:
    try:
        claims_request.parse(json.dumps(told))
    except JsonRefused:
        return
