"""A page of an OFD as a picture: templates, objects, annotations and the stamps of its signatures.

It shows what readers show, sound or not; the verifier says what holds. Nothing is taken from
anywhere but the file: a font it does not embed is replaced by a typeface of ours.
"""

from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO

from lxml import etree
from PIL import Image

from keys.errors import DomainError
from seal import ofd_package, pdfium
from seal.ofd_document import structure
from seal.ofd_glyphs import Glyphs
from seal.ofd_package import NotAnOfd, Package
from seal.ofd_pages import DocumentPage, numbers, pages
from seal.ofd_painting import Painter, open_picture
from seal.ofd_resource_reading import read_resources
from seal.ofd_signatures import SignaturePart, StampAnnot, list_name, read_list, read_part
from seal.ofd_xml import child, children, parse, resolve, text
from seal.pdf_canvas import POINTS_PER_MM, Canvas, PageTooRich
from seal.ses_reading import Seal, SesMalformed, read_seal, read_signature

RESOLUTIONS = range(36, 601)
MOST_MM = 1000
MAX_PIXELS = 40_000_000

_MM_PER_INCH = 25.4


class PageUnknown(DomainError):
    """The document has no such page; `pages` is how many it has."""

    code = "ofd.page_unknown"


def png(ofd: bytes, number: int = 0, dpi: int = 150) -> bytes:
    """Return page `number` (from 0) of an OFD as a PNG. Raises like `draw`."""
    out = BytesIO()
    draw(ofd, number, dpi).save(out, "PNG", compress_level=4, dpi=(dpi, dpi))
    return out.getvalue()


def draw(ofd: bytes, number: int = 0, dpi: int = 150) -> Image.Image:
    """Return page `number` (from 0) of an OFD as an RGB picture at `dpi` (36–600).

    Raises `NotAnOfd`, `PageUnknown`, and `PageTooRich` for a page too large or too full to draw.
    """
    package = ofd_package.read(ofd)
    found = pages(package)
    if not 0 <= number < len(found):
        raise PageUnknown(pages=len(found))
    page = found[number]
    pixels = page.width * page.height * (dpi / _MM_PER_INCH) ** 2
    if max(page.width, page.height) > MOST_MM or pixels > MAX_PIXELS or dpi not in RESOLUTIONS:
        raise PageTooRich
    canvas = Canvas(page.width, page.height, dpi)
    _paint(package, page, canvas, with_stamps=True)
    return pdfium.pixels(canvas.pdf(), dpi / _MM_PER_INCH / POINTS_PER_MM)


def _paint(package: Package, page: DocumentPage, canvas: Canvas, *, with_stamps: bool) -> None:
    resources = read_resources(package)
    painter = Painter(canvas, resources, Glyphs(resources.fonts), scaled=not with_stamps)
    for part in page.layers:
        painter.page(package.entries[part], part)
    for appearance in _annotations(package, page):
        _paint_annotation(painter, appearance)
    if with_stamps:
        for stamp, seal in _stamps(package, page):
            _paint_stamp(painter, stamp, seal)


# --- Annotations (§14) ---


def _annotations(package: Package, page: DocumentPage) -> Iterator[etree._Element]:
    for part, kind in structure(package).reached.items():
        if kind == "Annotations":
            root = parse(package.entries[part], part)
            listed = [e for e in children(root, "Page") if e.get("PageID") == page.id]
            for file in (resolve(text(element, "FileLoc"), part) for element in listed):
                if file in package.entries:
                    yield from _appearances(parse(package.entries[file], file))


def _appearances(root: etree._Element) -> Iterator[etree._Element]:
    for annotation in children(root, "Annot"):
        appearance = child(annotation, "Appearance")
        if appearance is not None and annotation.get("Visible", "true") != "false":
            yield appearance


def _paint_annotation(painter: Painter, appearance: etree._Element) -> None:
    try:
        x, y, width, height = numbers(appearance.get("Boundary", ""))
    except ValueError:
        return
    painter.canvas.write(f"q 1 0 0 1 {x:.4f} {y:.4f} cm 0 0 {width:.4f} {height:.4f} re W n")
    painter.block(appearance)
    painter.canvas.write("Q")


# --- Stamps (§18.2.3) ---


def _stamps(package: Package, page: DocumentPage) -> Iterator[tuple[StampAnnot, Seal]]:
    for part in _signatures(package):
        seal = _seal(package, part)
        if seal:
            yield from ((stamp, seal) for stamp in part.stamps if stamp.page == page.id)


def _signatures(package: Package) -> Iterator[SignaturePart]:
    try:
        name = list_name(package)
        records = read_list(package, name).records if name else ()
    except NotAnOfd:
        return
    for record in records:
        try:
            yield read_part(package, record.part)
        except NotAnOfd:
            continue


def _seal(package: Package, part: SignaturePart) -> Seal | None:
    """Return the seal that was signed, or the one the file shows where that cannot be read."""
    try:
        return read_signature(package.entries[part.signed_value]).seal
    except (KeyError, SesMalformed):
        pass
    try:
        return read_seal(package.entries[part.seal])
    except (KeyError, SesMalformed):
        return None


def _paint_stamp(painter: Painter, stamp: StampAnnot, seal: Seal) -> None:
    """Draw a seal's picture in its Boundary; a riding seal shows the slice of it that Clip names."""
    try:
        x, y, width, height = numbers(stamp.boundary)
        clip = numbers(stamp.clip) if stamp.clip.strip() else (0.0, 0.0, width, height)
        left, top, across, down = clip
    except ValueError:
        return
    canvas = painter.canvas
    canvas.write(
        f"q {x + left:.4f} {y + top:.4f} {across:.4f} {down:.4f} re W n"
        f" {canvas.look(multiply=True)} {width:.4f} 0 0 {height:.4f} {x:.4f} {y:.4f} cm"
    )
    with suppress(NotAnOfd, ValueError):
        _paint_seal(canvas, seal)
    canvas.write("Q")


def _paint_seal(canvas: Canvas, seal: Seal) -> None:
    """Draw the picture in the unit square; stamps inside a nested OFD are not looked at."""
    if seal.picture_type != "ofd":
        canvas.write(canvas.picture(open_picture(seal.picture)))
        return
    package = ofd_package.read(seal.picture)
    page = pages(package)[0]
    canvas.write(f"q {1 / page.width:.8f} 0 0 {1 / page.height:.8f} 0 0 cm")
    try:
        _paint(package, page, canvas, with_stamps=False)
    finally:
        canvas.write("Q")
