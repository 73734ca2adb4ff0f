"""What a PDF licence prints: the text its pages show by their fonts' Unicode maps, and its code.

Read from the pages' own content (ISO 32000-1 §9.4, §9.10.3), line by line in drawing order, so a
value broken over two lines stays in one piece. However often a stranger's page names a stream, all
that is unpacked for it together stays below a fixed size.
"""

import re
import zlib
from collections.abc import Iterator, Mapping
from io import BytesIO
from itertools import islice

import pikepdf

from keys.errors import DomainError
from seal import face_picture
from seal.qr import read_image
from seal.report import Outcome, SealReport
from verification.printed import Printed

_MOST_UNPACKED = 2 * 1024 * 1024
_MOST_PAGES = 24  # a form's own, and those its longest values go on to
_DPI = 200
# A glyph stands for a few characters at the most, or a short map would make endless text.
_PAIR = re.compile(rb"<([0-9A-Fa-f]{4})>\s*<((?:[0-9A-Fa-f]{4}){1,8})>")

Glyphs = Mapping[int, str]


class PageUnreadable(DomainError):
    """The page's content cannot be read as text."""

    code = "page.unreadable"


# What qpdf and Python raise for bytes that are no page: RuntimeError is qpdf's own.
_UNREADABLE = (
    pikepdf.PdfError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    RuntimeError,
    OverflowError,
    NotImplementedError,
)


def read_pdf_page(pdf: bytes, report: SealReport) -> Printed:
    """Return the text of the pages and the codes on the first; raise `PageUnreadable`.

    The page is drawn, to read its code, only under unbroken seals: drawing a stranger's PDF is
    more than text needs.
    """
    try:
        with pikepdf.open(BytesIO(pdf)) as document:
            unpacker = _Unpacker()
            pages = islice(document.pages, _MOST_PAGES)
            text = "".join(told for page in pages for told in _said(page.obj, unpacker))
    except _UNREADABLE as broken:
        raise PageUnreadable() from broken
    broken_seal = report.outcome is Outcome.FAILED
    codes = None if broken_seal else read_image(face_picture.draw(pdf, _DPI))
    return Printed(codes=codes, text=text)


def _said(page: pikepdf.Object, unpacker: "_Unpacker") -> Iterator[str]:
    fonts = {
        name: _glyphs(unpacker.unpack(font.ToUnicode)) for name, font in page.Resources.Font.items()
    }
    return _texts(_content(page, unpacker), fonts)


class _Unpacker:
    """Unpacks the streams of the pages, plain or Flate, `_MOST_UNPACKED` bytes together."""

    def __init__(self) -> None:
        self._left = _MOST_UNPACKED

    def unpack(self, stream: pikepdf.Object) -> bytes:
        """Return the bytes of a stream. Raises PageUnreadable beyond the limit."""
        raw = bytes(stream.read_raw_bytes())
        content = self._inflate(raw) if _is_packed(stream) else raw
        # A packed stream costs its own length too, if only to be looked at again.
        self._left -= max(len(raw), len(content))
        if self._left < 0:
            raise PageUnreadable()
        return content

    def _inflate(self, raw: bytes) -> bytes:
        try:
            return zlib.decompressobj().decompress(raw, self._left + 1)
        except zlib.error as broken:
            raise PageUnreadable() from broken


def _is_packed(stream: pikepdf.Object) -> bool:
    if "/Filter" not in stream.stream_dict:
        return False
    if stream.stream_dict.Filter != pikepdf.Name.FlateDecode:
        raise PageUnreadable()
    return True


def _content(page: pikepdf.Object, unpacker: _Unpacker) -> list[pikepdf.ContentStreamInstruction]:
    told = page.Contents
    streams = list(told) if isinstance(told, pikepdf.Array) else [told]
    with pikepdf.Pdf.new() as scratch:
        whole = scratch.make_stream(b"\n".join(map(unpacker.unpack, streams)))
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


def _glyphs(to_unicode: bytes) -> Glyphs:
    """Return what each glyph number stands for, by a font's ToUnicode map."""
    return {
        int(number, 16): bytes.fromhex(told.decode()).decode("utf-16-be", "replace")
        for block in to_unicode.split(b"beginbfchar")[1:]
        for number, told in _PAIR.findall(block.partition(b"endbfchar")[0])
    }
