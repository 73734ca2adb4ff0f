"""What a request wants of the context: pure rules over client, scopes and claims."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp import acting
from idp.acting import CEILINGS, ActingAs, MandateKind
from idp.client_metadata import ContextKind
from idp.entities import requested_context
from idp.levels import LEGAL, NATURAL
from idp.method import Method
from idp.requested_level import BEYOND
from tests.idp.test_request import client

ENTITIES = {MandateKind.REPRESENTATIVE, MandateKind.AGENT}


@pytest.mark.parametrize(
    ("kind", "scopes", "kinds", "oneself"),
    [
        (ContextKind.NATURAL, "openid entity", set(), True),
        (ContextKind.NATURAL, "openid helping", {MandateKind.HELPER}, True),
        (ContextKind.ANY, "openid", set(), True),
        (ContextKind.ANY, "openid entity", ENTITIES, True),
        (ContextKind.ANY, "openid entity helping", {*ENTITIES, MandateKind.HELPER}, True),
        (ContextKind.LEGAL, "openid", ENTITIES, False),
        (ContextKind.LEGAL, "openid helping", ENTITIES, False),
    ],
)
def test_client_and_scopes_say_for_whom(
    kind: ContextKind, scopes: str, kinds: set[MandateKind], *, oneself: bool
) -> None:
    wanted = requested_context.wanted(replace(client(), context=kind), scopes.split(), {})
    assert (set(wanted.kinds), wanted.oneself) == (kinds, oneself)
    assert wanted.is_nothing == (not kinds)


def level(floor: str | None, conditions: Any) -> int:
    of = replace(client(), minimum_entity_level=floor)
    return requested_context.wanted(of, ("openid",), {"entity": conditions}).level


def essential(*levels: object) -> dict[str, Any]:
    return {"essential": True, "values": [{"level": one} for one in levels]}


def test_the_higher_of_the_clients_floor_and_the_lowest_essential_value_counts() -> None:
    assert level(None, None) == 0
    assert level(LEGAL[1].acr, essential(LEGAL[2].acr, LEGAL[3].acr)) == 2
    assert level(LEGAL[2].acr, essential(LEGAL[1].acr)) == 2
    assert level(None, {"values": [{"level": LEGAL[2].acr}]}) == 0
    assert level(None, {"essential": True}) == 0


@pytest.mark.parametrize("strange", [NATURAL[1].acr, "x", 1, None])
def test_what_is_no_level_of_an_entity_is_met_by_none(strange: object) -> None:
    assert level(None, essential(strange)) == BEYOND
    assert level(None, {"essential": True, "value": strange}) == BEYOND


@given(st.sampled_from(ActingAs), st.sets(st.sampled_from(Method)))
def test_nobody_reaches_beyond_what_they_act_as(as_what: ActingAs, methods: set[Method]) -> None:
    assert acting.ceiling(as_what, methods) <= CEILINGS[as_what]
