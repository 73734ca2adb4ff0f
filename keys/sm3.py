"""SM3 (GB/T 32905): the Python's own OpenSSL when it knows the name, `cryptography`'s otherwise."""

import hashlib

from cryptography.hazmat.primitives import hashes


def _hashlib_knows_sm3() -> bool:
    # Not promised by `hashlib`: an interpreter linked to a trimmed OpenSSL has no SM3.
    try:
        return hashlib.new("sm3", b"abc").hexdigest().startswith("66c7f0f4")
    except ValueError:
        return False


_IN_HASHLIB = _hashlib_knows_sm3()


def sm3(data: bytes) -> bytes:
    """Return the SM3 digest of `data`, 32 bytes."""
    if _IN_HASHLIB:
        return hashlib.new("sm3", data).digest()
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()
