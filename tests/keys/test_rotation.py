"""Rotation: what is due follows from the keys and the time alone, and nobody is left without a key."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.algorithm_policy import AlgorithmPolicy
from keys.algorithms import EDDSA, ES256, GUARDED, RS256, SM2_SM3, Algorithm, Purpose
from keys.key_states import Kept, KeyRecord, State, first_times, move_times
from keys.rotation import POLICY, Make, Move, Spans, Step, due, is_by_hand
from keys.signer import PublicKey

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
CODE = Purpose.LICENCE_CODE
SPANS = {CODE: Spans(7 * DAY, 365 * DAY, 30 * DAY)}
_kids = count()


def a_key(
    state: State = State.ACTIVE,
    at: datetime = BEGIN,
    purpose: Purpose = CODE,
    owner: str = "owner",
    algorithm: Algorithm = ES256,
) -> KeyRecord:
    times: dict[str, Any] = dict(first_times(state, at))
    key = PublicKey(f"{next(_kids):016x}", algorithm, b"")
    return KeyRecord(key, purpose, owner, state, Kept.WRAPPED, **times)


def moved(record: KeyRecord, to: State, at: datetime) -> KeyRecord:
    times: dict[str, Any] = dict(move_times(record, to, at))
    return replace(record, state=to, **times)


def taken(keys: list[KeyRecord], steps: tuple[Step, ...], now: datetime) -> list[KeyRecord]:
    """Return the keys after the steps, as the vault would take them."""
    for step in steps:
        if isinstance(step, Make):
            made = a_key(State.PUBLISHED, now, step.purpose, step.owner, step.algorithm)
            keys = [*keys, made]
        else:
            keys = [moved(k, step.to, now) if k.public_key.kid == step.kid else k for k in keys]
    return keys


def test_nothing_is_due_while_a_key_is_young() -> None:
    assert due([a_key()], BEGIN + 357 * DAY, SPANS) == ()
    assert due([], BEGIN, SPANS) == ()


def test_the_next_key_is_made_early_enough_to_be_known_when_it_signs() -> None:
    old = a_key()
    (step,) = due([old], BEGIN + 358 * DAY, SPANS)
    assert step == Make(CODE, "owner", ES256, old.public_key.kid)


def test_the_next_key_takes_over_when_both_spans_are_over() -> None:
    old, young = a_key(), a_key(State.PUBLISHED, BEGIN + 360 * DAY)
    for day in (360, 365, 366):
        assert due([old, young], BEGIN + day * DAY, SPANS) == ()
    assert due([old, young], BEGIN + 367 * DAY, SPANS) == (
        Move(CODE, "owner", old.public_key.kid, State.RETIRING),
        Move(CODE, "owner", young.public_key.kid, State.ACTIVE),
    )
    early = a_key(State.PUBLISHED, BEGIN + 100 * DAY)
    assert due([old, early], BEGIN + 364 * DAY, SPANS) == ()
    assert len(due([old, early], BEGIN + 365 * DAY, SPANS)) == 2


def test_a_key_that_was_made_beforehand_is_published_instead_of_making_another() -> None:
    old, waiting = a_key(), a_key(State.MADE)
    step = Move(CODE, "owner", waiting.public_key.kid, State.PUBLISHED)
    assert due([old, waiting], BEGIN + 358 * DAY, SPANS) == (step,)


def test_a_retiring_key_is_retired_when_nothing_of_it_is_in_use() -> None:
    old, young = moved(a_key(), State.RETIRING, BEGIN + DAY), a_key(at=BEGIN + DAY)
    assert due([old, young], BEGIN + 30 * DAY, SPANS) == ()
    step = Move(CODE, "owner", old.public_key.kid, State.RETIRED)
    assert due([old, young], BEGIN + 31 * DAY, SPANS) == (step,)


def test_when_a_key_was_withdrawn_the_published_one_takes_over() -> None:
    old, young = moved(a_key(), State.RETIRED, BEGIN + DAY), a_key(State.PUBLISHED)
    step = Move(CODE, "owner", young.public_key.kid, State.ACTIVE)
    assert due([old, young], BEGIN + 6 * DAY, SPANS) == ()
    assert due([old, young], BEGIN + 7 * DAY, SPANS) == (step,)


def test_an_owner_without_a_key_that_signs_gets_none_by_itself() -> None:
    assert due([moved(a_key(), State.RETIRED, BEGIN)], BEGIN + 9999 * DAY, SPANS) == ()


def test_a_retired_algorithm_makes_its_keys_due_in_time_for_its_end() -> None:
    policy = AlgorithmPolicy().with_retirements({"ES256": date(2026, 3, 1)})
    old, end = a_key(), datetime(2026, 3, 1, tzinfo=UTC)
    assert due([old], end - 8 * DAY, SPANS, policy) == ()
    (step,) = due([old], end - 7 * DAY, SPANS, policy)
    # A code has no room for an RSA signature: Ed25519 is what is left for it.
    assert step == Make(CODE, "owner", EDDSA, old.public_key.kid)
    keys = taken([old], (step,), end - 7 * DAY)
    assert [s.to for s in due(keys, end, SPANS, policy) if isinstance(s, Move)] == [
        State.RETIRING,
        State.ACTIVE,
    ]


@pytest.mark.parametrize("state", [State.MADE, State.PUBLISHED])
def test_a_key_that_waits_and_could_not_sign_when_it_is_its_turn_is_given_up(state: State) -> None:
    policy = AlgorithmPolicy().with_retirements({"ES256": date(2026, 3, 1)})
    end = datetime(2026, 3, 1, tzinfo=UTC)
    old, waiting = a_key(), a_key(state)
    given_up = Move(CODE, "owner", waiting.public_key.kid, State.RETIRED)
    made = Make(CODE, "owner", EDDSA, old.public_key.kid)
    steps = due([old, waiting], end - 7 * DAY, SPANS, policy)
    assert steps == ((given_up, made) if state is State.PUBLISHED else (made,))
    keys = taken([old, waiting], steps, end - 7 * DAY)
    (active,) = (k for k in taken(keys, due(keys, end, SPANS, policy), end) if k.active_at == end)
    assert active.public_key.algorithm is EDDSA


def test_the_next_key_keeps_the_algorithm_while_it_may() -> None:
    old = a_key(purpose=Purpose.ID_TOKEN, algorithm=RS256)
    (step,) = due([old], BEGIN + 90 * DAY)
    assert isinstance(step, Make)
    assert step.algorithm is RS256


def test_owners_and_purposes_are_independent_and_the_order_does_not_matter() -> None:
    keys = [
        a_key(owner=owner, purpose=purpose)
        for owner in ("a", "b")
        for purpose in (CODE, Purpose.ID_TOKEN, Purpose.LICENCE_DATA)
    ]
    now = BEGIN + 400 * DAY
    assert due(keys, now) == due(keys[::-1], now)
    assert {(s.owner, s.purpose) for s in due(keys, now)} == {(k.owner, k.purpose) for k in keys}


@pytest.mark.parametrize("purpose", Purpose)
def test_every_purpose_has_its_spans_and_a_guarded_one_waits_for_its_persons(
    purpose: Purpose,
) -> None:
    algorithm = SM2_SM3 if purpose in (Purpose.OFD_SEAL, Purpose.SEAL_MAKER) else ES256
    (step,) = due([a_key(purpose=purpose, algorithm=algorithm)], BEGIN + 99 * 365 * DAY)
    assert is_by_hand(step) is POLICY[purpose].by_hand
    if purpose in GUARDED:
        assert is_by_hand(step)


spans = st.builds(
    Spans,
    st.integers(1, 40).map(lambda days: days * DAY),
    st.integers(1, 400).map(lambda days: days * DAY),
    st.integers(1, 40).map(lambda days: days * DAY),
)


@given(spans, st.lists(st.integers(1, 200), min_size=1, max_size=30))
def test_however_seldom_it_runs_one_key_signs_and_it_was_known_before(
    chosen: Spans, pauses: list[int]
) -> None:
    keys, now = [a_key()], BEGIN
    for pause in pauses:
        now += pause * DAY
        keys = taken(keys, due(keys, now, {CODE: chosen}), now)
        (active,) = (key for key in keys if key.state is State.ACTIVE)
        assert active.published_at is not None
        if active.public_key.kid != keys[0].public_key.kid:
            assert active.moved_at - active.published_at >= chosen.published
        assert sum(key.state is State.PUBLISHED for key in keys) <= 1
        for key in keys:
            if key.retired_at and key.retiring_at:
                assert key.retired_at - key.retiring_at >= chosen.retiring


@given(spans, st.lists(st.integers(1, 200), max_size=10), st.integers(0, 5000))
def test_a_clock_that_steps_back_changes_nothing(
    chosen: Spans, pauses: list[int], back: int
) -> None:
    keys, now = [a_key()], BEGIN
    for pause in (0, *pauses):
        now += pause * DAY
        while steps := due(keys, now, {CODE: chosen}):
            keys = taken(keys, steps, now)
    assert due(keys, now - back * DAY, {CODE: chosen}) == ()
