"""The keys that wrap keys: one current, and the older ones that still open what they wrapped.

Every wrapped key tells the name of what wrapped it, so a key-encryption key is changed by adding
the new one, wrapping everything again (`vault.rewrap`), and only then taking the old one away.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from keys.errors import DomainError
from keys.wrapping import Cipher, Random, Wrapper

_NAME_BYTES = 8


class KekMissing(DomainError):
    """What is to be opened was wrapped under a key-encryption key that was not given."""

    code = "key.kek_missing"


class Kek:
    """One key-encryption key: 32 bytes that it never shows, and a cipher."""

    __slots__ = ("cipher", "name", "wrapper")

    def __init__(self, key: bytes, cipher: Cipher = Cipher.AES) -> None:
        """Take the key. Raises ValueError unless it is 32 bytes.

        `name` tells nothing of it: 256 random bits are not found by trying.
        """
        self.wrapper = Wrapper(key, cipher)
        self.cipher = cipher
        told = hashlib.sha256(b"yinxin key-encryption key\0" + cipher.encode() + b"\0" + key)
        self.name = told.digest()[:_NAME_BYTES].hex()

    def __repr__(self) -> str:
        return f"Kek({self.name}, {self.cipher.value})"


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A wrapped secret and the name of the key-encryption key it is under."""

    kek: str
    blob: bytes


class KeyEncryptionKeys:
    """Wraps under the current key, unwraps under it and the older ones."""

    __slots__ = ("_by_name", "current")

    def __init__(self, current: Kek, older: Iterable[Kek] = ()) -> None:
        self.current = current
        self._by_name = {kek.name: kek for kek in (*older, current)}

    def wrap(self, secret: bytes, belongs_to: str, random: Random) -> Wrapped:
        """Wrap under the current key, bound to what the secret belongs to."""
        kek = self.current
        return Wrapped(kek.name, kek.wrapper.wrap(secret, belongs_to, random))

    def unwrap(self, wrapped: Wrapped, belongs_to: str) -> bytes:
        """Return the secret. Raises KekMissing, SecretUnreadable."""
        kek = self._by_name.get(wrapped.kek)
        if kek is None:
            raise KekMissing(name=wrapped.kek)
        return kek.wrapper.unwrap(wrapped.blob, belongs_to)

    def __repr__(self) -> str:
        return f"KeyEncryptionKeys({', '.join(self._by_name)})"


def key_encryption_keys(
    current: bytes, older: Iterable[bytes] = (), cipher: Cipher = Cipher.AES
) -> KeyEncryptionKeys:
    """Return the current key with its cipher, and each key with each cipher for what is older.

    So changing the cipher alone is one more change of key. Raises ValueError for a wrong size.
    """
    known = (Kek(key, each) for key in (current, *older) for each in Cipher)
    return KeyEncryptionKeys(Kek(current, cipher), known)
