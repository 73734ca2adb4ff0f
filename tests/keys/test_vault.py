import os
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from keys.algorithms import ES256, SM2_SM3, Purpose
from keys.tables import private_key
from keys.vault import (
    CertificateNotFound,
    KeyExists,
    KeyNotFound,
    PurposeRefused,
    Vault,
)
from keys.verify import verify
from keys.wrapping import SecretUnreadable

OWNER, OTHER = "11330100MBXX00027W", "11410900MBXX00035F"


@pytest.fixture
def tx(database: Engine) -> Iterator[Session]:
    with Session(database) as session, session.begin():
        yield session


def another(kek: bytes = bytes(range(32))) -> Vault:
    return Vault(
        kek, clock=lambda: datetime.fromisoformat("2026-11-02T00:00:00Z"), random=os.urandom
    )


@pytest.mark.parametrize("algorithm", [ES256, SM2_SM3], ids=lambda a: a.name)
def test_a_key_made_here_signs_in_another_process(
    algorithm: object, vault: Vault, tx: Session
) -> None:
    made, purpose = (
        (vault.make(tx, Purpose.PDF_SEAL, OWNER, ES256), Purpose.PDF_SEAL)
        if algorithm is ES256
        else (vault.make(tx, Purpose.OFD_SEAL, OWNER, SM2_SM3), Purpose.OFD_SEAL)
    )
    signer = another().signer(tx, purpose, OWNER)
    assert signer.public_key == made
    verify(made, b"m", signer.sign(b"m"))


def test_a_key_is_parsed_once(vault: Vault, tx: Session) -> None:
    vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256)
    first = vault.signer(tx, Purpose.LICENCE_CODE, OWNER)
    assert vault.signer(tx, Purpose.LICENCE_CODE, OWNER) is first


def test_keys_are_listed_with_purpose_and_owner(vault: Vault, tx: Session, now: datetime) -> None:
    code = vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256)
    other = vault.make(tx, Purpose.LICENCE_CODE, OTHER, ES256)
    data = vault.make(tx, Purpose.LICENCE_DATA, OWNER, ES256)
    assert {r.public_key for r in vault.public_keys(tx)} == {code, other, data}
    (record,) = vault.public_keys(tx, Purpose.LICENCE_DATA)
    assert (record.public_key, record.owner, record.made_at) == (data, OWNER, now)
    assert (record.purpose, record.state) == (Purpose.LICENCE_DATA, "active")


def test_there_is_one_active_key_for_a_purpose_and_owner(vault: Vault, tx: Session) -> None:
    made = vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256)
    with pytest.raises(KeyExists):
        vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256)
    # The transaction goes on, with the first key.
    assert vault.signer(tx, Purpose.LICENCE_CODE, OWNER).public_key == made


def test_of_many_makers_at_once_one_wins(vault: Vault, database: Engine) -> None:
    def make(_number: int) -> str:
        try:
            with Session(database) as session, session.begin():
                return vault.make(session, Purpose.LICENCE_CODE, OWNER, ES256).kid
        except KeyExists:
            return ""

    with ThreadPoolExecutor(4) as pool:
        winners = [kid for kid in pool.map(make, range(8)) if kid]
    with Session(database) as session:
        assert [r.public_key.kid for r in vault.public_keys(session)] == winners
    assert len(winners) == 1


def test_an_algorithm_signs_only_what_it_may(vault: Vault, tx: Session) -> None:
    with pytest.raises(PurposeRefused):
        vault.make(tx, Purpose.OFD_SEAL, OWNER, ES256)
    with pytest.raises(PurposeRefused):
        vault.make(tx, Purpose.ACCESS_TOKEN, "service", SM2_SM3)


def test_a_key_that_is_not_there_is_told_by_name(vault: Vault, tx: Session) -> None:
    vault.make(tx, Purpose.LICENCE_CODE, OTHER, ES256)
    with pytest.raises(KeyNotFound) as missing:
        vault.signer(tx, Purpose.LICENCE_CODE, OWNER)
    assert missing.value.parameters == {"purpose": "licence-code", "owner": OWNER}


def test_the_secret_is_not_in_the_row(vault: Vault, tx: Session) -> None:
    vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256)
    row = tx.execute(select(private_key)).one()
    assert b"\x04\x20" not in row.wrapped[:8]
    assert row.spki[-64:] not in row.wrapped
    vault.make(tx, Purpose.LICENCE_DATA, OWNER, ES256)
    first, second = tx.scalars(select(private_key.c.wrapped)).all()
    assert first[1:13] != second[1:13], "a nonce must not be used twice"


def test_another_key_encryption_key_opens_nothing(vault: Vault, tx: Session) -> None:
    vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256)
    with pytest.raises(SecretUnreadable):
        another(b"\1" * 32).signer(tx, Purpose.LICENCE_CODE, OWNER)


def test_a_row_cannot_be_handed_to_another_owner_or_purpose(vault: Vault, tx: Session) -> None:
    vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256)
    tx.execute(update(private_key).values(owner=OTHER))
    with pytest.raises(SecretUnreadable):
        vault.signer(tx, Purpose.LICENCE_CODE, OTHER)
    tx.execute(update(private_key).values(owner=OWNER, purpose="licence-data"))
    with pytest.raises(SecretUnreadable):
        vault.signer(tx, Purpose.LICENCE_DATA, OWNER)


def test_a_retired_key_signs_no_more_but_stays_known(vault: Vault, tx: Session) -> None:
    first = vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256)
    vault.signer(tx, Purpose.LICENCE_CODE, OWNER)
    tx.execute(update(private_key).values(state="retired"))
    with pytest.raises(KeyNotFound):
        vault.signer(tx, Purpose.LICENCE_CODE, OWNER)
    second = vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256)
    assert vault.signer(tx, Purpose.LICENCE_CODE, OWNER).public_key == second
    assert {r.public_key for r in vault.public_keys(tx)} == {first, second}


def test_the_newest_certificate_of_a_key_is_given_with_its_chain(vault: Vault, tx: Session) -> None:
    vault.make(tx, Purpose.PDF_SEAL, OWNER, ES256)
    with pytest.raises(CertificateNotFound):
        vault.certificate(tx, Purpose.PDF_SEAL, OWNER)
    vault.store_certificate(tx, Purpose.PDF_SEAL, OWNER, b"old", ())
    vault.store_certificate(tx, Purpose.PDF_SEAL, OWNER, b"new", (b"ca", b"root"))
    assert vault.certificate(tx, Purpose.PDF_SEAL, OWNER) == (b"new", (b"ca", b"root"))


def test_neither_repr_nor_traceback_shows_the_key_encryption_key(tx: Session) -> None:
    vault = another(b"k-e-k---" * 4)
    shown = repr(vault) + str(vault)
    try:
        vault.signer(tx, Purpose.LICENCE_CODE, OWNER)
    except KeyNotFound as missing:
        shown += "".join(
            traceback.TracebackException.from_exception(missing, capture_locals=True).format()
        )
    assert "Vault()" in shown
    assert "k-e-k" not in shown
    with pytest.raises(ValueError, match="32 bytes"):
        another(b"short")
