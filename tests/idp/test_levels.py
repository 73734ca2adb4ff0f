"""The ladder: what evidence makes a level stand."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from idp.levels import FOUR_PARTICULARS, LADDER, Evidence, EvidenceKind, standing_level

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
    assert standing_level((), NOW).level is LADDER[0]


def test_phone_and_register_together_carry_the_basic_level() -> None:
    standing = standing_level((sms(), register()), NOW)
    assert standing.level.name_zh == "初级"
    assert standing.because == (sms(), register())


def test_either_alone_carries_nothing() -> None:
    assert standing_level((sms(),), NOW).level.number == 0
    assert standing_level((register(),), NOW).level.number == 0


def test_three_of_four_particulars_carry_nothing() -> None:
    partly = register(compared=("number", "name", "sex"))
    assert standing_level((sms(), partly), NOW).level.number == 0


def test_evidence_lapses_at_its_end_and_not_before() -> None:
    ends = NOW + timedelta(days=1)
    evidence = (sms(), register(valid_until=ends))
    assert standing_level(evidence, ends - timedelta(seconds=1)).level.number == 1
    assert standing_level(evidence, ends).level.number == 0


def test_evidence_from_the_future_counts_for_nothing() -> None:
    later = register(happened_at=NOW + timedelta(seconds=1))
    assert standing_level((sms(), later), NOW).level.number == 0


@given(
    st.lists(st.sampled_from((sms(), register(), register(valid_until=NOW)))),
    st.sampled_from((sms(), register())),
)
def test_more_evidence_never_lowers(evidence: list[Evidence], more: Evidence) -> None:
    before = standing_level(evidence, NOW).level.number
    assert standing_level([*evidence, more], NOW).level.number >= before


def test_acr_values_are_distinct_and_in_order() -> None:
    assert [level.number for level in LADDER] == [0, 1, 2, 3]
    assert [level.acr.rpartition(":")[2] for level in LADDER] == ["0", "1", "2", "3"]
