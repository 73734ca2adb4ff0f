"""The moments a client's token tells."""

from typing import Any

import pytest

from idp.client_signed import moment


@pytest.mark.parametrize(
    ("told", "seconds"),
    [(0, 0), (1795000000, 1795000000), (1795000000.9, 1795000000), (None, None)],
)
def test_a_numeric_date_is_read_in_whole_seconds(told: Any, seconds: int | None) -> None:
    assert moment({"exp": told}, "exp") == seconds


def test_an_integer_beyond_all_floats_is_a_time() -> None:
    assert moment({"exp": 10**400}, "exp") == 10**400


@pytest.mark.parametrize("told", [True, "1795000000", [], {}, float("inf"), float("nan")])
def test_what_is_no_number_is_no_time(told: Any) -> None:
    with pytest.raises(ValueError, match="exp"):
        moment({"exp": told}, "exp")
