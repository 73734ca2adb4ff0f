"""Paths in the operators of PDF (ISO 32000-1 §8.5), which has no curve with one control point."""

from collections.abc import Iterable, Iterator

from seal.seal_outline import Point, Segment

_LETTERS = {"M": "m", "L": "l", "B": "c", "C": "h"}


def operators(segments: Iterable[Segment]) -> Iterator[str]:
    """Yield the path's operators, without the one that paints it."""
    here = (0.0, 0.0)
    for segment in segments:
        points = segment.points
        if segment.letter == "Q":
            points = _cubic(here, *points)
        here = points[-1] if points else here
        numbers = " ".join(f"{number:.5f}" for point in points for number in point)
        yield f"{numbers} {_LETTERS.get(segment.letter, 'c')}"


def _cubic(start: Point, control: Point, end: Point) -> tuple[Point, Point, Point]:
    """The same curve with two control points: two thirds of the way to the one."""
    first, second = (
        (near[0] + 2 / 3 * (control[0] - near[0]), near[1] + 2 / 3 * (control[1] - near[1]))
        for near in (start, end)
    )
    return first, second, end
