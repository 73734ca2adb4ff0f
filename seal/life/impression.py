"""The picture of a seal as somebody hands it in: is it one that readers can show, and of that shape?

What comes from outside is looked at within bounds: its size is read before its pixels are.
"""

import io
import warnings

from PIL import Image

from seal import ofd_package
from seal.ofd_package import NotAnOfd

LARGEST = 512 * 1024
"""Bytes a picture has at most: it is in every stamp."""

MOST_PIXELS = 2400
"""Pixels a side has at most: 100 mm at 600 dpi."""

_LEAST_PIXELS = 64
_SKEW = 0.03


def fault_of_png(picture: bytes, size: tuple[int, int] | None) -> str:
    """Return what is wrong with a PNG for a seal of `size` (mm, None: not known), or "".

    It is a stable word: `too_large`, `not_png`, `pixels`, `opaque`, `shape`.
    """
    if len(picture) > LARGEST:
        return "too_large"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(picture), formats=("PNG",))
            width, height = image.size
            if not all(_LEAST_PIXELS <= side <= MOST_PIXELS for side in image.size):
                return "pixels"
            opaque = image.convert("RGBA").getchannel("A").getextrema()[0] == 255
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Warning):
        return "not_png"
    # A picture without transparency would hide the text it is stamped over.
    if opaque:
        return "opaque"
    if size is not None and abs(width * size[1] / (height * size[0]) - 1) > _SKEW:
        return "shape"
    return ""


def fault_of_ofd(picture: bytes) -> str:
    """Return what is wrong with a nested OFD: `too_large`, `not_ofd`; or ""."""
    if len(picture) > LARGEST:
        return "too_large"
    try:
        ofd_package.read(picture)
    except NotAnOfd:
        return "not_ofd"
    return ""
