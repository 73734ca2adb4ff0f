"""What another node asserts counts for no more here, whatever table an operator writes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.level_map import LevelMapWrong, Row, as_it_is, level_map
from idp.levels import HIGHEST_STANDING, LEGAL, NATURAL, STAFF

ROWS = st.lists(
    st.builds(Row, st.text(min_size=1, max_size=5), st.integers(-1, 4), st.integers(-1, 4)),
    max_size=5,
)


@given(ROWS, st.text(max_size=5))
def test_no_table_raises_a_level(rows: list[Row], acr: str) -> None:
    try:
        table = level_map(rows)
    except LevelMapWrong:
        return
    asserted = {row.acr: row.theirs for row in rows}
    for told in (acr, *asserted):
        assert table.mapped(told) <= min(asserted.get(told, 0), HIGHEST_STANDING)


def test_what_is_not_in_the_table_counts_for_nothing() -> None:
    assert as_it_is().mapped("https://elsewhere.example/high") == 0
    assert as_it_is().mapped(None) == 0
    assert as_it_is().mapped(STAFF[1].acr) == 0


@pytest.mark.parametrize("number", range(4))
def test_between_nodes_of_ours_a_standing_level_stays(number: int) -> None:
    expected = number if number <= HIGHEST_STANDING else 0
    assert as_it_is().mapped(NATURAL[number].acr) == expected


@pytest.mark.parametrize(
    "row",
    [
        Row("https://e.example/1", theirs=1, here=2),
        Row("https://e.example/3", theirs=3, here=3),
        Row("https://e.example/4", theirs=4, here=2),
        Row("https://e.example/-1", theirs=-1, here=-1),
        Row(NATURAL[1].acr, theirs=2, here=2),
        Row(LEGAL[2].acr, theirs=2, here=2),
        Row(STAFF[1].acr, theirs=1, here=1),
    ],
    ids=lambda row: f"{row.theirs}-{row.here}",
)
def test_a_row_that_raises_or_means_something_else_is_refused(row: Row) -> None:
    with pytest.raises(LevelMapWrong):
        level_map([row])


def test_a_value_stands_once() -> None:
    row = Row("https://e.example/1", 1, 1)
    with pytest.raises(LevelMapWrong):
        level_map([row, row])


def test_what_to_ask_for_is_the_least_that_is_enough() -> None:
    table = level_map([Row("high", 3, 2), Row("low", 1, 1), Row("middle", 2, 2)])
    assert table.reaching(2) == ("middle", "high")
    assert table.reaching(1) == ("low", "middle", "high")
