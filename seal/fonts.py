"""The three vendored typefaces: how wide a text runs, what they cannot print, and small cuts of them.

The files are Noto Serif SC Regular and Bold and Noto Sans SC Regular as TrueType (SIL OFL 1.1),
with about 30,900 characters each, among them the rare ones of names (䶮, 㛃, 𬭎). There is no
falling back from one typeface to another: a character its typeface lacks is `missing`.
Text is set one glyph a character, without shaping; a face is parsed once a process.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType

import uharfbuzz

from seal.face import Typeface


@dataclass(frozen=True, slots=True)
class FontFile:
    """One vendored file and its names.

    `system_name` is the name of the like typeface on Chinese desktops, for readers that ignore
    the embedded file and go by FontName (GB/T 33190-2016 §11.1).
    """

    path: Path
    postscript_name: str
    family: str
    system_name: str
    bold: bool
    serif: bool


_FOLDER = Path(__file__).parent / "typefaces"

FONT_FILES: Mapping[Typeface, FontFile] = MappingProxyType(
    {
        Typeface.SERIF: FontFile(
            path=_FOLDER / "NotoSerifSC-Regular.ttf",
            postscript_name="NotoSerifSC-Regular",
            family="Noto Serif SC",
            system_name="宋体",
            bold=False,
            serif=True,
        ),
        Typeface.SERIF_BOLD: FontFile(
            path=_FOLDER / "NotoSerifSC-Bold.ttf",
            postscript_name="NotoSerifSC-Bold",
            family="Noto Serif SC",
            system_name="宋体",
            bold=True,
            serif=True,
        ),
        Typeface.SANS: FontFile(
            path=_FOLDER / "NotoSansSC-Regular.ttf",
            postscript_name="NotoSansSC-Regular",
            family="Noto Sans SC",
            system_name="黑体",
            bold=False,
            serif=False,
        ),
    }
)

# GB/T 33190-2016 readers need a cmap and OS/2; layout tables are useless to one glyph a character.
_DROPPED_TABLES = frozenset(
    int.from_bytes(tag, "big")
    for tag in (b"BASE", b"GDEF", b"GPOS", b"GSUB", b"STAT", b"gasp", b"prep", b"vhea", b"vmtx")
)
_SPACES = frozenset(" \u00a0\u3000")
_NEVER_PRINTED = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Metrics:
    """Lengths of a typeface in thousandths of the em (ascent and cap height up, descent negative)."""

    ascent: int
    descent: int
    cap_height: int
    bounding_box: tuple[int, int, int, int]


def advances(typeface: Typeface, text: str, size: float) -> tuple[float, ...]:
    """Return the width in mm of each character of `text` at an em of `size` mm.

    A character the typeface lacks has the width of `.notdef`: ask `missing` first.
    """
    return tuple(_glyph(typeface, character).advance * size for character in text)


def width(typeface: Typeface, text: str, size: float) -> float:
    """Return how long `text` runs, in mm."""
    return sum(advances(typeface, text, size))


def missing(typeface: Typeface, text: str) -> str:
    """Return the characters of `text` that `typeface` cannot print, each once, in order.

    Besides those without a glyph: controls, direction marks and other characters that print
    nothing, so that what is seen is what was said.
    """
    return "".join(dict.fromkeys(c for c in text if not _glyph(typeface, c).printable))


def subset(typeface: Typeface, text: str) -> bytes:
    """Return a TrueType file with the glyphs of `text` only; same characters, same bytes.

    It keeps cmap, head, hhea, hmtx, maxp, name, OS/2, post, loca and glyf (the list of
    GB/T 42133-2022); hints and layout tables go. The last few are kept: the titles of a form are
    the same in every licence, and a licence is written as OFD and as PDF.
    """
    return _subset(typeface, "".join(sorted(set(text))))


@lru_cache(maxsize=16)
def _subset(typeface: Typeface, characters: str) -> bytes:
    wanted = uharfbuzz.SubsetInput()
    wanted.unicode_set.update(map(ord, characters))
    wanted.drop_table_tag_set.update(_DROPPED_TABLES)
    wanted.flags = uharfbuzz.SubsetFlags.NO_HINTING | uharfbuzz.SubsetFlags.NOTDEF_OUTLINE
    cut = wanted.subset(_face(typeface))
    return bytes(cut.blob.data)


def glyph_ids(font: bytes, text: str) -> tuple[int, ...]:
    """Return the glyph number of each character of `text` in the TrueType file `font`.

    0 (`.notdef`) stands for a character the file has no glyph for.
    """
    cut = uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob(font)))
    return tuple(cut.get_nominal_glyph(ord(character)) or 0 for character in text)


def glyph_widths(font: bytes) -> tuple[float, ...]:
    """Return the advance of every glyph of the TrueType file `font`, in thousandths of the em."""
    face = uharfbuzz.Face(uharfbuzz.Blob(font))
    cut = uharfbuzz.Font(face)
    return tuple(cut.get_glyph_h_advance(i) * 1000 / face.upem for i in range(face.glyph_count))


def trace(typeface: Typeface, character: str, pen: object) -> tuple[int, int]:
    """Draw the outline of `character` with a pen, y upwards; return its advance and the em, in units.

    A character the typeface lacks is drawn as `.notdef`: ask `missing` first.
    """
    font = _font(typeface)
    number = font.get_nominal_glyph(ord(character)) or 0
    font.draw_glyph_with_pen(number, pen)
    return font.get_glyph_h_advance(number), _face(typeface).upem


@cache
def metrics(typeface: Typeface) -> Metrics:
    """Return the vertical metrics and the bounding box of a typeface."""
    font, upem = _font(typeface), _face(typeface).upem
    head = _face(typeface).reference_table("head").data
    box = tuple(
        int.from_bytes(head[at : at + 2], "big", signed=True) * 1000 // upem
        for at in (36, 38, 40, 42)
    )
    extents = font.get_font_extents("ltr")
    capital = font.get_glyph_extents(font.get_nominal_glyph(ord("H")))
    return Metrics(
        ascent=extents.ascender * 1000 // upem,
        descent=extents.descender * 1000 // upem,
        cap_height=capital.y_bearing * 1000 // upem,
        bounding_box=(box[0], box[1], box[2], box[3]),
    )


@dataclass(frozen=True, slots=True)
class _Glyph:
    advance: float
    printable: bool


@lru_cache(maxsize=1 << 16)
def _glyph(typeface: Typeface, character: str) -> _Glyph:
    font = _font(typeface)
    number = font.get_nominal_glyph(ord(character)) or 0
    advance = font.get_glyph_h_advance(number) / _face(typeface).upem
    return _Glyph(advance, number != 0 and _leaves_ink(font, character, number))


def _leaves_ink(font: uharfbuzz.Font, character: str, number: int) -> bool:
    if character in _SPACES:
        return True
    if unicodedata.category(character) in _NEVER_PRINTED:
        return False
    extents = font.get_glyph_extents(number)
    return extents is not None and extents.width != 0 and extents.height != 0


@cache
def _face(typeface: Typeface) -> uharfbuzz.Face:
    return uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(FONT_FILES[typeface].path)))


@cache
def _font(typeface: Typeface) -> uharfbuzz.Font:
    return uharfbuzz.Font(_face(typeface))
