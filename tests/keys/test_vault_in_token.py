"""The vault with its keys in a real token, to the end of their life, and the token gone at each step."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from keys.algorithms import ES256, RS256, SM2_SM3, Algorithm, Purpose
from keys.custodians import Custodian
from keys.kek import key_encryption_keys
from keys.key_rows import KeyNotFound
from keys.key_states import Kept, State
from keys.key_token import TokenKeyMissing, TokenUnavailable
from keys.key_use import in_journal
from keys.pkcs11_keys import Pkcs11Token
from keys.signer import PublicKey
from keys.tables import journal
from keys.two_person import Consent, ConsentMissing, add_custodian, agree, ask, spend
from keys.vault import DESTROY, MAKE, USE, Vault, subject
from keys.verify import verify
from tests.keys.softhsm import SoftHsm, needs_softhsm, soft_hsm

pytestmark = needs_softhsm
OWNER = "11330100MBXX00027W"
ZHANG, LI = Custodian("张三"), Custodian("李四")


@dataclass
class Ground:
    """A vault on a database and a token, with a clock to set."""

    hsm: SoftHsm
    database: Engine
    now: datetime
    token: Pkcs11Token = field(init=False)
    vault: Vault = field(init=False)

    def __post_init__(self) -> None:
        self.token = self.hsm.token()
        self.begin = sessionmaker(self.database).begin
        keks = key_encryption_keys(self.token.unwrap_kek(self.token.wrap_kek(bytes(range(32)))))
        record = in_journal(self.begin)
        self.vault = Vault(keks, lambda: self.now, os.urandom, record, self.token)
        with self.begin() as tx:
            for who in (ZHANG, LI):
                add_custodian(tx, who.name, "kept", by="test", now=self.now)

    def make(self, purpose: Purpose = Purpose.PDF_SEAL, algorithm: Algorithm = ES256) -> PublicKey:
        with self.begin() as tx:
            return self.vault.make(tx, purpose, OWNER, algorithm, by="test", in_token=True)

    def sign(self, message: bytes, purpose: Purpose = Purpose.PDF_SEAL) -> bytes:
        with self.begin() as tx:
            signer = self.vault.signer(tx, purpose, OWNER, by="test")
        return signer.sign(message)

    def retire(self, key: PublicKey) -> None:
        with self.begin() as tx:
            self.vault.move(tx, key.kid, State.RETIRED, by="test")

    def consent(
        self, tx: Session, action: str, purpose: Purpose = Purpose.PDF_SEAL, *exactly: str
    ) -> Consent:
        about = subject(purpose, OWNER, *exactly)
        agree(tx, ask(tx, action, about, ZHANG, self.now), LI, self.now)
        return spend(tx, action, about, self.now)

    def destroy(self, key: PublicKey) -> None:
        with self.begin() as tx:
            consent = self.consent(tx, DESTROY, Purpose.PDF_SEAL, key.kid)
            self.vault.destroy(tx, key.kid, consent=consent)

    def state(self, key: PublicKey) -> tuple[State, Kept]:
        with self.begin() as tx:
            record = self.vault.find(tx, key.kid)
        return record.state, record.kept

    def told(self, action: str) -> list[str]:
        """What the journal tells of an action: the outcome of each use, the subject of all else."""
        query = select(journal).where(journal.c.action == action).order_by(journal.c.id)
        with self.begin() as tx:
            return [row.details.get("outcome", row.subject) for row in tx.execute(query)]


@pytest.fixture
def ground(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: Engine, now: datetime
) -> Iterator[Ground]:
    with soft_hsm(tmp_path, monkeypatch) as hsm:
        yield Ground(hsm, database, now)


@pytest.mark.parametrize("algorithm", [ES256, RS256], ids=lambda a: a.name)
def test_a_key_lives_and_ends_in_the_token(ground: Ground, algorithm: Algorithm) -> None:
    key = ground.make(algorithm=algorithm)
    assert len(ground.token.handles()) == 1
    verify(key, b"licence", ground.sign(b"licence"))
    ground.retire(key)
    ground.destroy(key)
    assert ground.token.handles() == frozenset()
    assert ground.state(key) == (State.DESTROYED, Kept.NOWHERE)
    with pytest.raises(KeyNotFound):
        ground.sign(b"licence")
    assert ground.told("key.made") == [key.kid]
    assert ground.told("key.used") == ["signed"]
    assert ground.told("key.destroyed") == [key.kid]


def test_a_key_of_sm2_is_wrapped_under_what_the_token_unwrapped(ground: Ground) -> None:
    with ground.begin() as tx:
        key = ground.vault.make(tx, Purpose.OFD_SEAL, OWNER, SM2_SM3, by="test")
    assert ground.state(key) == (State.ACTIVE, Kept.WRAPPED)
    ground.hsm.take_away()
    # The key-encryption key was unwrapped at the start; only keys of the token need it now.
    verify(key, b"m", ground.sign(b"m", Purpose.OFD_SEAL))


def test_a_guarded_key_of_the_token_takes_two_persons_too(ground: Ground) -> None:
    root = Purpose.ROOT_CERTIFICATES
    with pytest.raises(ConsentMissing):
        ground.make(root, RS256)
    assert ground.token.handles() == frozenset()
    with ground.begin() as tx:
        agreed = ground.consent(tx, MAKE, root)
        key = ground.vault.make(tx, root, OWNER, RS256, by="test", in_token=True, consent=agreed)
        agreed = ground.consent(tx, USE, root)
        signer = ground.vault.signer(tx, root, OWNER, by="test", consent=agreed)
    verify(key, b"m", signer.sign(b"m"))
    with pytest.raises(ConsentMissing):
        ground.sign(b"m", root)


def test_a_key_of_the_token_is_followed_by_another_of_the_token(ground: Ground) -> None:
    first = ground.make(Purpose.ACCESS_TOKEN)
    for _ in range(100):
        ground.now += timedelta(days=1)
        with ground.begin() as tx:
            ground.vault.rotate(tx, by="test")
    with ground.begin() as tx:
        _, second = ground.vault.public_keys(tx)
    assert ground.state(first) == (State.RETIRED, Kept.TOKEN)
    assert (second.state, second.kept) == (State.ACTIVE, Kept.TOKEN)
    verify(second.public_key, b"m", ground.sign(b"m", Purpose.ACCESS_TOKEN))


def test_a_token_that_is_gone_fails_one_signature_and_not_the_next(ground: Ground) -> None:
    key = ground.make()
    with ground.begin() as tx:
        signer = ground.vault.signer(tx, Purpose.PDF_SEAL, OWNER, by="test")
    verify(key, b"m", signer.sign(b"m"))
    ground.hsm.take_away()
    with pytest.raises(TokenUnavailable):
        signer.sign(b"m")
    ground.hsm.bring_back()
    verify(key, b"m", signer.sign(b"m"))
    assert ground.told("key.used") == ["signed", "failed", "signed"]


def test_each_signature_given_out_while_the_token_comes_and_goes_is_recorded_once(
    ground: Ground,
) -> None:
    key = ground.make(algorithm=RS256)
    with ground.begin() as tx:
        signer = ground.vault.signer(tx, Purpose.PDF_SEAL, OWNER, by="test")
    outcomes: list[str] = []
    stop, signed, failed = Event(), Event(), Event()

    def sign_on() -> None:
        while not stop.is_set():
            try:
                verify(key, b"m", signer.sign(b"m"))
            except TokenUnavailable:
                outcomes.append("failed")
                failed.set()
            else:
                outcomes.append("signed")
                signed.set()

    thread = Thread(target=sign_on)
    thread.start()
    try:
        for _ in range(3):
            signed.clear()
            assert signed.wait(30)
            failed.clear()
            ground.hsm.take_away()
            assert failed.wait(30)
            ground.hsm.bring_back()
    finally:
        stop.set()
        thread.join()
    assert ground.told("key.used") == outcomes


def test_a_key_that_could_not_be_made_is_nowhere(ground: Ground) -> None:
    ground.hsm.take_away()
    with pytest.raises(TokenUnavailable):
        ground.make()
    ground.hsm.bring_back()
    assert ground.token.handles() == frozenset()
    assert ground.told("key.made") == []
    with pytest.raises(KeyNotFound):
        ground.sign(b"m")
    key = ground.make()
    verify(key, b"m", ground.sign(b"m"))


def test_a_key_that_could_not_be_destroyed_is_still_there_and_its_consent_unspent(
    ground: Ground,
) -> None:
    key = ground.make()
    ground.retire(key)
    about = subject(Purpose.PDF_SEAL, OWNER, key.kid)
    with ground.begin() as tx:
        agree(tx, ask(tx, DESTROY, about, ZHANG, ground.now), LI, ground.now)

    def destroy() -> None:
        with ground.begin() as tx:
            agreed = spend(tx, DESTROY, about, ground.now)
            ground.vault.destroy(tx, key.kid, consent=agreed)

    ground.hsm.take_away()
    with pytest.raises(TokenUnavailable):
        destroy()
    assert ground.state(key) == (State.RETIRED, Kept.TOKEN)
    assert ground.told("key.destroyed") == ground.told("consent.spent") == []
    ground.hsm.bring_back()
    destroy()
    assert ground.state(key) == (State.DESTROYED, Kept.NOWHERE)
    assert ground.token.handles() == frozenset()


def test_a_crash_after_the_token_erased_a_key_is_made_good_by_destroying_again(
    ground: Ground,
) -> None:
    key = ground.make()
    ground.retire(key)
    with Session(ground.database) as tx:
        consent = ground.consent(tx, DESTROY, Purpose.PDF_SEAL, key.kid)
        ground.vault.destroy(tx, key.kid, consent=consent)
        tx.rollback()
    assert ground.state(key) == (State.RETIRED, Kept.TOKEN)
    ground.destroy(key)
    assert ground.state(key) == (State.DESTROYED, Kept.NOWHERE)


def test_a_key_of_a_transaction_that_failed_can_be_found_in_the_token(ground: Ground) -> None:
    kept = ground.make()
    known = ground.token.handles()
    with Session(ground.database) as tx:
        ground.vault.make(tx, Purpose.TIME_STAMP, OWNER, ES256, by="test", in_token=True)
        assert ground.vault.orphans(tx) == ()
        tx.rollback()
        (orphan,) = ground.vault.orphans(tx)
    assert {orphan} == ground.token.handles() - known
    ground.token.destroy(orphan)
    verify(kept, b"m", ground.sign(b"m"))


def test_a_key_erased_behind_the_vaults_back_is_told_by_its_handle(ground: Ground) -> None:
    ground.make()
    (handle,) = ground.token.handles()
    ground.token.destroy(handle)
    with pytest.raises(TokenKeyMissing) as missing:
        ground.sign(b"m")
    assert missing.value.parameters == {"handle": handle}
    assert ground.told("key.used") == ["failed"]
