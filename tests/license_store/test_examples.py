"""The example cases are good cases: each passes its type's rules and fits its face."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from keys.identity_numbers import uscc
from license_store.application import problems_of
from license_store.catalogue import own_catalogue
from license_store.http import application_of
from license_store.licence import Issuer
from license_store.schemas import IssueIn
from tests.license_store.world import FOOD, HOUSING, MARKET, PERMIT, World

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "examples" / "approvals.json").read_text("utf-8")
)["cases"]


def body_of(case: dict[str, Any]) -> IssueIn:
    return IssueIn.model_validate({k: v for k, v in case.items() if k != "issuer"})


def test_there_are_twelve_of_both_types() -> None:
    codes = [case["type_code"] for case in CASES]
    assert len(codes) == 12
    assert codes.count(FOOD) == codes.count(PERMIT) == 6
    assert len({case["case"]["number"] for case in CASES}) == 12


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"]["number"])
def test_a_case_passes_the_rules_of_its_type(case: dict[str, Any]) -> None:
    application = application_of(body_of(case))
    licence_type = own_catalogue().type_of(application.type_code)
    assert problems_of(application, licence_type, date(2025, 6, 2)) == ()
    assert uscc(case["issuer"]["uscc"]) == case["issuer"]["uscc"]


def test_every_case_can_be_issued(world: World) -> None:
    for case in CASES:
        issuer = Issuer(**case["issuer"], area_code="990100")
        assert issuer in (HOUSING, MARKET)
        world.issue(application_of(body_of(case)), issuer.uscc)


def test_nobody_alive_can_hold_an_example_id_number() -> None:
    people = [h for case in CASES for h in case["holders"] if h["number_type"] == "111"]
    assert {h["name"] for h in people} == {"张䶮", "李㛃"}
    assert all(int(h["number"][6:10]) < 1900 for h in people)


def test_every_example_body_is_synthetic() -> None:
    told = [case["issuer"]["uscc"] for case in CASES]
    told += [h["number"] for case in CASES for h in case["holders"] if h["number_type"] == "001"]
    assert all(code[10:12] == "XX" for code in told)
