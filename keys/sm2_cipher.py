"""An SM2 ciphertext in its two forms: C1‖C3‖C2, and DER SM2Cipher (GB/T 35276 §7.2, GM/T 0009 §7.2).

Strict both ways: one C1‖C3‖C2 has exactly one DER form. C1 is X‖Y without the leading 04.
"""

from keys.ciphertext import CiphertextRefused
from keys.curves import FIELD_BYTES
from keys.der import integer, octets, sequence

C1_BYTES, C3_BYTES = 2 * FIELD_BYTES, 32
LONGEST_PLAINTEXT = 255
"""Bytes; GmSSL takes no more, and a key never needs more (documents go under SM4)."""

_LONGEST = C1_BYTES + C3_BYTES + LONGEST_PLAINTEXT
_INTEGER, _OCTETS, _SEQUENCE = 0x02, 0x04, 0x30


def split(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """Return C1, C3 and C2 of C1‖C3‖C2. Raises CiphertextRefused when C2 is empty or too long."""
    if not C1_BYTES + C3_BYTES < len(raw) <= _LONGEST:
        raise CiphertextRefused
    return raw[:C1_BYTES], raw[C1_BYTES : C1_BYTES + C3_BYTES], raw[C1_BYTES + C3_BYTES :]


def to_der(raw: bytes) -> bytes:
    """Encode C1‖C3‖C2 as SM2Cipher. Raises CiphertextRefused when it is too short or too long."""
    c1, c3, c2 = split(raw)
    x, y = int.from_bytes(c1[:FIELD_BYTES]), int.from_bytes(c1[FIELD_BYTES:])
    return sequence(integer(x), integer(y), octets(c3), octets(c2))


def from_der(der: bytes) -> bytes:
    """Decode SM2Cipher to C1‖C3‖C2. Raises CiphertextRefused on anything but the minimal encoding."""
    body, rest = _read(_SEQUENCE, der)
    x, after_x = _read(_INTEGER, body)
    y, after_y = _read(_INTEGER, after_x)
    c3, after_c3 = _read(_OCTETS, after_y)
    c2, end = _read(_OCTETS, after_c3)
    numbers = (part.lstrip(b"\0").rjust(FIELD_BYTES, b"\0") for part in (x, y))
    raw = b"".join((*numbers, c3, c2))
    # Whatever was lax on the way in (lengths, padding, sign) cannot be encoded back the same.
    if rest or end or to_der(raw) != der:
        raise CiphertextRefused
    return raw


def _read(tag: int, data: bytes) -> tuple[bytes, bytes]:
    """Return the content of the first value and what follows it; X.690 §8.1.3, definite lengths."""
    if len(data) < 2 or data[0] != tag:
        raise CiphertextRefused
    # More than two octets of length is longer than any ciphertext here.
    octets = data[1] & 0x7F if data[1] & 0x80 else 0
    start = 2 + octets
    length = int.from_bytes(data[2:start]) if octets else data[1]
    if octets > 2 or len(data) < start + length:
        raise CiphertextRefused
    return data[start : start + length], data[start + length :]
