"""What a resource asks of a sign-in, against what a token tells of it."""

from datetime import UTC, datetime, timedelta

import pytest

from keys.access_token import LEVEL_PREFIX, Caller
from keys.step_up import SignInInsufficient, require_sign_in

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
HIGH = (f"{LEVEL_PREFIX}3", f"{LEVEL_PREFIX}4")


def caller(acr: str = "", minutes: float | None = None) -> Caller:
    """Somebody who signed in so, so many minutes ago."""
    when = None if minutes is None else NOW - timedelta(minutes=minutes)
    return Caller("s", "c", frozenset(), "", 0, {}, acr=acr, signed_in_at=when)


def test_nothing_asked_is_always_met() -> None:
    require_sign_in(caller(), now=NOW)


@pytest.mark.parametrize("acr", HIGH)
def test_any_of_the_levels_will_do(acr: str) -> None:
    require_sign_in(caller(acr), acr_values=HIGH, now=NOW)


@pytest.mark.parametrize("acr", ["", f"{LEVEL_PREFIX}1", f"{LEVEL_PREFIX}33"])
def test_any_other_level_is_told_which_would(acr: str) -> None:
    with pytest.raises(SignInInsufficient) as refused:
        require_sign_in(caller(acr), acr_values=HIGH, now=NOW)
    assert refused.value.parameters == {"acr_values": " ".join(HIGH), "max_age": -1}


@pytest.mark.parametrize("minutes", [0, 14.9])
def test_a_fresh_sign_in_will_do(minutes: float) -> None:
    require_sign_in(caller(minutes=minutes), max_age=timedelta(minutes=15), now=NOW)


@pytest.mark.parametrize("minutes", [15, 60 * 24, None])
def test_an_old_or_untold_sign_in_is_told_how_fresh_it_must_be(minutes: float | None) -> None:
    with pytest.raises(SignInInsufficient) as refused:
        require_sign_in(caller(minutes=minutes), max_age=timedelta(minutes=15), now=NOW)
    assert refused.value.parameters == {"acr_values": "", "max_age": 900}


def test_level_and_freshness_are_asked_for_together() -> None:
    with pytest.raises(SignInInsufficient) as refused:
        require_sign_in(
            caller(HIGH[0], 60), acr_values=HIGH, max_age=timedelta(minutes=15), now=NOW
        )
    assert refused.value.parameters == {"acr_values": " ".join(HIGH), "max_age": 900}
