"""How strong a sign-in must be: pure rules over request, client and ladder."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp import levels, request, requested_level
from idp.levels import STAFF
from idp.request import AuthorizationRequest
from idp.requested_level import BEYOND
from idp.vocabulary import Realm
from tests.idp.test_request import client, sent

NATURAL = [level.acr for level in levels.NATURAL]


def asked(acr: Any = None, acr_values: str | None = None) -> AuthorizationRequest:
    claims = None if acr is None else json.dumps({"id_token": {"acr": acr}})
    return request.read(sent(claims=claims, acr_values=acr_values), client())


def essential(*acrs: str) -> dict[str, Any]:
    return {"essential": True, "values": list(acrs)}


def needed(acr: Any = None, acr_values: str | None = None, **of_client: Any) -> int:
    return requested_level.needed(asked(acr, acr_values), client(**of_client), Realm.CITIZEN)


def wanted(acr: Any = None, acr_values: str | None = None, **of_client: Any) -> int:
    return requested_level.wanted(asked(acr, acr_values), client(**of_client), Realm.CITIZEN)


def test_nothing_asked_for_needs_nothing() -> None:
    assert (needed(), wanted()) == (0, 0)


def test_a_wish_is_tried_for_but_not_needed() -> None:
    assert needed(acr_values=NATURAL[2]) == 0
    assert wanted(acr_values=NATURAL[2]) == 2
    assert wanted(acr={"value": NATURAL[3]}) == 3


def test_the_first_value_we_know_is_the_one_preferred() -> None:
    assert wanted(acr_values=f"urn:strange {NATURAL[1]} {NATURAL[3]}") == 1
    assert wanted(acr_values="urn:strange") == 0


def test_any_value_of_an_essential_acr_is_enough() -> None:
    assert needed(essential(NATURAL[3], NATURAL[2])) == 2
    assert needed({"essential": True, "value": NATURAL[1]}) == 1


def test_an_essential_acr_without_values_needs_nothing() -> None:
    assert needed({"essential": True}) == 0


@pytest.mark.parametrize("acr", ["urn:strange", STAFF[1].acr])
def test_an_essential_acr_of_strangers_or_of_another_realm_is_nobodys(acr: str) -> None:
    assert needed(essential(acr)) == BEYOND


def test_staff_have_the_one_level_of_staff() -> None:
    of_staff = requested_level.needed(asked(essential(STAFF[1].acr)), client(), Realm.STAFF)
    assert of_staff == STAFF[1].number


@given(
    st.lists(st.sampled_from(NATURAL), max_size=3), st.lists(st.sampled_from(NATURAL), max_size=3)
)
def test_nothing_asked_for_lowers_the_floor_of_a_client(values: list[str], acrs: list[str]) -> None:
    acr = essential(*acrs) if acrs else None
    assert needed(acr, " ".join(values), minimum_acr=NATURAL[2]) >= 2
    assert wanted(acr, " ".join(values), minimum_acr=NATURAL[2]) >= 2


def test_a_floor_nobody_knows_is_nobodys() -> None:
    assert needed(minimum_acr="urn:strange") == BEYOND


def test_a_clients_own_wish_counts_unless_the_request_has_one() -> None:
    assert wanted(default_acr_values=(NATURAL[3],)) == 3
    assert wanted(default_acr_values=(NATURAL[3],), acr_values=NATURAL[1]) == 1
    assert needed(default_acr_values=(NATURAL[3],)) == 0


@pytest.mark.parametrize(
    ("acr", "reached", "told"),
    [
        (None, 2, 2),
        (essential(NATURAL[1]), 3, 1),
        (essential(NATURAL[1], NATURAL[2]), 3, 2),
        (essential(NATURAL[3]), 3, 3),
    ],
)
def test_an_essential_acr_gets_one_of_the_values_asked_for(
    acr: Any, reached: int, told: int
) -> None:
    assert requested_level.told(asked(acr), client(), Realm.CITIZEN, reached) == told
