"""A value that is loaded when asked for and kept for a while."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """Calls `load` for the first asker and again once the value is older than `for_how_long`."""

    def __init__(
        self, load: Callable[[], T], clock: Callable[[], datetime], for_how_long: timedelta
    ) -> None:
        self._load = load
        self._clock = clock
        self._for_how_long = for_how_long
        self._loading = threading.Lock()
        self._kept: tuple[T, datetime] | None = None

    def get(self) -> T:
        """Return the value, loading it if there is none or it is too old."""
        kept = self._kept
        if kept is None or not self._fresh(kept[1]):
            with self._loading:
                kept = self._kept
                if kept is None or not self._fresh(kept[1]):
                    kept = self._kept = (self._load(), self._clock())
        return kept[0]

    def forget(self) -> None:
        """Load again at the next `get`."""
        self._kept = None

    def _fresh(self, loaded_at: datetime) -> bool:
        # A clock that was set back makes nothing fresh for longer.
        return timedelta(0) <= self._clock() - loaded_at < self._for_how_long
