import os
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from argon2 import extract_parameters
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import sessionmaker
from sqlalchemy.pool import QueuePool

from keys.custodians import (
    FREE_ATTEMPTS,
    LOCKED,
    Begin,
    Custodian,
    CustodianLocked,
    PassphraseWeak,
    PassphraseWrong,
    custodian_hash,
    heard_again,
    prove,
    standing,
)
from keys.tables import custodian, journal
from keys.two_person import add_custodian

ZHANG, LI = "张三", "李四"
PASSPHRASE = "三人行，必有我师焉；择其善者而从之"
WRONG = "wrong passphrase"


@pytest.fixture
def begin(database: Engine, now: datetime) -> Begin:
    """Transactions on a database with two custodians."""
    sessions = sessionmaker(database)
    with sessions.begin() as tx:
        for name in (ZHANG, LI):
            kept = custodian_hash(PASSPHRASE, os.urandom)
            add_custodian(tx, name, kept, by="operator:test", now=now)
    return sessions.begin


def fail(begin: Begin, times: int, now: datetime) -> None:
    for _ in range(times):
        with pytest.raises(PassphraseWrong):
            prove(begin, ZHANG, WRONG, now)


def told(begin: Begin, action: str) -> list[str]:
    with begin() as tx:
        return list(tx.scalars(select(journal.c.actor).where(journal.c.action == action)))


def why_refused(begin: Begin) -> list[str]:
    rows = select(journal).where(journal.c.action == "custodian.refused").order_by(journal.c.id)
    with begin() as tx:
        return [row.details["reason"] for row in tx.execute(rows)]


def test_a_custodian_is_known_by_name_and_passphrase(begin: Begin, now: datetime) -> None:
    assert prove(begin, ZHANG, PASSPHRASE, now) == Custodian(ZHANG)
    with begin() as tx:
        assert standing(tx) == (ZHANG, LI)


@pytest.mark.parametrize(
    ("name", "passphrase"),
    [(ZHANG, WRONG), ("nobody", PASSPHRASE), (ZHANG, ""), (ZHANG, PASSPHRASE * 100), ("", "")],
)
def test_whoever_is_not_one_is_refused_alike_and_journalled(
    name: str, passphrase: str, begin: Begin, now: datetime
) -> None:
    with pytest.raises(PassphraseWrong) as wrong:
        prove(begin, name, passphrase, now)
    assert wrong.value.parameters == {"name": name}
    assert told(begin, "custodian.refused") == [name]


def test_a_passphrase_is_kept_as_argon2id_with_a_salt_of_its_own(begin: Begin) -> None:
    with begin() as tx:
        first, second = tx.scalars(select(custodian.c.passphrase))
    assert first != second
    parameters = extract_parameters(first)
    assert (parameters.type.name, parameters.memory_cost) == ("ID", 19 * 1024)
    assert PASSPHRASE not in first


@pytest.mark.parametrize("weak", ["", "short", "a" * 20, "abababababab", "x y" * 50])
def test_a_weak_passphrase_is_refused(weak: str) -> None:
    with pytest.raises(PassphraseWeak) as refused:
        custodian_hash(weak, os.urandom)
    assert refused.value.parameters == {"minimum": 12}


def test_too_many_wrong_passphrases_lock_for_a_while(begin: Begin, now: datetime) -> None:
    fail(begin, FREE_ATTEMPTS, now)
    with pytest.raises(CustodianLocked) as locked:
        prove(begin, ZHANG, PASSPHRASE, now)
    assert locked.value.parameters == {"name": ZHANG, "until": (now + LOCKED).isoformat()}
    reasons = ["custodian.passphrase_wrong"] * FREE_ATTEMPTS + ["custodian.locked"]
    assert why_refused(begin) == reasons
    # The other one is not locked, and who waits is heard again.
    prove(begin, LI, PASSPHRASE, now)
    prove(begin, ZHANG, PASSPHRASE, now + LOCKED)
    fail(begin, FREE_ATTEMPTS - 1, now + LOCKED)
    prove(begin, ZHANG, PASSPHRASE, now + LOCKED)


def test_each_attempt_after_the_free_ones_costs_a_pause(begin: Begin, now: datetime) -> None:
    fail(begin, FREE_ATTEMPTS, now)
    fail(begin, 1, now + LOCKED)
    with pytest.raises(CustodianLocked):
        prove(begin, ZHANG, PASSPHRASE, now + LOCKED + timedelta(minutes=1))


def test_guesses_made_at_once_are_all_counted(begin: Begin, now: datetime) -> None:
    def guess(_number: int) -> type[Exception]:
        try:
            prove(begin, ZHANG, WRONG, now)
        except (PassphraseWrong, CustodianLocked) as refused:
            return type(refused)
        raise AssertionError

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(guess, range(12)))
    assert outcomes.count(PassphraseWrong) == FREE_ATTEMPTS


def test_an_attempt_cut_off_while_it_was_checked_is_counted(
    begin: Begin, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("keys.custodians._is_right", cut_off)
        for _ in range(FREE_ATTEMPTS):
            with pytest.raises(KeyboardInterrupt):
                prove(begin, ZHANG, WRONG, now)
    with pytest.raises(CustodianLocked):
        prove(begin, ZHANG, PASSPHRASE, now)


def test_a_clock_that_steps_back_opens_no_lock(begin: Begin, now: datetime) -> None:
    fail(begin, FREE_ATTEMPTS, now)
    with pytest.raises(CustodianLocked):
        prove(begin, ZHANG, PASSPHRASE, now - timedelta(days=1))


def test_who_was_let_go_is_known_no_more(begin: Begin, now: datetime) -> None:
    with begin() as tx:
        tx.execute(update(custodian).where(custodian.c.name == ZHANG).values(removed_at=now))
    with pytest.raises(PassphraseWrong):
        prove(begin, ZHANG, PASSPHRASE, now)


def test_a_name_of_nobody_costs_a_guesser_the_same_check(
    begin: Begin, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = []

    def check(_passphrase: str, kept: str) -> bool:
        checked.append(extract_parameters(kept))
        return True

    monkeypatch.setattr("keys.custodians._is_right", check)
    prove(begin, ZHANG, PASSPHRASE, now)
    with pytest.raises(PassphraseWrong):
        prove(begin, "nobody", PASSPHRASE, now)
    assert checked[0] == checked[1]


def test_what_is_kept_and_cannot_be_read_opens_to_nothing(begin: Begin, now: datetime) -> None:
    with begin() as tx:
        tx.execute(update(custodian).values(passphrase="$argon2id$v=19$broken"))
    with pytest.raises(PassphraseWrong):
        prove(begin, ZHANG, PASSPHRASE, now)


@given(st.integers(0, 20), st.datetimes())
def test_the_lock_begins_after_the_free_attempts_and_lasts_its_span(
    attempts: int, tried_at: datetime
) -> None:
    until = heard_again(attempts, tried_at)
    assert (until is None) == (attempts < FREE_ATTEMPTS)
    assert until is None or until - tried_at == LOCKED
    assert heard_again(attempts, None) is None


def test_no_transaction_is_open_while_a_passphrase_is_checked(
    database: Engine, begin: Begin, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections, watched = database.pool, []
    assert isinstance(connections, QueuePool)

    def look(passphrase: str, kept: str) -> bool:
        watched.append(connections.checkedout())
        return bool(passphrase and kept)

    monkeypatch.setattr("keys.custodians._is_right", look)
    prove(begin, ZHANG, PASSPHRASE, now)
    assert watched == [0]
