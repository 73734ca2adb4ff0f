"""How the seal stood in the register when it stamped, and how it stands today."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from seal.ground import Ground
from seal.seal_states import Change, SealState, state_at
from tests.seal.ofd_builders import (
    FOUNDED,
    LATER,
    SEAL_FILE,
    SIGNATURE,
    SIGNED_AT,
    resigned,
    seal_world,
    stamped_ofd,
)
from tests.seal.ofd_judging import codes, judge_on, resealed, troubles
from tests.seal.time_stamping import time_stamped_ofd
from tests.trusting import trusting

DAY = timedelta(days=1)
S = SealState


def registered(*history: Change) -> Ground:
    """A ground with a register that knows the builders' seal, and no other."""

    def states(seal: bytes, at: datetime) -> SealState | None:
        return state_at(history, at) if seal == seal_world().seal else None

    return replace(trusting(*seal_world().anchors), seal_states=states)


IN_USE = Change(S.IN_USE, FOUNDED)


def test_without_a_register_the_state_is_not_looked_at_and_that_is_said() -> None:
    ground = trusting(*seal_world().anchors)
    assert "seal.state.not_looked_at" in codes(judge_on(ground, stamped_ofd()))


def test_a_seal_in_use_is_in_order() -> None:
    report = judge_on(registered(IN_USE), stamped_ofd())
    assert troubles(report) == set()
    assert "seal.state.in_use" in codes(report)


def test_a_seal_nobody_registered_is_remarked() -> None:
    assert troubles(judge_on(registered(), stamped_ofd())) == {
        ("warning", "seal.state.not_registered", "")
    }


def test_a_lost_seal_wrapped_otherwise_is_still_the_lost_one() -> None:
    """Its maker signed what is inside; the bytes around it are anybody's."""
    der = seal_world().seal
    assert der[:2] == b"\x30\x82"
    wrapped = b"\x30\x83\0" + der[2:]
    other = resigned(
        stamped_ofd(), {SEAL_FILE: wrapped, SIGNATURE: resealed(wrapped)}, seal=wrapped
    )
    ground = registered(IN_USE, Change(S.LOST, SIGNED_AT - DAY))
    assert troubles(judge_on(ground, other)) == {("failed", "seal.state.lost", "")}


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (S.SUSPENDED, "seal.state.suspended"),
        (S.LOST, "seal.state.lost"),
        (S.DESTROYED, "seal.state.destroyed"),
    ],
)
def test_a_seal_stopped_before_it_stamped_fails(state: SealState, code: str) -> None:
    ground = registered(IN_USE, Change(state, SIGNED_AT - DAY))
    assert troubles(judge_on(ground, stamped_ofd())) == {("failed", code, "")}


@pytest.mark.parametrize("state", [S.MADE, S.RECORDED, S.ISSUED])
def test_a_seal_not_yet_in_use_fails(state: SealState) -> None:
    ground = registered(Change(state, FOUNDED), Change(S.IN_USE, SIGNED_AT + DAY))
    assert troubles(judge_on(ground, stamped_ofd())) == {("failed", "seal.state.not_in_use", "")}


def test_a_seal_registered_only_after_it_stamped_fails() -> None:
    ground = registered(Change(S.IN_USE, SIGNED_AT + DAY))
    assert troubles(judge_on(ground, stamped_ofd())) == {("failed", "seal.state.not_in_use", "")}


@pytest.mark.parametrize("state", [S.SUSPENDED, S.DESTROYED])
def test_a_seal_stopped_since_leaves_earlier_stamps_good(state: SealState) -> None:
    report = judge_on(registered(IN_USE, Change(state, SIGNED_AT + DAY)), stamped_ofd())
    assert troubles(report) == set()
    assert {"seal.state.in_use", f"seal.state_now.{state.value}"} <= codes(report)


def test_a_seal_lost_since_casts_doubt_on_what_no_time_stamp_dates() -> None:
    ground = registered(IN_USE, Change(S.LOST, SIGNED_AT + DAY))
    assert troubles(judge_on(ground, stamped_ofd())) == {("unknown", "seal.state_now.lost", "")}
    assert troubles(judge_on(ground, time_stamped_ofd())) == set()


def test_a_seal_suspended_when_it_stamped_fails_though_it_is_in_use_again() -> None:
    ground = registered(IN_USE, Change(S.SUSPENDED, SIGNED_AT - DAY), Change(S.IN_USE, LATER - DAY))
    assert troubles(judge_on(ground, stamped_ofd())) == {("failed", "seal.state.suspended", "")}
