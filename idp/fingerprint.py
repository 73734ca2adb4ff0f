"""Keyed fingerprints of secrets we must recognise but never read back: cookies, codes, client secrets.

All of them are random and long or short-lived and throttled, so HMAC-SHA256 is enough; passwords,
which people choose, are in `passwords.py`.
"""

import hmac


def fingerprint(secret: bytes, kind: str, value: str) -> bytes:
    """Return 32 bytes; `kind` separates uses so that a fingerprint of one is worthless as another."""
    return hmac.digest(secret, kind.encode() + b"\x00" + value.encode(), "sha256")


def matches(secret: bytes, kind: str, value: str, expected: bytes) -> bool:
    """Say in constant time whether `value` has the fingerprint `expected`."""
    return hmac.compare_digest(fingerprint(secret, kind, value), expected)
