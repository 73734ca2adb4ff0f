"""Uses of the keys of tokens are counted, and none is forgotten as long as the process lives."""

import hashlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from keys.algorithms import Purpose
from keys.key_tally import TALLIED, Tally
from keys.key_use import KeyUse, Outcome, Recorded, Watch
from keys.software_signer import SoftwareSigner
from keys.tables import journal

NOON = datetime.fromisoformat("2026-11-02T12:00:00Z")
USE = KeyUse(NOON, "idp", "k1", Purpose.ID_TOKEN, "service", "00" * 32, Outcome.SIGNED)


@dataclass
class Ground:
    """A database that can be gone."""

    database: Engine
    gone: bool = False

    def begin(self) -> AbstractContextManager[Session]:
        if self.gone:
            raise OperationalError("BEGIN", None, Exception("gone"))
        return sessionmaker(self.database).begin()

    def rows(self) -> list[Any]:
        with Session(self.database) as tx:
            return list(tx.execute(select(journal).order_by(journal.c.id)))

    def told(self) -> int:
        """How many uses the journal tells."""
        return sum(row.details.get("count", 1) for row in self.rows())


@pytest.fixture
def ground(database: Engine) -> Ground:
    return Ground(database)


def later(seconds: int, **changes: Any) -> KeyUse:
    return replace(USE, at=NOON + timedelta(seconds=seconds), **changes)


def digest_of(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def test_the_uses_of_a_minute_are_one_row(ground: Ground) -> None:
    tally = Tally(ground.begin)
    digests = [digest_of(number) for number in range(3)]
    for second, digest in zip((0, 20, 59), digests, strict=True):
        tally.record(later(second, digest=digest))
    assert ground.rows() == []
    tally.record(later(60))
    (row,) = ground.rows()
    assert (row.action, row.actor, row.subject) == ("key.used_many", "idp", "k1")
    assert row.at == NOON + timedelta(seconds=59)
    # printf of the three digests in binary | sha256sum
    running = hashlib.sha256(b"".join(map(bytes.fromhex, digests))).hexdigest()
    assert row.details == {
        "purpose": "id-token",
        "owner": "service",
        "outcome": "signed",
        "count": 3,
        "first": "2026-11-02T12:00:00Z",
        "last": "2026-11-02T12:00:59Z",
        "digest": running,
    }
    assert tally.untold == 1


def test_uses_that_differ_are_counted_apart(ground: Ground) -> None:
    tally = Tally(ground.begin)
    others: list[dict[str, Any]] = [
        {"kid": "k2"},
        {"purpose": Purpose.ACCESS_TOKEN},
        {"owner": "service-rs256"},
        {"by": "test"},
        {"purpose": Purpose.TOKEN_ENCRYPTION, "outcome": Outcome.OPENED},
    ]
    for changes in ({}, *others, {}):
        tally.record(replace(USE, **changes))
    tally.flush()
    assert sorted(row.details["count"] for row in ground.rows()) == [1, 1, 1, 1, 1, 2]


def test_a_long_count_is_written_before_its_minute_is_over(ground: Ground) -> None:
    tally = Tally(ground.begin, longest_row=10)
    for _ in range(25):
        tally.record(USE)
    assert [row.details["count"] for row in ground.rows()] == [10, 10]
    assert tally.untold == 5


def test_a_clock_set_back_only_ends_the_minute(ground: Ground) -> None:
    tally = Tally(ground.begin)
    tally.record(USE)
    tally.record(later(-3600))
    tally.flush()
    assert ground.told() == 2


def test_what_is_flushed_is_written_once(ground: Ground) -> None:
    tally = Tally(ground.begin)
    tally.record(USE)
    for _ in range(2):
        tally.flush()
    assert ground.told() == 1
    assert tally.untold == 0


def test_an_idle_process_tells_its_last_uses_too_also_after_an_outage(ground: Ground) -> None:
    tally = Tally(ground.begin)
    tally.record(USE)
    ground.gone = True
    with tally.telling(every=0.01):
        time.sleep(0.1)
        ground.gone = False
        wait_until(lambda: tally.untold == 0)
        tally.record(later(1))
        wait_until(lambda: tally.untold == 0)
    assert ground.told() == 2


def wait_until(done: Callable[[], bool]) -> None:
    for _ in range(1000):
        if done():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")


@pytest.mark.parametrize("purpose", sorted(set(Purpose) - TALLIED))
def test_every_other_key_is_told_of_at_once(purpose: Purpose, ground: Ground) -> None:
    Tally(ground.begin).record(replace(USE, purpose=purpose))
    (row,) = ground.rows()
    assert (row.action, row.details["digest"]) == ("key.used", USE.digest)


@pytest.mark.parametrize("purpose", sorted(TALLIED))
def test_a_use_that_failed_is_told_at_once(purpose: Purpose, ground: Ground) -> None:
    Tally(ground.begin).record(replace(USE, purpose=purpose, outcome=Outcome.FAILED))
    (row,) = ground.rows()
    assert (row.action, row.details["outcome"]) == ("key.used", "failed")


def test_a_count_that_cannot_be_written_is_kept_and_written_later(
    ground: Ground, caplog: pytest.LogCaptureFixture
) -> None:
    tally = Tally(ground.begin, longest_row=2)
    ground.gone = True
    for second in (0, 1, 2, 61):
        tally.record(later(second))
    with pytest.raises(OperationalError):
        tally.flush()
    assert tally.untold == 4
    assert any("key uses wait to be told" in line.getMessage() for line in caplog.records)
    ground.gone = False
    tally.flush()
    assert [row.details["count"] for row in ground.rows()] == [2, 1, 1]
    assert tally.untold == 0


def test_signing_ends_when_too_much_is_untold_and_goes_on_when_it_is_told(
    ground: Ground, signer: SoftwareSigner
) -> None:
    tally = Tally(ground.begin, longest_row=4, most_untold=10)
    watch = Watch("idp", Purpose.ACCESS_TOKEN, "service", lambda: NOON, tally.record)
    recorded = Recorded(signer, watch)
    ground.gone = True
    for _ in range(10):
        recorded.sign(b"message")
    for _ in range(3):
        with pytest.raises(OperationalError):
            recorded.sign(b"message")
    assert tally.untold == 10
    ground.gone = False
    recorded.sign(b"message")
    tally.flush()
    assert ground.told() == 11


def test_a_key_that_must_be_told_of_is_not_used_while_nobody_can_be_told(
    ground: Ground, signer: SoftwareSigner
) -> None:
    tally = Tally(ground.begin)
    ground.gone = True
    watch = Watch("licences", Purpose.LICENCE_DATA, "body", lambda: NOON, tally.record)
    with pytest.raises(OperationalError):
        Recorded(signer, watch).sign(b"message")


def test_of_many_threads_every_use_is_told_once(ground: Ground) -> None:
    tally = Tally(ground.begin, longest_row=7)

    def use(number: int) -> None:
        tally.record(later(number % 180, digest=digest_of(number), kid=f"k{number % 3}"))
        if number % 50 == 0:
            tally.flush()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(use, range(600)))
    tally.flush()
    assert ground.told() == 600
    assert tally.untold == 0


def test_a_thread_does_not_wait_for_another_that_writes(ground: Ground) -> None:
    inner: list[Callable[[], None]] = []

    def begin_slowly() -> AbstractContextManager[Session]:
        # While this thread writes, another use closes another count.
        while inner:
            inner.pop()()
        return ground.begin()

    tally = Tally(begin_slowly, longest_row=1)
    inner.append(lambda: tally.record(later(1)))
    tally.record(USE)
    assert (ground.told(), tally.untold) == (1, 1)
    tally.flush()
    assert ground.told() == 2
