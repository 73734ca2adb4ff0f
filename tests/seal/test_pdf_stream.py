"""A stranger's file as pyHanko sees it: rationed, and its long hexadecimal strings as numbers."""

from io import BytesIO
from typing import Any

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils.generic import TrailerReference, read_object
from pyhanko.pdf_utils.misc import PdfReadError

from seal import pdf_stream, pdf_verify
from seal.pdf_stream import RationedFile, StrangersFile
from seal.report import Outcome
from tests.seal.pdf_builders import SECOND_BOX, pdf_world
from tests.seal.pdf_judging import NOW
from tests.trusting import trusting

VALUES = st.lists(st.binary(min_size=0, max_size=600), min_size=1, max_size=5)


def read_through(stream: StrangersFile, piece: int) -> None:
    while stream.read(piece):
        pass


@settings(max_examples=30)
@given(VALUES)
def test_every_hexadecimal_string_is_had_back_with_its_place(values: list[bytes]) -> None:
    file = b"[" + b" ".join(b"<" + value.hex().encode() + b">" for value in values) + b"] "
    stream = StrangersFile(file)
    shown: Any = read_object(stream, TrailerReference(None))
    for string, value in zip(shown, values, strict=True):
        if len(value) < 256:
            assert string.original_bytes == value
        else:
            start, end, told = stream.hexadecimal(string.original_bytes)
            assert told == value
            assert file[start:end] == b"<" + value.hex().encode() + b">"


def test_what_is_read_in_one_piece_is_shown_as_it_is() -> None:
    file = b"<" + b"ab" * 300 + b">"
    stream = StrangersFile(file)
    assert stream.read(len(file)) == file
    stream.seek(1)
    assert stream.read(600) == b"ab" * 300


@pytest.mark.parametrize("shown", [b"", b"\0\0\0", b"\0\0\0\1", b"\xff\xff\xff\xff", b"\0" * 5])
def test_a_number_of_no_string_is_refused(shown: bytes) -> None:
    with pytest.raises(LookupError):
        StrangersFile(b"<" + b"ab" * 300 + b">").hexadecimal(shown)


def test_reading_ends_when_the_ration_is_used_up() -> None:
    stream = RationedFile(b"a b c", most=3)
    assert stream.read(1) + stream.read(1) + stream.read(1) == b"a b"
    with pytest.raises(PdfReadError):
        stream.read(1)


@pytest.mark.parametrize("piece", [1, 16])
def test_a_word_too_long_is_not_read_to_its_end(piece: int) -> None:
    stream = StrangersFile(b"9" * (pdf_stream.LONGEST_WORD + 16))
    with pytest.raises(PdfReadError):
        read_through(stream, piece)


def test_words_of_usual_length_never_end_the_reading() -> None:
    stream = StrangersFile(b"/Name 12.5 " * 3000)
    read_through(stream, 1)


def test_many_pages_under_two_seals_are_within_the_ration(pdf: bytes, picture: bytes) -> None:
    with pikepdf.open(BytesIO(pdf)) as document:
        for _ in range(100):
            document.pages.append(document.pages[0])
        out = BytesIO()
        document.save(out)
    world = pdf_world()
    twice = world.stamped(world.stamped(out.getvalue(), picture), picture, SECOND_BOX)
    assert pdf_verify.verify(twice, trusting(world.root), NOW).outcome is Outcome.OK
