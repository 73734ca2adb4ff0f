"""The life of a key: which moves there are, what each state allows, and that time only goes on."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.algorithms import ES256, Purpose
from keys.key_states import (
    Kept,
    KeyRecord,
    KeyStateRefused,
    State,
    counted,
    first_times,
    is_published,
    move_times,
    opens,
    signs,
)
from keys.signer import PublicKey

NOON = datetime.fromisoformat("2026-11-02T12:00:00Z")
HOUR = timedelta(hours=1)
ALLOWED = {
    ("made", "published"),
    ("made", "active"),
    ("made", "destroyed"),
    ("published", "active"),
    ("published", "retired"),
    ("active", "retiring"),
    ("active", "retired"),
    ("retiring", "retired"),
    ("retired", "destroyed"),
}


def a_key(state: State = State.MADE) -> KeyRecord:
    public = PublicKey("k", ES256, b"")
    times = first_times(State.MADE, NOON)
    return KeyRecord(public, Purpose.LICENCE_CODE, "owner", state, Kept.WRAPPED, **times)


def moved(record: KeyRecord, to: State, at: datetime) -> KeyRecord:
    times: dict[str, Any] = dict(move_times(record, to, at))
    return replace(record, state=to, **times)


@pytest.mark.parametrize(("state", "to"), list(product(State, State)), ids=str)
def test_a_key_goes_forward_only_and_is_retired_before_it_is_destroyed(
    state: State, to: State
) -> None:
    if (state, to) in ALLOWED:
        assert f"{to}_at" in move_times(a_key(state), to, NOON)
    else:
        with pytest.raises(KeyStateRefused) as refused:
            move_times(a_key(state), to, NOON)
        assert refused.value.parameters == {"state": state.value, "wanted": to.value}


@pytest.mark.parametrize("state", [State.RETIRING, State.RETIRED, State.DESTROYED])
def test_no_key_is_made_old(state: State) -> None:
    with pytest.raises(KeyStateRefused):
        first_times(state, NOON)


def test_each_state_allows_what_it_does_and_no_more() -> None:
    assert [state for state in State if signs(a_key(state))] == [State.ACTIVE]
    assert [s for s in State if opens(a_key(s))] == [State.ACTIVE, State.RETIRING]
    published = [State.PUBLISHED, State.ACTIVE, State.RETIRING]
    assert [state for state in State if is_published(a_key(state))] == published


def test_what_a_key_signed_counts_from_its_publishing_to_its_retirement() -> None:
    key = moved(a_key(), State.PUBLISHED, NOON + HOUR)
    key = moved(moved(key, State.ACTIVE, NOON + 2 * HOUR), State.RETIRING, NOON + 3 * HOUR)
    assert counted(key) == (NOON + HOUR, None)
    key = moved(key, State.RETIRED, NOON + 4 * HOUR)
    assert counted(key) == (NOON + HOUR, NOON + 4 * HOUR)
    assert counted(moved(key, State.DESTROYED, NOON + 9 * HOUR)) == counted(key)


def test_a_key_that_never_signed_counts_for_nothing_after_its_end() -> None:
    assert counted(moved(a_key(), State.DESTROYED, NOON + HOUR)) == (NOON, NOON + HOUR)


def test_who_becomes_active_at_once_is_published_by_that() -> None:
    assert counted(moved(a_key(), State.ACTIVE, NOON + HOUR)) == (NOON + HOUR, None)
    assert first_times(State.ACTIVE, NOON) == {
        "made_at": NOON,
        "published_at": NOON,
        "active_at": NOON,
    }


@given(st.lists(st.integers(-(10**6), 10**6), min_size=5, max_size=5))
def test_times_only_go_on_whatever_the_clock_does(seconds: list[int]) -> None:
    key, times = a_key(), [NOON]
    life = (State.PUBLISHED, State.ACTIVE, State.RETIRING, State.RETIRED, State.DESTROYED)
    for state, second in zip(life, seconds, strict=True):
        key = moved(key, state, NOON + timedelta(seconds=second))
        times.append(key.moved_at)
    assert times == sorted(times)
