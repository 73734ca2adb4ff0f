"""What a seal shows, and where: every line of text arranged, before it is drawn as anything.

The arrangement follows 国发〔1999〕25号: the name from left to right along the border, 宋体, around
the centre; the purpose across below it; the code along the lower border with its feet outwards.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from keys.errors import DomainError
from seal.face import Typeface
from seal.fonts import missing
from seal.seal_border import Border
from seal.seal_outline import Matrix, Outline, Point, frame, glyph, ring, star
from seal.seal_sizes import Centre, Shape, Size

NAME_LENGTHS = range(4, 31)
LONGEST_PURPOSE = 20
LONGEST_CODE = 20
LEAST_MM, MOST_MM = 10, 70
EDGE_MM = 0.2
"""How far the border stays inside the picture, so that its edge is not cut."""

_TYPEFACE = Typeface.SERIF_BOLD
_OVAL = 0.75
# The least that one side may be of the other; text does not run round what is flatter.
_FLATTEST = {Shape.ROUND: 1.0, Shape.OVAL: 0.6, Shape.SQUARE: 0.25}

# Lengths in radii of the border (the smaller one of an oval), sweeps in parts of the whole way round.
_NAME_TOP = 0.11
_NAME_FROM_BORDER = 0.05
_NAME_PITCH = 30 / 360
_NAME_SWEEP = 250 / 360
_LONG_NAME_SWEEP = 266 / 360
_LONG_NAME = 16
_NAME_HEIGHT = 0.3
_NAME_WIDTH = 0.26
_NAME_STRETCH = 1.75
_FILL_OF_PITCH = 0.9
_STAR = 0.34
_PURPOSE_AT = 0.59
_PURPOSE_WIDTH = 0.92
_PURPOSE_CHARACTER = 0.15
_PURPOSE_ALONE = 0.24
_PURPOSE_ALONE_WIDTH = 1.05
_PURPOSE_STRETCH = 1.2
_CODE_AT = 0.15
_CODE_FROM_BORDER = 0.09
_CODE_HEIGHT = 0.085
_CODE_PITCH = 4.6 / 360
_CELL_FILL = 0.94
_BAND = 0.16


class SealPictureRefused(DomainError):
    """The seal cannot be drawn as told; `reason` is a stable word.

    `name_length`, `purpose_length`, `code_length`, `size`, `glyph_missing` (with the character's
    `code_point`), `centre` (a square seal has none), `picture` (no sound PNG, or too large).
    """

    code: ClassVar[str] = "seal.picture.refused"


class SealPictureUnsound(SealPictureRefused):
    """The picture for the seal's centre is at fault: it is no sound PNG, or too large."""

    code: ClassVar[str] = "seal.picture.unsound"


@dataclass(frozen=True, slots=True)
class Design:
    """A seal to be drawn; lengths in mm.

    `name` has 4–30 characters; `purpose_line` and `code` (digits) may be empty. `height` is the
    width of round and square seals and three quarters of it for oval ones unless told. `picture`
    (a PNG) goes where the centre is, in the seal's red, in place of what `centre` says.
    """

    name: str
    shape: Shape = Shape.ROUND
    width: float = 42
    height: float = 0
    border: float = 1.2
    centre: Centre = Centre.STAR
    purpose_line: str = ""
    code: str = ""
    picture: bytes = field(default=b"", repr=False)

    @classmethod
    def of_size(cls, size: Size, name: str, purpose_line: str = "", code: str = "") -> "Design":
        """Return the design that a kind of seal has (`seal.seal_sizes.SIZES`)."""
        return cls(
            name,
            size.shape,
            size.width,
            size.height,
            size.border,
            size.centre,
            purpose_line,
            code,
        )

    @property
    def size(self) -> Point:
        """Width and height in mm."""
        usual = self.width * (_OVAL if self.shape is Shape.OVAL else 1)
        return self.width, self.height or usual

    @property
    def centre_box(self) -> tuple[float, float, float]:
        """The square of the centre: left, top and side in mm."""
        (x, y), reach = _middle(self), _STAR * min(_radii(self))
        return x - reach, y - reach, 2 * reach


def check(design: Design) -> None:
    """Raise SealPictureRefused when the design cannot be drawn; the picture is looked at later."""
    if len(design.name) not in NAME_LENGTHS:
        raise SealPictureRefused(reason="name_length", length=len(design.name))
    if len(design.purpose_line) > LONGEST_PURPOSE:
        raise SealPictureRefused(reason="purpose_length", length=len(design.purpose_line))
    if len(design.code) > LONGEST_CODE:
        raise SealPictureRefused(reason="code_length", length=len(design.code))
    width, height = design.size
    sound = all(LEAST_MM <= side <= MOST_MM for side in (width, height))
    sound &= min(width, height) >= _FLATTEST[design.shape] * max(width, height)
    if not sound or not 0 < design.border <= min(width, height) / 10:
        raise SealPictureRefused(reason="size")
    if design.shape is Shape.SQUARE and (design.picture or design.centre is not Centre.NONE):
        raise SealPictureRefused(reason="centre")
    for character in missing(_TYPEFACE, design.name + design.purpose_line + design.code):
        raise SealPictureRefused(reason="glyph_missing", code_point=f"U+{ord(character):04X}")


def outlines(design: Design) -> tuple[Outline, ...]:
    """Return all the ink of the design but its picture, in mm. Raises SealPictureRefused."""
    check(design)
    return tuple(_square(design) if design.shape is Shape.SQUARE else _rounded(design))


# --- Round and oval ---


def _rounded(design: Design) -> Iterator[Outline]:
    middle, radii = _middle(design), _radii(design)
    yield ring(middle, radii, design.border)
    yield from _centre(design)
    border = Border(middle, radii, design.border)
    yield from _name(design.name, border)
    yield from _across(design, middle, min(radii))
    yield from _code(design.code, border)


def _centre(design: Design) -> Iterator[Outline]:
    if design.picture or design.centre is Centre.NONE:
        return
    middle, reach = _middle(design), _STAR * min(_radii(design))
    if design.centre is Centre.STAR:
        yield star(middle, reach)
    else:
        yield ring(middle, (reach, reach), reach / 12)
        yield _set("徽", middle, 0.0, 1.1 * reach, 1.1 * reach)


def _name(text: str, border: Border) -> Iterator[Outline]:
    """Set the name along the upper border, as wide as its length asks, symmetrical about the top."""
    radius, longest = border.radius, NAME_LENGTHS[-1]
    top = max(_NAME_TOP * radius, border.thickness + _NAME_FROM_BORDER * radius)
    beyond = max(0, len(text) - _LONG_NAME) / (longest - _LONG_NAME)
    sweep = _NAME_SWEEP + (_LONG_NAME_SWEEP - _NAME_SWEEP) * beyond
    share = min(_NAME_PITCH, sweep / len(text))
    # The feet of the characters stand closest together: they decide the width.
    height = _NAME_HEIGHT * radius
    for _ in range(3):
        line = border.line(top + height / 2)
        feet = share * line.length * line.narrowed(height / 4)
        width = min(_NAME_WIDTH * radius, _FILL_OF_PITCH * feet)
        height = min(_NAME_HEIGHT * radius, _NAME_STRETCH * width)
    line = border.line(top + height / 2)
    for number, character in enumerate(text):
        at, turn = line.at(share * (number - (len(text) - 1) / 2))
        yield _set(character, at, turn, width, height)


def _code(text: str, border: Border) -> Iterator[Outline]:
    """Set the code along the lower border, read from left to right with its feet outwards."""
    radius, size = border.radius, _CODE_HEIGHT * border.radius
    line = border.line(max(_CODE_AT * radius, border.thickness + _CODE_FROM_BORDER * radius))
    for number, character in enumerate(text):
        at, turn = line.at(0.5 - _CODE_PITCH * (number - (len(text) - 1) / 2))
        yield _set(character, at, turn - 180, size, size)


def _across(design: Design, middle: Point, radius: float) -> Iterator[Outline]:
    """Set the purpose below the centre, or larger in its place when there is none."""
    text, alone = design.purpose_line, design.centre is Centre.NONE and not design.picture
    if not text:
        return
    room = _PURPOSE_ALONE_WIDTH * middle[0] if alone else _PURPOSE_WIDTH * radius
    largest = (_PURPOSE_ALONE if alone else _PURPOSE_CHARACTER) * radius
    width = min(largest, room / len(text))
    y = middle[1] + (0.1 if alone else _PURPOSE_AT) * radius
    yield from _line_of(text, (middle[0], y), width, _PURPOSE_STRETCH * width)


# --- Square: columns from right to left, as on a carved seal ---


def _square(design: Design) -> Iterator[Outline]:
    width, height = design.size
    yield frame(width, height, EDGE_MM, design.border)
    margin = EDGE_MM + 1.5 * design.border
    foot = height - margin
    for text in (design.code, design.purpose_line):
        if text:
            band = min(_BAND * height, (width - 2 * margin) / len(text) * _PURPOSE_STRETCH)
            cell = min(band / _PURPOSE_STRETCH, (width - 2 * margin) / len(text))
            yield from _line_of(text, (width / 2, foot - band / 2), cell, band)
            foot -= band
    yield from _columns(design.name, (margin, margin, width - margin, foot))


def _columns(text: str, box: tuple[float, float, float, float]) -> Iterator[Outline]:
    left, top, right, bottom = box
    columns = math.ceil(math.sqrt(len(text) * (right - left) / (bottom - top)))
    rows = math.ceil(len(text) / columns)
    columns = math.ceil(len(text) / rows)
    width = (right - left) / columns
    for column in range(columns):
        characters = text[column * rows : (column + 1) * rows]
        height = (bottom - top) / len(characters)
        x = right - (column + 0.5) * width
        for row, character in enumerate(characters):
            y = top + (row + 0.5) * height
            yield _set(character, (x, y), 0.0, _CELL_FILL * width, _CELL_FILL * height)


# --- Placing ---


def _middle(design: Design) -> Point:
    width, height = design.size
    return width / 2, height / 2


def _radii(design: Design) -> Point:
    x, y = _middle(design)
    return x - EDGE_MM, y - EDGE_MM


def _line_of(text: str, middle: Point, width: float, height: float) -> Iterator[Outline]:
    for number, character in enumerate(text):
        x = middle[0] + width * (number - (len(text) - 1) / 2)
        yield _set(character, (x, middle[1]), 0.0, _CELL_FILL * width, height)


def _set(character: str, at: Point, turn: float, width: float, height: float) -> Outline:
    """Return a character stretched to `width` by `height`, turned clockwise by degrees, at its middle."""
    cosine, sine = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    matrix: Matrix = (width * cosine, width * sine, -height * sine, height * cosine, *at)
    return glyph(_TYPEFACE, character).placed(matrix)
