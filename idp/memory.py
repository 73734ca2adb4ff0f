"""What a process remembers for a few seconds, so that a token costs no look-up.

Every process forgets by itself within `LIFETIME`; the one that makes a change forgets at once.
"""

from datetime import datetime, timedelta
from typing import Generic, TypeVar

T = TypeVar("T")

LIFETIME = timedelta(seconds=5)
_MOST = 10_000


class Memory(Generic[T]):
    """Values by name, each for `lifetime` from when it was kept. Threads may share it."""

    def __init__(self, lifetime: timedelta = LIFETIME) -> None:
        self._lifetime = lifetime
        self._kept: dict[str, tuple[T, datetime]] = {}

    def get(self, name: str, now: datetime) -> T | None:
        """The value, if it is remembered still; a clock set back makes nothing last longer."""
        value, at = self._kept.get(name, (None, now))
        return value if timedelta(0) <= now - at < self._lifetime else None

    def keep(self, name: str, value: T, now: datetime) -> None:
        """Remember a value from now on."""
        if len(self._kept) >= _MOST:
            self._kept.clear()
        self._kept[name] = (value, now)

    def forget(self, name: str) -> None:
        """Forget a value."""
        self._kept.pop(name, None)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
