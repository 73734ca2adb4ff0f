"""Closed outlines in millimetres, y downwards: glyphs, rings and stars, before any file format.

The letters of a path are those of OFD (GB/T 33190-2016 §9.3): M, L, Q (one control point), B (two)
and C (close). Outlines are filled by the nonzero rule.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from seal import fonts
from seal.face import Typeface

# A quarter of a circle as one Bézier curve: off by three parts in ten thousand.
_QUARTER = 4 / 3 * (math.sqrt(2) - 1)
_EM_ASCENT = 0.88

Point = tuple[float, float]
Matrix = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Segment:
    """One step of a path: its letter and the points it takes."""

    letter: str
    points: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Outline:
    """A filled shape of one or more closed contours."""

    segments: tuple[Segment, ...]

    def placed(self, matrix: Matrix) -> "Outline":
        """Return the outline under `matrix` (a b c d e f, as CTM in GB/T 33190-2016 §8.5)."""
        a, b, c, d, e, f = matrix
        return Outline(
            tuple(
                Segment(
                    segment.letter,
                    tuple((a * x + c * y + e, b * x + d * y + f) for x, y in segment.points),
                )
                for segment in self.segments
            )
        )


def ring(middle: Point, radii: Point, thickness: float) -> Outline:
    """Return the band inside the ellipse of `radii`, `thickness` wide."""
    inner = radii[0] - thickness, radii[1] - thickness
    return Outline((*_ellipse(middle, radii, 1), *_ellipse(middle, inner, -1)))


def frame(width: float, height: float, edge: float, thickness: float) -> Outline:
    """Return the border of a rectangle `width` by `height`, `edge` inside it."""
    inner = edge + thickness
    outer = _rectangle(edge, edge, width - edge, height - edge)
    return Outline(
        _polygon(outer) + _polygon(_rectangle(inner, inner, width - inner, height - inner)[::-1])
    )


def star(middle: Point, radius: float) -> Outline:
    """Return a regular five-pointed star that stands on two points."""
    waist = math.sin(math.radians(18)) / math.sin(math.radians(54))
    corners = []
    for corner in range(10):
        reach, turn = radius * (waist if corner % 2 else 1), math.radians(36 * corner)
        corners.append((middle[0] + reach * math.sin(turn), middle[1] - reach * math.cos(turn)))
    return Outline(_polygon(corners))


@lru_cache(maxsize=1024)
def glyph(typeface: Typeface, character: str) -> Outline:
    """Return a character in the unit em square around the origin, y downwards.

    What is narrower than an em (digits, brackets) stands in its middle.
    """
    pen = Pen()
    advance, em = fonts.trace(typeface, character, pen)
    drawn = Outline(tuple(pen.segments))
    return drawn.placed((1 / em, 0, 0, -1 / em, -advance / em / 2, _EM_ASCENT - 0.5))


def _ellipse(middle: Point, radii: Point, direction: int) -> Iterator[Segment]:
    def at(x: float, y: float) -> Point:
        return middle[0] + x * radii[0], middle[1] + y * radii[1] * direction

    k = _QUARTER
    yield Segment("M", (at(1, 0),))
    yield Segment("B", (at(1, k), at(k, 1), at(0, 1)))
    yield Segment("B", (at(-k, 1), at(-1, k), at(-1, 0)))
    yield Segment("B", (at(-1, -k), at(-k, -1), at(0, -1)))
    yield Segment("B", (at(k, -1), at(1, -k), at(1, 0)))
    yield Segment("C")


def _rectangle(left: float, top: float, right: float, bottom: float) -> list[Point]:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def _polygon(corners: list[Point]) -> tuple[Segment, ...]:
    first, *others = corners
    return (
        Segment("M", (first,)),
        *(Segment("L", (corner,)) for corner in others),
        Segment("C"),
    )


@dataclass(slots=True)
class Pen:
    """Collects what a font draws; the names are those every font library calls a pen by."""

    segments: list[Segment] = field(default_factory=list)

    def moveTo(self, point: Point) -> None:  # noqa: N802
        self.segments.append(Segment("M", (point,)))

    def lineTo(self, point: Point) -> None:  # noqa: N802
        self.segments.append(Segment("L", (point,)))

    def qCurveTo(self, *points: Point) -> None:  # noqa: N802
        self.segments.append(Segment("Q", points))

    def curveTo(self, *points: Point) -> None:  # noqa: N802
        self.segments.append(Segment("B", points))

    def closePath(self) -> None:  # noqa: N802
        self.segments.append(Segment("C"))
