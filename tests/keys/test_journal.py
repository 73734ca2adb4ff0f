from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from sqlalchemy import Engine, delete, func, insert, select, update
from sqlalchemy.orm import Session

from keys import journal
from keys.tables import journal as rows

Write = Callable[..., None]


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


def verified(database: Engine) -> int:
    with Session(database) as tx:
        return journal.verify(tx)


def test_an_empty_journal_holds(database: Engine) -> None:
    assert verified(database) == 0


def test_rows_are_chained_once_and_the_chain_holds(
    database: Engine, write: Write, now: datetime
) -> None:
    write(3, chained=False)
    assert verified(database) == 0
    with Session(database) as tx, tx.begin():
        assert journal.chain(tx, lambda: now) == 3
        assert journal.chain(tx, lambda: now) == 0
    write(2)
    assert verified(database) == 5


def test_a_row_of_a_transaction_that_failed_is_not_there(database: Engine, now: datetime) -> None:
    with Session(database) as tx:
        journal.append(tx, at=now, actor="a", action="b", subject="c", details={})
        tx.rollback()
    with Session(database) as tx, tx.begin():
        assert journal.chain(tx, lambda: now) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "somebody else"},
        {"action": "licence.revoked"},
        {"subject": "another"},
        {"details": {"version": 1}},
        {"details": {"version": "1", "type": "建筑工程施工许可证"}},
        {"at": datetime.fromisoformat("2026-11-01T08:00:01Z")},
        {"digest": bytes(32)},
    ],
    ids=lambda c: next(iter(c)),
)
def test_a_changed_row_is_named(change: dict[str, object], database: Engine, write: Write) -> None:
    write(5)
    with Session(database) as tx, tx.begin():
        third = tx.scalars(select(rows.c.id).where(rows.c.position == 3)).one()
        tx.execute(update(rows).where(rows.c.id == third).values(change))
    with pytest.raises(journal.JournalBroken) as broken:
        verified(database)
    assert broken.value.parameters == {"row": third, "position": 3}


def test_a_removed_row_is_noticed_at_its_place(database: Engine, write: Write) -> None:
    write(5)
    with Session(database) as tx, tx.begin():
        tx.execute(delete(rows).where(rows.c.position == 2))
    with pytest.raises(journal.JournalBroken) as broken:
        verified(database)
    assert broken.value.parameters["position"] == 2


def test_two_rows_that_change_places_are_noticed(database: Engine, write: Write) -> None:
    write(3)
    with Session(database) as tx, tx.begin():
        swap = {1: 20, 2: 1, 20: 2}
        for old, new in swap.items():
            tx.execute(update(rows).where(rows.c.position == old).values(position=new))
    with pytest.raises(journal.JournalBroken):
        verified(database)


def test_a_row_put_in_with_a_made_up_digest_is_noticed(
    database: Engine, write: Write, now: datetime
) -> None:
    write(2)
    with Session(database) as tx, tx.begin():
        row = {"at": now, "actor": "x", "action": "y", "subject": "z", "details": {}}
        tx.execute(insert(rows).values(**row, position=3, digest=bytes(32)))
    with pytest.raises(journal.JournalBroken):
        verified(database)


def test_sequencers_at_once_make_one_chain(database: Engine, write: Write, now: datetime) -> None:
    write(60, chained=False)

    def append_and_chain(_number: int) -> int:
        write(5, chained=False)
        with Session(database) as tx, tx.begin():
            return journal.chain(tx, lambda: now)

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
