from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session, sessionmaker

from keys.custodians import Begin, Custodian, standing
from keys.tables import journal
from keys.two_person import (
    ADD,
    LASTS,
    REMOVE,
    Consent,
    ConsentExpired,
    ConsentMissing,
    CustodianExists,
    NotACustodian,
    RequestNotFound,
    SamePerson,
    TooFewCustodians,
    add_custodian,
    agree,
    ask,
    remove_custodian,
    required,
    spend,
    waiting,
)

ZHANG, LI, WANG = Custodian("张三"), Custodian("李四"), Custodian("王五")
ACTION, SUBJECT = "key.make", "root-certificates sandbox-root"


def add(tx: Session, who: Custodian, now: datetime) -> None:
    # No one proves who they are here, so what is kept need not be a hash.
    add_custodian(tx, who.name, "kept", by="operator:test", now=now)


def remove(tx: Session, who: Custodian, now: datetime) -> None:
    remove_custodian(tx, who.name, by="operator:test", now=now)


def both_agree(
    tx: Session,
    now: datetime,
    action: str = ACTION,
    subject: str = SUBJECT,
    by: tuple[Custodian, Custodian] = (ZHANG, LI),
) -> int:
    request = ask(tx, action, subject, by[0], now)
    agree(tx, request, by[1], now)
    return request


@pytest.fixture
def begin(database: Engine, now: datetime) -> Begin:
    """Transactions on a database with two custodians."""
    sessions = sessionmaker(database)
    with sessions.begin() as tx:
        add(tx, ZHANG, now)
        add(tx, LI, now)
    return sessions.begin


def test_one_asks_another_agrees_and_it_is_done_once(begin: Begin, now: datetime) -> None:
    later = now + timedelta(hours=1)
    with begin() as tx:
        request = ask(tx, ACTION, SUBJECT, ZHANG, now)
        (told,) = waiting(tx, now)
        assert (told.id, told.action, told.subject) == (request, ACTION, SUBJECT)
        assert (told.asked_by, told.asked_at, told.ends_at) == (ZHANG.name, now, now + LASTS)
        agree(tx, request, LI, later)
        assert waiting(tx, now) == ()
    with begin() as tx:
        consent = spend(tx, ACTION, SUBJECT, later)
        assert consent == Consent(ACTION, SUBJECT, ZHANG.name, LI.name, later)
        with pytest.raises(ConsentMissing):
            spend(tx, ACTION, SUBJECT, later)


def test_a_consent_may_be_for_less_than_a_day(begin: Begin, now: datetime) -> None:
    minutes = timedelta(minutes=10)
    with begin() as tx:
        agree(tx, ask(tx, ACTION, SUBJECT, ZHANG, now, minutes), LI, now)
        with pytest.raises(ConsentExpired):
            spend(tx, ACTION, SUBJECT, now + minutes)
        assert spend(tx, ACTION, SUBJECT, now + minutes - timedelta(seconds=1)).second == LI.name


def test_what_nobody_agreed_to_is_no_consent(begin: Begin, now: datetime) -> None:
    with begin() as tx:
        ask(tx, ACTION, SUBJECT, ZHANG, now)
        with pytest.raises(ConsentMissing) as missing:
            spend(tx, ACTION, SUBJECT, now)
    assert missing.value.parameters == {"action": ACTION, "subject": SUBJECT}


def test_nobody_agrees_with_themselves(begin: Begin, now: datetime) -> None:
    with begin() as tx:
        request = ask(tx, ACTION, SUBJECT, ZHANG, now)
        with pytest.raises(SamePerson):
            agree(tx, request, ZHANG, now)
        with pytest.raises(ConsentMissing):
            spend(tx, ACTION, SUBJECT, now)


def test_who_is_no_custodian_neither_asks_nor_agrees(begin: Begin, now: datetime) -> None:
    with begin() as tx:
        with pytest.raises(NotACustodian):
            ask(tx, ACTION, SUBJECT, WANG, now)
        request = ask(tx, ACTION, SUBJECT, ZHANG, now)
        with pytest.raises(NotACustodian):
            agree(tx, request, WANG, now)


@pytest.mark.parametrize(
    ("action", "subject"), [("key.destroy", SUBJECT), (ACTION, "root-certificates another")]
)
def test_a_consent_is_good_for_its_action_and_subject_only(
    action: str, subject: str, begin: Begin, now: datetime
) -> None:
    with begin() as tx:
        both_agree(tx, now)
        with pytest.raises(ConsentMissing):
            spend(tx, action, subject, now)
        consent = spend(tx, ACTION, SUBJECT, now)
    assert required(consent, ACTION, SUBJECT) is consent
    with pytest.raises(ConsentMissing):
        required(consent, action, subject)
    with pytest.raises(ConsentMissing):
        required(None, ACTION, SUBJECT)


def test_a_request_and_a_consent_end_after_a_day(begin: Begin, now: datetime) -> None:
    with begin() as tx:
        request = ask(tx, ACTION, SUBJECT, ZHANG, now)
        with pytest.raises(RequestNotFound):
            agree(tx, request, LI, now + LASTS)
        agree(tx, request, LI, now + LASTS - timedelta(seconds=1))
        with pytest.raises(ConsentExpired):
            spend(tx, ACTION, SUBJECT, now + LASTS)
        spend(tx, ACTION, SUBJECT, now + LASTS - timedelta(seconds=1))
        assert waiting(tx, now + LASTS) == ()


def test_a_request_is_agreed_to_once(begin: Begin, now: datetime) -> None:
    with begin() as tx:
        request = both_agree(tx, now)
        for unknown in (request, request + 1):
            with pytest.raises(RequestNotFound) as missing:
                agree(tx, unknown, LI, now)
            assert missing.value.parameters == {"request": unknown}


def test_the_newest_of_two_consents_is_spent_first(begin: Begin, now: datetime) -> None:
    with begin() as tx:
        both_agree(tx, now)
        both_agree(tx, now + timedelta(hours=1))
        later = now + timedelta(hours=2)
        assert spend(tx, ACTION, SUBJECT, later).at == now + timedelta(hours=1)
        assert spend(tx, ACTION, SUBJECT, later).at == now


def test_what_was_not_done_can_be_done_with_the_same_consent(
    begin: Begin, database: Engine, now: datetime
) -> None:
    with begin() as tx:
        both_agree(tx, now)
    with Session(database) as tx:
        spend(tx, ACTION, SUBJECT, now)
        tx.rollback()
    with begin() as tx:
        spend(tx, ACTION, SUBJECT, now)


def test_of_many_who_spend_at_once_as_many_succeed_as_there_are_consents(
    begin: Begin, now: datetime
) -> None:
    with begin() as tx:
        for _ in range(3):
            both_agree(tx, now)

    def take(_number: int) -> bool:
        try:
            with begin() as tx:
                spend(tx, ACTION, SUBJECT, now)
        except ConsentMissing:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(take, range(8))) == 3


def test_who_comes_second_waits_and_finds_the_consent_spent(
    begin: Begin, database: Engine, now: datetime
) -> None:
    with begin() as tx:
        both_agree(tx, now)
    with pytest.raises(ConsentMissing):
        one_after_the_other(database, lambda tx: spend(tx, ACTION, SUBJECT, now))


def test_of_two_who_agree_at_once_one_does(begin: Begin, database: Engine, now: datetime) -> None:
    with begin() as tx:
        request = ask(tx, ACTION, SUBJECT, ZHANG, now)
    with pytest.raises(RequestNotFound):
        one_after_the_other(database, lambda tx: agree(tx, request, LI, now))


def one_after_the_other(database: Engine, act: Callable[[Session], object]) -> None:
    """Do it twice, the second time while the first is not yet committed, which it must wait for."""

    def second() -> None:
        with Session(database) as tx, tx.begin():
            act(tx)

    waiting_for_a_lock = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with ThreadPoolExecutor(1) as pool, Session(database) as first:
        act(first)
        outcome = pool.submit(second)
        with Session(database) as look:
            while not look.scalar(waiting_for_a_lock) and not outcome.done():
                pass
        first.commit()
        outcome.result()


def test_the_first_two_custodians_need_nobody_and_a_third_needs_both(
    begin: Begin, now: datetime
) -> None:
    with begin() as tx:
        with pytest.raises(ConsentMissing) as missing:
            add(tx, WANG, now)
        assert missing.value.parameters == {"action": ADD, "subject": WANG.name}
        both_agree(tx, now, ADD, WANG.name)
        add(tx, WANG, now)
        assert standing(tx) == (ZHANG.name, LI.name, WANG.name)
        both_agree(tx, now, by=(WANG, ZHANG))
        assert spend(tx, ACTION, SUBJECT, now).first == WANG.name


def test_of_many_added_at_once_two_need_no_consent(database: Engine, now: datetime) -> None:
    begin = sessionmaker(database).begin

    def add_one(number: int) -> bool:
        try:
            with begin() as tx:
                add(tx, Custodian(f"custodian {number}"), now)
        except ConsentMissing:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(add_one, range(8))) == 2


def test_there_are_never_fewer_than_two_custodians(begin: Begin, now: datetime) -> None:
    with begin() as tx:
        both_agree(tx, now, REMOVE, LI.name)
        with pytest.raises(TooFewCustodians):
            remove(tx, LI, now)
        with pytest.raises(NotACustodian):
            remove(tx, WANG, now)


def test_a_custodian_goes_by_consent_and_the_name_is_not_given_again(
    begin: Begin, now: datetime
) -> None:
    with begin() as tx:
        both_agree(tx, now, ADD, WANG.name)
        add(tx, WANG, now)
        with pytest.raises(ConsentMissing):
            remove(tx, LI, now)
        both_agree(tx, now, REMOVE, LI.name, by=(ZHANG, WANG))
        remove(tx, LI, now)
        assert standing(tx) == (ZHANG.name, WANG.name)
        with pytest.raises(CustodianExists):
            add(tx, LI, now)
        with pytest.raises(NotACustodian):
            ask(tx, ACTION, SUBJECT, LI, now)


def test_the_word_of_who_was_let_go_counts_no_more(begin: Begin, now: datetime) -> None:
    with begin() as tx:
        both_agree(tx, now, ADD, WANG.name)
        add(tx, WANG, now)
        both_agree(tx, now)
        both_agree(tx, now, REMOVE, LI.name, by=(ZHANG, WANG))
        remove(tx, LI, now)
        with pytest.raises(ConsentMissing):
            spend(tx, ACTION, SUBJECT, now)


def test_everything_is_in_the_journal(begin: Begin, now: datetime) -> None:
    with begin() as tx:
        request = both_agree(tx, now)
        spend(tx, ACTION, SUBJECT, now)
    query = select(journal.c.action, journal.c.actor, journal.c.subject, journal.c.details)
    with begin() as tx:
        rows = tx.execute(query.order_by(journal.c.id)).all()
    about = {"action": ACTION, "consent": request}
    assert rows == [
        ("custodian.added", "operator:test", ZHANG.name, {}),
        ("custodian.added", "operator:test", LI.name, {}),
        ("consent.asked", ZHANG.name, SUBJECT, about),
        ("consent.agreed", LI.name, SUBJECT, about),
        ("consent.spent", ZHANG.name, SUBJECT, about),
    ]


def test_what_was_refused_leaves_no_row(begin: Begin, database: Engine, now: datetime) -> None:
    count = select(func.count()).select_from(journal)
    with begin() as tx:
        before = tx.scalar(count)
    refused: Callable[[Session], object]
    for refused in (
        lambda tx: spend(tx, ACTION, SUBJECT, now),
        lambda tx: agree(tx, 1, LI, now),
        lambda tx: add(tx, WANG, now),
        lambda tx: remove(tx, LI, now),
    ):
        with pytest.raises(Exception, match=r"consent|custodian"), begin() as tx:
            refused(tx)
    with begin() as tx:
        assert tx.scalar(count) == before
