"""What marks an annotated copy (加注件) of a licence: for whom it is, what for, until when.

The words stand slantwise all over each page, pale, so that a copy cannot pass for the licence or
be used for something else. A copy is made anew from the licence's data, never by marking a
sealed file: that would break its seal.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from seal.face import Box, Face, Mark, Page
from seal.template import Align, Style
from seal.typesetting import set_text

ANGLE = 30.0
"""Degrees, counterclockwise."""

FIELD = "watermark"
"""How errors name the words of a watermark."""

_STYLE = Style(size=5.0, least_size=2.8, align=Align.CENTRE, colour=(204, 204, 204))
_TILE = 100.0, 70.0  # mm: about how much of a page one repetition gets
_LENGTH, _HEIGHT = 0.95, 16.0  # of the tile's width; mm for the lines together


@dataclass(frozen=True, slots=True)
class Watermark:
    """The words of an annotated copy: `valid_until` is its last day."""

    recipient: str
    purpose: str
    valid_until: date

    @property
    def lines(self) -> tuple[str, str]:
        """The words as printed."""
        day = self.valid_until
        until = f"{day.year}年{day.month}月{day.day}日"
        return (f"仅供{self.recipient}用于{self.purpose}", f"复制无效，有效期至{until}")


def mark(face: Face, watermark: Watermark) -> Face:
    """Return `face` with the words of `watermark` over each page.

    Raises `GlyphMissing` and `FieldTooLong` (field `watermark`).
    """
    pages = tuple(replace(page, marks=tuple(_marks(page, watermark.lines))) for page in face.pages)
    return replace(face, pages=pages)


def _marks(page: Page, lines: tuple[str, ...]) -> Iterator[Mark]:
    """Yield the lines once for each tile of the page, turned about the middle of the tile."""
    columns, rows = (max(1, round(side / t)) for side, t in zip(_sides(page), _TILE, strict=True))
    width, height = page.width / columns, page.height / rows
    length = _LENGTH * width
    box = Box(-length / 2, -_HEIGHT / 2, length, _HEIGHT)
    words = [replace(run, field="") for run in set_text("\n".join(lines), box, _STYLE, FIELD)]
    sine, cosine = math.sin(math.radians(ANGLE)), math.cos(math.radians(ANGLE))
    for tile in range(columns * rows):
        middle_x, middle_y = (tile % columns + 0.5) * width, (tile // columns + 0.5) * height
        for run in words:
            x = middle_x + run.x * cosine + run.baseline * sine
            y = middle_y - run.x * sine + run.baseline * cosine
            yield Mark(replace(run, x=x, baseline=y), ANGLE)


def _sides(page: Page) -> tuple[float, float]:
    return page.width, page.height
