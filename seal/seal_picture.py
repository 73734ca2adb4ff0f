"""The picture of a round seal (国发〔1999〕25号): name along the arc, five-pointed star, purpose line.

Drawn much larger as a coverage mask and scaled down; the picture is pure red with that mask as
transparency, so it lies over text as ink does.
"""

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from PIL import Image, ImageChops, ImageDraw, ImageFont

from keys.errors import DomainError
from seal.face import Typeface
from seal.fonts import FONT_FILES, missing

NAME_LENGTHS = range(4, 31)

_INK = (255, 0, 0)
_MM_PER_INCH = 25.4
_OVERSAMPLING = 4
_STRENGTHS = 16
_RING_MM = 1.2
_EDGE_MM = 0.2
_EM = 160
_EM_ASCENT = 0.88

# Lengths in radii of the outer ring, angles in degrees.
_NAME_TOP = 0.89
_NAME_PITCH = 30.0
_NAME_SWEEP = 250.0
_LONG_NAME_SWEEP = 266.0
_NAME_HEIGHT = 0.3
_NAME_WIDTH = 0.26
_NAME_STRETCH = 1.75
_FILL_OF_PITCH = 0.9
_STAR = 0.34
_PURPOSE_AT = 0.59
_PURPOSE_WIDTH = 0.92
_PURPOSE_CHARACTER = 0.15
_PURPOSE_STRETCH = 1.2
_CODE_AT = 0.85
_CODE_HEIGHT = 0.085
_CODE_PITCH = 4.6


class SealPictureRefused(DomainError):
    """The text cannot be drawn: a name of the wrong length, or a character without a glyph."""

    code: ClassVar[str] = "seal.picture.refused"


@dataclass(frozen=True, slots=True)
class _Arc:
    """A character's place: centre in radii, turn in degrees clockwise, size in radii."""

    character: str
    x: float
    y: float
    turn: float
    width: float
    height: float


def draw(
    name: str,
    width_mm: float = 42,
    dpi: int = 300,
    purpose_line: str = "电子证照专用章",
    code: str = "",
) -> bytes:
    """Return a PNG, `width_mm` across at `dpi`, transparent where there is no ink.

    `name` has 4–30 characters; `purpose_line` and `code` (digits on the lower arc) may be empty.
    Raises `SealPictureRefused`.
    """
    _check(name, purpose_line, code)
    pixels = round(width_mm / _MM_PER_INCH * dpi)
    mask = _mask(name, purpose_line, code, pixels * _OVERSAMPLING, width_mm)
    return _png(mask.resize((pixels, pixels), Image.Resampling.BOX), dpi)


def _png(mask: Image.Image, dpi: int) -> bytes:
    """One red in sixteen strengths: a quarter of the bytes of RGBA, which each document carries twice."""
    step = 255 // (_STRENGTHS - 1)
    picture = mask.point([round(strength / step) for strength in range(256)])
    picture.putpalette(_INK * _STRENGTHS)
    target = io.BytesIO()
    picture.save(
        target,
        "PNG",
        optimize=True,
        bits=4,
        transparency=bytes(range(0, 256, step)),
        dpi=(dpi, dpi),
    )
    return target.getvalue()


def _check(name: str, purpose_line: str, code: str) -> None:
    if len(name) not in NAME_LENGTHS:
        raise SealPictureRefused(reason="name_length", length=len(name))
    for character in missing(Typeface.SERIF_BOLD, name + purpose_line + code):
        raise SealPictureRefused(reason="glyph_missing", code_point=f"U+{ord(character):04X}")


def _mask(name: str, purpose_line: str, code: str, side: int, width_mm: float) -> Image.Image:
    mask = Image.new("L", (side, side), 0)
    pen = ImageDraw.Draw(mask)
    per_mm = side / width_mm
    edge, ring = _EDGE_MM * per_mm, _RING_MM * per_mm
    pen.ellipse((edge, edge, side - edge, side - edge), outline=255, width=round(ring))
    radius = side / 2 - edge
    pen.polygon([(side / 2 + x * radius, side / 2 + y * radius) for x, y in _star()], fill=255)
    for place in (*_name(name), *_purpose(purpose_line), *_code(code)):
        _ink(mask, place, radius)
    return mask


def _star() -> list[tuple[float, float]]:
    """The ten corners of a regular pentagram that stands on two points."""
    inner = math.sin(math.radians(18)) / math.sin(math.radians(54))
    return [
        (
            _STAR * scale * math.sin(math.radians(36 * corner)),
            -_STAR * scale * math.cos(math.radians(36 * corner)),
        )
        for corner in range(10)
        for scale in [1.0 if corner % 2 == 0 else inner]
    ]


def _name(text: str) -> Iterator[_Arc]:
    """Set the name on the upper arc, as wide as its length asks, symmetrical about the top."""
    longest = NAME_LENGTHS[-1]
    sweep = _NAME_SWEEP + (_LONG_NAME_SWEEP - _NAME_SWEEP) * max(0, len(text) - 16) / (longest - 16)
    pitch = min(_NAME_PITCH, sweep / len(text))
    # The feet of the characters stand closest together: they decide the width.
    height = _NAME_HEIGHT
    for _ in range(3):
        feet = _NAME_TOP - height * 0.75
        width = min(_NAME_WIDTH, _FILL_OF_PITCH * math.radians(pitch) * feet)
        height = min(_NAME_HEIGHT, _NAME_STRETCH * width)
    middle = _NAME_TOP - height / 2
    first = -pitch * (len(text) - 1) / 2
    for number, character in enumerate(text):
        turn = first + number * pitch
        angle = math.radians(turn)
        x, y = middle * math.sin(angle), -middle * math.cos(angle)
        yield _Arc(character, x, y, turn, width, height)


def _purpose(text: str) -> Iterator[_Arc]:
    if not text:
        return
    width = min(_PURPOSE_CHARACTER, _PURPOSE_WIDTH / len(text))
    first = -width * (len(text) - 1) / 2
    for number, character in enumerate(text):
        x = first + number * width
        yield _Arc(character, x, _PURPOSE_AT, 0.0, 0.94 * width, _PURPOSE_STRETCH * width)


def _code(text: str) -> Iterator[_Arc]:
    """Set the code on the lower arc, read from left to right with its feet outwards."""
    first = -_CODE_PITCH * (len(text) - 1) / 2
    for number, character in enumerate(text):
        turn = first + number * _CODE_PITCH
        angle = math.radians(turn)
        x, y = _CODE_AT * math.sin(angle), _CODE_AT * math.cos(angle)
        yield _Arc(character, x, y, -turn, _CODE_HEIGHT, _CODE_HEIGHT)


def _ink(mask: Image.Image, place: _Arc, radius: float) -> None:
    size = max(1, round(place.width * radius)), max(1, round(place.height * radius))
    glyph = _glyph(place.character).resize(size, Image.Resampling.LANCZOS)
    turned = glyph.rotate(-place.turn, Image.Resampling.BICUBIC, expand=True)
    left = round(mask.width / 2 + place.x * radius - turned.width / 2)
    top = round(mask.height / 2 + place.y * radius - turned.height / 2)
    box = left, top, left + turned.width, top + turned.height
    mask.paste(ImageChops.lighter(mask.crop(box), turned), box)


@lru_cache(maxsize=256)
def _glyph(character: str) -> Image.Image:
    """One character in its em square."""
    square = Image.new("L", (_EM, _EM), 0)
    at = (_EM / 2, _EM_ASCENT * _EM)
    ImageDraw.Draw(square).text(at, character, fill=255, font=_font(), anchor="ms")
    return square


@lru_cache(maxsize=1)
def _font() -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONT_FILES[Typeface.SERIF_BOLD].path), _EM)
