"""The life cycle: which moves there are, and what the world is told in each state."""

from datetime import UTC, date, datetime

import pytest

from license_store.errors import MoveNotAllowed
from license_store.licence import ENDED, Holder, State, local_date, move, published_status
from seal.status_list import Status


def test_a_valid_licence_may_end_in_three_ways() -> None:
    for end in (State.REVOKED, State.WITHDRAWN, State.CANCELLED):
        assert move(State.VALID, end) is end


@pytest.mark.parametrize("ended", sorted(ENDED))
@pytest.mark.parametrize("target", list(State))
def test_nothing_comes_after_an_end(ended: State, target: State) -> None:
    with pytest.raises(MoveNotAllowed):
        move(ended, target)


def test_a_licence_cannot_end_before_it_is_sealed() -> None:
    with pytest.raises(MoveNotAllowed) as refused:
        move(State.SEALING, State.REVOKED)
    assert refused.value.parameters == {"state": "sealing", "target": "revoked"}


def test_the_published_status_is_valid_until_the_end() -> None:
    assert {s: published_status(s) for s in State} == {
        State.SEALING: Status.VALID,
        State.VALID: Status.VALID,
        State.REVOKED: Status.INVALID,
        State.WITHDRAWN: Status.INVALID,
        State.CANCELLED: Status.INVALID,
    }


def test_the_day_of_issue_is_the_day_in_china() -> None:
    assert local_date(datetime(2025, 6, 1, 15, 59, 59, tzinfo=UTC)) == date(2025, 6, 1)
    assert local_date(datetime(2025, 6, 1, 16, 0, 0, tzinfo=UTC)) == date(2025, 6, 2)


def test_a_holder_shows_neither_name_nor_number() -> None:
    assert "330105" not in repr(Holder("张䶮", "111", "330105188001010018"))
