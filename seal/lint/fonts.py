"""Every font travels with the document, as TrueType with outlines, and has what is printed in it.

Readers draw text without an embedded font in whatever they have, or as empty boxes; CFF outlines in an
OFD come out as empty boxes in the field's readers.
"""

from collections.abc import Iterator

from seal.fonts import glyph_ids
from seal.lint.specimen import Expected, FontUse, Specimen
from seal.report import Finding, Outcome

_TRUE_TYPE = (b"\x00\x01\x00\x00", b"true")


def check(specimen: Specimen, _expected: Expected) -> Iterator[Finding]:
    for font in specimen.fonts:
        code = _trouble(font)
        if code:
            yield Finding("fonts", Outcome.FAILED, code, font.name)


def _trouble(font: FontUse) -> str:
    if font.file is None:
        return "lint.fonts.not_embedded"
    if font.file[:4] not in _TRUE_TYPE:
        return "lint.fonts.not_truetype"
    printed = "".join(sorted(c for c in font.characters if not c.isspace()))
    return "" if all(glyph_ids(font.file, printed)) else "lint.fonts.glyph_missing"
