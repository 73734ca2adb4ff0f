"""Rows appended to the journal, a transaction each, by several writers at once; chained; checked.

Each writer is a process of its own, so the database is measured and not the interpreter's lock.
"""

import multiprocessing
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

from benchmarks.measuring import Measurement
from benchmarks.scratch import database
from keys import journal
from service.db import Begin, beginner, connect

_WRITERS = (1, 4, 16)
_ROUNDS = 3
_SECONDS = 2.0
_NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
_DETAILS = {"purpose": "licence-data", "digest": "5f" * 32, "outcome": "signed"}
# Not forked from this process, whose connections no child must share.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])


def measurements() -> Iterator[Measurement]:
    """Yield a line for each number of writers, then for chaining and checking what they wrote."""
    with database() as engine:
        begin = beginner(engine)
        yield from _appended(engine.url.render_as_string(hide_password=False))
        began = time.perf_counter()
        rows = _chain(begin)
        yield Measurement("chain a row", rows, time.perf_counter() - began)
        began = time.perf_counter()
        with begin() as tx:
            rows = journal.verify(tx).rows
        yield Measurement("verify a row", rows, time.perf_counter() - began)


def _appended(url: str) -> Iterator[Measurement]:
    """Let one, four, sixteen write by turns, so that a drift of the machine meets all alike."""
    rounds = [{writers: _rows(url, writers) for writers in _WRITERS} for _ in range(_ROUNDS)]
    for writers in _WRITERS:
        to_one = statistics.median(rows[writers] / rows[1] for rows in rounds)
        total, seconds = sum(rows[writers] for rows in rounds), _ROUNDS * _SECONDS
        yield Measurement(f"append, {writers} at once", total, seconds, f"{to_one:.2f} × one")


def _rows(url: str, writers: int) -> int:
    """Return how many rows so many writers append together."""
    together, written = _PROCESSES.Barrier(writers), _PROCESSES.Queue()
    processes = [
        _PROCESSES.Process(target=_write, args=(url, together, written)) for _ in range(writers)
    ]
    for process in processes:
        process.start()
    rows: int = sum(written.get() for _ in processes)
    for process in processes:
        process.join()
    return rows


def _write(url: str, together: Barrier, written: "Queue[int]") -> None:
    """Append rows for the seconds given, from when all writers are ready."""
    engine = connect(url, 1)
    begin, rows = beginner(engine), 0
    _append(begin)
    together.wait()
    until = time.perf_counter() + _SECONDS
    while time.perf_counter() < until:
        _append(begin)
        rows += 1
    written.put(rows)
    engine.dispose()


def _append(begin: Begin) -> None:
    with begin() as tx:
        journal.append(
            tx,
            at=_NOW,
            actor="license_store",
            action="key.used",
            subject="0123456789abcdef",
            details=_DETAILS,
        )


def _chain(begin: Begin) -> int:
    rows = 0
    while True:
        with begin() as tx:
            batch = journal.chain(tx, lambda: _NOW)
        rows += batch.count
        if batch.count < journal.BATCH:
            return rows
