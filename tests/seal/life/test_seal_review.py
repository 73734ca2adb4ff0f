"""Reviewing an application: somebody else, with reasons, once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from seal.life import application, review
from seal.life.application import Submission
from seal.life.errors import (
    NumbersExhausted,
    ReasonMissing,
    ReviewedByApplicant,
    SealMoveRefused,
)
from seal.life.review import Review
from seal.life.tables import SealNumberRow
from seal.seal_states import SealState
from tests.seal.life.life_world import WHY, World
from tests.seals import APPLICANT, REVIEWER


def submitted(world: World, **changes: object) -> Review:
    return Review(world.seal_in(SealState.SUBMITTED, **changes), REVIEWER, WHY)


def test_approving_allots_numbers_of_the_owners_division_one_after_the_other(world: World) -> None:
    first, second = (world.do(review.approve, submitted(world)) for _ in range(2))
    assert first[:6] == second[:6] == "990100"
    assert int(second) == int(first) + 1
    assert len(first) == 14


def test_the_reason_is_kept_in_the_history_and_not_in_the_journal(world: World) -> None:
    wish = submitted(world)
    world.do(review.approve, wish)
    event = world.history(wish.seal)[-1]
    assert (event.state, event.by, event.reason) == (SealState.APPROVED, REVIEWER, WHY)
    assert world.journalled(wish.seal)[-1] == "seal.approved"


@pytest.mark.parametrize("use_case", [review.approve, review.reject])
def test_nobody_reviews_their_own_application(world: World, use_case: Callable[..., Any]) -> None:
    seal = submitted(world).seal
    with pytest.raises(ReviewedByApplicant):
        world.do(use_case, Review(seal, APPLICANT, WHY))
    assert world.state(seal) is SealState.SUBMITTED


@pytest.mark.parametrize("reason", ["", "  ", "长" * 501])
@pytest.mark.parametrize("use_case", [review.approve, review.reject])
def test_a_review_without_a_reason_is_none(
    world: World, use_case: Callable[..., Any], reason: str
) -> None:
    seal = submitted(world).seal
    with pytest.raises(ReasonMissing):
        world.do(use_case, Review(seal, REVIEWER, reason))
    assert (world.state(seal), world.row(seal).esid) == (SealState.SUBMITTED, None)


def test_a_rejected_application_is_handed_in_again_and_the_first_answer_stays(
    world: World,
) -> None:
    wish = submitted(world)
    world.do(review.reject, wish)
    with pytest.raises(SealMoveRefused):
        world.do(review.approve, wish)
    world.do(application.submit, Submission(wish.seal, APPLICANT))
    world.do(review.approve, wish)
    assert [event.state for event in world.history(wish.seal)] == [
        "draft",
        "submitted",
        "rejected",
        "submitted",
        "approved",
    ]


def test_of_two_reviews_at_once_exactly_one_counts(world: World) -> None:
    wish = submitted(world)

    def one(use_case: Callable[..., Any]) -> bool:
        try:
            world.do(use_case, wish)
        except SealMoveRefused:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(one, [review.approve, review.reject, review.approve, review.reject]))
    assert won.count(True) == 1
    assert len(world.history(wish.seal)) == 3


def test_two_seals_approved_at_once_get_two_numbers(world: World) -> None:
    wishes = [submitted(world) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        esids = list(pool.map(lambda wish: world.do(review.approve, wish), wishes))
    assert len(set(esids)) == 4


def test_a_division_whose_numbers_are_all_given_out_is_told(world: World) -> None:
    wish = submitted(world, owner="11990199MBXX90106H")
    with world.begin() as tx:
        tx.add(SealNumberRow(series="esid 990199", last=99_999_999))
    with pytest.raises(NumbersExhausted):
        world.do(review.approve, wish)
    assert world.state(wish.seal) is SealState.SUBMITTED
