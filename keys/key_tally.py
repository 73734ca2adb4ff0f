"""Uses of the keys of tokens, counted, and told in the journal in one row for many (decision 0011).

A token's signature must not cost a transaction. What is counted and not yet written is bounded: when
the journal does not take it, signing ends. Every use of any other key, and every use that failed, is
still told at once by itself.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Lock, Thread
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from keys import journal
from keys.algorithms import Purpose
from keys.key_use import KeyUse, Outcome, in_journal

TALLIED = frozenset(
    {Purpose.ACCESS_TOKEN, Purpose.ID_TOKEN, Purpose.TOKEN_ENCRYPTION, Purpose.REQUEST}
)
"""The purposes whose uses are counted."""

LONGEST_ROW = 1000
"""How many uses one row tells at most."""

MOST_UNTOLD = 20_000
"""How many uses may be counted and not yet in the journal."""

_TOLD_EVERY = 60.0

_log = logging.getLogger(__name__)

_Begin = Callable[[], AbstractContextManager[Session]]
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


@dataclass(slots=True)
class _Count:
    """The uses of one key by one part of the system within a minute, all of one outcome.

    `running` is SHA-256 over the digests of the uses (32 bytes each), in the order of counting.
    """

    of: KeyUse
    number: int = 0
    last: datetime = field(init=False)
    running: _Digest = field(default_factory=hashlib.sha256)

    def add(self, use: KeyUse) -> None:
        self.number += 1
        self.last = use.at
        self.running.update(bytes.fromhex(use.digest))

    def write(self, tx: Session) -> None:
        first = self.of
        details = {
            "purpose": first.purpose.value,
            "owner": first.owner,
            "outcome": first.outcome.value,
            "count": self.number,
            "first": first.at.strftime(_MOMENT),
            "last": self.last.strftime(_MOMENT),
            "digest": self.running.hexdigest(),
        }
        journal.append(
            tx,
            at=self.last,
            actor=first.by,
            action="key.used_many",
            subject=first.kid,
            details=details,
        )


class Tally:
    """Counts the uses of keys; one for a process, shared between its threads."""

    def __init__(
        self, begin: _Begin, *, longest_row: int = LONGEST_ROW, most_untold: int = MOST_UNTOLD
    ) -> None:
        """Take what begins a transaction, and the two bounds."""
        self._begin = begin
        self._at_once = in_journal(begin)
        self._longest_row = longest_row
        self._most_untold = most_untold
        self._counting = Lock()
        self._writing = Lock()
        self._minute: datetime | None = None
        self._counts: dict[tuple[str, ...], _Count] = {}
        self._closed: list[_Count] = []
        self._untold = 0

    def record(self, use: KeyUse) -> None:
        """Count a use, or tell it at once; this is a `keys.key_use.Record`.

        A count is written when its minute is over or it is long enough; if that fails it is kept, and
        written with the next. Raises what writing raises, once too much is untold and for a use that
        is told at once.
        """
        if use.purpose not in TALLIED or use.outcome is Outcome.FAILED:
            self._at_once(use)
            return
        if self._untold >= self._most_untold:
            self.flush()
        # While another thread writes, what was closed waits for the next time.
        if self._count(use) and self._writing.acquire(blocking=False):
            try:
                self._write()
            except SQLAlchemyError as cause:
                self._told_later(cause)
            finally:
                self._writing.release()

    def flush(self) -> None:
        """Write everything that is counted. Raises what writing raises, and keeps it then."""
        with self._counting:
            self._close()
        with self._writing:
            self._write()

    @contextmanager
    def telling(self, every: float = _TOLD_EVERY) -> Iterator[None]:
        """Write what is counted every so many seconds while the block lasts, used or idle."""
        over = Event()
        thread = Thread(target=self._keep_telling, args=(over, every), name="tally")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    @property
    def untold(self) -> int:
        """How many uses are counted and not yet in the journal."""
        return self._untold

    def _keep_telling(self, over: Event, every: float) -> None:
        while not over.wait(every):
            try:
                self.flush()
            except SQLAlchemyError as cause:
                self._told_later(cause)

    def _told_later(self, cause: SQLAlchemyError) -> None:
        _log.warning("key uses wait to be told: %d, %s", self._untold, type(cause).__name__)

    def _count(self, use: KeyUse) -> bool:
        """Add a use to its count; say whether a count was closed by it."""
        which = (use.kid, use.purpose.value, use.owner, use.by, use.outcome.value)
        minute = use.at.replace(second=0, microsecond=0)
        with self._counting:
            before = len(self._closed)
            if minute != self._minute:
                self._close()
                self._minute = minute
            count = self._counts.get(which) or self._counts.setdefault(which, _Count(use))
            count.add(use)
            self._untold += 1
            if count.number >= self._longest_row:
                self._closed.append(self._counts.pop(which))
            return len(self._closed) > before

    def _close(self) -> None:
        self._closed += self._counts.values()
        self._counts.clear()

    def _write(self) -> None:
        """Write the closed counts in one transaction; one writer at a time, under `_writing`.

        If a commit was made but its answer was lost, they are told twice rather than not at all.
        """
        with self._counting:
            closed, self._closed = self._closed, []
        if not closed:
            return
        try:
            with self._begin() as tx:
                for count in closed:
                    count.write(tx)
        except BaseException:
            with self._counting:
                self._closed = closed + self._closed
            raise
        with self._counting:
            self._untold -= sum(count.number for count in closed)
