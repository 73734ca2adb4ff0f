"""Face templates as data: where a licence type's form has its rules, captions and fields.

A template is a TOML file in `seal/templates/`; lengths are millimetres from the top left corner.
A `[grid]` of captioned cells is spelled out here into plain boxes and rules, so that layout knows
boxes only.
"""

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from keys.errors import DomainError
from seal.face import BLACK, Rule, SealBox, Typeface

_FOLDER = Path(__file__).parent / "templates"

Colour = tuple[int, int, int]


class TemplateUnknown(DomainError):
    """No face template has this `name`."""

    code = "face.template_unknown"


class Align(StrEnum):
    """Where a line stands in its box."""

    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle that text must stay inside."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Style:
    """How text is set in its box: as big as `size`, never smaller than `least_size` (em in mm)."""

    size: float
    least_size: float
    align: Align = Align.LEFT
    typeface: Typeface = Typeface.SERIF
    letter_spacing: float = 0.0
    colour: Colour = BLACK


@dataclass(frozen=True, slots=True)
class Label:
    """Text of the form itself."""

    text: str
    box: Box
    style: Style


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of one datum."""

    field: str
    box: Box
    style: Style
    required: bool = True


@dataclass(frozen=True, slots=True)
class CodePlace:
    """Where the printed code goes: `side` without the quiet zone, and what stands under it."""

    x: float
    y: float
    side: float
    legend: str
    legend_size: float
    host_size: float


@dataclass(frozen=True, slots=True)
class FaceTemplate:
    """A form: everything on the face but one licence's data."""

    name: str
    title: str
    page_width: float
    page_height: float
    rules: tuple[Rule, ...]
    labels: tuple[Label, ...]
    slots: tuple[Slot, ...]
    code: CodePlace
    seal: SealBox

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the data this form prints."""
        return tuple(slot.field for slot in self.slots)


@cache
def load(name: str) -> FaceTemplate:
    """Return the template called `name`; raise `TemplateUnknown` when there is none."""
    if name not in names():
        raise TemplateUnknown(name=name)
    table = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    return _template(name, table)


@cache
def names() -> frozenset[str]:
    """Return the names of the templates there are."""
    return frozenset(path.stem for path in _FOLDER.glob("*.toml"))


def _template(name: str, table: Mapping[str, Any]) -> FaceTemplate:
    styles = {key: _style(value) for key, value in table["style"].items()}
    cells = list(_cells(table["grid"]))
    labels = [_label(entry, styles) for entry in table["label"]]
    slots = [_slot(entry, styles) for entry in table["slot"]]
    for cell in cells:
        labels.append(Label(cell.caption, cell.caption_box, styles["caption"]))
        slots.append(Slot(cell.field, cell.value_box, styles["value"], cell.required))
    return FaceTemplate(
        name=name,
        title=table["title"],
        page_width=table["page"]["width"],
        page_height=table["page"]["height"],
        rules=(*_frames(table), *_corners(table), *_grid_rules(table["grid"], cells)),
        labels=tuple(labels),
        slots=tuple(slots),
        code=CodePlace(**table["code"]),
        seal=SealBox(**table["seal"]),
    )


def _style(table: Mapping[str, Any]) -> Style:
    return Style(
        size=table["size"],
        least_size=table.get("least_size", table["size"]),
        align=Align(table.get("align", Align.LEFT)),
        typeface=Typeface(table.get("typeface", Typeface.SERIF)),
        letter_spacing=table.get("letter_spacing", 0.0),
        colour=_colour(table.get("colour", BLACK)),
    )


def _colour(parts: Any) -> Colour:
    red, green, blue = parts
    return (red, green, blue)


def _label(entry: Mapping[str, Any], styles: Mapping[str, Style]) -> Label:
    return Label(entry["text"], Box(*entry["box"]), styles[entry["style"]])


def _slot(entry: Mapping[str, Any], styles: Mapping[str, Style]) -> Slot:
    required = entry.get("required", True)
    return Slot(entry["field"], Box(*entry["box"]), styles[entry["style"]], required)


# --- Frames: nested rectangles, each `inset` from the page's edge ---


def _frames(table: Mapping[str, Any]) -> Iterator[Rule]:
    width, height = table["page"]["width"], table["page"]["height"]
    for frame in table["frame"]:
        inset = frame["inset"]
        box = Box(inset, inset, width - 2 * inset, height - 2 * inset)
        yield from _outline(box, frame["width"], _colour(frame["colour"]))


def _corners(table: Mapping[str, Any]) -> Iterator[Rule]:
    """Square brackets in the four corners of the innermost frame."""
    width, height = table["page"]["width"], table["page"]["height"]
    for corner in table["corner"]:
        inset, length, thick = corner["inset"], corner["length"], corner["width"]
        colour = _colour(corner["colour"])
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
class _Cell:
    caption: str
    field: str
    required: bool
    caption_box: Box
    value_box: Box


def _cells(grid: Mapping[str, Any]) -> Iterator[_Cell]:
    y, pad = grid["y"], grid["padding"]
    for row in grid["row"]:
        x, height = grid["x"], row["height"]
        for cell in row["cells"]:
            width = cell.get("width", grid["x"] + grid["width"] - x)
            split = x + cell.get("caption_width", grid["caption_width"])
            yield _Cell(
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


def _grid_rules(grid: Mapping[str, Any], cells: list[_Cell]) -> Iterator[Rule]:
    colour, thin, pad = _colour(grid["colour"]), grid["rule"], grid["padding"]
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
