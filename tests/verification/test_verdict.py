"""The rule that folds checks into an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal.report import Finding, Outcome
from verification.verdict import Answer, fold

OUTCOMES = st.lists(st.sampled_from(Outcome))


def findings(outcomes: list[Outcome]) -> tuple[Finding, ...]:
    return tuple(Finding("check", outcome, "code") for outcome in outcomes)


@given(OUTCOMES)
def test_one_failure_makes_it_invalid_whatever_else_was_found(outcomes: list[Outcome]) -> None:
    assert fold(findings([*outcomes, Outcome.FAILED])) is Answer.INVALID


@given(st.lists(st.sampled_from([Outcome.OK, Outcome.WARNING, Outcome.UNKNOWN])))
def test_a_gap_is_never_shown_as_valid(outcomes: list[Outcome]) -> None:
    assert fold(findings([*outcomes, Outcome.UNKNOWN])) is Answer.UNKNOWN


def test_nothing_checked_is_nothing_known() -> None:
    assert fold(()) is Answer.UNKNOWN


@pytest.mark.parametrize("outcomes", [[Outcome.OK], [Outcome.OK, Outcome.WARNING]])
def test_checks_that_pass_or_only_warn_make_it_valid(outcomes: list[Outcome]) -> None:
    assert fold(findings(outcomes)) is Answer.VALID
