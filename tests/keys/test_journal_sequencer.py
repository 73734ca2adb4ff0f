from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import count
from threading import Barrier, Event

import pytest
from sqlalchemy import Engine, create_engine, delete, func, select, update
from sqlalchemy.orm import Session, sessionmaker

from keys import journal, journal_heads, journal_sequencer
from keys.algorithms import ES256, Purpose
from keys.journal_faults import JournalCutOff, JournalRowChanged
from keys.key_rows import KeyNotFound
from keys.key_states import State
from keys.tables import journal as rows
from keys.tables import journal_head as heads
from keys.vault import Vault

WRITERS = 16


class Died(BaseException):
    """The process dies here."""


@pytest.fixture
def engine(database: Engine) -> Iterator[Engine]:
    """The database with a connection for each writer and both sequencers, and a journal key."""
    engine = create_engine(database.url, pool_size=WRITERS + 2)
    yield engine
    engine.dispose()


@pytest.fixture(autouse=True)
def journal_key(database: Engine, vault: Vault) -> None:
    with Session(database) as tx, tx.begin():
        vault.make(tx, Purpose.JOURNAL, journal_sequencer.OWNER, ES256, by="test")


def write(engine: Engine, number: int, now: datetime) -> None:
    with Session(engine) as tx, tx.begin():
        for row in range(number):
            journal.append(tx, at=now, actor="a", action="x.y", subject=f"{row}", details={})


def run(engine: Engine, vault: Vault, now: datetime) -> journal_heads.Head | None:
    return journal_sequencer.run(sessionmaker(engine).begin, vault, lambda: now)


def verified(engine: Engine, vault: Vault) -> journal.Verified:
    with Session(engine) as tx:
        return journal.verify(tx, keys=journal_sequencer.keys(tx, vault))


def unchained(engine: Engine) -> int:
    with Session(engine) as tx:
        waiting = select(func.count()).select_from(rows).where(rows.c.position.is_(None))
        return tx.scalars(waiting).one()


def test_a_run_chains_everything_in_batches_and_signs_one_head(
    engine: Engine, vault: Vault, now: datetime
) -> None:
    write(engine, 2 * journal.BATCH + 1, now)
    head = run(engine, vault, now)
    assert head is not None
    assert head.position == 2 * journal.BATCH + 2  # and the row of the journal's own key
    found = verified(engine, vault)
    assert (found.rows, found.heads, found.digest) == (head.position, 1, head.digest)


def test_a_run_with_nothing_new_signs_nothing_and_writes_nothing(
    engine: Engine, vault: Vault, now: datetime
) -> None:
    assert run(engine, vault, now) is not None
    assert run(engine, vault, now + timedelta(minutes=1)) is None
    assert verified(engine, vault).heads == 1
    assert unchained(engine) == 0


def test_a_sequencer_that_died_before_signing_leaves_the_head_to_the_next(
    engine: Engine, vault: Vault, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise Died

    write(engine, 3, now)
    with monkeypatch.context() as dying:
        dying.setattr(journal_heads, "sign", die)
        with pytest.raises(Died):
            run(engine, vault, now)
    assert unchained(engine) == 0
    assert verified(engine, vault).heads == 0
    head = run(engine, vault, now)
    assert head is not None
    assert head.position == 4
    assert verified(engine, vault).heads == 1


def test_a_sequencer_that_was_overtaken_throws_its_head_away(
    engine: Engine, vault: Vault, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign, other = journal_heads.sign, []

    def sign_slowly(*given: object) -> object:
        monkeypatch.setattr(journal_heads, "sign", sign)
        write(engine, 1, now)
        other.append(run(engine, vault, now))
        return sign(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(journal_heads, "sign", sign_slowly)
    assert run(engine, vault, now) is None
    assert other[0] is not None
    assert verified(engine, vault).heads == 1


def test_without_a_key_rows_are_chained_and_the_missing_key_is_told(
    engine: Engine, vault: Vault, now: datetime
) -> None:
    with Session(engine) as tx, tx.begin():
        for key in vault.public_keys(tx, Purpose.JOURNAL):
            vault.move(tx, key.public_key.kid, State.RETIRING, by="test")
    write(engine, 2, now)
    with pytest.raises(KeyNotFound):
        run(engine, vault, now)
    assert unchained(engine) == 0


def test_no_head_is_signed_over_a_chain_that_was_cut_off(
    engine: Engine, vault: Vault, now: datetime
) -> None:
    write(engine, 4, now)
    run(engine, vault, now)
    with Session(engine) as tx, tx.begin():
        tx.execute(delete(rows).where(rows.c.position > 3))
    write(engine, 1, now)
    with pytest.raises(JournalCutOff):
        run(engine, vault, now)


def test_no_head_is_signed_over_a_row_that_was_changed_after_it_was_chained(
    engine: Engine, vault: Vault, now: datetime
) -> None:
    run(engine, vault, now)
    write(engine, 3, now)
    with Session(engine) as tx, tx.begin():
        journal.chain(tx, lambda: now)
        tx.execute(update(rows).where(rows.c.position == 3).values(actor="other"))
    with pytest.raises(JournalRowChanged):
        run(engine, vault, now)
    with Session(engine) as tx:
        assert list(tx.scalars(select(heads.c.position))) == [1]


def test_sixteen_writers_and_two_sequencers_at_once_make_one_signed_chain(
    engine: Engine, vault: Vault, now: datetime
) -> None:
    together, written = Barrier(WRITERS + 2), Event()
    minutes = count()

    def keep_writing(_writer: int) -> None:
        together.wait()
        for _ in range(20):
            write(engine, 2, now)

    def keep_chaining() -> None:
        together.wait()
        while not written.is_set():
            run(engine, vault, now + timedelta(minutes=next(minutes)))

    with ThreadPoolExecutor(WRITERS + 2) as pool:
        sequencers = [pool.submit(keep_chaining) for _ in range(2)]
        list(pool.map(keep_writing, range(WRITERS)))
        written.set()
        for sequencer in sequencers:
            sequencer.result()
    run(engine, vault, now)
    found = verified(engine, vault)
    assert found.rows == WRITERS * 40 + 1
    assert found.heads >= 1
    assert unchained(engine) == 0
