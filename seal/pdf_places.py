"""Where on a PDF page a seal's box is: from millimetres as the page is seen to the page's own points.

A box is given from the top left of the page as a reader shows it; a page has its origin at the
bottom left, may begin elsewhere (MediaBox), and may be shown turned (Rotate; ISO 32000-1 §7.7.3.3).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from seal.face import SealBox

POINTS_PER_MM = 72 / 25.4

Rectangle = tuple[float, float, float, float]
"""Left, bottom, right, top in points."""

Turn = tuple[int, int, int, int, int, int]
"""The Matrix of a form that is drawn upright on a page that is shown turned."""

UPRIGHT: Turn = (1, 0, 0, 1, 0, 0)
_TURNS: Mapping[int, Turn] = MappingProxyType(
    {0: UPRIGHT, 90: (0, 1, -1, 0, 0, 0), 180: (-1, 0, 0, -1, 0, 0), 270: (0, -1, 1, 0, 0, 0)}
)
_DEEPEST = 32


def size(page: Any) -> tuple[float, float]:
    """Return width and height in mm of `page` (a pyHanko page dictionary) as it is shown.

    Raises ValueError for a page that has no size, or is turned by no right angle.
    """
    left, bottom, right, top = _sides(page)
    width, height = (right - left) / POINTS_PER_MM, (top - bottom) / POINTS_PER_MM
    return (height, width) if _rotation(page) in (90, 270) else (width, height)


def place(page: Any, box: SealBox) -> tuple[Rectangle, Turn]:
    """Return where `box` is on `page`, and how its picture is turned. Raises ValueError as `size`."""
    left, bottom, right, top = _sides(page)
    rotation = _rotation(page)
    x, y, width, height = (side * POINTS_PER_MM for side in (box.x, box.y, box.width, box.height))
    corner, across, down = {
        0: ((left + x, top - y), (width, 0.0), (0.0, -height)),
        90: ((left + y, bottom + x), (0.0, width), (height, 0.0)),
        180: ((right - x, bottom + y), (-width, 0.0), (0.0, height)),
        270: ((right - y, top - x), (0.0, -width), (-height, 0.0)),
    }[rotation]
    opposite = (corner[0] + across[0] + down[0], corner[1] + across[1] + down[1])
    (x0, x1), (y0, y1) = (sorted(pair) for pair in zip(corner, opposite, strict=True))
    return (round(x0, 3), round(y0, 3), round(x1, 3), round(y1, 3)), _TURNS[rotation]


def box_of(sides: Rectangle, rotation: int, area: Rectangle, number: int) -> SealBox:
    """Return the box of an `area` on page `number`, whose MediaBox has these `sides`: `place` undone.

    `rotation` is one of 0, 90, 180 and 270.
    """
    left, bottom, right, top = sides
    x0, y0, x1, y1 = area
    x, y, width, height = {
        0: (x0 - left, top - y1, x1 - x0, y1 - y0),
        90: (y0 - bottom, x0 - left, y1 - y0, x1 - x0),
        180: (right - x1, y0 - bottom, x1 - x0, y1 - y0),
        270: (top - y1, right - x1, y1 - y0, x1 - x0),
    }[rotation]
    x, y, width, height = (side / POINTS_PER_MM for side in (x, y, width, height))
    return SealBox(x, y, width, height, number)


def box_on(page: Any, area: Rectangle, number: int) -> SealBox:
    """Return the box of an `area` of `page`, which is the `number`-th. Raises ValueError as `size`."""
    return box_of(_sides(page), _rotation(page), area, number)


def turn_of(page: Any) -> Turn:
    """Return how a picture is turned to be upright on `page`. Raises ValueError as `place`."""
    return _TURNS[_rotation(page)]


def _sides(page: Any) -> Rectangle:
    sides = _inherited(page, "/MediaBox")
    if sides is None or len(sides) != 4:
        raise ValueError("a page without a size")
    x0, y0, x1, y1 = (float(sides[at]) for at in range(4))
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _rotation(page: Any) -> int:
    """Return by how many degrees the page is shown turned clockwise."""
    rotation = int(_inherited(page, "/Rotate") or 0) % 360
    if rotation not in _TURNS:
        raise ValueError("a page turned by no right angle")
    return rotation


def _inherited(page: Any, key: str) -> Any:
    """Return what a page says under `key`, or the nearest of the nodes above it."""
    for _ in range(_DEEPEST):
        if key in page:
            return page[key]
        if "/Parent" not in page:
            return None
        page = page["/Parent"]
    return None
