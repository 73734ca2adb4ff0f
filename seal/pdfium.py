"""Pages as pixels by PDFium, from one thread at a time: it keeps state of its own."""

from threading import Lock

import pypdfium2
from PIL import Image

# PDFium rounds up: a hair more than whole pixels would become one pixel more.
_A_HAIR_LESS = 1 - 1e-6

ONE_AT_A_TIME = Lock()
"""Held by whoever enters PDFium."""


def pixels(pdf: bytes, scale: float, *, grey: bool = False) -> Image.Image:
    """Return the first page of a PDF of our own making, `scale` pixels a point, on white."""
    with ONE_AT_A_TIME, pypdfium2.PdfDocument(pdf) as document:
        picture: Image.Image = (
            document[0].render(scale=scale * _A_HAIR_LESS, grayscale=grey).to_pil()
        )
        return picture.convert("L" if grey else "RGB")
