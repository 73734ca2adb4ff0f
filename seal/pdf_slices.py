"""Which part of a seal is drawn where on the pages of a PDF: one whole, or a slice a page (骑缝章).

The first is the signature's own appearance. Only one page can have that, so the other slices are
stamp annotations, which the same signature covers.
"""

from dataclasses import dataclass
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from seal.face import SealBox
from seal.ofd_pages import DocumentPage
from seal.pdf_objects import entry
from seal.pdf_picture import WHOLE, Crop, SealStyle
from seal.pdf_places import Rectangle, Turn, box_on, place, size
from seal.stamp_places import Placed, Riding, StampPlaceUnsuitable, ride

MOST_PAGES = 1000

_PRINTED, _LOCKED = 4, 128  # ISO 32000-1 table 165
_ROUNDING = 0.01  # mm


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the seal's picture, and the box on a page that it fills."""

    box: SealBox
    crop: Crop = WHOLE


def slices(
    writer: IncrementalPdfFileWriter, box: SealBox, riding: Riding | None
) -> tuple[Slice, ...]:
    """Return the seal in `box`, or with `riding` its slices over pages: then the box gives its size.

    Raises StampPlaceUnsuitable.
    """
    if riding is None:
        width, height = size(page_of(writer, box.page))
        is_within = (
            -_ROUNDING <= box.x <= width - box.width + _ROUNDING
            and -_ROUNDING <= box.y <= height - box.height + _ROUNDING
        )
        if not is_within:
            raise StampPlaceUnsuitable(reason="outside")
        return (Slice(box),)
    listed = tuple(_listed(writer, number) for number in range(_page_count(writer)))
    return tuple(_slice(placed) for placed in ride(listed, riding, box.width, box.height))


def place_on(writer: IncrementalPdfFileWriter, box: SealBox) -> tuple[Rectangle, Turn]:
    """Return where `box` is on its page, and how its picture is turned.

    Raises StampPlaceUnsuitable, and ValueError for a page without a size.
    """
    return place(page_of(writer, box.page), box)


def page_of(writer: IncrementalPdfFileWriter, number: int) -> Any:
    """Return a page by its number, from 0. Raises StampPlaceUnsuitable where there is none."""
    if not 0 <= number < _page_count(writer):
        raise StampPlaceUnsuitable(reason="page")
    return writer.find_page_for_modification(number)[0].get_object()


def field_box(writer: IncrementalPdfFileWriter, field: Any) -> SealBox:
    """Return the box of a signature field that is there (ISO 32000-1 §12.7.4.5: one widget of its own).

    Raises StampPlaceUnsuitable for a field on no page.
    """
    for number in range(_page_count(writer)):
        page = page_of(writer, number)
        listed = entry(page, "/Annots", ())
        if field.reference in (getattr(each, "reference", None) for each in listed):
            x0, y0, x1, y1 = map(float, field.get_object()["/Rect"])
            area = min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
            return box_on(page, area, number)
    raise StampPlaceUnsuitable(reason="page")


def add_slice(writer: IncrementalPdfFileWriter, part: Slice, image: generic.IndirectObject) -> None:
    """Draw a slice on its page as a stamp annotation (ISO 32000-1 §12.5.6.12)."""
    page = writer.find_page_for_modification(part.box.page)[0]
    (left, bottom, right, top), turn = place_on(writer, part.box)
    annotation = generic.DictionaryObject(
        {
            generic.pdf_name("/Type"): generic.pdf_name("/Annot"),
            generic.pdf_name("/Subtype"): generic.pdf_name("/Stamp"),
            generic.pdf_name("/Rect"): generic.ArrayObject(
                generic.FloatObject(str(side)) for side in (left, bottom, right, top)
            ),
            generic.pdf_name("/F"): generic.NumberObject(_PRINTED | _LOCKED),
            generic.pdf_name("/P"): page,
            generic.pdf_name("/Contents"): generic.TextStringObject("骑缝章"),
        }
    )
    style = SealStyle(image=image, turn=turn, crop=part.crop)
    style.draw(writer, annotation, right - left, top - bottom)
    writer.register_annotation(page, writer.add_object(annotation))


def _page_count(writer: IncrementalPdfFileWriter) -> int:
    count = int(writer.prev.root["/Pages"]["/Count"])
    if count > MOST_PAGES:
        raise ValueError("too many pages")
    return count


def _listed(writer: IncrementalPdfFileWriter, number: int) -> DocumentPage:
    return DocumentPage(str(number), "", *size(page_of(writer, number)))


def _slice(placed: Placed) -> Slice:
    x, y, width, height = placed.clip or (0.0, 0.0, placed.width, placed.height)
    box = SealBox(placed.x + x, placed.y + y, width, height, int(placed.page_id))
    shares = x / placed.width, y / placed.height, width / placed.width, height / placed.height
    return Slice(box, shares)
