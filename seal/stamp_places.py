"""Where a stamp goes: by position, over a keyword or tagged datum, or across the edges of pages (骑缝章).

All lengths are mm from the top left corner of the page; pages count from 0. A seal is never scaled:
its picture is drawn to the Boundary, which therefore has the seal's own size, and of a riding
seal each page shows the slice that Clip cuts out (GB/T 33190-2016 §18.2.3).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import ClassVar

from keys.errors import DomainError
from seal.face import SealBox
from seal.ofd_package import Package
from seal.ofd_pages import DocumentPage, pages
from seal.ofd_text import TextLine, find, objects_box, read_text, tagged

MOST_SLICES = 12
"""Pages one riding seal goes over; more pages get more seals, so that a slice can still be seen."""


class StampPlaceUnsuitable(DomainError):
    """The stamp cannot go there.

    `reason` is a stable word: `page` (there is none of that number), `keyword`, `tag` or `field` (not found),
    `pages` (a riding seal needs two), `outside` (the seal would not lie on the page), `pdf` (the
    stamping service puts a seal of a PDF at one position).
    """

    code: ClassVar[str] = "seal.place_unsuitable"


class Side(StrEnum):
    """The edge of the pages a riding seal lies on."""

    LEFT = "left"
    RIGHT = "right"
    TOP = "top"
    BOTTOM = "bottom"


@dataclass(frozen=True, slots=True)
class At:
    """The seal's top left corner."""

    page: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class ByKeyword:
    """Centred on the `occurrence`-th (from 0) place where `text` is printed; -1 is the last."""

    text: str
    occurrence: int = 0


@dataclass(frozen=True, slots=True)
class ByTag:
    """Centred on what prints the datum `name` (数据标引)."""

    name: str


@dataclass(frozen=True, slots=True)
class Riding:
    """Over the edges of `pages` (all of them, when empty), its middle at `along` (0 to 1) of the edge."""

    side: Side = Side.RIGHT
    pages: tuple[int, ...] = ()
    along: float = 0.5


Place = At | ByKeyword | ByTag | Riding | SealBox
"""A SealBox is the room a face left for its seal, which is put in the middle of it."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A stamp on one page: its Boundary, and the Clip in it (x, y, width, height) if not all shows."""

    page_id: str
    x: float
    y: float
    width: float
    height: float
    clip: tuple[float, float, float, float] | None = None


def placed(
    package: Package, places: Sequence[Place], width: float, height: float
) -> tuple[Placed, ...]:
    """Return the stamps, page by page, of a seal of this size (mm) at `places`.

    Raises `StampPlaceUnsuitable`, and `NotAnOfd` for a document whose pages cannot be read.
    """
    listed = pages(package)
    return tuple(
        stamp for place in places for stamp in _placed(package, listed, place, width, height)
    )


def at_true_size(room: SealBox, width: float, height: float) -> SealBox:
    """Return the box of a seal of this size (mm) in the middle of `room`, be that larger or smaller."""
    x = room.x + (room.width - width) / 2
    y = room.y + (room.height - height) / 2
    return SealBox(x, y, width, height, room.page)


def _placed(
    package: Package,
    listed: tuple[DocumentPage, ...],
    place: Place,
    width: float,
    height: float,
) -> Iterator[Placed]:
    match place:
        case Riding():
            yield from ride(listed, place, width, height)
        case At(number, x, y):
            yield _on(_page(listed, number), x, y, width, height)
        case SealBox():
            box = at_true_size(place, width, height)
            yield _on(_page(listed, box.page), box.x, box.y, width, height)
        case ByKeyword() | ByTag():
            line = _line(package, place)
            yield _around(listed[line.page], line, width, height)


def _page(listed: tuple[DocumentPage, ...], number: int) -> DocumentPage:
    if not 0 <= number < len(listed):
        raise StampPlaceUnsuitable(reason="page")
    return listed[number]


def _on(page: DocumentPage, x: float, y: float, width: float, height: float) -> Placed:
    if not (0 <= x <= page.width - width and 0 <= y <= page.height - height):
        raise StampPlaceUnsuitable(reason="outside")
    return Placed(page.id, x, y, width, height)


def _line(package: Package, place: ByKeyword | ByTag) -> TextLine:
    lines = read_text(package)
    if isinstance(place, ByTag):
        line = objects_box(lines, tagged(package).get(place.name, ()))
        if line is None:
            raise StampPlaceUnsuitable(reason="tag")
        return line
    found = find(lines, place.text)
    if not -len(found) <= place.occurrence < len(found):
        raise StampPlaceUnsuitable(reason="keyword")
    return found[place.occurrence]


def _around(page: DocumentPage, line: TextLine, width: float, height: float) -> Placed:
    """Centre the seal on the text, moved in where it would leave the page."""
    x = min(line.x + line.width / 2 - width / 2, page.width - width)
    y = min(line.y + line.height / 2 - height / 2, page.height - height)
    return _on(page, max(x, 0.0), max(y, 0.0), width, height)


def ride(
    listed: tuple[DocumentPage, ...], riding: Riding, width: float, height: float
) -> Iterator[Placed]:
    """Yield the slices of a seal of this size over pages, of an OFD or of a PDF, by their ids.

    Raises `StampPlaceUnsuitable`.
    """
    numbers = riding.pages or tuple(range(len(listed)))
    chosen = [_page(listed, number) for number in numbers]
    if len(chosen) < 2 or len(set(numbers)) < len(numbers):
        raise StampPlaceUnsuitable(reason="pages")
    if not 0 <= riding.along <= 1:
        raise StampPlaceUnsuitable(reason="outside")
    seals = ceil(len(chosen) / MOST_SLICES)
    share = ceil(len(chosen) / seals)
    for start in range(0, len(chosen), share):
        group = chosen[start : start + share]
        for slot, page in enumerate(group):
            yield _slice(page, riding, width, height, slot, len(group))


def _slice(
    page: DocumentPage, riding: Riding, width: float, height: float, slot: int, slots: int
) -> Placed:
    """Return one slice: the whole seal shifted over the edge, and Clip showing what lies on the page."""
    upright = riding.side in (Side.LEFT, Side.RIGHT)
    long = height if upright else width
    edge = page.height if upright else page.width
    if long > edge:
        raise StampPlaceUnsuitable(reason="outside")
    beside = min(max(riding.along * edge - long / 2, 0.0), edge - long)
    part = (width if upright else height) / slots
    across = {
        Side.LEFT: -part * slot,
        Side.TOP: -part * slot,
        Side.RIGHT: page.width - part * (slot + 1),
        Side.BOTTOM: page.height - part * (slot + 1),
    }[riding.side]
    if upright:
        return Placed(page.id, across, beside, width, height, (part * slot, 0.0, part, height))
    return Placed(page.id, beside, across, width, height, (0.0, part * slot, width, part))
