import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, func, insert, select, update
from sqlalchemy.orm import Session

from keys import journal
from keys.journal_faults import (
    JournalBroken,
    JournalRowChanged,
    JournalRowMisplaced,
    JournalRowMissing,
)
from keys.tables import journal as rows

Write = Callable[..., None]
Rows = dict[int, int]


@pytest.fixture
def write(database: Engine, now: datetime) -> Write:
    def append(count: int = 1, *, chained: bool = True) -> None:
        with Session(database) as tx, tx.begin():
            for number in range(count):
                journal.append(
                    tx,
                    at=now,
                    actor="示例市行政审批局",
                    action="licence.issued",
                    subject=f"licence {number}",
                    details={"version": number, "type": "建筑工程施工许可证"},
                )
        if chained:
            with Session(database) as tx, tx.begin():
                journal.chain(tx, lambda: now)

    return append


def verified(database: Engine, first: int = 1, last: int | None = None) -> int:
    with Session(database) as tx:
        return journal.verify(tx, first, last).rows


def ids(database: Engine) -> Rows:
    """Return the id of the row at each position."""
    with Session(database) as tx:
        found = tx.execute(select(rows.c.position, rows.c.id))
        return {row.position: row.id for row in found}


def change(database: Engine, place: int, **values: Any) -> None:
    with Session(database) as tx, tx.begin():
        tx.execute(update(rows).where(rows.c.position == place).values(values))


def move(database: Engine, places: dict[int, int]) -> None:
    """Move rows from place to place, all at once."""
    for old, new in places.items():
        change(database, old, position=-new)
    for new in places.values():
        change(database, -new, position=new)


def test_an_empty_journal_holds(database: Engine) -> None:
    assert verified(database) == 0


def test_rows_are_chained_once_and_the_chain_holds(
    database: Engine, write: Write, now: datetime
) -> None:
    write(3, chained=False)
    assert verified(database) == 0
    with Session(database) as tx, tx.begin():
        first = journal.chain(tx, lambda: now)
        assert (first.count, first.position) == (3, 3)
        assert journal.chain(tx, lambda: now) == journal.Batch(0, 3, first.digest)
    write(2)
    assert verified(database) == 5


def test_a_batch_is_bounded_and_the_next_goes_on_from_it(
    database: Engine, write: Write, now: datetime
) -> None:
    write(7, chained=False)
    batches = []
    for _ in range(4):
        with Session(database) as tx, tx.begin():
            batches.append(journal.chain(tx, lambda: now, limit=3))
    assert [batch.count for batch in batches] == [3, 3, 1, 0]
    assert [batch.position for batch in batches] == [3, 6, 7, 7]
    assert verified(database) == 7


def test_a_row_of_a_transaction_that_failed_is_not_there(database: Engine, now: datetime) -> None:
    with Session(database) as tx:
        journal.append(tx, at=now, actor="a", action="b", subject="c", details={})
        tx.rollback()
    with Session(database) as tx, tx.begin():
        assert journal.chain(tx, lambda: now).count == 0


def test_a_number_that_json_does_not_carry_exactly_is_refused_and_stops_nobody_else(
    database: Engine, write: Write, now: datetime
) -> None:
    largest = {"number": 2**53 - 1, "smallest": 1 - 2**53}
    for details in ({"number": 2**53}, {"number": -(2**53)}):
        with Session(database) as tx, pytest.raises(ValueError, match="too large"):
            journal.append(tx, at=now, actor="a", action="b", subject="c", details=details)
    with Session(database) as tx, tx.begin():
        journal.append(tx, at=now, actor="a", action="b", subject="c", details=largest)
    write(1)
    assert verified(database) == 2


def test_a_clock_that_steps_back_changes_neither_order_nor_chain(
    database: Engine, write: Write, now: datetime
) -> None:
    write(2)
    write(2, chained=False)
    with Session(database) as tx, tx.begin():
        assert journal.chain(tx, lambda: now - timedelta(days=1)).position == 4
    assert verified(database) == 4


@pytest.mark.parametrize(
    "changed",
    [
        {"id": 1000},
        {"actor": "somebody else"},
        {"action": "licence.revoked"},
        {"subject": "another"},
        {"details": {"version": 1}},
        {"details": {"version": "2", "type": "建筑工程施工许可证"}},
        {"at": datetime.fromisoformat("2026-11-01T08:00:01Z")},
        {"chained_at": datetime.fromisoformat("2026-11-01T08:00:01Z")},
        {"chained_at": None},
        {"digest": bytes(32)},
        {"digest": None},
    ],
    ids=lambda c: next(iter(c)),
)
def test_a_changed_row_is_named(changed: dict[str, object], database: Engine, write: Write) -> None:
    write(5)
    change(database, 3, **changed)
    with pytest.raises(JournalRowChanged) as broken:
        verified(database)
    assert broken.value.parameters == {"row": ids(database)[3], "position": 3}


def test_a_changed_row_whose_digest_was_made_anew_breaks_the_next(
    database: Engine, write: Write, now: datetime
) -> None:
    write(5)
    change(database, 3, actor="somebody else")
    with Session(database) as tx, tx.begin():
        third = tx.execute(select(rows).where(rows.c.position == 3)).one()
        before = tx.scalars(select(rows.c.digest).where(rows.c.position == 2)).one()
        link = hashlib.sha256(before + canonical(third)).digest()
        tx.execute(update(rows).where(rows.c.position == 3).values(digest=link))
    with pytest.raises(JournalRowChanged) as broken:
        verified(database)
    assert broken.value.parameters["position"] == 4


def test_a_removed_row_is_named_by_its_place(database: Engine, write: Write) -> None:
    write(5)
    with Session(database) as tx, tx.begin():
        tx.execute(delete(rows).where(rows.c.position == 2))
    with pytest.raises(JournalRowMissing) as broken:
        verified(database)
    assert broken.value.parameters == {"position": 2}


def test_a_removed_row_is_missed_although_the_others_moved_up(
    database: Engine, write: Write
) -> None:
    write(4)
    with Session(database) as tx, tx.begin():
        tx.execute(delete(rows).where(rows.c.position == 2))
    move(database, {3: 2, 4: 3})
    with pytest.raises(JournalBroken) as broken:
        verified(database)
    assert broken.value.parameters["position"] == 2


@pytest.mark.parametrize("places", [{1: 2, 2: 1}, {2: 5, 5: 2}, {1: 2, 2: 3, 3: 1}])
def test_rows_that_change_places_are_named(
    places: dict[int, int], database: Engine, write: Write
) -> None:
    write(5)
    written = ids(database)
    move(database, places)
    with pytest.raises(JournalRowMisplaced) as broken:
        verified(database)
    place = min(places)
    assert broken.value.parameters == {
        "row": ids(database)[place],
        "position": place,
        "belongs": written[place],
    }


def test_a_row_put_in_between_is_named(database: Engine, write: Write, now: datetime) -> None:
    write(4)
    written = ids(database)
    move(database, {3: 4, 4: 5})
    with Session(database) as tx, tx.begin():
        row = {"at": now, "actor": "x", "action": "y", "subject": "z", "details": {}}
        made_up = {"position": 3, "digest": bytes(32), "chained_at": now}
        tx.execute(insert(rows).values(**row, **made_up))
    with pytest.raises(JournalRowMisplaced) as broken:
        verified(database)
    assert broken.value.parameters == {
        "row": ids(database)[3],
        "position": 3,
        "belongs": written[3],
    }


def test_a_row_put_at_the_end_with_a_made_up_digest_is_named(
    database: Engine, write: Write, now: datetime
) -> None:
    write(2)
    with Session(database) as tx, tx.begin():
        row = {"at": now, "actor": "x", "action": "y", "subject": "z", "details": {}}
        tx.execute(insert(rows).values(**row, position=3, digest=bytes(32)))
    with pytest.raises(JournalRowChanged) as broken:
        verified(database)
    assert broken.value.parameters["position"] == 3


def test_a_range_is_checked_from_the_digest_before_it(database: Engine, write: Write) -> None:
    write(9)
    change(database, 2, actor="somebody else")
    assert verified(database, 4) == 6
    assert verified(database, 4, 7) == 4
    assert verified(database, 10) == 0
    with pytest.raises(JournalRowChanged):
        verified(database, 2, 7)


@pytest.mark.parametrize(("first", "last", "missing"), [(1, 4, 4), (3, 9, 4), (5, None, 4)])
def test_a_range_beyond_the_end_is_missing(
    first: int, last: int | None, missing: int, database: Engine, write: Write
) -> None:
    write(3)
    with pytest.raises(JournalRowMissing) as broken:
        verified(database, first, last)
    assert broken.value.parameters == {"position": missing}


def test_a_leaf_is_the_hash_of_a_row_as_a_transparency_log_wants_it(
    database: Engine, write: Write
) -> None:
    write(5)
    with Session(database) as tx:
        expected = [
            hashlib.sha256(b"\0" + canonical(row)).digest()
            for row in tx.execute(select(rows).order_by(rows.c.position))
        ]
        assert list(journal.leaves(tx, 1, 5)) == expected
        assert list(journal.leaves(tx, 2, 3)) == expected[1:3]
        with pytest.raises(JournalRowMissing):
            list(journal.leaves(tx, 4, 6))


def test_leaves_of_a_journal_with_a_gap_are_refused(database: Engine, write: Write) -> None:
    write(5)
    with Session(database) as tx, tx.begin():
        tx.execute(delete(rows).where(rows.c.position == 3))
    with Session(database) as tx, pytest.raises(JournalRowMissing) as broken:
        list(journal.leaves(tx, 2, 5))
    assert broken.value.parameters == {"position": 3}


def test_sequencers_at_once_make_one_chain(database: Engine, write: Write, now: datetime) -> None:
    write(60, chained=False)

    def append_and_chain(_number: int) -> int:
        write(5, chained=False)
        with Session(database) as tx, tx.begin():
            return journal.chain(tx, lambda: now).count

    with ThreadPoolExecutor(4) as pool:
        chained = sum(pool.map(append_and_chain, range(8)))
    assert chained == 100
    assert verified(database) == 100
    with Session(database) as tx:
        assert tx.scalar(select(func.max(rows.c.position))) == 100


def test_a_row_committed_late_is_chained_later(
    database: Engine, write: Write, now: datetime
) -> None:
    with Session(database) as slow:
        journal.append(slow, at=now, actor="slow", action="x", subject="y", details={})
        write(2)
        assert verified(database) == 2
        slow.commit()
    write(0)
    assert verified(database) == 3


def canonical(row: Any) -> bytes:
    """Return a row of these tests, whose times are whole seconds, as RFC 8785 writes it."""
    told = {
        name: getattr(row, name)
        for name in ("position", "id", "actor", "action", "subject", "details")
    }
    times = {name: getattr(row, name).isoformat() for name in ("at", "chained_at")}
    ordered = json.dumps(told | times, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return ordered.encode()
