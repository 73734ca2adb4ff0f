"""Face templates as data: where a licence type's form has its rules, captions and fields.

A template is a TOML file in `seal/templates/`; lengths are millimetres from the top left corner.
The file itself describes the first page; each `[[sheet]]` a further one, and `[continuation]` the
page that takes what its place on the others cannot hold. A `[grid]` of captioned cells is spelled
out here into plain boxes and rules, so that layout knows boxes only.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from keys.errors import DomainError
from seal.face import BLACK, Box, Colour, Rule, SealBox, Typeface
from seal.template_shapes import cells, corners, frames, grid_rules, rgb

_FOLDER = Path(__file__).parent / "templates"


class TemplateUnknown(DomainError):
    """No face template has this `name`."""

    code = "face.template_unknown"


class Align(StrEnum):
    """Where a line stands in its box."""

    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


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
    """The place of one datum; `caption` names it where it goes on to a continuation page."""

    field: str
    box: Box
    style: Style
    required: bool = True
    caption: str = ""


@dataclass(frozen=True, slots=True)
class PicturePlace:
    """The place of one picture; `says` is read to who cannot see it."""

    field: str
    box: Box
    says: str
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
class Sheet:
    """One page of a form."""

    width: float
    height: float
    rules: tuple[Rule, ...]
    labels: tuple[Label, ...]
    slots: tuple[Slot, ...]
    pictures: tuple[PicturePlace, ...]


@dataclass(frozen=True, slots=True)
class Continuation:
    """The page, as often as needed, on which long values are printed in full (附页).

    Where a value does not fit its place, `notice` stands there instead, and the value under its
    caption in `flow`, set in `style` at its full size.
    """

    sheet: Sheet
    flow: Box
    style: Style
    notice: str


@dataclass(frozen=True, slots=True)
class FaceTemplate:
    """A form: everything on the face but one licence's data. The code stands on the first sheet."""

    name: str
    title: str
    sheets: tuple[Sheet, ...]
    code: CodePlace
    seal: SealBox
    continuation: Continuation | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the data this form prints."""
        return tuple(slot.field for sheet in self.sheets for slot in sheet.slots)


@cache
def load(name: str) -> FaceTemplate:
    """Return the template called `name`; raise `TemplateUnknown` when there is none."""
    if name not in names():
        raise TemplateUnknown(name=name)
    return read(name, (_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def read(name: str, toml: str) -> FaceTemplate:
    """Return the template in the text of a TOML file.

    Templates are the operator's, not a stranger's: what is wrong in one raises KeyError,
    TypeError or ValueError.
    """
    return _template(name, tomllib.loads(toml))


@cache
def names() -> frozenset[str]:
    """Return the names of the templates there are."""
    return frozenset(path.stem for path in _FOLDER.glob("*.toml"))


def _template(name: str, table: Mapping[str, Any]) -> FaceTemplate:
    styles = {key: _style(value) for key, value in table["style"].items()}
    further = table.get("continuation")
    return FaceTemplate(
        name=name,
        title=table["title"],
        sheets=tuple(_sheet(page, styles) for page in (table, *table.get("sheet", ()))),
        code=CodePlace(**table["code"]),
        seal=SealBox(**table["seal"]),
        continuation=_continuation(further, styles) if further else None,
    )


def _sheet(table: Mapping[str, Any], styles: Mapping[str, Style]) -> Sheet:
    grid = table.get("grid")
    placed = list(cells(grid)) if grid else []
    labels = [_label(entry, styles) for entry in table.get("label", ())]
    slots = [_slot(entry, styles) for entry in table.get("slot", ())]
    for cell in placed:
        labels.append(Label(cell.caption, cell.caption_box, styles["caption"]))
        value = Slot(cell.field, cell.value_box, styles["value"], cell.required, cell.caption)
        slots.append(value)
    lines = grid_rules(grid, placed) if grid else ()
    return Sheet(
        width=table["page"]["width"],
        height=table["page"]["height"],
        rules=(*frames(table), *corners(table), *lines),
        labels=tuple(labels),
        slots=tuple(slots),
        pictures=tuple(_picture(entry) for entry in table.get("picture", ())),
    )


def _continuation(table: Mapping[str, Any], styles: Mapping[str, Style]) -> Continuation:
    flow = table["flow"]
    return Continuation(
        sheet=_sheet(table, styles),
        flow=Box(*flow["box"]),
        style=styles[flow["style"]],
        notice=flow["notice"],
    )


def _style(table: Mapping[str, Any]) -> Style:
    return Style(
        size=table["size"],
        least_size=table.get("least_size", table["size"]),
        align=Align(table.get("align", Align.LEFT)),
        typeface=Typeface(table.get("typeface", Typeface.SERIF)),
        letter_spacing=table.get("letter_spacing", 0.0),
        colour=rgb(table.get("colour", BLACK)),
    )


def _label(entry: Mapping[str, Any], styles: Mapping[str, Style]) -> Label:
    return Label(entry["text"], Box(*entry["box"]), styles[entry["style"]])


def _slot(entry: Mapping[str, Any], styles: Mapping[str, Style]) -> Slot:
    required = entry.get("required", True)
    caption = entry.get("caption", "")
    return Slot(entry["field"], Box(*entry["box"]), styles[entry["style"]], required, caption)


def _picture(entry: Mapping[str, Any]) -> PicturePlace:
    required = entry.get("required", True)
    return PicturePlace(entry["field"], Box(*entry["box"]), entry["says"], required)
