"""Where a text is printed in a PDF, and the seal's place over it.

PDFium reads the text of any writer's file. Its boxes are in the page's own points; what is told is mm
from the top left corner of the page as it is shown, which is where `seal.pdf_seal` puts a seal.
"""

from collections.abc import Iterator

import pypdfium2

from seal.face import SealBox
from seal.face_picture import PdfUnreadable
from seal.pdf_places import box_of
from seal.pdfium import ONE_AT_A_TIME
from seal.stamp_places import ByKeyword, StampPlaceUnsuitable, at_true_size

MOST_PAGES = 1000
_MOST_FOUND = 10_000


def find(pdf: bytes, keyword: str) -> tuple[SealBox, ...]:
    """Return the box (mm) of every place where `keyword` is printed, page by page.

    Raises PdfUnreadable, also for more than `MOST_PAGES`.
    """
    return tuple(box for box, _ in _found(pdf, keyword))


def at_keyword(pdf: bytes, place: ByKeyword, width: float, height: float) -> SealBox:
    """Return the box of a seal of this size (mm) centred on the text, moved in where it would leave the page.

    Raises StampPlaceUnsuitable where the text is not printed so often, and PdfUnreadable.
    """
    found = _found(pdf, place.text)
    if not -len(found) <= place.occurrence < len(found):
        raise StampPlaceUnsuitable(reason="keyword")
    text, (across, down) = found[place.occurrence]
    box = at_true_size(text, width, height)
    x, y = max(min(box.x, across - width), 0.0), max(min(box.y, down - height), 0.0)
    return SealBox(x, y, width, height, box.page)


def _found(pdf: bytes, keyword: str) -> list[tuple[SealBox, tuple[float, float]]]:
    """Return each box with the size of its page."""
    with ONE_AT_A_TIME:
        try:
            with pypdfium2.PdfDocument(pdf) as document:
                if len(document) > MOST_PAGES:
                    raise PdfUnreadable
                return [
                    each
                    for number in range(len(document) if keyword else 0)
                    for each in _on_page(document[number], number, keyword)
                ]
        except pypdfium2.PdfiumError as broken:
            raise PdfUnreadable from broken


def _on_page(
    page: pypdfium2.PdfPage, number: int, keyword: str
) -> Iterator[tuple[SealBox, tuple[float, float]]]:
    sides, rotation = page.get_mediabox(), page.get_rotation()
    whole = box_of(sides, rotation, sides, number)
    text = page.get_textpage()
    search = text.search(keyword, match_case=True)
    for _ in range(_MOST_FOUND):
        match = search.get_next()
        if match is None:
            return
        parts = [text.get_rect(part) for part in range(text.count_rects(*match))]
        if parts:
            lefts, bottoms, rights, tops = zip(*parts, strict=True)
            area = min(lefts), min(bottoms), max(rights), max(tops)
            yield box_of(sides, rotation, area, number), (whole.width, whole.height)
