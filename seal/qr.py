"""The printed code as a symbol: text to QR modules (ISO/IEC 18004), and pictures back to text.

Level M throughout: in a square of fixed side, a higher level only makes smaller modules.
"""

from collections.abc import Iterator
from io import BytesIO

import qrcode
import zxingcpp
from PIL import Image
from qrcode.exceptions import DataOverflowError

from keys.errors import DomainError

QUIET_ZONE = 4
"""Modules of white around a symbol (ISO/IEC 18004 §5.3.8)."""

LARGEST_VERSION = 18
"""89 modules a side: 0.43 mm each in a 38 mm square, the least that survives a photocopy."""

MOST_PIXELS = 40_000_000
_QR_ONLY = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
_FORMATS = ("PNG", "JPEG", "WEBP")

Modules = tuple[tuple[bool, ...], ...]


class CodeTooLong(DomainError):
    """`length` characters make a symbol too fine to print."""

    code = "code.too_long"


class PictureUnreadable(DomainError):
    """The bytes are no PNG, JPEG or WebP picture that can be opened."""

    code = "picture.unreadable"


class PictureTooLarge(DomainError):
    """The picture has more than `limit` pixels."""

    code = "picture.too_large"


def modules(text: str) -> Modules:
    """Return the rows of the QR symbol of `text`, dark as True, without quiet zone.

    Raises `CodeTooLong` when the symbol would be above `LARGEST_VERSION`.
    """
    symbol = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=0)
    symbol.add_data(text, optimize=0)
    try:
        symbol.make(fit=True)
    except (DataOverflowError, ValueError) as overflow:  # a version above 40
        raise CodeTooLong(length=len(text)) from overflow
    if symbol.version > LARGEST_VERSION:
        raise CodeTooLong(length=len(text))
    return tuple(tuple(bool(dark) for dark in row) for row in symbol.modules)


def dark_runs(rows: Modules) -> Iterator[tuple[int, int, int]]:
    """Yield (column, row, length) of every horizontal run of dark modules."""
    for row, cells in enumerate(rows):
        column = 0
        while column < len(cells):
            start = column
            while column < len(cells) and cells[column]:
                column += 1
            if column > start:
                yield start, row, column - start
            column += 1


def png(text: str, module_px: int = 8) -> bytes:
    """Return the symbol of `text` as a PNG with its quiet zone, `module_px` pixels a module."""
    rows = modules(text)
    picture = Image.new("1", (len(rows), len(rows)), 1)
    picture.putdata([0 if dark else 1 for row in rows for dark in row])
    inner = len(rows) * module_px
    margin = QUIET_ZONE * module_px
    page = Image.new("1", (inner + 2 * margin, inner + 2 * margin), 1)
    page.paste(picture.resize((inner, inner), Image.Resampling.NEAREST), (margin, margin))
    out = BytesIO()
    page.save(out, "PNG", optimize=False)
    return out.getvalue()


def read_picture(data: bytes) -> tuple[str, ...]:
    """Return the text of every QR symbol in a PNG, JPEG or WebP picture.

    Raises `PictureUnreadable`, or `PictureTooLarge` above `MOST_PIXELS` before unpacking it.
    """
    return read_image(_grey(data))


def read_image(picture: Image.Image) -> tuple[str, ...]:
    """Return the text of every QR symbol in an opened picture without transparency."""
    grey = picture.convert("L")
    pixels = memoryview(grey.tobytes()).cast("B", shape=[grey.height, grey.width])
    found = zxingcpp.read_barcodes(
        pixels,
        formats=_QR_ONLY,
        text_mode=zxingcpp.TextMode.Plain,
    )
    return tuple(symbol.text for symbol in found)


def _grey(data: bytes) -> Image.Image:
    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise PictureTooLarge(limit=MOST_PIXELS)
            layer = picture.convert("RGBA")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as bomb:
        raise PictureTooLarge(limit=MOST_PIXELS) from bomb
    except (OSError, SyntaxError, ValueError) as broken:
        raise PictureUnreadable from broken
    white = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(white, layer).convert("L")
