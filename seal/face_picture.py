"""A page of a PDF as a picture, the seal of its signature drawn: for previews and the holder's page."""

from io import BytesIO
from threading import Lock

import pypdfium2
from PIL import Image

from keys.errors import DomainError

_POINTS_PER_INCH = 72
_MOST_POINTS = 3000  # about one metre: no licence is larger

# PDFium keeps state of its own and is not safe to enter from two threads.
_ONE_AT_A_TIME = Lock()


class PdfUnreadable(DomainError):
    """The bytes are no PDF that can be drawn."""

    code = "pdf.unreadable"


def png(pdf: bytes, dpi: int = 150) -> bytes:
    """Return the first page of `pdf` as a PNG at `dpi`. Raises `PdfUnreadable`."""
    out = BytesIO()
    draw(pdf, dpi).save(out, "PNG", compress_level=4)
    return out.getvalue()


def draw(pdf: bytes, dpi: int) -> Image.Image:
    """Return the first page of `pdf` as an RGB picture at `dpi`. Raises `PdfUnreadable`."""
    with _ONE_AT_A_TIME:
        try:
            return _draw(pdf, dpi)
        except pypdfium2.PdfiumError as broken:
            raise PdfUnreadable from broken


def _draw(pdf: bytes, dpi: int) -> Image.Image:
    with pypdfium2.PdfDocument(pdf) as document:
        document.init_forms()  # without it, signature fields are not drawn
        page = document[0]
        if max(page.get_size()) > _MOST_POINTS:
            raise PdfUnreadable
        picture: Image.Image = page.render(scale=dpi / _POINTS_PER_INCH).to_pil()
        return picture.convert("RGB")
