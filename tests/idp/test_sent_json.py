"""JSON that clients send inside parameters."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp import sent_json
from idp.sent_json import JsonRefused

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='abcé电 "\\', max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=12,
)


@given(VALUES)
def test_what_json_says_is_read(value: object) -> None:
    assert sent_json.read(json.dumps(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{'a': 1}",
        '{"a": 1} x',
        '{"a": 1, "a": 2}',
        '{"a": NaN}',
        '{"a": 1e999}',
        '["\\ud800"]',
        '{"\\u0000": 1}',
        "[" * 18 + "]" * 18,
        "[" * 4000 + "]" * 4000,
        " " * (sent_json.MOST_CHARACTERS + 1),
    ],
)
def test_what_could_not_be_kept_or_has_two_meanings_is_refused(text: str) -> None:
    with pytest.raises(JsonRefused):
        sent_json.read(text)


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        sent_json.read(text)
    except JsonRefused:
        return
