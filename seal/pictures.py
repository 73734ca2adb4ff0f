"""Pictures that go onto a face: read with bounds, written anew, so that nothing else rides along.

What a camera or a stranger put beside the pixels (where it was taken, other pictures, programs
after the end) is not in the result. A picture is a PNG or a JPEG and stays one.
"""

from io import BytesIO

from PIL import Image, ImageOps

from seal.qr import PictureTooLarge, PictureUnreadable

MOST_PIXELS = 16_000_000
"""An A4 page at 350 dpi; unpacked 64 MB."""

MOST_BYTES = 8 * 1024 * 1024

_FORMATS = ("PNG", "JPEG")
_TYPES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
_QUALITY = 92


def cleaned(content: bytes) -> bytes:
    """Return the picture `content` (PNG or JPEG) upright, in RGB or grey, without anything beside it.

    Only a PNG keeps its transparency. Raises `PictureUnreadable`, and `PictureTooLarge` above
    `MOST_BYTES` or `MOST_PIXELS`, before unpacking it.
    """
    if len(content) > MOST_BYTES:
        raise PictureTooLarge(limit=MOST_PIXELS)
    try:
        with Image.open(BytesIO(content), formats=_FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise PictureTooLarge(limit=MOST_PIXELS)
            kind = opened.format
            picture = _plain(ImageOps.exif_transpose(opened))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as bomb:
        raise PictureTooLarge(limit=MOST_PIXELS) from bomb
    except (OSError, SyntaxError, ValueError, EOFError, ArithmeticError) as broken:
        raise PictureUnreadable from broken
    out = BytesIO()
    if kind == "JPEG":
        picture.convert("L" if picture.mode == "L" else "RGB").save(out, "JPEG", quality=_QUALITY)
    else:
        picture.save(out, "PNG")
    return out.getvalue()


def _plain(picture: Image.Image) -> Image.Image:
    """Return the pixels alone: palettes, sixteen bits and CMYK become what every reader draws."""
    mode = picture.mode if picture.mode in {"L", "RGB"} else "RGB"
    if picture.has_transparency_data:
        mode = "RGBA"
    plain = Image.new(mode, picture.size)
    plain.paste(picture.convert(mode))
    return plain


def media_type(content: bytes) -> str:
    """Return `image/png` or `image/jpeg` by how the file begins; raise ValueError for another."""
    for beginning, told in _TYPES.items():
        if content.startswith(beginning):
            return told
    raise ValueError("neither PNG nor JPEG")


def size(content: bytes) -> tuple[int, int]:
    """Return the width and the height of a picture in pixels."""
    with Image.open(BytesIO(content), formats=_FORMATS) as opened:
        return opened.size
