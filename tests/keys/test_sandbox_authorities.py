import os
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, delete, func, select
from sqlalchemy.orm import Session, sessionmaker

from keys import authorities, custodians, register
from keys.algorithms import ES256, SM2_SM3, Purpose
from keys.authority import anchors
from keys.certificate_changes import revoke
from keys.certificate_states import Reason
from keys.certificates import parse
from keys.crl_publishing import newest
from keys.kek import key_encryption_keys
from keys.key_use import KeyUse
from keys.sandbox_authorities import SANDBOX_MARK, found_sandbox, publish_root_lists
from keys.sandbox_custodians import SANDBOX_PASSPHRASES, sandbox_consent
from keys.tables import authority, certificate, journal, private_key
from keys.tables import consent as consents
from keys.vault import MAKE, Vault

BASE_URL = "http://localhost:8000"


@pytest.fixture
def tx(database: Engine, vault: Vault) -> Iterator[Session]:
    with Session(database) as session, session.begin():
        found_sandbox(session, vault, BASE_URL)
        yield session


def test_there_is_a_root_of_each_family_and_an_authority_for_each_purpose(tx: Session) -> None:
    told = {a.name: (a.parent, a.certificate.public_key.algorithm) for a in authorities.every(tx)}
    assert told == {
        "sandbox-root-sm2": ("", SM2_SM3),
        "sandbox-root-p256": ("", ES256),
        "sandbox-seal-maker-ca": ("sandbox-root-sm2", SM2_SM3),
        "sandbox-seal-ca": ("sandbox-root-sm2", SM2_SM3),
        "sandbox-staff-ca-sm2": ("sandbox-root-sm2", SM2_SM3),
        "sandbox-document-ca": ("sandbox-root-p256", ES256),
        "sandbox-staff-ca-p256": ("sandbox-root-p256", ES256),
    }


def test_every_certificate_says_that_it_is_not_for_production(tx: Session) -> None:
    for found in authorities.every(tx):
        assert SANDBOX_MARK in found.certificate.subject.common_name
        assert found.certificate.is_ca
        assert found.places is not None
        assert found.places.crl.startswith(BASE_URL)


def test_strangers_trust_each_authority_for_its_own_purpose_and_no_root(tx: Session) -> None:
    told = {anchor.name: set(anchor.purposes) for anchor in anchors(tx)}
    assert told == {
        "sandbox-seal-maker-ca": {Purpose.SEAL_MAKER},
        "sandbox-seal-ca": {Purpose.OFD_SEAL},
        "sandbox-document-ca": {Purpose.PDF_SEAL},
        "sandbox-staff-ca-sm2": {Purpose.TIME_STAMP},
        "sandbox-staff-ca-p256": {Purpose.TIME_STAMP},
    }


def test_founding_again_changes_nothing(tx: Session, vault: Vault) -> None:
    tables = (authority, certificate, private_key, consents, journal)

    def sizes() -> list[int]:
        return [tx.execute(select(func.count()).select_from(t)).scalar_one() for t in tables]

    before = sizes()
    found_sandbox(tx, vault, BASE_URL)
    assert sizes() == before


def test_what_is_issued_after_a_move_tells_the_new_places(tx: Session, vault: Vault) -> None:
    found_sandbox(tx, vault, "http://localhost:9000")
    assert {a.base_url for a in authorities.every(tx)} == {"http://localhost:9000"}


def test_the_roots_lists_are_published_and_again_when_they_are_due(
    database: Engine, now: datetime
) -> None:
    at = [now]
    vault = Vault(
        key_encryption_keys(bytes(range(32))), lambda: at[0], os.urandom, lambda use: None
    )
    begin = sessionmaker(database).begin
    with begin() as tx:
        found_sandbox(tx, vault, BASE_URL)

    def numbers() -> list[int]:
        publish_root_lists(begin, vault, lambda: at[0])
        with begin() as tx:
            return [newest(tx, root).number for root in ("sandbox-root-sm2", "sandbox-root-p256")]

    assert (numbers(), numbers()) == ([1, 1], [1, 1])
    with begin() as tx:
        (below,) = register.of_key(tx, authorities.find(tx, "sandbox-seal-ca").kid)
        revoke(tx, below.authority, below.serial, Reason.CESSATION, by="test", now=now)
    assert numbers() == [2, 1]
    at[0] += timedelta(days=180)
    assert numbers() == [3, 2]


def test_what_is_missing_is_founded_and_what_is_there_stays(
    tx: Session, vault: Vault, now: datetime
) -> None:
    kept = {a.name: a.kid for a in authorities.every(tx)}
    gone = kept.pop("sandbox-document-ca")
    tx.execute(delete(certificate).where(certificate.c.kid == gone))
    tx.execute(delete(authority).where(authority.c.name == "sandbox-document-ca"))
    tx.execute(delete(private_key).where(private_key.c.kid == gone))
    found_sandbox(tx, vault, BASE_URL)
    again = {a.name: a.kid for a in authorities.every(tx)}
    assert again.pop("sandbox-document-ca") != gone
    assert again == kept
    assert parse(authorities.find(tx, "sandbox-document-ca").chain[0]).not_before == now


def test_two_custodians_agreed_to_every_use_of_a_root(tx: Session) -> None:
    told = list(tx.execute(select(consents).order_by(consents.c.id)))
    assert {(row.action, row.subject) for row in told} == {
        (action, f"root-certificates {root}")
        for action in ("key.make", "key.use")
        for root in ("sandbox-root-sm2", "sandbox-root-p256")
    }
    for row in told:
        assert {row.asked_by, row.agreed_by} == set(SANDBOX_PASSPHRASES)
        assert row.spent_at is not None


def test_the_passphrases_everybody_knows_are_the_custodians(
    database: Engine, now: datetime
) -> None:
    uses: list[KeyUse] = []
    vault = Vault(key_encryption_keys(bytes(range(32))), lambda: now, os.urandom, uses.append)

    begin = sessionmaker(database).begin
    with begin() as tx:
        given = sandbox_consent(tx, vault, MAKE, Purpose.SEAL_MAKER, "service")
    assert (given.action, given.subject) == ("key.make", "seal-maker service")
    for name, passphrase in SANDBOX_PASSPHRASES.items():
        assert name.startswith("sandbox-")
        assert custodians.prove(begin, name, passphrase, now).name == name
