"""Secrets at rest: AES-256-GCM (NIST SP 800-38D) bound to what the secret belongs to."""

from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys.errors import DomainError

Random = Callable[[int], bytes]

KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"


class SecretUnreadable(DomainError):
    """The secret at rest was wrapped under another key, for another owner, or was changed."""

    code = "secret.unreadable"


class Wrapper:
    """Wraps and unwraps under one 32-byte key, which it never shows."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        """Take the key. Raises ValueError unless it is 32 bytes."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"a wrapping key has {KEY_BYTES} bytes")
        self._cipher = AESGCM(key)

    def wrap(self, secret: bytes, belongs_to: str, random: Random) -> bytes:
        """Return version ‖ nonce ‖ ciphertext ‖ tag; `belongs_to` must be given again to unwrap."""
        nonce = random(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, secret, _bound(belongs_to))

    def unwrap(self, blob: bytes, belongs_to: str) -> bytes:
        """Return the secret. Raises SecretUnreadable."""
        nonce, sealed = blob[1 : 1 + _NONCE_BYTES], blob[1 + _NONCE_BYTES :]
        if blob[:1] != _VERSION or len(sealed) < 16:
            raise SecretUnreadable
        try:
            return self._cipher.decrypt(nonce, sealed, _bound(belongs_to))
        except InvalidTag:
            raise SecretUnreadable from None


def _bound(belongs_to: str) -> bytes:
    return _VERSION + belongs_to.encode()
