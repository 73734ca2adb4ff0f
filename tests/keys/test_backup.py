"""A backup brings every key back, opens for nobody else, and is not believed before it is checked."""

import base64
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, func, make_url, select, update
from sqlalchemy.orm import Session

from keys.algorithms import ES256, RS256, SM2_SM3, Purpose
from keys.authority import certify
from keys.backup import (
    BACKUP,
    EVERY_KEY,
    RESTORE,
    BackupConflict,
    BackupInconsistent,
    Summary,
    backup,
    check_backup,
    restore,
)
from keys.backup_file import (
    BackupMalformed,
    BackupPassphraseWeak,
    BackupUnreadable,
    open_file,
    seal,
)
from keys.certificate_names import Subject
from keys.errors import DomainError
from keys.kek import key_encryption_keys
from keys.key_states import State
from keys.sandbox_authorities import found_sandbox
from keys.software_signer import generate
from keys.tables import authority, certificate, custodian, journal, private_key
from keys.two_person import Consent, ConsentMissing
from keys.vault import Vault
from keys.verify import verify
from tests.conftest import Clone

NOON = datetime.fromisoformat("2026-11-02T12:00:00Z")
PASSPHRASE = "four words and 一把钥匙"
OWNER = "11330100MBXX00027W"
AGREED = Consent(BACKUP, EVERY_KEY, "周清和", "林知夏", NOON)
TO_RESTORE = Consent(RESTORE, EVERY_KEY, "周清和", "林知夏", NOON)
SEALED = seal(b"content", PASSPHRASE, NOON, os.urandom)


def a_vault(kek: bytes = b"k" * 32) -> Vault:
    return Vault(key_encryption_keys(kek), lambda: NOON, os.urandom, lambda use: None)


def to_destroy(purpose: Purpose, kid: str) -> Consent:
    return Consent("key.destroy", f"{purpose.value} {OWNER} {kid}", "周清和", "林知夏", NOON)


@contextmanager
def at(database: Engine) -> Iterator[Session]:
    with Session(database) as tx, tx.begin():
        yield tx


def fill(database: Engine) -> None:
    """Make keys in every state and family, with authorities, certificates and custodians."""
    vault = a_vault()
    with at(database) as tx:
        found_sandbox(tx, vault)
        vault.make(tx, Purpose.OFD_SEAL, OWNER, SM2_SM3, by="test")
        certify(tx, vault, Purpose.OFD_SEAL, OWNER, Subject("示例", "示例机构", OWNER), by="test")
        vault.make(tx, Purpose.LICENCE_DATA, OWNER, RS256, by="test")
        vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256, by="test")
        old = vault.make(tx, Purpose.ID_TOKEN, OWNER, ES256, by="test")
        vault.move(tx, old.kid, State.RETIRED, by="test")
        vault.destroy(tx, old.kid, consent=to_destroy(Purpose.ID_TOKEN, old.kid))
        elsewhere = vault.make(tx, Purpose.PDF_SEAL, OWNER, ES256, by="test")
        kept = update(private_key).where(private_key.c.kid == elsewhere.kid)
        tx.execute(kept.values(wrapped=None, kek=None, handle="there"))


@pytest.fixture(scope="module")
def template(clone: Clone, template_with_tables: str) -> Iterator[tuple[str, bytes]]:
    """The name of a database with a vault's content, and its backup."""
    with clone(template_with_tables) as url:
        engine = create_engine(url)
        fill(engine)
        with at(engine) as tx:
            file = backup(tx, a_vault(), PASSPHRASE, AGREED)
        engine.dispose()
        yield str(make_url(url).database), file


@pytest.fixture
def filled(clone: Clone, template: tuple[str, bytes]) -> Iterator[Engine]:
    with clone(template[0]) as url:
        engine = create_engine(url)
        yield engine
        engine.dispose()


@pytest.fixture
def file(template: tuple[str, bytes]) -> bytes:
    return template[1]


@pytest.fixture
def empty(clone: Clone, template_with_tables: str) -> Iterator[Engine]:
    with clone(template_with_tables) as url:
        engine = create_engine(url)
        yield engine
        engine.dispose()


def rows(database: Engine) -> dict[str, list[Any]]:
    """Return what must be the same after restoring: everything but the wrapping and row numbers."""
    left_out = {"wrapped", "kek", "id"}
    with Session(database) as tx:
        return {
            table.name: [
                {name: value for name, value in row._mapping.items() if name not in left_out}
                for row in tx.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in (custodian, private_key, authority, certificate)
        }


def changed(file: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """Return the backup with other content, sealed as its maker could."""
    content = json.loads(open_file(file, PASSPHRASE))
    change(content)
    return seal(json.dumps(content).encode(), PASSPHRASE, NOON, os.urandom)


def test_what_was_backed_up_comes_back_and_signs_under_another_key_encryption_key(
    filled: Engine, file: bytes, empty: Engine
) -> None:
    vault = a_vault(b"another key-encryption key 32 b.")
    with at(empty) as tx:
        summary = restore(tx, vault, file, PASSPHRASE, by="周清和")
        assert summary == check_backup(file, PASSPHRASE)
    assert rows(empty) == rows(filled)
    with at(empty) as tx:
        for purpose in (Purpose.OFD_SEAL, Purpose.LICENCE_DATA, Purpose.LICENCE_CODE):
            signer = vault.signer(tx, purpose, OWNER, by="test")
            verify(signer.public_key, b"m", signer.sign(b"m"))
        der, chain = vault.certificate(tx, Purpose.OFD_SEAL, OWNER)
        assert (der, chain) != (b"", ())
        (told,) = tx.execute(select(journal).where(journal.c.action == "vault.restored"))
        assert told.actor == "周清和"


def test_the_summary_tells_what_is_in_it(filled: Engine, file: bytes) -> None:
    with Session(filled) as tx:
        count = {
            table: tx.scalar(select(func.count()).select_from(table))
            for table in (private_key, certificate, authority, custodian)
        }
    assert check_backup(file, PASSPHRASE) == Summary(
        made_at=NOON,
        keys=count[private_key] or 0,
        in_token=1,
        destroyed=1,
        certificates=count[certificate] or 0,
        authorities=7,
        custodians=2,
    )


def test_two_custodians_agree_to_it_and_the_journal_tells_it(filled: Engine, file: bytes) -> None:
    for wrong in (
        Consent("key.destroy", EVERY_KEY, "a", "b", NOON),
        Consent(BACKUP, "another", "a", "b", NOON),
    ):
        with at(filled) as tx, pytest.raises(ConsentMissing):
            backup(tx, a_vault(), PASSPHRASE, wrong)
    with Session(filled) as tx:
        (told,) = tx.execute(select(journal).where(journal.c.action == BACKUP))
    assert (told.details["first"], told.details["second"]) == ("周清和", "林知夏")


def test_nothing_in_the_file_can_be_read(filled: Engine, file: bytes) -> None:
    head = json.loads(file)
    sealed = base64.b64decode(head.pop("sealed"))
    assert set(head) == {"yinxin_backup", "made_at", "salt", "nonce"}
    vault = a_vault()
    with Session(filled) as tx:
        for row in tx.execute(select(private_key).where(private_key.c.wrapped.is_not(None))):
            assert vault.private_keys.material(row).pkcs8[-32:] not in sealed
    assert OWNER.encode() not in file + sealed


def test_a_short_passphrase_makes_no_backup(filled: Engine) -> None:
    with at(filled) as tx, pytest.raises(BackupPassphraseWeak):
        backup(tx, a_vault(), "elevenchars", AGREED)


def test_a_passphrase_is_the_same_however_it_was_typed() -> None:
    sealed = seal(b"content", "café and more words", NOON, os.urandom)
    assert open_file(sealed, "cafe\u0301 and more words") == b"content"


@pytest.mark.parametrize("passphrase", ["", "four words and 一把钥是", PASSPHRASE + " "])
def test_a_wrong_passphrase_opens_nothing(passphrase: str) -> None:
    with pytest.raises(BackupUnreadable):
        open_file(SEALED, passphrase)


def test_every_cut_is_noticed() -> None:
    for length in range(len(SEALED.rstrip())):
        with pytest.raises(BackupMalformed):
            open_file(SEALED[:length], PASSPHRASE)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_every_changed_byte_is_noticed_or_changes_nothing(place: int, change: int) -> None:
    whole = bytearray(SEALED)
    whole[place % len(whole)] ^= change
    try:
        opened = open_file(bytes(whole), PASSPHRASE)
    except (BackupMalformed, BackupUnreadable):
        return
    assert opened == b"content"  # white space between members


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"not json",
        b"[]",
        b"1",
        b'{"yinxin_backup": 2}',
        b'{"yinxin_backup": 1}',
        b'{"yinxin_backup": 1, "salt": "AA==", "nonce": "AA==", "sealed": "AA=="}',
        b'{"yinxin_backup": 1, "salt": 1, "nonce": 1, "sealed": 1}',
        b"[" * 100_000,
        bytes(range(256)),
    ],
    ids=lambda file: repr(file[:40]),
)
def test_what_is_no_backup_is_told(file: bytes) -> None:
    with pytest.raises(BackupMalformed):
        check_backup(file, PASSPHRASE)


def of_another_key(content: dict[str, Any]) -> None:
    first = next(key for key in content["keys"] if key["algorithm"] == "ES256" and key["pkcs8"])
    first["pkcs8"] = {"bytes": base64.b64encode(generate(ES256).pkcs8).decode()}


def under_another_name(content: dict[str, Any]) -> None:
    content["keys"][0]["kid"] = "0" * 16


def certificate_of_another_key(content: dict[str, Any]) -> None:
    content["certificates"][0]["kid"] = "0" * 16


def broken_certificate(content: dict[str, Any]) -> None:
    content["authorities"][0]["der"] = {"bytes": "AAAA"}


@pytest.mark.parametrize(
    "change",
    [of_another_key, under_another_name, certificate_of_another_key, broken_certificate],
)
def test_what_does_not_fit_its_own_name_is_not_restored(
    change: Callable[[dict[str, Any]], None], file: bytes, empty: Engine
) -> None:
    wrong = changed(file, change)
    with pytest.raises(BackupInconsistent):
        check_backup(wrong, PASSPHRASE)
    with pytest.raises(BackupInconsistent), at(empty) as tx:
        restore(tx, a_vault(), wrong, PASSPHRASE, by="test")
    assert not any(rows(empty).values())


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.pop("keys"),
        lambda content: content["keys"][0].pop("owner"),
        lambda content: content["keys"][0].update(more="than there is"),
        lambda content: content.update(keys=7),
        lambda content: content.update(made_at={"time": "noon"}),
    ],
)
def test_a_backup_of_another_shape_is_refused(
    change: Callable[[dict[str, Any]], None], file: bytes
) -> None:
    with pytest.raises(BackupMalformed):
        check_backup(changed(file, change), PASSPHRASE)


def test_restoring_over_the_same_keys_saves_them_from_a_lost_key_encryption_key(
    filled: Engine, file: bytes
) -> None:
    before, vault = rows(filled), a_vault(b"n" * 32)
    with at(filled) as tx, pytest.raises(DomainError, match="kek_missing"):
        vault.signer(tx, Purpose.LICENCE_CODE, OWNER, by="test")
    with at(filled) as tx:
        restore(tx, vault, file, PASSPHRASE, by="test", consent=TO_RESTORE)
    assert rows(filled) == before
    with at(filled) as tx:
        signer = vault.signer(tx, Purpose.LICENCE_CODE, OWNER, by="test")
        verify(signer.public_key, b"m", signer.sign(b"m"))


def test_what_was_destroyed_or_moved_on_since_is_not_brought_back(
    filled: Engine, file: bytes
) -> None:
    vault = a_vault()
    with at(filled) as tx:
        kid = vault.signer(tx, Purpose.LICENCE_CODE, OWNER, by="test").public_key.kid
        data = vault.signer(tx, Purpose.LICENCE_DATA, OWNER, by="test").public_key.kid
        vault.move(tx, data, State.RETIRING, by="test")
        vault.move(tx, kid, State.RETIRED, by="test")
        vault.destroy(tx, kid, consent=to_destroy(Purpose.LICENCE_CODE, kid))
    before = rows(filled)
    with at(filled) as tx:
        restore(tx, vault, file, PASSPHRASE, by="test", consent=TO_RESTORE)
        row = tx.execute(select(private_key).where(private_key.c.kid == kid)).one()
        assert (row.state, row.wrapped) == ("destroyed", None)
    assert rows(filled) == before


def another_owner(tx: Session) -> None:
    tx.execute(update(private_key).where(private_key.c.purpose == "licence-code").values(owner="x"))


def another_passphrase(tx: Session) -> None:
    tx.execute(update(custodian).values(passphrase="another"))


def another_certificate(tx: Session) -> None:
    tx.execute(update(certificate).values(kid="another"))


@pytest.mark.parametrize("change", [another_owner, another_passphrase, another_certificate])
def test_a_database_with_something_else_under_a_name_is_left_alone(
    change: Callable[[Session], None], filled: Engine, file: bytes
) -> None:
    with at(filled) as tx:
        change(tx)
    before = rows(filled)
    with pytest.raises(BackupConflict), at(filled) as tx:
        restore(tx, a_vault(), file, PASSPHRASE, by="test", consent=TO_RESTORE)
    assert rows(filled) == before


@pytest.mark.parametrize("consent", [None, AGREED])
def test_where_there_are_custodians_nobody_brings_in_others_by_a_backup(
    consent: Consent | None, filled: Engine, file: bytes
) -> None:
    def with_another(content: dict[str, Any]) -> None:
        content["custodians"].append(content["custodians"][0] | {"name": "mallory"})

    forged, before = changed(file, with_another), rows(filled)
    with pytest.raises(ConsentMissing), at(filled) as tx:
        restore(tx, a_vault(), forged, PASSPHRASE, by="mallory", consent=consent)
    assert rows(filled) == before


def test_a_key_that_is_active_there_instead_is_a_conflict(file: bytes, empty: Engine) -> None:
    with at(empty) as tx:
        mine = a_vault().make(tx, Purpose.LICENCE_CODE, OWNER, ES256, by="test")
    with pytest.raises(BackupConflict), at(empty) as tx:
        restore(tx, a_vault(), file, PASSPHRASE, by="test")
    with at(empty) as tx:
        assert [r.public_key for r in a_vault().public_keys(tx)] == [mine]


def test_no_error_shows_a_passphrase_or_a_key(file: bytes) -> None:
    for wrong in (changed(file, of_another_key), file[:-40] + file[-39:], b"{}"):
        with pytest.raises(DomainError) as refused:
            check_backup(wrong, PASSPHRASE)
        assert PASSPHRASE not in str(refused.value) + repr(refused.value)
