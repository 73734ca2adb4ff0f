"""Octets inside a JSON document: compressed (zlib), in base64url without padding, unpacked within bounds."""

import base64
import zlib


def pack(octets: bytes) -> str:
    """Return octets as text."""
    return base64.urlsafe_b64encode(zlib.compress(octets, 9)).rstrip(b"=").decode("ascii")


def unpack(text: str, largest: int) -> bytes:
    """Return the octets that `pack` wrote, `largest` at most.

    Raises ValueError whose text is "size" for more than that, "form" for anything else.
    """
    unpacking = zlib.decompressobj()
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        unpacked = unpacking.decompress(packed, largest + 1)
    except (ValueError, zlib.error):
        raise ValueError("form") from None
    if len(unpacked) > largest:
        raise ValueError("size")
    if not unpacking.eof or unpacking.unused_data:
        raise ValueError("form")
    return unpacked
