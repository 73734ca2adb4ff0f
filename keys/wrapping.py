"""Secrets at rest: AES-256-GCM (NIST SP 800-38D) or SM4-GCM, bound to what the secret belongs to."""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keys import sm4
from keys.ciphertext import CiphertextRefused
from keys.errors import DomainError

Random = Callable[[int], bytes]

KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_VERSION = b"\x01"


class Cipher(StrEnum):
    """The authenticated ciphers a secret may be wrapped with."""

    AES = "AES-256-GCM"
    SM4 = "SM4-GCM"


class SecretUnreadable(DomainError):
    """The secret at rest was wrapped under another key, for another owner, or was changed."""

    code = "secret.unreadable"


class Wrapper:
    """Wraps and unwraps under one 32-byte key, which it never shows."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes, cipher: Cipher = Cipher.AES) -> None:
        """Take the key. Raises ValueError unless it is 32 bytes."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"a wrapping key has {KEY_BYTES} bytes")
        self._cipher: _Authenticated = AESGCM(key) if cipher is Cipher.AES else _Sm4Gcm(key)

    def wrap(self, secret: bytes, belongs_to: str, random: Random) -> bytes:
        """Return version ‖ nonce ‖ ciphertext ‖ tag; `belongs_to` must be given again to unwrap."""
        nonce = random(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, secret, _bound(belongs_to))

    def unwrap(self, blob: bytes, belongs_to: str) -> bytes:
        """Return the secret. Raises SecretUnreadable."""
        nonce, sealed = blob[1 : 1 + _NONCE_BYTES], blob[1 + _NONCE_BYTES :]
        if blob[:1] != _VERSION or len(sealed) < _TAG_BYTES:
            raise SecretUnreadable
        try:
            return self._cipher.decrypt(nonce, sealed, _bound(belongs_to))
        except (InvalidTag, CiphertextRefused):
            raise SecretUnreadable from None


class _Authenticated(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...
    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...


class _Sm4Gcm:
    """SM4 in GCM, under 16 bytes derived from the 32: SM4 has no longer keys."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        derived = HKDF(SHA256(), length=sm4.KEY_BYTES, salt=None, info=b"yinxin SM4-GCM")
        self._key = derived.derive(key)

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes:
        return sm4.gcm_encrypt(self._key, nonce, data, associated_data)

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes:
        return sm4.gcm_decrypt(self._key, nonce, data, associated_data)


def _bound(belongs_to: str) -> bytes:
    return _VERSION + belongs_to.encode()
