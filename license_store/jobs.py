"""The background jobs of the licence store: each may run twice, and repairs what a crash left undone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from license_store import reforming, sealing, status_publishing
from license_store.desk import Desk


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of job: what runs, how long after the commit at the earliest, and when by itself.

    `every` is a cron line for a job that nobody asks for. `run` takes its arguments as strings. One
    that `can_wait` is done when nothing else is to do: there may be a hundred thousand of it.
    """

    run: Callable[..., object]
    delay: timedelta = timedelta(0)
    every: str = ""
    can_wait: bool = False


def jobs(desk: Desk) -> Mapping[str, Job]:
    """Return the jobs by the names that `desk.defer` is called with."""

    def seal_licence(licence_id: str) -> None:
        sealing.seal_licence(desk, UUID(licence_id))

    def seal_what_waits() -> None:
        sealing.put_in_line_again(desk)

    def reform_licence(licence_id: str) -> None:
        reforming.reform(desk, UUID(licence_id))

    def publish_status_list(number: str) -> None:
        status_publishing.current_token(desk, int(number))

    def renew_status_lists() -> None:
        status_publishing.publish_due(desk)

    return {
        # Whoever issued seals at once; the job is for when that did not come to its end.
        sealing.SEAL_JOB: Job(seal_licence, delay=timedelta(seconds=60)),
        reforming.REFORM_JOB: Job(reform_licence, can_wait=True),
        status_publishing.PUBLISH_JOB: Job(publish_status_list),
        "seal_what_waits": Job(seal_what_waits, every="47 */6 * * *"),
        "renew_status_lists": Job(renew_status_lists, every="*/10 * * * *"),
    }
