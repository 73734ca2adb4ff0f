"""A page of a PDF as a picture, the seal of its signature drawn: for previews and the holder's page."""

from io import BytesIO

import pypdfium2
from PIL import Image

from keys.errors import DomainError
from seal.pdfium import ONE_AT_A_TIME

_POINTS_PER_INCH = 72
_MOST_POINTS = 3000  # about one metre: no licence is larger


class PdfUnreadable(DomainError):
    """The bytes are no PDF that can be drawn."""

    code = "pdf.unreadable"


def png(pdf: bytes, dpi: int = 150, page: int = 0) -> bytes:
    """Return a page of `pdf`, counted from 0, as a PNG at `dpi`. Raises `PdfUnreadable`."""
    out = BytesIO()
    draw(pdf, dpi, page).save(out, "PNG", compress_level=2)
    return out.getvalue()


def draw(pdf: bytes, dpi: int, page: int = 0) -> Image.Image:
    """Return a page of `pdf`, counted from 0, as an RGB picture at `dpi`. Raises `PdfUnreadable`."""
    with ONE_AT_A_TIME:
        try:
            return _draw(pdf, dpi, page)
        except (pypdfium2.PdfiumError, IndexError) as broken:
            raise PdfUnreadable from broken


def _draw(pdf: bytes, dpi: int, number: int) -> Image.Image:
    with pypdfium2.PdfDocument(pdf) as document:
        document.init_forms()  # without it, signature fields are not drawn
        page = document[number]
        if max(page.get_size()) > _MOST_POINTS:
            raise PdfUnreadable
        picture: Image.Image = page.render(scale=dpi / _POINTS_PER_INCH).to_pil()
        return picture.convert("RGB")
