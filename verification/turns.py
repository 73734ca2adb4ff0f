"""Turns at work that is dear: a few at once, a few waiting a moment, and the rest sent away.

Judging a file takes seconds of processor and tens of MiB. Without a limit, a handful of senders
could hold every worker thread, and with them the scans and sign-ins of everybody else.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from verification.errors import VerificationBusy


class Turns:
    """`at_once` work; `waiting` more wait up to `patience` seconds for a turn."""

    def __init__(self, at_once: int = 4, waiting: int = 8, patience: float = 2.0) -> None:
        self._patience = patience
        self._working = threading.BoundedSemaphore(at_once)
        # Who waits holds a thread too, so the queue is short and its end is told at once.
        self._admitted = threading.BoundedSemaphore(at_once + waiting)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold a turn for the length of the block. Raises `VerificationBusy`."""
        if not self._admitted.acquire(blocking=False):
            raise VerificationBusy()
        try:
            if not self._working.acquire(timeout=self._patience):
                raise VerificationBusy()
            try:
                yield
            finally:
                self._working.release()
        finally:
            self._admitted.release()
