"""The picture of a seal as a PNG: one red in sixteen strengths, nothing where there is no ink.

It lies over text as ink does, and is its true size in millimetres at the resolution it states.
"""

import io
from collections.abc import Iterable

from pikepdf import Pdf
from PIL import Image, ImageChops

from seal import pdfium
from seal.pdf_paths import operators
from seal.seal_design import (
    NAME_LENGTHS,
    Design,
    SealPictureRefused,
    SealPictureUnsound,
    outlines,
)
from seal.seal_outline import Outline

__all__ = ["NAME_LENGTHS", "Design", "SealPictureRefused", "centre", "draw", "draw_design"]

DPI = 600
"""The resolution at which print shows no steps; 42 mm are 992 pixels."""

_RESOLUTIONS = range(72, 1201)
_RED = (255, 0, 0)
_MM_PER_INCH = 25.4
_STRENGTHS = 16
_MOST_BYTES, _MOST_PIXELS = 2 * 1024 * 1024, 4_000_000


def draw(
    name: str,
    width_mm: float = 42,
    dpi: int = DPI,
    purpose_line: str = "电子证照专用章",
    code: str = "",
) -> bytes:
    """Return the PNG of a round seal with a star, as `draw_design` does."""
    return draw_design(Design(name, width=width_mm, purpose_line=purpose_line, code=code), dpi)


def draw_design(design: Design, dpi: int = DPI) -> bytes:
    """Return the PNG of a seal at `dpi` (72–1200); same design, same bytes.

    Raises SealPictureRefused.
    """
    if dpi not in _RESOLUTIONS:
        raise SealPictureRefused(reason="size")
    ink = _ink(outlines(design), design, dpi)
    if design.picture:
        left, top, side = (round(mm / _MM_PER_INCH * dpi) for mm in design.centre_box)
        ink.paste(_strengths(design.picture, side), (left, top))
    return _png(ink, dpi)


def centre(design: Design) -> bytes:
    """Return the design's own picture for the centre in the seal's red, as a PNG of 600 dpi.

    Raises SealPictureRefused.
    """
    side = round(design.centre_box[2] / _MM_PER_INCH * DPI)
    return _png(_strengths(design.picture, side), DPI)


def _ink(drawn: Iterable[Outline], design: Design, dpi: int) -> Image.Image:
    """Return how much of each pixel is inked."""
    across, down = design.size
    width, height = round(across / _MM_PER_INCH * dpi), round(down / _MM_PER_INCH * dpi)
    upright = f"{width / across:.9f} 0 0 {-height / down:.9f} 0 {height} cm"
    paths = (f"{' '.join(operators(outline.segments))} f" for outline in drawn)
    with Pdf.new() as pdf:
        pdf.add_blank_page(page_size=(width, height))
        pdf.pages[0].obj.Contents = pdf.make_stream("\n".join([upright, *paths]).encode())
        page = io.BytesIO()
        pdf.save(page)
    return ImageChops.invert(pdfium.pixels(page.getvalue(), 1, grey=True))


def _strengths(picture: bytes, side: int) -> Image.Image:
    """Return a stranger's picture as ink: what is opaque, or what is dark when all of it is.

    It keeps its proportions and fills a square of `side` pixels one way.
    """
    drawn = _opened(picture)
    opaque = drawn.getchannel("A")
    dark = ImageChops.invert(drawn.convert("L"))
    ink = dark if opaque.getextrema() == (255, 255) else opaque
    longer = max(ink.size)
    across, down = (max(1, round(length * side / longer)) for length in ink.size)
    ink = ink.resize((across, down), Image.Resampling.LANCZOS)
    square = Image.new("L", (side, side), 0)
    square.paste(ink, ((side - ink.width) // 2, (side - ink.height) // 2))
    return square


def _opened(picture: bytes) -> Image.Image:
    if len(picture) > _MOST_BYTES:
        raise SealPictureUnsound(reason="picture")
    try:
        with Image.open(io.BytesIO(picture), formats=("PNG",)) as opened:
            if opened.width * opened.height > _MOST_PIXELS:
                raise SealPictureUnsound(reason="picture")
            return opened.convert("RGBA")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise SealPictureUnsound(reason="picture") from None


def _png(ink: Image.Image, dpi: int) -> bytes:
    """One red in sixteen strengths: a quarter of the bytes of RGBA, which each document carries twice."""
    step = 255 // (_STRENGTHS - 1)
    picture = ink.point([round(strength / step) for strength in range(256)])
    picture.putpalette(_RED * _STRENGTHS)
    target = io.BytesIO()
    picture.save(
        target,
        "PNG",
        optimize=True,
        bits=4,
        transparency=bytes(range(0, 256, step)),
        dpi=(dpi, dpi),
    )
    return target.getvalue()
