"""Background jobs: in line with their transaction, run when due, run again when they failed."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from license_store.jobs import Job
from service import embedded, migrating
from service.queue import JobUnknownError, Queue

# The database has a clock of its own, and jobs are due by that one too: a day ahead of it, nothing
# becomes due while the tests run.
_NOW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)


@dataclass
class Line:
    """A queue, its database, and what its jobs have done."""

    queue: Queue
    engine: Engine
    done: list[str]

    def waiting(self) -> int:
        with self.engine.connect() as connection:
            query = text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'")
            return int(str(connection.scalar(query)))


@pytest.fixture
def line(
    clone: Callable[[str], AbstractContextManager[str]], seeded_template: str
) -> Iterator[Line]:
    """A line with a job that is done at once, one that waits, and one that may fail."""
    with clone(seeded_template) as url:
        engine = create_engine(url)

        done: list[str] = []
        failures = iter([ConnectionError("try again")])

        def fail_at_first(what: str) -> None:
            for failure in failures:
                raise failure
            done.append(what)

        jobs = {
            "note": Job(lambda what: done.append(what)),
            "later": Job(lambda what: done.append(what), delay=timedelta(minutes=1)),
            "stumble": Job(fail_at_first),
            "reform": Job(lambda what: done.append(what), can_wait=True),
        }
        yield Line(Queue(url, lambda: _NOW, jobs), engine, done)
        engine.dispose()


def test_what_can_wait_lets_all_else_go_first(line: Line) -> None:
    with Session(line.engine) as tx:
        for what in ("old 1", "old 2"):
            line.queue.defer(tx, "reform", {"what": what})
        line.queue.defer(tx, "note", {"what": "urgent"})
        tx.commit()
    line.queue.run_waiting(line.engine, _NOW)
    assert line.done == ["urgent", "old 1", "old 2"]


def test_a_job_appears_when_its_transaction_commits(line: Line) -> None:
    with Session(line.engine) as tx:
        line.queue.defer(tx, "note", {"what": "a"})
        assert line.waiting() == 0
        tx.commit()
    assert line.waiting() == 1
    line.queue.run_waiting(line.engine, _NOW)
    assert line.done == ["a"]


def test_a_job_goes_with_its_transaction(line: Line) -> None:
    with Session(line.engine) as tx:
        line.queue.defer(tx, "note", {"what": "a"})
        tx.rollback()
    line.queue.run_waiting(line.engine, _NOW)
    assert line.done == []


def test_a_job_with_a_delay_waits_for_its_time(line: Line) -> None:
    with Session(line.engine) as tx, tx.begin():
        line.queue.defer(tx, "later", {"what": "a"})
    line.queue.run_waiting(line.engine, _NOW)
    assert line.waiting() == 1
    line.queue.run_waiting(line.engine, _NOW + timedelta(minutes=1))
    assert line.done == ["a"]


def test_a_job_that_failed_is_run_again(line: Line) -> None:
    with Session(line.engine) as tx, tx.begin():
        line.queue.defer(tx, "stumble", {"what": "a"})
    line.queue.run_waiting(line.engine, _NOW)
    assert (line.done, line.waiting()) == ([], 1)
    line.queue.run_waiting(line.engine, datetime.now(UTC) + timedelta(minutes=5))
    assert line.done == ["a"]


def test_a_misspelt_job_is_refused(line: Line) -> None:
    with Session(line.engine) as tx, pytest.raises(JobUnknownError, match="nota"):
        line.queue.defer(tx, "nota", {})


def test_a_worker_in_a_thread_runs_what_comes_and_stops_when_told(line: Line) -> None:
    with line.queue.working():
        _put_and_await(line.queue, line.engine, line.done, "a")
    assert line.done == ["a"]


def test_a_worker_outlives_its_database(server_folder: Path) -> None:
    var, done = server_folder / "restarted", list[str]()
    with embedded.postgres(var, print, durable=False) as url:
        engine = create_engine(url, pool_pre_ping=True)
        migrating.upgrade(engine)
    queue = Queue(url, lambda: _NOW, {"note": Job(lambda what: done.append(what))})
    with ExitStack() as to_the_end, queue.working():
        with embedded.postgres(var, print, durable=False):
            _put_and_await(queue, engine, done, "before")
        to_the_end.enter_context(embedded.postgres(var, print, durable=False))
        _put_and_await(queue, engine, done, "after")
        engine.dispose()


def _put_and_await(queue: Queue, engine: Engine, done: list[str], what: str) -> None:
    with Session(engine) as tx, tx.begin():
        queue.defer(tx, "note", {"what": what})
    deadline = time.monotonic() + 60
    while what not in done:
        assert time.monotonic() < deadline
        time.sleep(0.02)
