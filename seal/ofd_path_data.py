"""AbbreviatedData (GB/T 33190-2016 §9.3): the letters and numbers of a path, arcs made into curves."""

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from types import MappingProxyType

from seal.ofd_pages import numbers
from seal.seal_outline import Point, Segment

MAX_WORDS = 400_000

# How many numbers follow each letter. S starts a path as M does.
_TAKES: Mapping[str, int] = MappingProxyType(
    {"S": 2, "M": 2, "L": 2, "Q": 4, "B": 6, "A": 7, "C": 0}
)


def read_path(data: str) -> tuple[Segment, ...]:
    """Return the steps of a path. Raises `ValueError` for what is no path, or an endless one."""
    words = data.split()
    if len(words) > MAX_WORDS:
        raise ValueError("path")
    return tuple(_segments(words))


def span(path: tuple[Segment, ...]) -> float:
    """Return how far it is from point to point of a path, those beside curves included."""
    points = [point for segment in path for point in segment.points]
    return sum(math.dist(start, end) for start, end in pairwise(points))


def _segments(words: list[str]) -> Iterator[Segment]:
    at, here = 0, (0.0, 0.0)
    while at < len(words):
        letter = words[at]
        if letter not in _TAKES or (at == 0 and letter not in "SM"):
            raise ValueError("path")
        end = at + 1 + _TAKES[letter]
        values = numbers(" ".join(words[at + 1 : end]))
        if len(values) != _TAKES[letter]:
            raise ValueError("path")
        at = end
        if letter == "A":
            yield from _arc(here, values)
            here = values[5], values[6]
            continue
        points = tuple(zip(values[::2], values[1::2], strict=True))
        here = points[-1] if points else here
        yield Segment("M" if letter == "S" else letter, points)


def _arc(start: Point, values: tuple[float, ...]) -> Iterator[Segment]:
    """Return an elliptical arc as curves of at most a quarter each (SVG 1.1 appendix F.6)."""
    rx, ry, turn, large, sweep, *last = values
    end = last[0], last[1]
    if start == end or not rx or not ry:
        yield Segment("L", (end,))
        return
    cosine, sine = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    half = (start[0] - end[0]) / 2, (start[1] - end[1]) / 2
    x, y = cosine * half[0] + sine * half[1], -sine * half[0] + cosine * half[1]
    # An ellipse too small to reach is made just large enough.
    grown = math.sqrt(max(1.0, (x / rx) ** 2 + (y / ry) ** 2))
    rx, ry = abs(rx) * grown, abs(ry) * grown
    u, v = x / rx, y / ry
    away = math.sqrt(max(0.0, 1 / (u * u + v * v) - 1)) * (-1 if bool(large) == bool(sweep) else 1)
    middle = away * v, -away * u
    first = math.atan2(v - middle[1], u - middle[0])
    wide = math.atan2(-v - middle[1], -u - middle[0]) - first
    wide += math.tau * ((wide < 0) - (wide > 0)) if (wide > 0) != bool(sweep) else 0

    def at(right: float, down: float) -> Point:
        a, b = (right + middle[0]) * rx, (down + middle[1]) * ry
        return (
            cosine * a - sine * b + (start[0] + end[0]) / 2,
            sine * a + cosine * b + (start[1] + end[1]) / 2,
        )

    pieces = max(1, math.ceil(abs(wide) / (math.pi / 2) - 1e-9))
    step = wide / pieces
    reach = 4 / 3 * math.tan(step / 4)
    for piece in range(pieces):
        a, b = first + piece * step, first + (piece + 1) * step
        yield Segment(
            "B",
            (
                at(math.cos(a) - reach * math.sin(a), math.sin(a) + reach * math.cos(a)),
                at(math.cos(b) + reach * math.sin(b), math.sin(b) - reach * math.cos(b)),
                at(math.cos(b), math.sin(b)) if piece < pieces - 1 else end,
            ),
        )
