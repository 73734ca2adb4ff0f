"""Write DER (ITU-T X.690), the few shapes this package builds by hand; reading is asn1crypto's."""

from datetime import UTC, datetime

SEQUENCE, SET = 0x30, 0x31
_INTEGER, _BIT_STRING, _OCTET_STRING, _OID = 0x02, 0x03, 0x04, 0x06
_ENUMERATED, _GENERALIZED_TIME = 0x0A, 0x18
NULL = b"\x05\x00"


def tlv(tag: int, content: bytes) -> bytes:
    """Return one value: its tag (a single octet), its length in the shortest form, its content."""
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content


def sequence(*parts: bytes) -> bytes:
    """Return a SEQUENCE of encoded parts."""
    return tlv(SEQUENCE, b"".join(parts))


def set_of(*parts: bytes) -> bytes:
    """Return a SET OF encoded parts, in DER's order (X.690 §11.6)."""
    return tlv(SET, b"".join(sorted(parts)))


def explicit(number: int, content: bytes) -> bytes:
    """Return `content` inside the constructed context tag `number`."""
    return tlv(0xA0 | number, content)


def integer(value: int) -> bytes:
    """Return an INTEGER."""
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return tlv(_INTEGER, value.to_bytes(size, signed=True))


def enumerated(value: int) -> bytes:
    """Return an ENUMERATED below 128."""
    return tlv(_ENUMERATED, bytes([value]))


def octets(content: bytes) -> bytes:
    """Return an OCTET STRING."""
    return tlv(_OCTET_STRING, content)


def bits(content: bytes) -> bytes:
    """Return a BIT STRING of whole octets."""
    return tlv(_BIT_STRING, b"\0" + content)


def oid(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER."""
    first, second, *rest = map(int, dotted.split("."))
    return tlv(_OID, b"".join(map(_base128, (40 * first + second, *rest))))


def generalized_time(at: datetime) -> bytes:
    """Return a moment (aware) as GeneralizedTime in whole seconds UTC (RFC 5280 §4.1.2.5.2)."""
    return tlv(_GENERALIZED_TIME, at.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode())


def _base128(number: int) -> bytes:
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(0x80 | number & 0x7F)
    return bytes(reversed(digits))
