"""An OFD as a specimen: stamped with a throw-away seal, judged, and read back part by part."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime

from lxml import etree
from PIL import Image, ImageDraw

from seal import ofd_integrity, ofd_package, ofd_seal, ofd_verify, qr
from seal.lint import trial
from seal.lint.checking import check
from seal.lint.specimen import MOST_SCANNED, Area, Expected, FontUse, PrintedCode, Specimen
from seal.ofd_document import structure
from seal.ofd_package import Package
from seal.ofd_pages import DocumentPage, numbers, pages
from seal.ofd_text import TextLine, read_text, tagged
from seal.ofd_xml import children, descendants, parse, resolve, text
from seal.report import Finding
from seal.ses_reading import read_seal
from seal.stamp_places import Place, Placed, placed

_PIXELS_A_MM = 8.0
_MOST_PIXELS = 6_000_000
_MARGIN_MM = 3.0


def check_ofd(
    document: bytes, seal: bytes, places: Sequence[Place], signed_at: datetime, expected: Expected
) -> tuple[Finding, ...]:
    """Return what is wrong with an OFD that is to be stamped at `places` with `seal` (DER SESeal).

    Raises what `ofd_seal.stamp` raises for a document nobody could stamp, and `SesMalformed`.
    """
    return check(specimen(document, seal, places, signed_at), expected)


def specimen(ofd: bytes, seal: bytes, places: Sequence[Place], signed_at: datetime) -> Specimen:
    """Return `ofd` as it would be, stamped at `places` with the seal of this picture and size.

    Raises what `ofd_seal.stamp` raises, and `SesMalformed`.
    """
    circle = trial.sm2()
    signer = circle.signer
    sealed = ofd_seal.stamp(
        ofd, trial.trial_seal(seal), signer.signer, signer.certificate, places, signed_at
    )
    report = ofd_verify.verify(sealed, circle.ground, signed_at)
    package = ofd_package.read(ofd)
    listed, lines, read = pages(package), read_text(package), read_seal(seal)
    return Specimen(
        content=sealed,
        page_sizes=tuple((page.width, page.height) for page in listed),
        printed=_printed(package, lines),
        text="".join(line.text for line in lines),
        fonts=tuple(_fonts(package, listed)),
        codes=tuple(_codes(package, listed)),
        stamps=tuple(
            _shown(stamp, listed) for stamp in placed(package, places, read.width, read.height)
        ),
        attachments=report.attachments,
        troubles=trial.own_findings(report),
        unreferenced=tuple(_unreferenced(package)),
    )


def _printed(package: Package, lines: tuple[TextLine, ...]) -> dict[str, str]:
    words: dict[tuple[int, str], str] = {}
    for line in lines:
        place = line.page, line.object_id
        words[place] = words.get(place, "") + line.text
    return {
        name: "".join(words.get(place, "") for place in places)
        for name, places in tagged(package).items()
    }


def _unreferenced(package: Package) -> Iterator[str]:
    reached = structure(package).reached
    own = {ofd_integrity.LIST, ofd_integrity.VALUE}
    return (name for name in package.entries if name not in reached and name not in own)


def _shown(stamp: Placed, listed: tuple[DocumentPage, ...]) -> Area:
    number = [page.id for page in listed].index(stamp.page_id)
    left, top, width, height = stamp.clip or (0.0, 0.0, stamp.width, stamp.height)
    return Area(number, stamp.x + left, stamp.y + top, width, height)


# --- Fonts (GB/T 33190-2016 §11.1) ---


def _fonts(package: Package, listed: tuple[DocumentPage, ...]) -> Iterator[FontUse]:
    used: dict[str, set[str]] = {}
    for part in {part: None for page in listed for part in page.layers}:
        for element in descendants(parse(package.entries[part], part), "TextObject"):
            printed = used.setdefault(element.get("Font", ""), set())
            for code in children(element, "TextCode"):
                printed.update(code.text or "")
    for part, kind in structure(package).reached.items():
        if kind == "Res":
            yield from _resource_fonts(package, part, used)


def _resource_fonts(package: Package, part: str, used: dict[str, set[str]]) -> Iterator[FontUse]:
    root = parse(package.entries[part], part)
    base = root.get("BaseLoc", "")
    for font in children(root, "Fonts", "Font"):
        printed, location = used.get(font.get("ID", ""), set()), text(font, "FontFile")
        if printed:
            file = package.entries.get(resolve(location, part, base)) if location else None
            yield FontUse(font.get("FontName", ""), file, frozenset(printed))


# --- Printed codes: filled rectangles, drawn and scanned ---

_NUMBER = r"-?\d{1,5}(?:\.\d{1,9})?"
_CORNER = f"({_NUMBER}) ({_NUMBER})"
_BESIDE = f"{_NUMBER} {_NUMBER}"
_RECTANGLE = re.compile(f"M {_CORNER} L {_BESIDE} L {_CORNER} L {_BESIDE} C ?")

_Rectangle = tuple[float, float, float, float]
"""Left, top, right, bottom in page space."""


def _codes(package: Package, listed: tuple[DocumentPage, ...]) -> Iterator[PrintedCode]:
    for number, page in enumerate(listed[:MOST_SCANNED]):
        rectangles = [
            rectangle
            for part in page.layers
            for element in descendants(parse(package.entries[part], part), "PathObject")
            if element.get("Fill") == "true"
            for rectangle in _rectangles(element)
        ]
        if rectangles:
            yield from _scanned(rectangles, number)


def _rectangles(element: etree._Element) -> Iterator[_Rectangle]:
    """Yield the rectangles a path consists of: what codes are drawn with."""
    with suppress(ValueError):
        left, top, *_ = numbers(element.get("Boundary", ""))
        for corners in _RECTANGLE.findall(text(element, "AbbreviatedData")):
            x0, y0, x1, y1 = map(float, corners)
            yield left + x0, top + y0, left + x1, top + y1


def _scanned(rectangles: list[_Rectangle], page: int) -> Iterator[PrintedCode]:
    lefts, tops, rights, bottoms = zip(*rectangles, strict=True)
    left, top = min(lefts) - _MARGIN_MM, min(tops) - _MARGIN_MM
    width, height = max(rights) + _MARGIN_MM - left, max(bottoms) + _MARGIN_MM - top
    scale = min(_PIXELS_A_MM, (_MOST_PIXELS / (width * height)) ** 0.5)
    picture = Image.new("L", (int(width * scale) + 1, int(height * scale) + 1), 255)
    draw = ImageDraw.Draw(picture)
    for x0, y0, x1, y1 in rectangles:
        start = round((x0 - left) * scale), round((y0 - top) * scale)
        end = round((x1 - left) * scale) - 1, round((y1 - top) * scale) - 1
        if start <= end and start[1] <= end[1]:
            draw.rectangle((*start, *end), fill=0)
    for found in qr.locate(picture):
        area = Area(
            page,
            left + found.left / scale,
            top + found.top / scale,
            (found.right - found.left) / scale,
            (found.bottom - found.top) / scale,
        )
        yield PrintedCode(area, found.text)
