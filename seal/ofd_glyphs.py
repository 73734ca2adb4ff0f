"""Glyphs of an OFD's fonts as paths: from the embedded file, else from a typeface of ours.

Drawing outlines instead of handing fonts on means that only HarfBuzz ever opens a stranger's font.
"""

from collections.abc import Mapping

import uharfbuzz

from seal import fonts
from seal.face import Typeface
from seal.ofd_resource_reading import Font
from seal.pdf_paths import operators
from seal.seal_outline import Outline, Pen

_SANS = ("黑", "雅黑", "等线", "sans", "hei", "arial", "helvetica", "courier", "consolas")
# Fonts made for symbols have their characters here (OpenType cmap, platform 3 encoding 0).
_SYMBOLS = 0xF000
_NONE = Font("", False, b"")


class Glyphs:
    """The fonts of one document, each parsed once, each glyph drawn once."""

    def __init__(self, resources: Mapping[str, Font]) -> None:
        """Take the fonts by ST_ID; what is not among them is set in ours."""
        self._resources = resources
        self._parsed: dict[str, uharfbuzz.Font | None] = {}
        self._drawn: dict[tuple[str, str, int], str] = {}

    def path(self, font_id: str, character: str, glyph: int = 0) -> str:
        """Return the PDF operators of a glyph in an em of 1, its origin at 0, y downwards.

        `glyph` is the number in the embedded font where the document gives one (§11.4).
        """
        key = font_id, character, glyph
        if key not in self._drawn:
            self._drawn[key] = " ".join(operators(self._outline(*key).segments))
        return self._drawn[key]

    def _outline(self, font_id: str, character: str, glyph: int) -> Outline:
        pen = Pen()
        embedded = self._embedded(font_id)
        number = glyph or _number(embedded, character)
        if embedded is not None and number:
            embedded.draw_glyph_with_pen(number, pen)
            em = embedded.face.upem
        else:
            em = self._ours(font_id, character, pen)
        return Outline(tuple(pen.segments)).placed((1 / em, 0, 0, -1 / em, 0, 0))

    def _embedded(self, font_id: str) -> uharfbuzz.Font | None:
        if font_id not in self._parsed:
            self._parsed[font_id] = _parse(self._resources.get(font_id, _NONE).file)
        return self._parsed[font_id]

    def _ours(self, font_id: str, character: str, pen: Pen) -> int:
        """Draw a character of our own typefaces; what they lack as well is left blank."""
        font = self._resources.get(font_id, _NONE)
        typeface = Typeface.SERIF_BOLD if font.bold else Typeface.SERIF
        if any(word in font.name.lower() for word in _SANS):
            typeface = Typeface.SANS
        if not character or fonts.missing(typeface, character):
            return 1
        _, em = fonts.trace(typeface, character, pen)
        return em


def _parse(file: bytes) -> uharfbuzz.Font | None:
    face = uharfbuzz.Face(uharfbuzz.Blob(file)) if file else None
    return uharfbuzz.Font(face) if face and face.glyph_count and face.upem else None


def _number(font: uharfbuzz.Font | None, character: str) -> int:
    if font is None or not character:
        return 0
    code = ord(character)
    found = font.get_nominal_glyph(code)
    if not found and code < 0x100:
        found = font.get_nominal_glyph(_SYMBOLS + code)
    return found or 0
