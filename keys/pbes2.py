"""Open a PKCS#8 key that is encrypted under a passphrase: PBES2 (RFC 8018 §6.2), whatever is inside.

`cryptography` opens such files only around keys it knows, and it knows no SM2. Read are PBKDF2 and
scrypt (RFC 7914) with AES-CBC and SM4-CBC: what OpenSSL writes since 1.1.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from asn1crypto.core import Integer, Sequence
from cryptography.hazmat.primitives.ciphers import Cipher, CipherAlgorithm, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from keys.curves import KeyMalformed
from keys.errors import DomainError

_PBES2 = "1.2.840.113549.1.5.13"
_PBKDF2 = "1.2.840.113549.1.5.12"
_SCRYPT = "1.3.6.1.4.1.11591.4.11"
_HMAC_SHA1 = "1.2.840.113549.2.7"

# RFC 8018 §B.1.
_HASHES: Mapping[str, str] = {
    _HMAC_SHA1: "sha1",
    "1.2.840.113549.2.9": "sha256",
    "1.2.840.113549.2.10": "sha384",
    "1.2.840.113549.2.11": "sha512",
}
# NIST's AES arc, and GM/T 0006.
_CIPHERS: Mapping[str, tuple[Callable[[bytes], CipherAlgorithm], int]] = {
    "2.16.840.1.101.3.4.1.2": (algorithms.AES, 16),
    "2.16.840.1.101.3.4.1.22": (algorithms.AES, 24),
    "2.16.840.1.101.3.4.1.42": (algorithms.AES, 32),
    "1.2.156.10197.1.104.2": (algorithms.SM4, 16),
}
_BLOCK_BYTES = 16
# A file can ask for any amount of work; these are about ten seconds, and 256 MiB.
_MOST_ROUNDS = 10_000_000
_MOST_MEMORY = 256 * 2**20


class WrongPassphrase(DomainError):
    """The passphrase does not open the key, or none was given, or the key was changed."""

    code = "key.wrong_passphrase"


class KeyCipherRefused(DomainError):
    """The key is encrypted in a way not read here: an old one, or one nobody uses."""

    code = "key.cipher_refused"


def is_encrypted(der: bytes) -> bool:
    """Say whether it is an EncryptedPrivateKeyInfo (RFC 5958 §3). Raises KeyMalformed for no DER."""
    return isinstance(_children(der)[0], Sequence)


def is_plain(der: bytes) -> bool:
    """Say whether it is a PrivateKeyInfo (RFC 5208 §5), no older form. Raises KeyMalformed for no DER."""
    version, algorithm = _children(der)
    return isinstance(version, Integer) and isinstance(algorithm, Sequence)


def decrypt(der: bytes, passphrase: bytes | None) -> bytes:
    """Return the PrivateKeyInfo inside. Raises WrongPassphrase, KeyCipherRefused, KeyMalformed.

    The encryption is not authenticated: a changed byte looks like another passphrase.
    """
    match _parts(der):
        case ((str(scheme), ((str(kdf), work), (str(cipher), bytes(iv)))), bytes(sealed)) if (
            scheme == _PBES2 and cipher in _CIPHERS and len(iv) == _BLOCK_BYTES
        ):
            make, size = _CIPHERS[cipher]
        case ((str(scheme), *_), bytes()):
            raise KeyCipherRefused(scheme=scheme)
        case _:
            raise KeyMalformed(curve="")
    if passphrase is None:
        raise WrongPassphrase
    key = _derive(passphrase, kdf, work, size)
    opened = _unpadded(Cipher(make(key), modes.CBC(iv)), sealed)
    try:
        good = is_plain(opened)
    except KeyMalformed:
        good = False
    if not good:
        raise WrongPassphrase
    return opened


def _derive(passphrase: bytes, kdf: str, work: object, size: int) -> bytes:
    match work:
        case (bytes(salt), int(rounds), *rest) if kdf == _PBKDF2 and 0 < rounds <= _MOST_ROUNDS:
            if (prf := _prf(rest)) in _HASHES:
                return hashlib.pbkdf2_hmac(_HASHES[prf], passphrase, salt, rounds, size)
        case (bytes(salt), int(n), int(r), int(p), *_) if kdf == _SCRYPT:
            if 0 < 128 * n * r * p <= _MOST_MEMORY // 2:
                return _scrypt(passphrase, salt, (n, r, p), size)
    raise KeyCipherRefused(scheme=kdf)


def _prf(rest: list[object]) -> str:
    match rest:  # the length of the key, and the function: either may be left out
        case [] | [int()]:
            return _HMAC_SHA1
        case [(str(prf), *_)] | [int(), (str(prf), *_)]:
            return prf
    return ""


def _scrypt(passphrase: bytes, salt: bytes, work: tuple[int, int, int], size: int) -> bytes:
    n, r, p = work
    try:
        return hashlib.scrypt(passphrase, salt=salt, n=n, r=r, p=p, maxmem=_MOST_MEMORY, dklen=size)
    except ValueError:  # n is no power of two
        raise KeyCipherRefused(scheme=_SCRYPT) from None


def _unpadded(cipher: Cipher[modes.CBC], sealed: bytes) -> bytes:
    if not sealed or len(sealed) % _BLOCK_BYTES:
        raise KeyMalformed(curve="")
    decryptor, unpadder = cipher.decryptor(), PKCS7(8 * _BLOCK_BYTES).unpadder()
    padded = decryptor.update(sealed) + decryptor.finalize()
    try:
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        raise WrongPassphrase from None


def _children(der: bytes) -> tuple[object, object]:
    """Return the first two values of a SEQUENCE; the others may be of any kind."""
    try:
        read = Sequence.load(der, strict=True)
        return read[0], read[1]
    except (ValueError, TypeError, LookupError):
        raise KeyMalformed(curve="") from None


def _parts(der: bytes) -> tuple[Any, ...]:
    """Return a SEQUENCE as a tuple of plain values, SEQUENCEs inside as tuples again."""
    try:
        return tuple(map(_plain, Sequence.load(der, strict=True).native.values()))
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise KeyMalformed(curve="") from None


def _plain(value: object) -> object:
    return tuple(map(_plain, value.values())) if isinstance(value, dict) else value
