"""The ladder: what evidence makes a level stand."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.levels import (
    ADVANCED,
    FOREIGN_PARTICULARS,
    FOUR_PARTICULARS,
    NATURAL,
    SEVEN_PARTICULARS,
    Evidence,
    EvidenceKind,
    Ladder,
    standing_level,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def sms(**changed: object) -> Evidence:
    known: dict[str, object] = {
        "kind": EvidenceKind.SMS_CODE,
        "source": "sms-gateway",
        "reference": "m-1",
        "compared": ("phone",),
        "happened_at": NOW,
    }
    return Evidence(**(known | changed))  # type: ignore[arg-type]


def register(**changed: object) -> Evidence:
    known: dict[str, object] = {
        "kind": EvidenceKind.POPULATION_REGISTER,
        "source": "population-register",
        "compared": FOUR_PARTICULARS,
    }
    return sms(**(known | changed))


def test_nothing_carries_nobody() -> None:
    assert standing_level(Ladder.NATURAL, (), NOW).level is NATURAL[0]


def test_phone_and_register_together_carry_the_basic_level() -> None:
    standing = standing_level(Ladder.NATURAL, (sms(), register()), NOW)
    assert standing.level.name_zh == "初级"
    assert standing.because == (sms(), register())


def test_either_alone_carries_nothing() -> None:
    assert standing_level(Ladder.NATURAL, (sms(),), NOW).level.number == 0
    assert standing_level(Ladder.NATURAL, (register(),), NOW).level.number == 0


def test_three_of_four_particulars_carry_nothing() -> None:
    partly = register(compared=("number", "name", "sex"))
    assert standing_level(Ladder.NATURAL, (sms(), partly), NOW).level.number == 0


def test_evidence_lapses_at_its_end_and_not_before() -> None:
    ends = NOW + timedelta(days=1)
    evidence = (sms(), register(valid_until=ends))
    assert standing_level(Ladder.NATURAL, evidence, ends - timedelta(seconds=1)).level.number == 1
    assert standing_level(Ladder.NATURAL, evidence, ends).level.number == 0


def test_evidence_from_the_future_counts_for_nothing() -> None:
    later = register(happened_at=NOW + timedelta(seconds=1))
    assert standing_level(Ladder.NATURAL, (sms(), later), NOW).level.number == 0


@given(
    st.lists(st.sampled_from((sms(), register(), register(valid_until=NOW)))),
    st.sampled_from((sms(), register())),
)
def test_more_evidence_never_lowers(evidence: list[Evidence], more: Evidence) -> None:
    before = standing_level(Ladder.NATURAL, evidence, NOW).level.number
    assert standing_level(Ladder.NATURAL, [*evidence, more], NOW).level.number >= before


def of(kind: EvidenceKind, *compared: str, **changed: object) -> Evidence:
    return sms(kind=kind, compared=compared, **changed)


BASIC = (sms(), register())
SECOND_SOURCES = (
    of(EvidenceKind.COUNTER, "name", "number"),
    of(EvidenceKind.ALIPAY, "name", "number"),
    of(EvidenceKind.UNIONPAY, "name", "number", "card", "phone"),
    of(EvidenceKind.HOUSING_FUND, "name", "number"),
    of(EvidenceKind.LIVE_PERSON, "photo", "liveness"),
)


@pytest.mark.parametrize("second", SECOND_SOURCES, ids=lambda one: one.kind)
def test_any_one_of_five_sources_carries_the_intermediate_level_on_top_of_the_basic(
    second: Evidence,
) -> None:
    assert standing_level(Ladder.NATURAL, (*BASIC, second), NOW).level.number == 2
    assert standing_level(Ladder.NATURAL, (second,), NOW).level.number == 0


def test_a_card_check_of_three_elements_carries_nothing() -> None:
    three = of(EvidenceKind.UNIONPAY, "name", "number", "card")
    assert standing_level(Ladder.NATURAL, (*BASIC, three), NOW).level.number == 1


def test_a_foreigner_stands_on_the_exit_entry_register_in_place_of_the_population_register() -> (
    None
):
    abroad = of(EvidenceKind.EXIT_ENTRY_REGISTER, *FOREIGN_PARTICULARS)
    assert standing_level(Ladder.NATURAL, (sms(), abroad), NOW).level.number == 1


@given(st.lists(st.sampled_from((*BASIC, *SECOND_SOURCES))))
def test_the_advanced_level_never_stands(evidence: list[Evidence]) -> None:
    assert standing_level(Ladder.NATURAL, evidence, NOW).level.number < ADVANCED


@pytest.mark.parametrize("missing", SEVEN_PARTICULARS)
def test_an_entity_needs_all_seven_particulars(missing: str) -> None:
    six = of(EvidenceKind.BUSINESS_REGISTER, *(set(SEVEN_PARTICULARS) - {missing}))
    assert standing_level(Ladder.LEGAL, (six,), NOW).level.number == 0


@pytest.mark.parametrize(
    "second",
    [
        of(EvidenceKind.COUNTER, "name", "uscc"),
        of(EvidenceKind.TAX_FILER, "uscc"),
        of(EvidenceKind.ENTERPRISE_CERTIFICATE, "uscc"),
    ],
    ids=lambda one: one.kind,
)
def test_any_one_of_three_sources_carries_an_entity_to_the_intermediate_level(
    second: Evidence,
) -> None:
    first = of(EvidenceKind.BUSINESS_REGISTER, *SEVEN_PARTICULARS)
    assert standing_level(Ladder.LEGAL, (first, second), NOW).level.number == 2
    assert standing_level(Ladder.LEGAL, (second,), NOW).level.number == 0


@given(st.lists(st.sampled_from((*BASIC, *SECOND_SOURCES))))
def test_what_makes_a_person_sure_says_nothing_of_an_entity(evidence: list[Evidence]) -> None:
    assert standing_level(Ladder.LEGAL, evidence, NOW).level.number == 0


def test_a_standing_says_since_and_until_when_and_what_the_next_rung_lacks() -> None:
    later, end = NOW + timedelta(days=1), NOW + timedelta(days=30)
    seen = of(EvidenceKind.COUNTER, "name", "number", happened_at=later, valid_until=end)
    standing = standing_level(Ladder.NATURAL, (*BASIC, seen), later)
    assert (standing.since, standing.until, standing.lacking) == (later, end, ())
    (alternatives,) = standing_level(Ladder.NATURAL, BASIC, NOW).lacking
    assert {need.kind for need in alternatives} == {one.kind for one in SECOND_SOURCES}


def test_of_two_pieces_the_one_that_lasts_longer_carries() -> None:
    short = of(EvidenceKind.COUNTER, "name", "number", valid_until=NOW + timedelta(days=1))
    long = of(EvidenceKind.ALIPAY, "name", "number", valid_until=NOW + timedelta(days=2))
    assert standing_level(Ladder.NATURAL, (*BASIC, short, long), NOW).because[-1] is long


def test_withdrawn_evidence_carries_nothing() -> None:
    withdrawn = register(withdrawn_at=NOW)
    assert standing_level(Ladder.NATURAL, (sms(), withdrawn), NOW).level.number == 0


def test_acr_values_are_distinct_and_in_order() -> None:
    assert [level.number for level in NATURAL] == [0, 1, 2, 3]
    assert [level.acr.rpartition(":")[2] for level in NATURAL] == ["0", "1", "2", "3"]
