from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from keys import register
from keys.certificate_changes import InvalidSinceWrong, ReasonRefused, resume, revoke, suspend
from keys.certificate_states import CertificateState, CertificateStateRefused, Reason
from keys.register import CertificateUnknown
from keys.tables import journal
from keys.vault import Vault
from tests.keys.authority_builders import BY, NAME, issued, issuing

DAY = timedelta(days=1)


@pytest.fixture
def tx(database: Engine, vault: Vault) -> Iterator[Session]:
    with Session(database) as session, session.begin():
        issuing(session, vault)
        yield session


def test_a_suspended_certificate_counts_again_once_resumed(
    tx: Session, vault: Vault, now: datetime
) -> None:
    serial = issued(tx, vault).serial
    held = suspend(tx, NAME, serial, by="clerk", now=now + DAY)
    assert (held.state, held.reason) == (CertificateState.SUSPENDED, Reason.HOLD)
    assert held.changed_at == now + DAY
    assert not held.counts_at(now + DAY)
    free = resume(tx, NAME, serial, by="clerk", now=now + 2 * DAY)
    assert (free.state, free.reason) == (CertificateState.VALID, None)
    assert free.changed_at == now + 2 * DAY
    assert free.counts_at(now + 2 * DAY)
    assert free == register.find(tx, NAME, serial)


def test_a_revocation_keeps_its_reason_and_since_when(
    tx: Session, vault: Vault, now: datetime
) -> None:
    serial, since = issued(tx, vault).serial, now - DAY
    gone = revoke(tx, NAME, serial, Reason.KEY_COMPROMISE, by="clerk", now=now, invalid_since=since)
    assert (gone.state, gone.reason) == (CertificateState.REVOKED, Reason.KEY_COMPROMISE)
    assert (gone.changed_at, gone.invalid_since) == (now, since)


def test_a_suspended_certificate_that_is_revoked_counts_no_more_since_the_hold(
    tx: Session, vault: Vault, now: datetime
) -> None:
    serial = issued(tx, vault).serial
    suspend(tx, NAME, serial, by="clerk", now=now + DAY)
    gone = revoke(tx, NAME, serial, Reason.SUPERSEDED, by="clerk", now=now + 2 * DAY)
    assert (gone.reason, gone.changed_at) == (Reason.SUPERSEDED, now + DAY)


def test_a_revoked_certificate_never_comes_back(tx: Session, vault: Vault, now: datetime) -> None:
    serial = issued(tx, vault).serial
    gone = revoke(tx, NAME, serial, Reason.CESSATION, by="clerk", now=now)
    for change in (suspend, resume):
        with pytest.raises(CertificateStateRefused):
            change(tx, NAME, serial, by="clerk", now=now)
    with pytest.raises(CertificateStateRefused):
        revoke(tx, NAME, serial, Reason.KEY_COMPROMISE, by="clerk", now=now)
    assert register.find(tx, NAME, serial) == gone


def test_nothing_is_done_twice(tx: Session, vault: Vault, now: datetime) -> None:
    serial = issued(tx, vault).serial
    with pytest.raises(CertificateStateRefused):
        resume(tx, NAME, serial, by="clerk", now=now)
    suspend(tx, NAME, serial, by="clerk", now=now)
    with pytest.raises(CertificateStateRefused):
        suspend(tx, NAME, serial, by="clerk", now=now)


def test_a_hold_is_no_reason_to_revoke(tx: Session, vault: Vault, now: datetime) -> None:
    with pytest.raises(ReasonRefused):
        revoke(tx, NAME, issued(tx, vault).serial, Reason.HOLD, by="clerk", now=now)


def test_nothing_has_been_invalid_since_tomorrow(tx: Session, vault: Vault, now: datetime) -> None:
    serial = issued(tx, vault).serial
    with pytest.raises(InvalidSinceWrong):
        revoke(tx, NAME, serial, Reason.UNSPECIFIED, by="clerk", now=now, invalid_since=now + DAY)


def test_a_certificate_that_is_not_there_is_told(tx: Session, now: datetime) -> None:
    with pytest.raises(CertificateUnknown):
        suspend(tx, NAME, "beef", by="clerk", now=now)
    with pytest.raises(CertificateUnknown):
        suspend(tx, "nobody", "beef", by="clerk", now=now)


def test_a_clock_that_was_set_back_puts_no_change_before_the_last(
    tx: Session, vault: Vault, now: datetime
) -> None:
    serial = issued(tx, vault).serial
    assert suspend(tx, NAME, serial, by="clerk", now=now - DAY).changed_at == now
    resume(tx, NAME, serial, by="clerk", now=now + DAY)
    again = suspend(tx, NAME, serial, by="clerk", now=now)
    assert again.changed_at == now + DAY


def test_every_change_is_told_with_who_and_why(tx: Session, vault: Vault, now: datetime) -> None:
    serial = issued(tx, vault).serial
    suspend(tx, NAME, serial, by="clerk-1", now=now)
    resume(tx, NAME, serial, by="clerk-2", now=now)
    revoke(tx, NAME, serial, Reason.SUPERSEDED, by="clerk-3", now=now)
    query = select(journal).where(journal.c.subject == f"{NAME} {serial}").order_by(journal.c.id)
    told = [(row.action, row.actor, row.details.get("reason")) for row in tx.execute(query)]
    assert told[1:] == [
        ("certificate.suspended", "clerk-1", "certificateHold"),
        ("certificate.resumed", "clerk-2", ""),
        ("certificate.revoked", "clerk-3", "superseded"),
    ]


def test_of_two_who_revoke_at_once_one_is_told_it_is_done(
    database: Engine, vault: Vault, now: datetime
) -> None:
    with Session(database) as tx, tx.begin():
        issuing(tx, vault)
        serial = issued(tx, vault).serial

    def revoked(reason: Reason) -> Reason | None:
        try:
            with Session(database) as tx, tx.begin():
                return revoke(tx, NAME, serial, reason, by=BY, now=now).reason
        except CertificateStateRefused:
            return None

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(revoked, (Reason.SUPERSEDED, Reason.CESSATION)))
    assert done.count(None) == 1
    with Session(database) as tx:
        assert register.find(tx, NAME, serial).reason in done
