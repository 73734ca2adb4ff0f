"""How the parameters of a request are told apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.parameters import parse


def test_an_empty_value_counts_as_absent() -> None:
    assert parse(b"state=&scope=openid").get("state") is None


def test_a_repeated_parameter_has_no_value() -> None:
    found = parse(b"a=1&a=2&a=3&b=4")
    assert found.get("a") is None
    assert found.repeated == {"a"}
    assert found.get("b") == "4"


def test_resource_may_come_several_times() -> None:
    found = parse(b"resource=https%3A%2F%2Fa&resource=https%3A%2F%2Fb")
    assert found.resources == ("https://a", "https://b")
    assert not found.repeated


@pytest.mark.parametrize(
    "encoded", [b"a=%FF", "a=电".encode(), b"a=" + b"x" * 20_000, b"&".join([b"a=1"] * 101)]
)
def test_what_is_not_form_encoded_text_of_modest_length_is_refused(encoded: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any of its kinds
        parse(encoded)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(encoded: bytes) -> None:
    try:
        found = parse(encoded)
    except ValueError:
        return
    assert not found.repeated & found.single.keys()
