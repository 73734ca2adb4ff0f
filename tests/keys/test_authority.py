from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from keys.algorithms import ES256, SM2_SM3, Algorithm, Purpose
from keys.authority import SANDBOX_MARK, NoProfile, anchors, certify, found_sandbox
from keys.certificates import Subject, parse, verify_chain
from keys.vault import KeyNotFound, Vault

OWNER = "11330100MBXX00027W"
SUBJECT = Subject("示例市行政审批局", "示例市行政审批局", OWNER)


@pytest.fixture
def tx(database: Engine, vault: Vault) -> Iterator[Session]:
    with Session(database) as session, session.begin():
        found_sandbox(session, vault, vault.clock)
        yield session


def test_both_roots_say_that_they_are_not_for_production(tx: Session, vault: Vault) -> None:
    roots = [parse(der) for der in anchors(tx, vault)]
    assert {r.public_key.algorithm for r in roots} == {ES256, SM2_SM3}
    for root in roots:
        assert SANDBOX_MARK in root.subject.common_name
        assert root.is_ca


def test_founding_twice_changes_nothing(tx: Session, vault: Vault) -> None:
    before = anchors(tx, vault)
    found_sandbox(tx, vault, vault.clock)
    assert anchors(tx, vault) == before


@pytest.mark.parametrize(
    ("purpose", "algorithm"),
    [
        (Purpose.PDF_SEAL, ES256),
        (Purpose.OFD_SEAL, SM2_SM3),
        (Purpose.SEAL_MAKER, SM2_SM3),
    ],
)
def test_a_certified_key_chains_to_the_root_of_its_family(
    purpose: Purpose, algorithm: Algorithm, tx: Session, vault: Vault, now: datetime
) -> None:
    key = vault.make(tx, purpose, OWNER, algorithm)
    der = certify(tx, vault, purpose, OWNER, SUBJECT)
    stored, chain = vault.certificate(tx, purpose, OWNER)
    assert stored == der
    certificate = parse(der)
    assert certificate.public_key == key
    assert certificate.subject.uscc == OWNER
    verify_chain(certificate, chain, anchors(tx, vault), now)
    assert parse(chain[-1]).public_key.algorithm is algorithm
    assert SANDBOX_MARK in certificate.issuer.common_name


def test_every_certificate_has_its_own_serial_number(tx: Session, vault: Vault) -> None:
    vault.make(tx, Purpose.PDF_SEAL, OWNER, ES256)
    serials = {parse(certify(tx, vault, Purpose.PDF_SEAL, OWNER, SUBJECT)).serial for _ in range(5)}
    assert len(serials) == 5
    assert all(0 < serial < 2**127 for serial in serials)


def test_a_certificate_does_not_outlive_its_root(tx: Session, vault: Vault, now: datetime) -> None:
    vault.make(tx, Purpose.PDF_SEAL, OWNER, ES256)
    vault.clock = lambda: now + timedelta(days=19 * 365)
    late = parse(certify(tx, vault, Purpose.PDF_SEAL, OWNER, SUBJECT))
    assert late.not_after == max(parse(der).not_after for der in anchors(tx, vault))


def test_keys_for_tokens_get_no_certificate(tx: Session, vault: Vault) -> None:
    vault.make(tx, Purpose.ID_TOKEN, "service", ES256)
    with pytest.raises(NoProfile):
        certify(tx, vault, Purpose.ID_TOKEN, "service", SUBJECT)


def test_a_key_that_does_not_exist_is_not_certified(tx: Session, vault: Vault) -> None:
    with pytest.raises(KeyNotFound):
        certify(tx, vault, Purpose.PDF_SEAL, OWNER, SUBJECT)
