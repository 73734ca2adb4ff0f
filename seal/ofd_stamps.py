"""Whether the stamps of a signature can be seen: on which page, and where on it (GB/T 33190-2016 §18.2.3)."""

from collections.abc import Iterator, Mapping

from seal.ofd_pages import DocumentPage, numbers
from seal.ofd_signatures import SignaturePart, StampAnnot
from seal.report import Finding, Outcome
from seal.ses_reading import Seal

Box = tuple[float, float, float, float]

_CHECK = "stamp"
_TOLERANCE = 1.0


def check_stamps(
    part: SignaturePart, pages: Mapping[str, DocumentPage], seal: Seal
) -> Iterator[Finding]:
    """Yield what is wrong with the places of the stamps; `pages` is by ST_ID, empty where unreadable.

    A seal has one true size: readers draw its picture to the Boundary, so that must be the seal's.
    """
    if not part.stamps:
        yield Finding(_CHECK, Outcome.WARNING, "ofd.stamp.invisible", part.name)
        return
    troubles = [_trouble(stamp, pages, seal) for stamp in part.stamps]
    told = [code for code in dict.fromkeys(troubles) if code]
    for code in told:
        yield Finding(_CHECK, Outcome.WARNING, code, part.name)
    if not told:
        yield Finding(_CHECK, Outcome.OK, "ofd.stamp.ok")


def _trouble(stamp: StampAnnot, pages: Mapping[str, DocumentPage], seal: Seal) -> str:
    page = pages.get(stamp.page)
    if page is None:
        return "ofd.stamp.no_page"
    try:
        _, _, *drawn = numbers(stamp.boundary)
        x, y, width, height = _seen(stamp)
    except ValueError:
        return "ofd.stamp.place_unreadable"
    across = x + width > 0 and x < page.width
    down = y + height > 0 and y < page.height
    if not (across and down and min(width, height) > 0):
        return "ofd.stamp.off_page"
    true = zip(drawn, (seal.width, seal.height), strict=True)
    return "" if all(abs(is_ - own) <= _TOLERANCE for is_, own in true) else "ofd.stamp.scaled"


def _seen(stamp: StampAnnot) -> Box:
    """Return what Clip (from the top left corner of Boundary) leaves of Boundary."""
    x, y, width, height = numbers(stamp.boundary)
    if not stamp.clip:
        return x, y, width, height
    left, top, wide, high = numbers(stamp.clip)
    right, bottom = min(left + wide, width), min(top + high, height)
    left, top = max(left, 0.0), max(top, 0.0)
    return x + left, y + top, right - left, bottom - top
