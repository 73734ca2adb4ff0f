"""Lines that run along inside the border of a round or oval seal, for text to stand on."""

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from seal.seal_outline import Point

_STEPS = 1440


@dataclass(frozen=True, slots=True)
class Line:
    """A line that runs inside the border: `at` takes parts of the way round, clockwise from the top."""

    length: float
    sharpest: float
    at: Callable[[float], tuple[Point, float]]

    def narrowed(self, inwards: float) -> float:
        """Return how much shorter the way is, `inwards` mm further in, where the border bends most."""
        return (self.sharpest - inwards) / self.sharpest


@dataclass(frozen=True, slots=True)
class Border:
    """The ellipse of the border; text keeps its distance from it, not from the middle."""

    middle: Point
    radii: Point
    thickness: float

    @property
    def radius(self) -> float:
        return min(self.radii)

    def line(self, inset: float) -> Line:
        """Return the line `inset` mm inside the border."""
        a, b = self.radii
        points = [self._inside(math.tau * step / _STEPS, inset) for step in range(_STEPS + 1)]
        walked = [0.0]
        for (start, _), (end, _) in pairwise(points):
            walked.append(walked[-1] + math.dist(start, end))

        def at(share: float) -> tuple[Point, float]:
            wanted = share % 1 * walked[-1]
            before = bisect_right(walked, wanted) - 1
            gone = (wanted - walked[before]) / (walked[before + 1] - walked[before])
            return self._inside(math.tau * (before + gone) / _STEPS, inset)

        return Line(walked[-1], min(a, b) ** 2 / max(a, b) - inset, at)

    def _inside(self, angle: float, inset: float) -> tuple[Point, float]:
        """Return the point `inset` from the border, and where its outward normal points (degrees)."""
        (a, b), (x, y) = self.radii, self.middle
        normal = math.sin(angle) / a, -math.cos(angle) / b
        long = math.hypot(*normal)
        at = (
            x + a * math.sin(angle) - inset * normal[0] / long,
            y - b * math.cos(angle) - inset * normal[1] / long,
        )
        return at, math.degrees(math.atan2(normal[0], -normal[1]))
