"""An (r, s) signature in its two forms: r‖s of 64 bytes, and DER SEQUENCE { r, s } (RFC 3279 §2.2.3).

Strict both ways: one r‖s has exactly one DER form, so there is no second way to write a signature
that a reader would also take.
"""

from keys.curves import FIELD_BYTES
from keys.errors import DomainError

_SEQUENCE, _INTEGER = 0x30, 0x02


class SignatureMalformed(DomainError):
    """The bytes are not a signature in the form asked for."""

    code = "signature.malformed"


def to_der(raw: bytes) -> bytes:
    """Encode r‖s as DER. Raises SignatureMalformed unless it is 64 bytes with r and s not zero."""
    if len(raw) != 2 * FIELD_BYTES:
        raise SignatureMalformed(length=len(raw))
    body = _integer(raw[:FIELD_BYTES]) + _integer(raw[FIELD_BYTES:])
    return bytes([_SEQUENCE, len(body)]) + body


def from_der(der: bytes) -> bytes:
    """Decode DER to r‖s. Raises SignatureMalformed on anything but the minimal encoding."""
    # Two 33-byte integers and their headers make at most 72 bytes: lengths are single octets.
    if not 8 <= len(der) <= 72 or der[0] != _SEQUENCE or der[1] != len(der) - 2:
        raise SignatureMalformed(length=len(der))
    r_end = 4 + der[3]
    raw = b"".join(
        part.lstrip(b"\0").rjust(FIELD_BYTES, b"\0") for part in (der[4:r_end], der[r_end + 2 :])
    )
    # Whatever was lax on the way in (tags, lengths, padding, sign) cannot be encoded back the same.
    if len(raw) != 2 * FIELD_BYTES or to_der(raw) != der:
        raise SignatureMalformed(length=len(der))
    return raw


def _integer(magnitude: bytes) -> bytes:
    minimal = magnitude.lstrip(b"\0")
    if not minimal:
        raise SignatureMalformed(length=0)
    if minimal[0] & 0x80:
        minimal = b"\0" + minimal
    return bytes([_INTEGER, len(minimal)]) + minimal
