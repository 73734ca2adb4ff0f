"""One face, two writers: every line stands at the same place and says the same in OFD and in PDF.

Each file is read by a reader that is not ours: ofdkit for OFD, PDFium for PDF.
"""

import ctypes
import io
from collections.abc import Iterator
from typing import NamedTuple

import ofdkit
import pypdfium2
import pytest
from pypdfium2 import raw

from seal.face import Face
from seal.lay_out import lay_out
from seal.ofd_writer import write_ofd
from seal.pdf_writer import POINTS_PER_MM, write_pdf
from seal.template import load, names
from tests.seal.face_builders import CODE, INFO, VALUES
from tests.seal.sheet_builders import LONG_SCOPE, certificate

NEAR = 0.02  # mm
HIGH_HALVES, LOW_HALVES = range(0xD800, 0xDC00), range(0xDC00, 0xE000)  # PDFium tells UTF-16


class Line(NamedTuple):
    """A line as a reader finds it, in mm from the top left corner of its page."""

    page: int
    text: str
    x: float
    baseline: float
    size: float


def faces() -> dict[str, Face]:
    drawn = {name: lay_out(load(name), VALUES[name], CODE) for name in sorted(names())}
    return drawn | {"several pages": certificate(scope=LONG_SCOPE, history="示例 𬭎 12.5%")}


def lines_of_ofd(face: Face) -> Iterator[Line]:
    with ofdkit.open(io.BytesIO(write_ofd(face, INFO))) as document:
        for number, page in enumerate(document.pages):
            for run in page.runs:
                yield Line(number, run.text, run.x, run.y, run.size)


class Glyph(NamedTuple):
    character: str
    x: float
    baseline: float
    size: float


def glyphs_of_pdf(page: pypdfium2.PdfPage) -> Iterator[Glyph]:
    text = page.get_textpage()
    x, y = ctypes.c_double(), ctypes.c_double()
    for at in range(text.count_chars()):
        if raw.FPDFText_IsGenerated(text, at) == 1:
            continue
        unit = raw.FPDFText_GetUnicode(text, at)
        if unit in LOW_HALVES:
            continue
        if unit in HIGH_HALVES:
            low = raw.FPDFText_GetUnicode(text, at + 1)
            unit = 0x10000 + (unit - HIGH_HALVES.start) * 0x400 + low - LOW_HALVES.start
        raw.FPDFText_GetCharOrigin(text, at, x, y)
        yield Glyph(
            chr(unit),
            x.value / POINTS_PER_MM,
            (page.get_height() - y.value) / POINTS_PER_MM,
            raw.FPDFText_GetFontSize(text, at),
        )


@pytest.mark.parametrize("name", [*sorted(names()), "several pages"])
def test_every_line_stands_at_the_same_place_in_both_formats(name: str) -> None:
    face = faces()[name]
    lines = list(lines_of_ofd(face))
    assert len(lines) == len([run for run in face.runs if run.text.strip()])
    with pypdfium2.PdfDocument(write_pdf(face, INFO)) as document:
        drawn = [list(glyphs_of_pdf(page)) for page in document]
    for line in lines:
        (found,) = [at for at, glyph in enumerate(drawn[line.page]) if starts(line, glyph)]
        shown = drawn[line.page][found : found + len(line.text)]
        assert "".join(glyph.character for glyph in shown) == line.text
        assert all(abs(glyph.baseline - line.baseline) < NEAR for glyph in shown)
        assert shown[0].size == pytest.approx(line.size, abs=NEAR)
    assert sum(map(len, drawn)) == sum(len(line.text) for line in lines)


def starts(line: Line, glyph: Glyph) -> bool:
    return abs(glyph.x - line.x) < NEAR and abs(glyph.baseline - line.baseline) < NEAR


def test_every_character_stands_where_the_face_puts_it() -> None:
    face = certificate()
    with pypdfium2.PdfDocument(write_pdf(face, INFO)) as document:
        drawn = {
            (glyph.character, round(glyph.x, 1), round(glyph.baseline, 1))
            for page in document
            for glyph in glyphs_of_pdf(page)
        }
    for run in face.runs:
        for at, character in enumerate(run.text):
            place = (round(run.x + sum(run.advances[:at]), 1), round(run.baseline, 1))
            near = {(round(place[0] + step, 1), place[1]) for step in (-0.1, 0, 0.1)}
            assert any((character, *one) in drawn for one in near), run.text
