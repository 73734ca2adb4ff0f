"""The page of a stranger's PDF around a genuine data file: what reading it costs stays bounded."""

import time
from collections.abc import Callable
from io import BytesIO

import pikepdf
import pytest

from seal import pdf_verify
from tests.trusting import trusting
from tests.verification.trust_world import NOW, Draft, pdf
from verification.pdf_page import PageUnreadable, read_pdf_page
from verification.printed import Printed

Change = Callable[[pikepdf.Pdf, pikepdf.Object], None]
MIB = 1 << 20


def one_name(page: pikepdf.Object) -> str:
    return min(page.Resources.Font.keys())


def one_font(page: pikepdf.Object) -> pikepdf.Object:
    return page.Resources.Font[one_name(page)]


def one_stream_many_times(document: pikepdf.Pdf, page: pikepdf.Object) -> None:
    stream = document.make_stream(b" " * MIB)
    page.Contents = pikepdf.Array([stream] * 5_000)


def one_map_for_many_fonts(document: pikepdf.Pdf, page: pikepdf.Object) -> None:
    font = one_font(page)
    font.ToUnicode = document.make_stream(b"<0001> <0041>\n" * 100_000)
    for number in range(2_000):
        page.Resources.Font[f"/Again{number}"] = font


def a_swelling_stream(document: pikepdf.Pdf, page: pikepdf.Object) -> None:
    page.Contents = document.make_stream(b" " * 100 * MIB)


@pytest.mark.parametrize(
    "change", [one_stream_many_times, one_map_for_many_fonts, a_swelling_stream]
)
def test_a_page_that_unpacks_to_more_than_any_licence_is_unreadable(change: Change) -> None:
    assert_unreadable(changed(change))


def test_a_glyph_that_stands_for_a_whole_book_stands_for_nothing() -> None:
    def swell(document: pikepdf.Pdf, page: pikepdf.Object) -> None:
        book = b"0041" * 200_000
        told = b"1 beginbfchar\n<0001> <" + book + b">\nendbfchar"
        one_font(page).ToUnicode = document.make_stream(told)
        name = one_name(page).encode()
        page.Contents = document.make_stream(name + b" 9 Tf " + b"<0001> Tj " * 5_000)

    text = read(changed(swell)).text
    assert text == "\ufffd" * 5_000


def test_a_map_of_beginnings_without_end_is_read_in_one_go() -> None:
    def begin_for_ever(document: pikepdf.Pdf, page: pikepdf.Object) -> None:
        one_font(page).ToUnicode = document.make_stream(b"beginbfchar " * 80_000)

    begun = time.process_time()
    read(changed(begin_for_ever))
    assert time.process_time() - begun < 3


def changed(change: Change) -> bytes:
    """A genuine PDF whose page was changed after sealing."""
    with pikepdf.open(BytesIO(pdf(Draft()))) as document:
        change(document, document.pages[0].obj)
        out = BytesIO()
        document.save(out)
    return out.getvalue()


def read(content: bytes) -> Printed:
    return read_pdf_page(content, pdf_verify.verify(content, trusting(), NOW))


def assert_unreadable(content: bytes) -> None:
    begun = time.process_time()
    with pytest.raises(PageUnreadable):
        read(content)
    assert time.process_time() - begun < 3
