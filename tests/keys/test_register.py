from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from keys import register
from keys.certificate_changes import revoke, suspend
from keys.certificate_names import Subject
from keys.certificate_profiles import LEGAL_ENTITY, PERSON, SEAL_SIGNER
from keys.certificate_states import CertificateState, Reason
from keys.register import CertificateRecord, Search
from keys.vault import Vault
from tests.keys.authority_builders import BY, NAME, OTHER_USCC, USCC, issued, issuing

DAY = timedelta(days=1)
OTHER = Subject("示例市住房局", "示例市住房局", OTHER_USCC)


@pytest.fixture
def tx(database: Engine, vault: Vault) -> Iterator[Session]:
    with Session(database) as session, session.begin():
        issuing(session, vault)
        yield session


@pytest.fixture
def entries(tx: Session, vault: Vault, now: datetime) -> list[CertificateRecord]:
    """Of one unit one valid, one suspended, one revoked; of another one; of a person one."""
    made = [
        issued(tx, vault, 1, lasts=30 * DAY),
        issued(tx, vault, 1, lasts=20 * DAY),
        issued(tx, vault, 2, lasts=10 * DAY),
        issued(tx, vault, 3, about=OTHER, profile=LEGAL_ENTITY, lasts=5 * DAY),
        issued(tx, vault, 4, about=Subject("张䶮", number="P-1"), profile=PERSON),
    ]
    made[1] = suspend(tx, NAME, made[1].serial, by=BY, now=now)
    made[2] = revoke(tx, NAME, made[2].serial, Reason.SUPERSEDED, by=BY, now=now)
    return made


def test_a_unit_s_certificates_are_listed(tx: Session, entries: list[CertificateRecord]) -> None:
    assert list(register.listed(tx, Search(unit=USCC))) == entries[:3]
    assert list(register.listed(tx, Search(unit=OTHER_USCC))) == entries[3:4]
    assert register.listed(tx, Search(unit="11000000MB0000000X")) == ()


def test_the_fields_of_a_search_narrow_it_together(
    tx: Session, entries: list[CertificateRecord], now: datetime
) -> None:
    valid, held = CertificateState.VALID, CertificateState.SUSPENDED
    assert list(register.listed(tx, Search(unit=USCC, state=valid))) == entries[:1]
    assert list(register.listed(tx, Search(authority=NAME, state=held))) == entries[1:2]
    assert list(register.listed(tx, Search(profile=PERSON.name))) == entries[4:]
    soon = Search(authority=NAME, ends_before=now + 11 * DAY)
    assert list(register.listed(tx, soon)) == entries[2:4]
    late = Search(authority=NAME, ends_after=now + 11 * DAY, unit=USCC)
    assert list(register.listed(tx, late)) == entries[:2]


def test_a_long_list_comes_page_by_page(tx: Session, entries: list[CertificateRecord]) -> None:
    pages, after = [], 0
    while page := register.listed(tx, Search(authority=NAME, after=after), limit=2):
        pages.append(list(page))
        after = page[-1].id
    assert pages == [entries[:2], entries[2:4], entries[4:]]


def test_what_ends_soon_is_reported_soonest_first_and_only_what_counts(
    tx: Session, entries: list[CertificateRecord], now: datetime
) -> None:
    every = Search()
    due = register.expiring(tx, every, now, now + 60 * DAY)
    assert list(due) == [entries[3], entries[0]]
    assert list(register.expiring(tx, Search(unit=USCC), now, now + 60 * DAY)) == entries[:1]
    assert list(register.expiring(tx, every, now + 6 * DAY, now + 60 * DAY)) == entries[:1]
    assert register.expiring(tx, every, now, now + 5 * DAY) == ()


def test_certificates_are_counted_by_authority_kind_and_state(
    tx: Session, entries: list[CertificateRecord]
) -> None:
    counts = register.counts(tx)
    seal = SEAL_SIGNER.name
    assert [counts[NAME, seal, state] for state in CertificateState] == [1, 1, 1]
    assert counts[NAME, PERSON.name, CertificateState.VALID] == 1
    assert sum(counts.values()) == len(entries) + 2, "the root's and the authority's own too"


def test_the_certificates_of_a_key_come_newest_first(
    tx: Session, entries: list[CertificateRecord]
) -> None:
    assert list(register.of_key(tx, entries[0].kid)) == [entries[1], entries[0]]
    assert register.of_key(tx, "0" * 16) == ()


def test_a_certificate_counts_while_it_is_valid_and_alive(
    entries: list[CertificateRecord], now: datetime
) -> None:
    record = entries[0]
    assert record.counts_at(now)
    assert record.counts_at(record.not_after)
    assert not record.counts_at(now - timedelta(seconds=1))
    assert not record.counts_at(record.not_after + timedelta(seconds=1))
    assert not entries[1].counts_at(now)
