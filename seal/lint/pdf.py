"""A PDF as a specimen: signed with a throw-away key, judged, and read back through PDFium and pikepdf."""

from collections.abc import Iterator
from datetime import datetime
from io import BytesIO

import pikepdf
import pypdfium2

from seal import pdf_seal, pdf_verify, qr
from seal.face import SealBox
from seal.face_picture import PdfUnreadable
from seal.lint import trial
from seal.lint.checking import check
from seal.lint.sizes import LARGEST_PAGE, MOST_PAGES
from seal.lint.specimen import MOST_SCANNED, Area, Expected, FontUse, PrintedCode, Specimen
from seal.pdf_embedding import seen_in
from seal.pdfium import ONE_AT_A_TIME
from seal.report import Finding
from seal.stamp_places import Riding

_MM_A_POINT = 25.4 / 72
# The second is for codes too fine for the first, on the rare page where that reads none.
_PIXELS_A_POINT = (120 / 72, 200 / 72)
# Beside the libraries' own errors: what comes of an object that is not of the type it should be.
_BROKEN = (
    pypdfium2.PdfiumError,
    pikepdf.PdfError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


def check_pdf(
    document: bytes,
    picture_png: bytes,
    box: SealBox,
    signed_at: datetime,
    expected: Expected,
    *,
    field_name: str = "",
    riding: Riding | None = None,
) -> tuple[Finding, ...]:
    """Return what is wrong with a PDF that is to be signed with the picture in `box`.

    `field_name` and `riding` are as in `pdf_seal.stamp`. Raises what that raises for a document
    nobody could sign, and `PdfUnreadable`.
    """
    prepared = specimen(document, picture_png, box, signed_at, field_name=field_name, riding=riding)
    return check(prepared, expected)


def specimen(
    pdf: bytes,
    picture_png: bytes,
    box: SealBox,
    signed_at: datetime,
    *,
    field_name: str = "",
    riding: Riding | None = None,
) -> Specimen:
    """Return `pdf` as it would be, signed with the picture in `box`, in a field or over the pages.

    Raises what `pdf_seal.stamp` raises, and `PdfUnreadable`.
    """
    circle = trial.p256()
    signer = circle.signer
    sealed = pdf_seal.stamp(
        pdf,
        picture_png,
        signer.signer,
        signer.certificate,
        (circle.root,),
        box,
        signed_at,
        field_name=field_name,
        riding=riding,
    )
    elsewhere = field_name or riding
    seen = seen_in(pdf, box, field_name=field_name, riding=riding) if elsewhere else (box,)
    report = pdf_verify.verify(sealed, circle.ground, signed_at)
    try:
        sizes, text, codes = _seen(pdf)
        embedded = tuple(_fonts(pdf))
    except _BROKEN as broken:
        raise PdfUnreadable from broken
    return Specimen(
        content=sealed,
        page_sizes=sizes,
        printed={},
        text=text,
        fonts=embedded,
        codes=codes,
        stamps=tuple(Area(part.page, part.x, part.y, part.width, part.height) for part in seen),
        attachments=report.attachments,
        troubles=trial.own_findings(report),
    )


def _seen(pdf: bytes) -> tuple[tuple[tuple[float, float], ...], str, tuple[PrintedCode, ...]]:
    """Return the pages' sizes, all their text, and the codes a scanner reads off the first of them."""
    sizes, words, codes = [], [], []
    with ONE_AT_A_TIME, pypdfium2.PdfDocument(pdf) as document:
        for number in range(min(len(document), MOST_PAGES + 1)):
            page = document[number]
            width, height = page.get_size()
            sizes.append((width * _MM_A_POINT, height * _MM_A_POINT))
            words.append(page.get_textpage().get_text_range())
            if number < MOST_SCANNED and max(sizes[-1]) <= LARGEST_PAGE:
                codes += _codes(page, number)
    return tuple(sizes), "".join(words), tuple(codes)


def _codes(page: pypdfium2.PdfPage, number: int) -> list[PrintedCode]:
    for resolution in _PIXELS_A_POINT:
        found = qr.locate(page.render(scale=resolution, grayscale=True).to_pil())
        if found:
            return [_code(each, number, _MM_A_POINT / resolution) for each in found]
    return []


def _code(found: qr.Located, page: int, scale: float) -> PrintedCode:
    width, height = found.right - found.left, found.bottom - found.top
    area = Area(page, found.left * scale, found.top * scale, width * scale, height * scale)
    return PrintedCode(area, found.text)


def _fonts(pdf: bytes) -> Iterator[FontUse]:
    with pikepdf.open(BytesIO(pdf)) as document:
        for page in document.pages:
            for font in page.resources.get("/Font", pikepdf.Dictionary()).values():
                yield FontUse(str(font.get("/BaseFont", ""))[1:], _file(font))


def _file(font: pikepdf.Object) -> bytes | None:
    """Return the TrueType file of a simple or composite font (ISO 32000-1 §9.9)."""
    descendants = font.get("/DescendantFonts")
    inner = descendants[0] if descendants is not None else font
    descriptor = inner.get("/FontDescriptor")
    stream = descriptor.get("/FontFile2") if descriptor is not None else None
    return stream.read_bytes() if stream is not None else None
