"""Background jobs on the same PostgreSQL (procrastinate): put in line in the caller's transaction.

A job appears when its transaction commits and not otherwise. Every job may run twice: a worker that
dies leaves its job to be run again.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime

import procrastinate
import structlog
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from license_store.jobs import Job
from service.db import conninfo

_RETRY = procrastinate.RetryStrategy(max_attempts=12, exponential_wait=2)
_PAUSE_SECONDS = 5
_BEHIND_ALL = -1

_log = structlog.get_logger("yinxin.jobs")


class JobUnknownError(Exception):
    """No job has this name: a misspelt name must not wait in line for ever."""


@dataclass(frozen=True, slots=True)
class Queue:
    """The job line of one database. `jobs` are by name."""

    database_url: str
    clock: Callable[[], datetime]
    jobs: Mapping[str, Job]
    _front: procrastinate.App = field(
        default_factory=lambda: procrastinate.App(connector=procrastinate.SyncPsycopgConnector())
    )

    def defer(self, tx: Session, name: str, arguments: Mapping[str, str]) -> None:
        """Put a job in line; it is there when `tx` commits. Raises `JobUnknownError`."""
        if name not in self.jobs:
            raise JobUnknownError(name)
        delay = self.jobs[name].delay
        self._front.configure_task(
            name,
            connection=tx.connection().connection.driver_connection,
            priority=_BEHIND_ALL if self.jobs[name].can_wait else 0,
            schedule_at=self.clock() + delay if delay else None,
        ).defer(**arguments)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Run jobs in a thread of this process while the block lasts; its running job is finished."""
        stopping = threading.Event()
        loop = asyncio.new_event_loop()
        worker = loop.create_task(self._keep_working(stopping))
        thread = threading.Thread(target=_run, args=(loop, worker), name="jobs")
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            loop.call_soon_threadsafe(worker.cancel)
            thread.join()

    def run_waiting(self, engine: Engine, now: datetime) -> None:
        """Run every job that is due at `now` (a time of the caller's own), and return.

        Jobs that nobody asked for are left to a worker that stays.
        """
        with engine.begin() as connection:
            connection.execute(
                text(
                    "UPDATE procrastinate_jobs SET scheduled_at = NULL "
                    "WHERE status = 'todo' AND scheduled_at <= :now"
                ),
                {"now": now},
            )
        asyncio.run(self._work(wait=False))

    async def _keep_working(self, stopping: threading.Event) -> None:
        """Work until told to stop, whatever happens to the database.

        The event is asked besides the cancelling: a worker that loses the database while it is
        being cancelled ends with that error instead.
        """
        while not stopping.is_set():
            try:
                await self._work(wait=True)
            except Exception as error:
                _log.warning("the job worker stopped", cause=repr(error), again_in=_PAUSE_SECONDS)
            if not stopping.is_set():
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _work(self, *, wait: bool) -> None:
        app = self._back(periodic=wait)
        async with app.open_async():
            await app.run_worker_async(
                wait=wait,
                install_signal_handlers=False,
                delete_jobs="successful",
                fetch_job_polling_interval=2.0,
                shutdown_graceful_timeout=20.0,
            )

    def _back(self, *, periodic: bool) -> procrastinate.App:
        connector = procrastinate.PsycopgConnector(
            conninfo=conninfo(self.database_url), min_size=1, max_size=4, timeout=5.0
        )
        app = procrastinate.App(connector=connector)
        for name, kind in self.jobs.items():
            registered = app.task(name=name, retry=_RETRY, pass_context=False)(
                _told(name, kind.run)
            )
            if periodic and kind.every:
                app.periodic(cron=kind.every)(registered)
        stalled = app.task(name="retry_stalled_jobs")(_retry_stalled(app))
        if periodic:
            app.periodic(cron="*/5 * * * *")(stalled)
        return app


def _told(name: str, run: Callable[..., object]) -> Callable[..., None]:
    """Return `run` with a log line for its end. A periodic task gets, and drops, its `timestamp`."""

    def job(timestamp: int | None = None, **arguments: str) -> None:
        try:
            run(**arguments)
        except Exception:
            _log.exception("job failed", task=name, **arguments)
            raise
        _log.info("job done", task=name, **arguments)

    return job


def _retry_stalled(app: procrastinate.App) -> Callable[[int], object]:
    async def retry_stalled_jobs(timestamp: int) -> None:
        for job in await app.job_manager.get_stalled_jobs():
            _log.warning("job stalled", task=job.task_name, job=job.id)
            await app.job_manager.retry_job(job)

    return retry_stalled_jobs


def _run(loop: asyncio.AbstractEventLoop, worker: asyncio.Task[None]) -> None:
    try:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(worker)
    finally:
        loop.close()
