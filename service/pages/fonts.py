"""The last fallback of the pages' typefaces: slices of the vendored ones for machines without Chinese fonts.

A browser fetches a slice only for characters no font of its own has, so an ordinary machine
downloads none. Slices are cut when asked for (a few milliseconds) and named by what is in them,
so they may be kept for ever. Where ranges overlap the last one declared is asked first (CSS
Fonts 4 §4.5): the pages' own words, then the common characters of GB 2312, then plain blocks.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seal.face import Typeface
from seal.fonts import subset
from service.locale import LOCALES, catalogue

_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_BLOCK = 0x400
# CJK radicals to unified ideographs with extension A, compatibility and full-width forms; then
# what the typefaces have of extension B and up, which is little enough for one slice.
_BLOCKS = ((0x2E80, 0xA000), (0xF900, 0x10000))
_BEYOND = (0x20000, 0x32000)
_COMMON_SLICES = 8


@dataclass(frozen=True, slots=True)
class WebFace:
    """A family of the style sheet and the vendored typeface behind it."""

    name: str
    family: str
    weight: int
    typeface: Typeface
    local: tuple[str, ...]


WEB_FACES = {
    "sans": WebFace(
        "sans", "Yinxin Sans", 400, Typeface.SANS, ("NotoSansCJKsc-Regular", "Noto Sans SC")
    ),
    "serif": WebFace(
        "serif", "Yinxin Serif", 700, Typeface.SERIF_BOLD, ("NotoSerifCJKsc-Bold", "Noto Serif SC")
    ),
}


@dataclass(frozen=True, slots=True)
class Slice:
    """Some characters, and the range of code points for which a browser should look here."""

    name: str
    characters: str = field(repr=False)
    first: int
    last: int


def routes() -> list[Route]:
    """Return the style sheet of the faces and the slices themselves."""
    return [
        Route("/fonts/{digest}/fonts.css", _style_sheet),
        Route("/fonts/{digest}/{face}/{slice}.woff", _slice),
    ]


@cache
def slices() -> dict[str, Slice]:
    """Return the slices in the order they are declared."""
    return {piece.name: piece for piece in (*_blocks(), *_common(), _own_words())}


@cache
def digest() -> str:
    """Return a name for this cut of the faces: it changes when the pages' own words do."""
    told = "".join(f"{piece.name}{piece.characters}" for piece in slices().values())
    return hashlib.sha256(told.encode()).hexdigest()[:12]


@cache
def style_sheet() -> str:
    """Return the @font-face rules."""
    return "\n".join(
        _rule(face, piece) for face in WEB_FACES.values() for piece in slices().values()
    )


@lru_cache(maxsize=64)
def woff(face: str, name: str) -> bytes:
    """Return slice `name` of `face` as WOFF 1.0. Raises `KeyError` for one there is not."""
    return wrap(subset(WEB_FACES[face].typeface, slices()[name].characters))


def wrap(sfnt: bytes) -> bytes:
    """Return a TrueType file wrapped as WOFF 1.0: each table compressed (W3C WOFF §3-§5)."""
    flavour, count = struct.unpack(">IH", sfnt[:6])
    directory, body = b"", b""
    start = 44 + 20 * count
    total = 12 + 16 * count
    for at in range(12, 12 + 16 * count, 16):
        tag, checksum, offset, length = struct.unpack(">4sIII", sfnt[at : at + 16])
        table = sfnt[offset : offset + length]
        packed = min(zlib.compress(table, 9), table, key=len)
        directory += struct.pack(">4sIIII", tag, start + len(body), len(packed), length, checksum)
        body += packed + bytes(-len(packed) % 4)
        total += length + -length % 4
    header = struct.pack(
        ">4sIIHHIHHIIIII",
        *(b"wOFF", flavour, start + len(body), count, 0, total, 1, 0),
        *(0, 0, 0, 0, 0),  # neither metadata nor a private block
    )
    return header + directory + body


def _style_sheet(request: Request) -> Response:
    _same_cut(request)
    return Response(style_sheet(), media_type="text/css", headers=_FOR_EVER)


def _slice(request: Request) -> Response:
    _same_cut(request)
    try:
        font = woff(request.path_params["face"], request.path_params["slice"])
    except KeyError:
        raise HTTPException(404) from None
    return Response(font, media_type="font/woff", headers=_FOR_EVER)


def _same_cut(request: Request) -> None:
    # Only the current cut may be kept for ever under its name.
    if request.path_params["digest"] != digest():
        raise HTTPException(404)


def _rule(face: WebFace, piece: Slice) -> str:
    sources = [f'local("{name}")' for name in face.local]
    sources.append(f'url("{face.name}/{piece.name}.woff") format("woff")')
    return (
        f'@font-face{{font-family:"{face.family}";font-weight:{face.weight};font-display:swap;'
        f"src:{','.join(sources)};unicode-range:U+{piece.first:X}-{piece.last:X}}}"
    )


def _own_words() -> Slice:
    """The characters of every catalogue, and printable ASCII."""
    words = {
        character for locale in LOCALES for text in catalogue(locale).values() for character in text
    }
    words |= {chr(code) for code in range(0x20, 0x7F)}
    return _piece("words", "".join(sorted(words - {"\n"})), first=0x20)


def _common() -> Iterator[Slice]:
    """The first-level characters of GB 2312 (rows 16 to 55), by code point, in equal parts."""
    common = sorted(
        character
        for row in range(0xB0, 0xD8)
        for character in bytes(b for cell in range(0xA1, 0xFF) for b in (row, cell)).decode(
            "gb2312", "ignore"
        )
    )
    size = -(-len(common) // _COMMON_SLICES)
    for number, at in enumerate(range(0, len(common), size)):
        yield _piece(f"common-{number}", "".join(common[at : at + size]))


def _blocks() -> Iterator[Slice]:
    for start, end in _BLOCKS:
        for first in range(start, end, _BLOCK):
            last = min(first + _BLOCK, end) - 1
            yield _piece(f"{first:x}", "".join(map(chr, range(first, last + 1))))
    yield _piece("beyond", "".join(map(chr, range(*_BEYOND))))


def _piece(name: str, characters: str, first: int | None = None) -> Slice:
    return Slice(name, characters, first or ord(characters[0]), ord(characters[-1]))
