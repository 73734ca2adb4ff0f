"""The typefaces of a face in a PDF: embedded TrueType subsets as Type0 fonts (ISO 32000-1 §9.7).

Each character has a number of its own even where two share a glyph, so that it extracts as it was
said; the form's characters are numbered first, alike in every licence on it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from pikepdf import Array, Dictionary, Name, Object, Pdf, String

from seal import fonts
from seal.face import Face, TextRun, Typeface
from seal.pdf_streams import add_stream, deflated

RESOURCE: Mapping[Typeface, str] = MappingProxyType(
    {Typeface.SERIF: "F1", Typeface.SERIF_BOLD: "F2", Typeface.SANS: "F3"}
)

Characters = Mapping[Typeface, str]
"""The characters that are shown, each once, in the order of their numbers from 1 on."""

_SYMBOLIC, _SERIF = 4, 2  # ISO 32000-1 table 123
_STEM = MappingProxyType({Typeface.SERIF: 80, Typeface.SERIF_BOLD: 140, Typeface.SANS: 90})


def form_characters(face: Face) -> Characters:
    """Return the characters of the form alone, over all pages."""
    form = (item for page in face.pages for item in page.background)
    return _ordered(item for item in form if isinstance(item, TextRun))


def all_characters(face: Face, form: Characters) -> Characters:
    """Return the characters of `face`, those of its `form` first."""
    said = _ordered(face.runs)
    first = {typeface: form.get(typeface, "") for typeface in said}
    return {t: first[t] + "".join(c for c in said[t] if c not in first[t]) for t in said}


def _ordered(runs: Iterable[TextRun]) -> Characters:
    said: dict[Typeface, set[str]] = {}
    for run in runs:
        said.setdefault(run.typeface, set()).update(run.text)
    return {typeface: "".join(sorted(said[typeface])) for typeface in sorted(said)}


@dataclass(frozen=True, slots=True)
class _Cut:
    """A subset: its file (deflated; `length` bytes before that) and its characters.

    `glyphs` and `widths` are those of the characters by number, `.notdef` first.
    """

    typeface: Typeface
    length: int
    packed: bytes
    characters: str
    glyphs: tuple[int, ...]
    widths: tuple[float, ...]


def embed(pdf: Pdf, characters: Characters) -> dict[str, Object]:
    """Add the fonts to `pdf` and return them by resource name.

    Raises KeyError for a character without a glyph.
    """
    return {
        f"/{RESOURCE[typeface]}": _font(pdf, _cut(typeface, text))
        for typeface, text in characters.items()
    }


@lru_cache(maxsize=16)
def _cut(typeface: Typeface, text: str) -> _Cut:
    file = fonts.subset(typeface, text)
    glyphs = (0, *fonts.glyph_ids(file, text))
    if 0 in glyphs[1:]:
        raise KeyError(text[glyphs.index(0, 1) - 1])
    widths = fonts.glyph_widths(file)
    own = tuple(widths[glyph] for glyph in glyphs)
    return _Cut(typeface, len(file), deflated(file), text, glyphs, own)


def _font(pdf: Pdf, cut: _Cut) -> Object:
    name = Name(f"/{_tag(cut.characters)}+{fonts.FONT_FILES[cut.typeface].postscript_name}")
    glyphs = b"".join(glyph.to_bytes(2) for glyph in cut.glyphs)
    descendant = Dictionary(
        Type=Name.Font,
        Subtype=Name.CIDFontType2,
        BaseFont=name,
        CIDSystemInfo=Dictionary(Registry=b"Adobe", Ordering=b"Identity", Supplement=0),
        CIDToGIDMap=add_stream(pdf, deflated(glyphs)),
        DW=1000,
        W=Array([0, Array([round(width) for width in cut.widths])]),
        FontDescriptor=pdf.make_indirect(_descriptor(pdf, cut, name)),
    )
    return pdf.make_indirect(
        Dictionary(
            Type=Name.Font,
            Subtype=Name.Type0,
            BaseFont=name,
            Encoding=Name("/Identity-H"),
            DescendantFonts=Array([pdf.make_indirect(descendant)]),
            ToUnicode=add_stream(pdf, deflated(_to_unicode(cut.characters))),
        )
    )


def _descriptor(pdf: Pdf, cut: _Cut, name: Name) -> Object:
    measured, file = fonts.metrics(cut.typeface), fonts.FONT_FILES[cut.typeface]
    return Dictionary(
        Type=Name.FontDescriptor,
        FontName=name,
        FontFamily=String(file.family),
        Flags=_SYMBOLIC | (_SERIF if file.serif else 0),
        FontBBox=Array(measured.bounding_box),
        ItalicAngle=0,
        Ascent=measured.ascent,
        Descent=measured.descent,
        CapHeight=measured.cap_height,
        StemV=_STEM[cut.typeface],
        FontFile2=add_stream(pdf, cut.packed, Length1=cut.length),
    )


def _tag(characters: str) -> str:
    """Six letters that name a subset (ISO 32000-1 §9.6.4)."""
    digest = hashlib.sha256(characters.encode()).digest()
    return "".join(chr(ord("A") + byte % 26) for byte in digest[:6])


def _to_unicode(characters: str) -> bytes:
    """The number → Unicode map (ISO 32000-1 §9.10.3), at most 100 pairs a block."""
    pairs = list(enumerate(characters, 1))
    lines = [
        "/CIDInit /ProcSet findresource begin",
        "12 dict begin",
        "begincmap",
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
        "/CMapName /Adobe-Identity-UCS def",
        "/CMapType 2 def",
        "1 begincodespacerange <0000> <FFFF> endcodespacerange",
    ]
    for start in range(0, len(pairs), 100):
        block = pairs[start : start + 100]
        lines.append(f"{len(block)} beginbfchar")
        lines += [f"<{number:04X}> <{_utf_16(character)}>" for number, character in block]
        lines.append("endbfchar")
    lines += ["endcmap", "CMapName currentdict /CMap defineresource pop", "end", "end"]
    return "\n".join(lines).encode("ascii")


@lru_cache(maxsize=1 << 14)
def _utf_16(character: str) -> str:
    return character.encode("utf-16-be").hex().upper()
