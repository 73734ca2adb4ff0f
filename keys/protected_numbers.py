"""Identity numbers and phone numbers at rest: a keyed index to find them by, a seal to read them from.

Neither is any use without its key: the space of ID numbers is small enough to try them all against
a plain hash.
"""

import hashlib
import hmac
from collections.abc import Callable

from keys.wrapping import KEY_BYTES, Wrapper

_BELONGS_TO = "protected-number"


class NumberProtector:
    """Holds the two keys, 32 bytes each, and never shows them."""

    __slots__ = ("_index_key", "_wrapper")

    def __init__(self, index_key: bytes, seal_key: bytes) -> None:
        """Take the keys. Raises ValueError unless both are 32 bytes and different."""
        if len(index_key) != KEY_BYTES or index_key == seal_key:
            raise ValueError(f"two different keys of {KEY_BYTES} bytes are needed")
        self._index_key = index_key
        self._wrapper = Wrapper(seal_key)

    def index(self, kind: str, number: str) -> bytes:
        """Return HMAC-SHA256 over kind and number, 32 bytes: equal for equal numbers of one kind.

        `kind` is a word such as `resident_id`, `uscc` or `phone`; normalise the number first.
        """
        message = kind.encode() + b"\0" + number.encode()
        return hmac.digest(self._index_key, message, hashlib.sha256)

    def seal(self, number: str, random: Callable[[int], bytes]) -> bytes:
        """Return the number sealed with AES-256-GCM; different bytes every time."""
        return self._wrapper.wrap(number.encode(), _BELONGS_TO, random)

    def open(self, blob: bytes) -> str:
        """Return the number. Raises SecretUnreadable when the seal does not hold."""
        return self._wrapper.unwrap(blob, _BELONGS_TO).decode()
