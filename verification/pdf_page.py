"""What a PDF licence prints: the text its page shows by its fonts' Unicode maps, and its code.

Read from the page's own content (ISO 32000-1 §9.4, §9.10.3), line by line in drawing order, so a
value broken over two lines stays in one piece. Nothing unpacks to more than a fixed size.
"""

import re
import zlib
from collections.abc import Iterator, Mapping
from io import BytesIO

import pikepdf

from keys.errors import DomainError
from seal import face_picture
from seal.qr import read_picture
from seal.report import Outcome, SealReport
from verification.printed import Printed

_MOST_UNPACKED = 8 * 1024 * 1024
_DPI = 200
_PAIR = re.compile(rb"<([0-9A-Fa-f]{4})>\s*<((?:[0-9A-Fa-f]{4})+)>")
_BLOCK = re.compile(rb"beginbfchar(.*?)endbfchar", re.DOTALL)

Glyphs = Mapping[int, str]


class PageUnreadable(DomainError):
    """The page's content cannot be read as text."""

    code = "page.unreadable"


def read_pdf_page(pdf: bytes, report: SealReport) -> Printed:
    """Return the text of the first page and the codes on it; raise `PageUnreadable`.

    The page is drawn, to read its code, only under unbroken seals: drawing a stranger's PDF is
    more than text needs.
    """
    try:
        with pikepdf.open(BytesIO(pdf)) as document:
            page = document.pages[0].obj
            fonts = {name: _glyphs(font) for name, font in page.Resources.Font.items()}
            text = "".join(_texts(_content(page), fonts))
    except (pikepdf.PdfError, AttributeError, LookupError, TypeError, ValueError) as broken:
        raise PageUnreadable() from broken
    broken_seal = report.outcome is Outcome.FAILED
    codes = None if broken_seal else read_picture(face_picture.png(pdf, _DPI))
    return Printed(codes=codes, text=text)


def _content(page: pikepdf.Object) -> list[pikepdf.ContentStreamInstruction]:
    told = page.Contents
    streams = list(told) if isinstance(told, pikepdf.Array) else [told]
    with pikepdf.Pdf.new() as scratch:
        whole = scratch.make_stream(b"\n".join(_unpacked(stream) for stream in streams))
        return [
            instruction
            for instruction in pikepdf.parse_content_stream(whole, "Tf Tj TJ")
            if isinstance(instruction, pikepdf.ContentStreamInstruction)
        ]


def _texts(
    content: list[pikepdf.ContentStreamInstruction], fonts: Mapping[str, Glyphs]
) -> Iterator[str]:
    """Yield the pieces of text shown; the fonts are two-byte ones (Identity-H)."""
    glyphs: Glyphs = {}
    for instruction in content:
        operands = instruction.operands
        match str(instruction.operator):
            case "Tf":
                glyphs = fonts[str(operands[0])]
            case "Tj":
                yield _shown(operands[0], glyphs)
            case "TJ":
                for piece in operands[0]:
                    if isinstance(piece, pikepdf.String):
                        yield _shown(piece, glyphs)


def _shown(piece: pikepdf.Object, glyphs: Glyphs) -> str:
    numbers = memoryview(bytes(piece))
    return "".join(
        glyphs.get(int.from_bytes(numbers[at : at + 2]), "�") for at in range(0, len(numbers), 2)
    )


def _glyphs(font: pikepdf.Object) -> Glyphs:
    """Return what each glyph number stands for, by the font's ToUnicode map."""
    return {
        int(number, 16): bytes.fromhex(told.decode()).decode("utf-16-be", "replace")
        for block in _BLOCK.findall(_unpacked(font.ToUnicode))
        for number, told in _PAIR.findall(block)
    }


def _unpacked(stream: pikepdf.Object) -> bytes:
    """Return the bytes of a stream, plain or Flate, refusing what swells beyond the limit."""
    raw = bytes(stream.read_raw_bytes())
    if "/Filter" not in stream.stream_dict:
        return raw
    if stream.stream_dict.Filter != pikepdf.Name.FlateDecode:
        raise PageUnreadable()
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(raw, _MOST_UNPACKED)
    except zlib.error as broken:
        raise PageUnreadable() from broken
    if unpacker.unconsumed_tail:
        raise PageUnreadable()
    return content
