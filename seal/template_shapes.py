"""Frames, corners and grids of a form, spelled out into the boxes and rules they are drawn as."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from seal.face import Box, Colour, Rule


def rgb(parts: Any) -> Colour:
    """Return the red, green and blue of a TOML array."""
    red, green, blue = parts
    return (red, green, blue)


def frames(table: Mapping[str, Any]) -> Iterator[Rule]:
    width, height = table["page"]["width"], table["page"]["height"]
    for frame in table.get("frame", ()):
        inset = frame["inset"]
        box = Box(inset, inset, width - 2 * inset, height - 2 * inset)
        yield from _outline(box, frame["width"], rgb(frame["colour"]))


def corners(table: Mapping[str, Any]) -> Iterator[Rule]:
    """Square brackets in the four corners of the innermost frame."""
    width, height = table["page"]["width"], table["page"]["height"]
    for corner in table.get("corner", ()):
        inset, length, thick = corner["inset"], corner["length"], corner["width"]
        colour = rgb(corner["colour"])
        for x, inwards in ((inset, length), (width - inset, -length)):
            for y, downwards in ((inset, length), (height - inset, -length)):
                half_x, half_y = (
                    math.copysign(thick / 2, inwards),
                    math.copysign(thick / 2, downwards),
                )
                yield Rule(x - half_x, y, x + inwards, y, thick, colour)
                yield Rule(x, y - half_y, x, y + downwards, thick, colour)


def _outline(box: Box, width: float, colour: Colour) -> Iterator[Rule]:
    left, top, right, bottom = box.x, box.y, box.x + box.width, box.y + box.height
    half = width / 2  # strokes overlap at the corners, so that they are square
    for y in (top, bottom):
        yield Rule(left - half, y, right + half, y, width, colour)
    for x in (left, right):
        yield Rule(x, top - half, x, bottom + half, width, colour)


# --- The grid: rows of cells, each a caption and a value ---

_AIR = 0.8  # mm kept free between text and the rules above and below it


@dataclass(frozen=True, slots=True)
class Cell:
    """A caption and the value beside it."""

    caption: str
    field: str
    required: bool
    caption_box: Box
    value_box: Box


def cells(grid: Mapping[str, Any]) -> Iterator[Cell]:
    y, pad = grid["y"], grid["padding"]
    for row in grid["row"]:
        x, height = grid["x"], row["height"]
        for cell in row["cells"]:
            width = cell.get("width", grid["x"] + grid["width"] - x)
            split = x + cell.get("caption_width", grid["caption_width"])
            yield Cell(
                caption=cell["caption"],
                field=cell["field"],
                required=cell.get("required", True),
                caption_box=_inside(x, y, split - x, height, pad / 2),
                value_box=_inside(split, y, x + width - split, height, pad),
            )
            x += width
        y += height


def _inside(x: float, y: float, width: float, height: float, pad: float) -> Box:
    return Box(x + pad, y + _AIR, width - 2 * pad, height - 2 * _AIR)


def grid_rules(grid: Mapping[str, Any], cells: list[Cell]) -> Iterator[Rule]:
    colour, thin, pad = rgb(grid["colour"]), grid["rule"], grid["padding"]
    left, right, y = grid["x"], grid["x"] + grid["width"], grid["y"]
    for row in grid["row"][:-1]:
        y += row["height"]
        yield Rule(left, y, right, y, thin, colour)
    bottom = y + grid["row"][-1]["height"]
    for cell in cells:
        top, end = cell.value_box.y - _AIR, cell.value_box.y + cell.value_box.height + _AIR
        caption_left = cell.caption_box.x - pad / 2
        if caption_left > left:
            yield Rule(caption_left, top, caption_left, end, thin, colour)
        yield Rule(cell.value_box.x - pad, top, cell.value_box.x - pad, end, thin, colour)
    outline = Box(left, grid["y"], right - left, bottom - grid["y"])
    yield from _outline(outline, grid["outer_rule"], colour)
