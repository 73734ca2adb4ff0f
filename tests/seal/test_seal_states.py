"""What a seal was at a moment, told by its history."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from seal.seal_states import FOLLOWS, Change, SealState, state_at

NOON = datetime(2026, 11, 1, 4, tzinfo=UTC)
moments = st.integers(0, 50).map(lambda hours: NOON + timedelta(hours=hours))
histories = st.lists(st.builds(Change, st.sampled_from(SealState), moments), max_size=8)


def test_every_state_can_be_reached_and_nothing_follows_destruction() -> None:
    reached, waiting = {SealState.DRAFT}, [SealState.DRAFT]
    while waiting:
        new = FOLLOWS[waiting.pop()] - reached
        reached |= new
        waiting += new
    assert reached == set(SealState) == set(FOLLOWS)
    assert FOLLOWS[SealState.DESTROYED] == frozenset()


@given(histories, moments)
def test_what_is_recorded_later_never_changes_what_was_before_it_counts(
    history: list[Change], since: datetime
) -> None:
    later = Change(SealState.LOST, since)
    before = since - timedelta(seconds=1)
    assert state_at([*history, later], before) == state_at(history, before)
    assert state_at([*history, later], since) is SealState.LOST


def test_a_loss_that_is_found_again_stays_a_loss_for_the_time_between() -> None:
    hour = timedelta(hours=1)
    history = [
        Change(SealState.IN_USE, NOON),
        Change(SealState.LOST, NOON + 2 * hour),
        Change(SealState.IN_USE, NOON + 5 * hour),
    ]
    stood = [state_at(history, NOON + hours * hour) for hours in (-1, 1, 2, 4, 5)]
    lost, in_use = SealState.LOST, SealState.IN_USE
    assert stood == [None, in_use, lost, lost, in_use]
