"""Digest methods as documents name them: by OID, as GM/T 0031 asks, or by a common name."""

import hashlib
from collections.abc import Callable
from typing import ClassVar

from keys.errors import DomainError
from keys.sm3 import sm3

SM3_OID = "1.2.156.10197.1.401"

_OIDS = {
    SM3_OID: "SM3",
    # The keyed variant's OID, which one vendor writes for plain SM3.
    "1.2.156.10197.1.401.2": "SM3",
    "1.2.840.113549.2.5": "MD5",
    "1.3.14.3.2.26": "SHA1",
    "2.16.840.1.101.3.4.2.1": "SHA256",
}
_WEAK = frozenset({"MD5", "SHA1"})


class UnknownDigest(DomainError):
    """The document names a digest method this program does not know."""

    code: ClassVar[str] = "digest.unknown"


def digest(method: str, data: bytes) -> bytes:
    """Return the digest of `data` by the `method` named. Raises `UnknownDigest`."""
    return _function(_name(method))(data)


def is_weak(method: str) -> bool:
    """Say whether two documents with one digest of this kind can be made."""
    return _name(method) in _WEAK


def _name(method: str) -> str:
    return _OIDS.get(method.strip(), method.strip().upper().replace("-", ""))


def _function(name: str) -> Callable[[bytes], bytes]:
    if name == "SM3":
        return sm3
    if name in _WEAK | {"SHA256"}:
        return lambda data: hashlib.new(name.lower(), data, usedforsecurity=False).digest()
    raise UnknownDigest(method=name)
