"""The pace of polling: five seconds at first, and five more for each question that comes too early."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from idp.polling import INTERVAL, Pace, kept_pace

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
GAPS = st.lists(st.integers(0, 60), max_size=30)


def played(gaps: list[int]) -> list[tuple[int, bool]]:
    """Ask after each gap; return the interval before each question, and whether it was in time."""
    now, pace = NOON, kept_pace(None, NOON)[0]
    heard = []
    for gap in gaps:
        now += timedelta(seconds=gap)
        before = pace.interval
        pace, in_time = kept_pace(pace, now)
        assert pace.asked_at == now
        heard.append((before, in_time))
    return heard


@given(GAPS)
def test_a_question_is_in_time_when_the_interval_has_passed_but_for_a_second(
    gaps: list[int],
) -> None:
    for gap, (interval, in_time) in zip(gaps, played(gaps), strict=True):
        assert in_time == (gap >= interval - 1)


@given(GAPS)
def test_each_early_question_slows_all_later_ones_by_five_seconds(gaps: list[int]) -> None:
    early = 0
    for interval, in_time in played(gaps):
        assert interval == INTERVAL + 5 * early
        early += not in_time


def test_the_first_question_is_always_in_time() -> None:
    assert kept_pace(None, NOON) == (Pace(NOON, 5), True)
