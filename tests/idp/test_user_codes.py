"""User codes: no words, no favourites, and whatever way of typing leads to the same one."""

import os
import re
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from idp import user_codes
from idp.user_codes import LETTERS

CODES = st.text(LETTERS, min_size=8, max_size=8).map(user_codes.shown)


def test_a_code_is_two_groups_of_letters_that_spell_nothing() -> None:
    assert re.fullmatch(f"[{LETTERS}]{{4}}-[{LETTERS}]{{4}}", user_codes.make(os.urandom))
    assert not set("AEIOUY0123456789") & set(LETTERS)
    assert len(set(LETTERS)) == 20


def test_no_letter_is_likelier_than_another() -> None:
    everything = bytes(range(256)) * 2

    def from_byte(start: int) -> str:
        return user_codes.make(lambda size: everything[start : start + size])

    made = [from_byte(start) for start in range(0, 240, 8)]
    counted = Counter("".join(made).replace("-", ""))
    assert set(counted.values()) == {len(made) * 8 // 20}


def test_bytes_that_would_favour_the_first_letters_are_passed_over() -> None:
    chunks = iter([b"\xff" * 8, b"\x00\xf0" * 4, b"\x01" * 8])
    assert user_codes.make(lambda _: next(chunks)) == "BBBB-CCCC"


@given(CODES, st.sampled_from(["-", "", " ", "—", "－", " - "]))
def test_a_code_is_read_however_it_is_typed(code: str, between: str) -> None:
    typed = code.replace("-", between)
    wide = "".join(chr(ord(letter) + 0xFEE0) if letter.isalpha() else letter for letter in typed)
    for form in (typed, typed.lower(), f"  {typed}\t", wide):
        assert user_codes.read(form) == code


@given(st.text(max_size=40))
def test_whatever_is_typed_is_a_code_or_nothing(typed: str) -> None:
    assert (code := user_codes.read(typed)) is None or user_codes.read(code) == code


def test_what_cannot_be_a_code_is_none() -> None:
    for typed in ("", "BCDF", "BCDF-GHJKL", "ABCD-FGHJ", "BCDF-GHJ1", "代码", "B" * 10_000):
        assert user_codes.read(typed) is None
