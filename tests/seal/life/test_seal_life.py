"""The whole life as a table: what may follow what, for every step, and that each leaves its trace."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from keys.two_person import Consent
from seal.life import (
    application,
    destroying,
    handing_over,
    making,
    recording,
    register,
    review,
    stopping,
)
from seal.life.application import Submission
from seal.life.destroying import Destruction
from seal.life.errors import SealMoveRefused
from seal.life.handing_over import Acceptance, HandOver
from seal.life.making import Making
from seal.life.recording import Recording
from seal.life.review import Review
from seal.life.stopping import Loss, Stop
from seal.seal_states import FOLLOWS, SealState
from tests.license_store.world import NOON
from tests.seal.life.life_world import MAKING, REGISTRAR, WHY, World
from tests.seals import APPLICANT, KEEPER, REVIEWER

S = SealState
Step = Callable[[Session, World, UUID, tuple[Consent, ...]], Any]

# Each step: where it leads, and from where; `FOLLOWS` has the same moves without their names.
STEPS: dict[str, tuple[SealState, set[SealState], Step]] = {
    "submit": (
        S.SUBMITTED,
        {S.DRAFT, S.REJECTED},
        lambda tx, w, seal, _: application.submit(tx, w.desk, Submission(seal, APPLICANT)),
    ),
    "approve": (
        S.APPROVED,
        {S.SUBMITTED},
        lambda tx, w, seal, _: review.approve(tx, w.desk, Review(seal, REVIEWER, WHY)),
    ),
    "reject": (
        S.REJECTED,
        {S.SUBMITTED},
        lambda tx, w, seal, _: review.reject(tx, w.desk, Review(seal, REVIEWER, WHY)),
    ),
    "make": (
        S.MADE,
        {S.APPROVED},
        lambda tx, w, seal, _: making.make(tx, w.desk, Making(seal, MAKING, w.making_consent())),
    ),
    "record": (
        S.RECORDED,
        {S.MADE},
        lambda tx, w, seal, _: recording.record(tx, w.desk, Recording(seal, REGISTRAR)),
    ),
    "issue": (
        S.ISSUED,
        {S.RECORDED},
        lambda tx, w, seal, _: handing_over.issue(tx, w.desk, HandOver(seal, REGISTRAR)),
    ),
    "accept": (
        S.IN_USE,
        {S.ISSUED},
        lambda tx, w, seal, _: handing_over.accept(tx, w.desk, Acceptance(seal, KEEPER)),
    ),
    "suspend": (
        S.SUSPENDED,
        {S.ISSUED, S.IN_USE},
        lambda tx, w, seal, _: stopping.suspend(tx, w.desk, Stop(seal, KEEPER, WHY)),
    ),
    "resume": (
        S.IN_USE,
        {S.SUSPENDED},
        lambda tx, w, seal, _: stopping.resume(tx, w.desk, Stop(seal, KEEPER, WHY)),
    ),
    "report_lost": (
        S.LOST,
        {S.ISSUED, S.IN_USE, S.SUSPENDED},
        lambda tx, w, seal, _: stopping.report_lost(tx, w.desk, Loss(seal, KEEPER, WHY, w.clock())),
    ),
    "found": (
        S.IN_USE,
        {S.LOST},
        lambda tx, w, seal, _: stopping.found(tx, w.desk, Stop(seal, KEEPER, WHY)),
    ),
    "destroy": (
        S.DESTROYED,
        {S.MADE, S.RECORDED, S.ISSUED, S.IN_USE, S.SUSPENDED, S.LOST},
        lambda tx, w, seal, consents: destroying.destroy(
            tx, w.desk, Destruction(seal, REGISTRAR, WHY, consents)
        ),
    ),
}


@pytest.fixture(scope="module")
def seals(world: World) -> dict[SealState, UUID]:
    """A seal in every state."""
    seals: dict[SealState, UUID] = {
        state: world.seal_in(state) for state in S if state is not S.REJECTED
    }
    seals[S.REJECTED] = world.seal_in(S.SUBMITTED)
    world.do(review.reject, Review(seals[S.REJECTED], REVIEWER, WHY))
    return seals


@pytest.mark.parametrize("step", list(STEPS))
@pytest.mark.parametrize("state", list(S))
def test_a_step_is_taken_where_the_table_has_it_and_refused_elsewhere(
    world: World, seals: dict[SealState, UUID], state: SealState, step: str
) -> None:
    target, allowed, take = STEPS[step]
    seal = seals[state]
    consents = world.destruction_consents(seal)
    before = world.history(seal)
    with world.begin() as tx:
        if state in allowed:
            take(tx, world, seal, consents)
            assert register.find(tx, seal).state == target
            assert register.history(tx, seal)[-1].state is target
        else:
            with pytest.raises(SealMoveRefused):
                take(tx, world, seal, consents)
        tx.rollback()
    assert world.history(seal) == before


def test_the_steps_are_the_moves_of_the_table_of_states() -> None:
    moves = {(start, target) for target, allowed, _ in STEPS.values() for start in allowed}
    assert moves == {(start, target) for start in S for target in FOLLOWS[start]}


def test_every_step_of_a_life_is_in_the_history_and_in_the_journal(world: World) -> None:
    seal = world.seal_in(S.SUSPENDED)
    world.do(stopping.resume, Stop(seal, KEEPER, WHY))
    world.destroy(seal)
    assert [event.state for event in world.history(seal)] == [
        "draft",
        "submitted",
        "approved",
        "made",
        "recorded",
        "issued",
        "in-use",
        "suspended",
        "in-use",
        "destroyed",
    ]
    assert [word for word in world.journalled(seal) if word != "seal.certificates_bound"] == [
        "seal.drafted",
        "seal.submitted",
        "seal.approved",
        "seal.made",
        "seal.recorded",
        "seal.issued",
        "seal.accepted",
        "seal.suspended",
        "seal.resumed",
        "seal.destroyed",
    ]


def test_a_clock_that_was_set_back_puts_no_change_before_the_one_it_follows(world: World) -> None:
    seal = world.seal_in(S.IN_USE)
    world.clock.now -= timedelta(hours=1)
    try:
        world.do(stopping.suspend, Stop(seal, KEEPER, WHY))
    finally:
        world.clock.now += timedelta(hours=1)
    *_, accepted, suspended = world.history(seal)
    assert suspended.at >= accepted.at >= NOON
