"""Passwords as other systems kept them, so that nobody who comes with an import has to choose anew.

Each is checked in its own scheme once, at the first sign-in, and is then kept as ours
(`password.protect`). The forms are those that the systems themselves write:

- bcrypt: `$2a$`, `$2b$` or `$2y$`, cost, salt and digest;
- PBKDF2 (RFC 8018 §5.2): `pbkdf2_sha256$iterations$salt$digest`, `pbkdf2_sha1` and `pbkdf2_sha512`
  alike, the salt as it stands and the digest in base64;
- salted SHA-256 and salted SM3 (GB/T 32905): `{SSHA256}` or `{SSM3}` and the base64 of digest and
  salt, the digest over the password and then the salt; `{SHA256S}` and `{SM3S}` over the salt first.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

import bcrypt

from keys.sm3 import sm3

# The last character of the salt holds two bits of it: one with more is no bcrypt.
_BCRYPT = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}", re.ASCII)
_PBKDF2 = re.compile(
    r"pbkdf2_(sha1|sha256|sha512)\$(\d{1,8})\$([!-#%-~]{1,128})\$([A-Za-z0-9+/]+={0,2})", re.ASCII
)
_SALTED = re.compile(r"\{([A-Z0-9]+)\}([A-Za-z0-9+/]+={0,2})", re.ASCII)

# A hash that somebody else made must not keep us busy for seconds at each try.
_DEAREST_BCRYPT = 14
_MOST_ITERATIONS = 2_000_000
_SHORTEST_PBKDF2, _LONGEST_PBKDF2 = 16, 64
"""Bytes of a digest: each block of it is as much work again as the first."""

_BCRYPT_READS = 72
"""How many bytes of a password bcrypt looks at; those who wrote these hashes cut it off there."""

_SALT_BYTES = range(4, 65)
_DIGEST_BYTES = 32


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


_DIGESTS: Mapping[str, tuple[Callable[[bytes], bytes], bool]] = MappingProxyType(
    {
        "SSHA256": (_sha256, False),
        "SHA256S": (_sha256, True),
        "SSM3": (sm3, False),
        "SM3S": (sm3, True),
    }
)
"""By the scheme's name: the digest, and whether the salt comes first."""


def is_foreign(stored: str) -> bool:
    """Say whether a stored text is whole, in one of these schemes, and at a cost that we pay."""
    if found := _BCRYPT.fullmatch(stored):
        return 4 <= int(found[1]) <= _DEAREST_BCRYPT
    if found := _PBKDF2.fullmatch(stored):
        is_cheap = 0 < int(found[2]) <= _MOST_ITERATIONS
        return is_cheap and _SHORTEST_PBKDF2 <= len(_decoded(found[4])) <= _LONGEST_PBKDF2
    return _salted(stored) is not None


def is_right(password: str, stored: str) -> bool:
    """Say whether the password is that of a text that `is_foreign`; never for any other text."""
    if not is_foreign(stored):
        return False
    # A half character, which JSON's escapes can write, is in nobody's password.
    typed = password.encode(errors="replace")
    if _BCRYPT.fullmatch(stored):
        # bcrypt ends at a zero byte: what comes after it would not count.
        return b"\0" not in typed and bcrypt.checkpw(typed[:_BCRYPT_READS], stored.encode())
    if found := _PBKDF2.fullmatch(stored):
        digest = _decoded(found[4])
        salt, iterations = found[3].encode(), int(found[2])
        made = hashlib.pbkdf2_hmac(found[1], typed, salt, iterations, len(digest))
        return hmac.compare_digest(made, digest)
    return _is_right_salted(typed, stored)


def _is_right_salted(typed: bytes, stored: str) -> bool:
    salted = _salted(stored)
    if salted is None:
        return False
    digest_of, salt_first, digest, salt = salted
    made = digest_of(salt + typed if salt_first else typed + salt)
    return hmac.compare_digest(made, digest)


def _salted(stored: str) -> tuple[Callable[[bytes], bytes], bool, bytes, bytes] | None:
    """Return how the digest was made, the digest and the salt."""
    found = _SALTED.fullmatch(stored)
    if found is None or found[1] not in _DIGESTS:
        return None
    both = _decoded(found[2])
    digest, salt = both[:_DIGEST_BYTES], both[_DIGEST_BYTES:]
    return (*_DIGESTS[found[1]], digest, salt) if len(salt) in _SALT_BYTES else None


def _decoded(text: str) -> bytes:
    """Return the bytes of base64; none when it is not."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
