"""Claims with how they were verified: what was asked for, if it is so, and nothing else."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp import consent_items, verified_claims
from idp.claims_request import ClaimsRequest
from idp.levels import NATURAL, Evidence, EvidenceKind, Standing
from idp.request import AuthorizationRequest
from idp.verified_claims import CLAIMS, TRUST_FRAMEWORK
from idp.vocabulary import IDENTITY_SCOPES, ResponseMode
from tests.idp import approvals
from tests.idp.minting import approve, mint, told
from tests.idp.test_claims_release import CONFIRMED, NOON, PERSON
from tests.idp.test_id_token import claims_in
from tests.idp.world import CALLBACK, World

EVERYTHING = frozenset(CLAIMS)
LATER = NOON + timedelta(days=30)


def request(claims: Any = None, **verification: Any) -> dict[str, Any]:
    return {
        "verification": {"trust_framework": None, **verification},
        "claims": {"name": None} if claims is None else claims,
    }


def answered(
    asked: Any, allowed: frozenset[str] = EVERYTHING, now: datetime = LATER
) -> dict[str, Any] | list[dict[str, Any]] | None:
    return verified_claims.answered(asked, PERSON, allowed, now)


def test_the_least_request_gets_the_least_answer() -> None:
    assert answered(request()) == {
        "verification": {"trust_framework": "cn_yinxin"},
        "claims": {"name": "顾平"},
    }


@pytest.mark.parametrize("wish", [None, {}, {"essential": False}, {"essential": True}])
def test_however_a_claim_is_wished_for_it_comes(wish: Any) -> None:
    assert answered(request({"birthdate": wish})) == {
        "verification": {"trust_framework": "cn_yinxin"},
        "claims": {"birthdate": "1886-03-04"},
    }


@given(st.dictionaries(st.text(max_size=20), st.none(), max_size=5))
def test_unknown_claims_are_left_out_essential_or_not(unknown: dict[str, None]) -> None:
    asked = {**unknown, "gender": None, "place_of_birth": {"essential": True}}
    answer = answered(request(asked))
    assert isinstance(answer, dict)
    assert set(answer["claims"]) == {"gender"} | (unknown.keys() & CLAIMS.keys())


def test_a_claim_with_another_value_is_left_out_and_the_rest_stays() -> None:
    asked = {"name": {"value": "f3b1"}, "gender": {"values": ["male", "female"]}}
    assert answered(request(asked)) == {
        "verification": {"trust_framework": "cn_yinxin"},
        "claims": {"gender": "female"},
    }
    assert answered(request({"name": {"value": "f3b1"}})) == {
        "verification": {"trust_framework": "cn_yinxin"},
        "claims": {},
    }


def test_a_claim_the_client_may_not_know_is_left_out() -> None:
    answer = answered(request({"identity_document": None, "name": None}), frozenset({"name"}))
    assert isinstance(answer, dict)
    assert answer["claims"] == {"name": "顾平"}


@pytest.mark.parametrize(
    "verification",
    [
        {"trust_framework": {"value": "de_aml"}},
        {"trust_framework": {"values": ["de_aml", "jp_aml"]}},
        {"time": {"max_age": 86_400}},
        {"evidence": [{"type": {"value": "document"}}]},
        {"evidence": []},
        {
            "evidence": [
                {"type": {"value": "electronic_record"}, "record": {"type": {"value": "x"}}}
            ]
        },
    ],
)
def test_what_must_hold_of_the_verification_and_does_not_costs_the_whole(
    verification: dict[str, Any],
) -> None:
    assert answered(request(**verification)) is None


def test_time_and_evidence_come_when_asked_for() -> None:
    evidence = {
        "type": {"value": "electronic_record"},
        "check_details": [{"check_method": None, "organization": None, "time": None}],
        "record": {"type": None, "source": {"name": None, "country": None}},
    }
    answer = answered(
        request(time={"max_age": 90 * 86_400}, evidence=[{"type": {"value": "vouch"}}, evidence])
    )
    assert isinstance(answer, dict)
    assert answer["verification"] == {
        "trust_framework": "cn_yinxin",
        "time": "2026-11-20T12:00:00Z",
        "evidence": [
            {
                "type": "electronic_record",
                "check_details": [
                    {
                        "check_method": "data",
                        "organization": "population-register",
                        "time": "2026-11-20T12:00:00Z",
                    }
                ],
                "record": {
                    "type": "population_register",
                    "source": {"name": "population-register"},
                },
            }
        ],
    }


def test_several_requests_get_an_answer_each_or_none_for_all() -> None:
    foreign = request(trust_framework={"value": "de_aml"})
    own = request({"gender": None}, trust_framework={"value": TRUST_FRAMEWORK})
    assert answered([foreign, own]) == [
        {"verification": {"trust_framework": "cn_yinxin"}, "claims": {"gender": "female"}}
    ]
    assert answered([foreign]) is None


def test_who_stands_on_no_level_has_nothing_verified() -> None:
    nobody = replace(PERSON, standing=Standing(NATURAL[0], ()))
    assert verified_claims.answered(request(), nobody, EVERYTHING, LATER) is None


def test_the_claims_within_are_named_so_that_a_person_can_be_asked_about_each() -> None:
    several = [request({"name": None, "x": None}), request({"gender": None}), None, {"claims": 1}]
    assert verified_claims.names(several) == {"name", "gender"}
    assert verified_claims.names(request()) == {"name"}
    assert verified_claims.names(None) == frozenset()


def test_agreeing_to_one_claim_is_not_agreeing_to_the_next(world: World) -> None:
    world.client(scopes=IDENTITY_SCOPES)
    verified = {"verified_claims": request({"identity_document": None, "name": None})}
    asked = AuthorizationRequest(
        client_id="portal-a",
        redirect_uri=CALLBACK,
        response_mode=ResponseMode.QUERY,
        scopes=("openid", "profile"),
        resources=(),
        authorization_details=(),
        claims=ClaimsRequest(userinfo=verified),
        code_challenge=None,
        dpop_jkt=None,
        state=None,
        nonce=None,
        prompts=(),
        max_age=None,
        acr_values=(),
        hinted_subject=None,
        login_hint=None,
        ui_locales=(),
    )
    items = consent_items.items(asked, approvals.client(world, "portal-a"))
    assert items == ("openid", "profile", "claim:identity_document", "claim:verified_claims")


MEMBERS = (
    "verification",
    "claims",
    "trust_framework",
    "evidence",
    "type",
    "value",
    "values",
    "time",
    "max_age",
    "name",
    "check_details",
    "record",
    "source",
)
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(MEMBERS),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=20,
)


@given(st.integers(10**11, 10**20), st.sampled_from((1, -1)))
def test_an_age_beyond_all_time_is_compared_like_any_other(seconds: int, sign: int) -> None:
    assert (answered(request(time={"max_age": sign * seconds})) is None) == (sign < 0)


@given(ANYTHING)
def test_whatever_is_sent_nothing_breaks_and_nothing_slips_out(asked: Any) -> None:
    answer = answered(asked)
    for one in answer if isinstance(answer, list) else [answer]:
        if one is not None:
            assert one["verification"]["trust_framework"] == TRUST_FRAMEWORK
            assert one["claims"].keys() <= CLAIMS.keys()


def test_they_come_where_they_were_asked_for_and_only_there(world: World) -> None:
    world.client(scopes=IDENTITY_SCOPES)
    subject = world.register()
    asked = {"verified_claims": request()}
    at_token = approve(world, subject, id_token=asked)
    assert claims_in(mint(world, at_token).id_token or "")["verified_claims"]["claims"] == {
        "name": "张䶮"
    }
    assert "verified_claims" not in told(world, at_token)
    at_userinfo = approve(world, subject, userinfo=asked)
    assert "verified_claims" not in claims_in(mint(world, at_userinfo).id_token or "")
    assert told(world, at_userinfo)["verified_claims"] == {
        "verification": {"trust_framework": "cn_yinxin"},
        "claims": {"name": "张䶮"},
    }


def piece(kind: EvidenceKind, **details: str) -> Evidence:
    return replace(CONFIRMED, kind=kind, source=kind.value, reference="r-2", details=details)


def risen(*pieces: Evidence) -> Any:
    """The person of 中级, on this evidence beside the register's."""
    return replace(PERSON, standing=Standing(NATURAL[2], (CONFIRMED, *pieces)))


def evidence_of(person: Any, *asked: dict[str, Any]) -> list[dict[str, Any]]:
    answer = verified_claims.answered(request(evidence=list(asked)), person, EVERYTHING, LATER)
    assert isinstance(answer, dict)
    told: list[dict[str, Any]] = answer["verification"]["evidence"]
    return told


ANY = ({"type": None},)
CHECK = {"check_details": [{"check_method": None}]}


def test_the_whole_evidence_of_the_level_is_told_but_for_the_phone() -> None:
    person = risen(piece(EvidenceKind.SMS_CODE), piece(EvidenceKind.COUNTER, document="passport"))
    assert [one["type"] for one in evidence_of(person, *ANY)] == ["electronic_record", "document"]


def test_only_the_type_asked_for_comes() -> None:
    person = risen(piece(EvidenceKind.COUNTER, document="passport", counter_name="政务服务中心"))
    asked = {
        "type": {"value": "document"},
        "document_details": {"type": None},
        "check_details": [{"check_method": None, "organization": None}],
    }
    assert evidence_of(person, asked) == [
        {
            "type": "document",
            "check_details": [{"check_method": "vpip", "organization": "政务服务中心"}],
            "document_details": {"type": "passport"},
        }
    ]


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (EvidenceKind.ALIPAY, {"type": "vouch", "check_details": [{"check_method": "auth"}]}),
        (
            EvidenceKind.LIVE_PERSON,
            {"type": "electronic_record", "check_details": [{"check_method": "bvr"}]},
        ),
        (
            EvidenceKind.UNIONPAY,
            {"type": "electronic_record", "check_details": [{"check_method": "data"}]},
        ),
        (
            EvidenceKind.HOUSING_FUND,
            {"type": "electronic_record", "check_details": [{"check_method": "data"}]},
        ),
        (
            EvidenceKind.EXIT_ENTRY_REGISTER,
            {"type": "electronic_record", "check_details": [{"check_method": "data"}]},
        ),
    ],
)
def test_every_source_is_told_by_what_it_did(kind: EvidenceKind, told: dict[str, Any]) -> None:
    assert evidence_of(risen(piece(kind)), {"type": None, **CHECK})[1] == told


def test_the_level_is_told_when_asked_for_and_must_be_the_one_wanted() -> None:
    answer = answered(request(assurance_level=None))
    assert isinstance(answer, dict)
    assert answer["verification"]["assurance_level"] == NATURAL[1].acr
    assert answered(request(assurance_level={"value": NATURAL[2].acr})) is None


def test_evidence_that_is_too_old_is_not_told_in_place_of_newer() -> None:
    newer = replace(piece(EvidenceKind.COUNTER), happened_at=LATER)
    asked = {"type": None, "check_details": [{"time": {"max_age": 60}}]}
    assert [one["type"] for one in evidence_of(risen(newer), asked)] == ["document"]
