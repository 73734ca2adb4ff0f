"""The printed code as a symbol: text to QR modules (ISO/IEC 18004), and pictures back to text.

Level M throughout: in a square of fixed side, a higher level only makes smaller modules. Printed
codes are made in bulk, by zxing-cpp; those on screens one at a time, by qrcode (docs/decisions).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import qrcode
import zxingcpp
from PIL import Image
from qrcode.exceptions import DataOverflowError
from qrcode.image.pil import PilImage

from keys.errors import DomainError

QUIET_ZONE = 4
"""Modules of white around a symbol (ISO/IEC 18004 §5.3.8)."""

LARGEST_VERSION = 18
"""89 modules a side: 0.43 mm each in a 38 mm square, the least that survives a photocopy."""

_LARGEST_SIDE = 17 + 4 * LARGEST_VERSION
_BLACK = 0
_DARK = re.compile(rb"\x01+")

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
    try:
        symbol = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    except ValueError as overflow:  # a version above 40
        raise CodeTooLong(length=len(text)) from overflow
    picture = Image.fromarray(symbol.to_image(scale=1, add_quiet_zones=False))
    side = picture.width
    if side > _LARGEST_SIDE:
        raise CodeTooLong(length=len(text))
    dark = tuple(map(_BLACK.__eq__, picture.tobytes()))
    return tuple(dark[start : start + side] for start in range(0, side * side, side))


def dark_runs(rows: Modules) -> Iterator[tuple[int, int, int]]:
    """Yield (column, row, length) of every horizontal run of dark modules."""
    for row, cells in enumerate(rows):
        for run in _DARK.finditer(bytes(cells)):
            start, end = run.span()
            yield start, row, end - start


def png(text: str, module_px: int = 8) -> bytes:
    """Return the symbol of `text` as a PNG for a screen, with its quiet zone, `module_px` pixels a module.

    Raises `CodeTooLong` as `modules` does.
    """
    symbol = qrcode.QRCode(
        error_correction=qrcode.constants.ERROR_CORRECT_M, box_size=module_px, border=QUIET_ZONE
    )
    symbol.add_data(text)
    try:
        symbol.make()
    except (DataOverflowError, ValueError) as overflow:  # a version above 40
        raise CodeTooLong(length=len(text)) from overflow
    if symbol.version > LARGEST_VERSION:
        raise CodeTooLong(length=len(text))
    out = BytesIO()
    symbol.make_image(image_factory=PilImage).save(out, "PNG")
    return out.getvalue()


def read_picture(data: bytes) -> tuple[str, ...]:
    """Return the text of every QR symbol in a PNG, JPEG or WebP picture.

    Raises `PictureUnreadable`, or `PictureTooLarge` above `MOST_PIXELS` before unpacking it.
    """
    return read_image(_grey(data))


def read_image(picture: Image.Image) -> tuple[str, ...]:
    """Return the text of every QR symbol in an opened picture without transparency."""
    return tuple(symbol.text for symbol in locate(picture))


@dataclass(frozen=True, slots=True)
class Located:
    """A symbol in a picture: its text, and the upright box around it in pixels, without quiet zone."""

    text: str
    left: int
    top: int
    right: int
    bottom: int


def locate(picture: Image.Image) -> tuple[Located, ...]:
    """Return every QR symbol in an opened picture without transparency, with its place."""
    grey = picture if picture.mode == "L" else picture.convert("L")
    pixels = memoryview(grey.tobytes()).cast("B", shape=[grey.height, grey.width])
    found = zxingcpp.read_barcodes(
        pixels,
        formats=_QR_ONLY,
        text_mode=zxingcpp.TextMode.Plain,
    )
    return tuple(_located(symbol) for symbol in found)


def _located(symbol: zxingcpp.Barcode) -> Located:
    place = symbol.position
    corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
    xs, ys = [corner.x for corner in corners], [corner.y for corner in corners]
    return Located(symbol.text, min(xs), min(ys), max(xs), max(ys))


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
