"""The vault on a real database: keys are made, used, moved on and destroyed, and nothing gets out."""

import os
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.orm import Session

from keys.algorithm_policy import AlgorithmPolicy, AlgorithmRetired, PurposeRefused
from keys.algorithms import EDDSA, ES256, RS256, SM2_SM3, Algorithm, Purpose
from keys.errors import DomainError
from keys.kek import Kek, KekMissing, key_encryption_keys
from keys.key_rows import KeyNotFound, KeyUnknown
from keys.key_states import Kept, KeyStateRefused, State
from keys.key_token import TokenKey, TokenUnavailable
from keys.key_use import KeyUse, Outcome
from keys.private_keys import TokenCannotOpen, TokenMissing
from keys.rotation import Make
from keys.signer import PublicKey, Signer
from keys.software_signer import SoftwareSigner, generate
from keys.tables import certificate, journal, private_key
from keys.two_person import Consent, ConsentMissing
from keys.vault import CertificateNotFound, KeyExists, Vault
from keys.verify import verify
from keys.wrapping import Cipher, SecretUnreadable

OWNER, OTHER = "11330100MBXX00027W", "11410900MBXX00035F"
NOON = datetime.fromisoformat("2026-11-02T12:00:00Z")


@pytest.fixture
def tx(database: Engine) -> Iterator[Session]:
    with Session(database) as session, session.begin():
        yield session


@pytest.fixture
def uses() -> list[KeyUse]:
    return []


def another(kek: bytes = bytes(range(32)), **changes: Any) -> Vault:
    """Return a vault as another process would have it."""
    told: dict[str, Any] = {"clock": lambda: NOON, "random": os.urandom, "record": lambda use: None}
    return Vault(key_encryption_keys(kek), **{**told, **changes})


def agreed(action: str, purpose: Purpose, owner: str = OWNER, exactly: str = "") -> Consent:
    about = f"{purpose.value} {owner} {exactly}".rstrip()
    return Consent(action, about, "周清和", "林知夏", NOON)


def rows_told(tx: Session, action: str) -> list[Any]:
    return list(tx.execute(select(journal).where(journal.c.action == action).order_by("id")))


@pytest.mark.parametrize(
    ("algorithm", "purpose"),
    [
        (ES256, Purpose.PDF_SEAL),
        (SM2_SM3, Purpose.OFD_SEAL),
        (RS256, Purpose.PDF_SEAL),
        (EDDSA, Purpose.LICENCE_CODE),
    ],
    ids=lambda each: getattr(each, "name", None),
)
def test_a_key_made_here_signs_in_another_process(
    algorithm: Algorithm, purpose: Purpose, vault: Vault, tx: Session
) -> None:
    made = vault.make(tx, purpose, OWNER, algorithm, by="test")
    signer = another().signer(tx, purpose, OWNER, by="test")
    assert signer.public_key == made == vault.find(tx, made.kid).public_key
    verify(made, b"m", signer.sign(b"m"))


def test_a_key_is_parsed_once(vault: Vault, tx: Session) -> None:
    made = vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256, by="test")
    vault.signer(tx, Purpose.LICENCE_CODE, OWNER, by="test")
    tx.execute(update(private_key).values(wrapped=b"unreadable"))
    verify(made, b"m", vault.signer(tx, Purpose.LICENCE_CODE, OWNER, by="test").sign(b"m"))


def test_keys_are_listed_with_purpose_and_owner(vault: Vault, tx: Session, now: datetime) -> None:
    code = vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256, by="test")
    other = vault.make(tx, Purpose.LICENCE_CODE, OTHER, ES256, by="test")
    data = vault.make(tx, Purpose.LICENCE_DATA, OWNER, ES256, by="test")
    assert {r.public_key for r in vault.public_keys(tx)} == {code, other, data}
    (record,) = vault.public_keys(tx, Purpose.LICENCE_DATA)
    assert (record.public_key, record.owner, record.purpose) == (data, OWNER, Purpose.LICENCE_DATA)
    assert (record.made_at, record.published_at, record.active_at) == (now, now, now)
    assert (record.state, record.kept) == (State.ACTIVE, Kept.WRAPPED)


def test_there_is_one_active_key_for_a_purpose_and_owner(vault: Vault, tx: Session) -> None:
    made = vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256, by="test")
    with pytest.raises(KeyExists):
        vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256, by="test")
    # The transaction goes on, with the first key; the next one waits beside it.
    after = vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256, by="test", state=State.PUBLISHED)
    assert vault.signer(tx, Purpose.LICENCE_CODE, OWNER, by="test").public_key == made
    with pytest.raises(KeyExists):
        vault.move(tx, after.kid, State.ACTIVE, by="test")
    vault.move(tx, made.kid, State.RETIRING, by="test")
    vault.move(tx, after.kid, State.ACTIVE, by="test")
    assert vault.signer(tx, Purpose.LICENCE_CODE, OWNER, by="test").public_key == after


def test_of_many_makers_at_once_one_wins(vault: Vault, database: Engine) -> None:
    def make(_number: int) -> str:
        try:
            with Session(database) as session, session.begin():
                return vault.make(session, Purpose.LICENCE_CODE, OWNER, ES256, by="test").kid
        except KeyExists:
            return ""

    with ThreadPoolExecutor(4) as pool:
        winners = [kid for kid in pool.map(make, range(8)) if kid]
    with Session(database) as session:
        assert [r.public_key.kid for r in vault.public_keys(session)] == winners
    assert len(winners) == 1


def test_an_algorithm_signs_only_what_it_may(vault: Vault, tx: Session) -> None:
    with pytest.raises(PurposeRefused):
        vault.make(tx, Purpose.OFD_SEAL, OWNER, ES256, by="test")
    with pytest.raises(PurposeRefused):
        vault.make(tx, Purpose.PDF_SEAL, OWNER, SM2_SM3, by="test")


def test_a_retired_algorithm_makes_no_key_and_signs_no_more(tx: Session) -> None:
    policy = AlgorithmPolicy().with_retirements({"ES256": date(2026, 11, 3)})
    vault = another(policy=policy)
    vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256, by="test")
    later = another(policy=policy, clock=lambda: NOON + timedelta(days=1))
    with pytest.raises(AlgorithmRetired):
        later.signer(tx, Purpose.LICENCE_CODE, OWNER, by="test")
    with pytest.raises(AlgorithmRetired):
        later.make(tx, Purpose.LICENCE_CODE, OTHER, ES256, by="test")


def test_a_key_that_is_not_there_is_told_by_name(vault: Vault, tx: Session) -> None:
    vault.make(tx, Purpose.LICENCE_CODE, OTHER, ES256, by="test")
    with pytest.raises(KeyNotFound) as missing:
        vault.signer(tx, Purpose.LICENCE_CODE, OWNER, by="test")
    assert missing.value.parameters == {"purpose": "licence-code", "owner": OWNER}
    for call in (
        lambda: vault.find(tx, "no such"),
        lambda: vault.move(tx, "no such", State.ACTIVE, by="test"),
        lambda: vault.destroy(tx, "no such", consent=agreed("key.destroy", Purpose.JOURNAL)),
    ):
        with pytest.raises(KeyUnknown):
            call()


@pytest.mark.parametrize("cipher", Cipher)
def test_the_secret_is_not_in_the_row(cipher: Cipher, tx: Session) -> None:
    vault = Vault(key_encryption_keys(b"k" * 32, (), cipher), lambda: NOON, os.urandom, print)
    made = vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256, by="test")
    row = tx.execute(select(private_key)).one()
    assert row.kek == Kek(b"k" * 32, cipher).name
    assert b"\x04\x20" not in row.wrapped[:8]
    assert row.spki[-64:] not in row.wrapped
    vault.make(tx, Purpose.LICENCE_DATA, OWNER, ES256, by="test")
    first, second = tx.scalars(select(private_key.c.wrapped)).all()
    assert first[1:13] != second[1:13], "a nonce must not be used twice"
    signer = another(b"k" * 32).signer(tx, Purpose.LICENCE_CODE, OWNER, by="test")
    verify(made, b"m", signer.sign(b"m"))


def test_a_lost_key_encryption_key_is_told_by_its_name(vault: Vault, tx: Session) -> None:
    vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256, by="test")
    with pytest.raises(KekMissing) as missing:
        another(b"\1" * 32).signer(tx, Purpose.LICENCE_CODE, OWNER, by="test")
    assert missing.value.parameters == {"name": vault.private_keys.keks.current.name}


def test_a_row_cannot_be_handed_to_another_owner_or_purpose(vault: Vault, tx: Session) -> None:
    vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256, by="test")
    tx.execute(update(private_key).values(owner=OTHER))
    with pytest.raises(SecretUnreadable):
        vault.signer(tx, Purpose.LICENCE_CODE, OTHER, by="test")
    tx.execute(update(private_key).values(owner=OWNER, purpose="licence-data"))
    with pytest.raises(SecretUnreadable):
        vault.signer(tx, Purpose.LICENCE_DATA, OWNER, by="test")


def test_a_key_goes_through_its_life_and_every_step_is_told(vault: Vault, tx: Session) -> None:
    made = vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256, by="周清和", state=State.MADE)
    for state in (State.PUBLISHED, State.ACTIVE, State.RETIRING, State.RETIRED):
        vault.move(tx, made.kid, state, by="林知夏")
        assert vault.find(tx, made.kid).state is state
    (told,) = rows_told(tx, "key.made")
    assert (told.actor, told.subject, told.details["algorithm"]) == ("周清和", made.kid, "ES256")
    moves = rows_told(tx, "key.moved")
    assert [row.details["to"] for row in moves] == ["published", "active", "retiring", "retired"]
    assert {(row.actor, row.subject) for row in moves} == {("林知夏", made.kid)}


def test_a_retired_key_signs_no_more_but_stays_known(vault: Vault, tx: Session) -> None:
    first = vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256, by="test")
    vault.signer(tx, Purpose.LICENCE_CODE, OWNER, by="test")
    vault.move(tx, first.kid, State.RETIRED, by="test")
    with pytest.raises(KeyNotFound):
        vault.signer(tx, Purpose.LICENCE_CODE, OWNER, by="test")
    with pytest.raises(KeyStateRefused):
        vault.move(tx, first.kid, State.ACTIVE, by="test")
    second = vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256, by="test")
    assert vault.signer(tx, Purpose.LICENCE_CODE, OWNER, by="test").public_key == second
    assert {r.public_key for r in vault.public_keys(tx)} == {first, second}


def test_a_clock_that_was_set_back_puts_no_move_before_the_last(tx: Session) -> None:
    made = another().make(tx, Purpose.LICENCE_CODE, OWNER, ES256, by="test")
    early = another(clock=lambda: NOON - timedelta(days=400))
    early.move(tx, made.kid, State.RETIRING, by="test")
    assert early.find(tx, made.kid).retiring_at == NOON


@pytest.mark.parametrize(
    ("purpose", "algorithm"),
    [
        (Purpose.ROOT_CERTIFICATES, SM2_SM3),
        (Purpose.SEAL_MAKER, SM2_SM3),
        (Purpose.TRUST_ROOT, ES256),
    ],
)
def test_a_guarded_key_takes_two_persons_for_everything(
    purpose: Purpose, algorithm: Algorithm, vault: Vault, tx: Session
) -> None:
    def make(consent: Consent | None) -> str:
        return vault.make(tx, purpose, OWNER, algorithm, by="test", consent=consent).kid

    def use(consent: Consent | None) -> bytes:
        return vault.signer(tx, purpose, OWNER, by="test", consent=consent).sign(b"m")

    def kid() -> str:
        return vault.public_keys(tx)[0].public_key.kid

    def retire(consent: Consent | None) -> None:
        vault.move(tx, kid(), State.RETIRED, by="test", consent=consent)

    steps: list[tuple[str, Callable[[], str], Callable[[Consent | None], object]]] = [
        ("key.make", str, make),
        ("key.use", str, use),
        ("key.move", lambda: f"{kid()} retired", retire),
    ]
    for action, exactly, step in steps:
        good = agreed(action, purpose, exactly=exactly())
        for wrong in (
            None,
            agreed("key.other", purpose, exactly=exactly()),
            agreed(action, purpose, OTHER, exactly()),
            agreed(action, Purpose.JOURNAL, exactly=exactly()),
            agreed(action, purpose, exactly="another key"),
        ):
            with pytest.raises(ConsentMissing):
                step(wrong)
        step(good)
    (told,) = rows_told(tx, "key.made")
    assert (told.details["first"], told.details["second"]) == ("周清和", "林知夏")


def test_a_key_is_destroyed_before_two_witnesses_and_its_secret_is_gone(
    vault: Vault, tx: Session
) -> None:
    made = vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256, by="test")
    vault.signer(tx, Purpose.LICENCE_CODE, OWNER, by="test")
    other = vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256, by="test", state=State.MADE)
    consent = agreed("key.destroy", Purpose.LICENCE_CODE, exactly=made.kid)
    with pytest.raises(KeyStateRefused):
        vault.destroy(tx, made.kid, consent=consent)
    with pytest.raises(ConsentMissing):
        vault.destroy(tx, other.kid, consent=consent)
    vault.move(tx, made.kid, State.RETIRED, by="test")
    with pytest.raises(KeyStateRefused):
        vault.move(tx, made.kid, State.DESTROYED, by="test")
    with pytest.raises(ConsentMissing):
        vault.destroy(tx, made.kid, consent=replace(consent, action="key.make"))
    vault.destroy(tx, made.kid, consent=consent)
    record = vault.find(tx, made.kid)
    assert (record.state, record.kept, record.public_key) == (State.DESTROYED, Kept.NOWHERE, made)
    row = tx.execute(select(private_key).where(private_key.c.kid == made.kid)).one()
    assert (row.wrapped, row.kek, row.handle) == (None, None, None)
    (told,) = rows_told(tx, "key.destroyed")
    assert (told.details["first"], told.details["second"]) == ("周清和", "林知夏")


def test_every_use_is_told_with_who_and_what(uses: list[KeyUse], tx: Session) -> None:
    vault = another(record=uses.append)
    made = vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256, by="test")
    vault.signer(tx, Purpose.LICENCE_CODE, OWNER, by="license_store").sign(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert uses == [
        KeyUse(
            NOON,
            "license_store",
            made.kid,
            Purpose.LICENCE_CODE,
            OWNER,
            empty,
            Outcome.SIGNED,
        )
    ]


def test_signing_the_journal_is_not_told_to_the_journal(uses: list[KeyUse], tx: Session) -> None:
    vault = another(record=uses.append)
    made = vault.make(tx, Purpose.JOURNAL, "service", ES256, by="test")
    verify(made, b"m", vault.signer(tx, Purpose.JOURNAL, "service", by="service").sign(b"m"))
    assert uses == []


def test_what_is_opened_is_told_and_a_retiring_key_still_opens(
    uses: list[KeyUse], tx: Session
) -> None:
    vault = another(record=uses.append)
    old = vault.make(tx, Purpose.ENVELOPE_RECEIVER, OWNER, SM2_SM3, by="test")
    vault.move(tx, old.kid, State.RETIRING, by="test")
    new = vault.make(tx, Purpose.ENVELOPE_RECEIVER, OWNER, SM2_SM3, by="test")
    current = vault.opener(tx, Purpose.ENVELOPE_RECEIVER, OWNER, by="test")
    last = vault.opener(tx, Purpose.ENVELOPE_RECEIVER, OWNER, by="test", kid=old.kid)
    assert (current.public_key, last.public_key) == (new, old)
    with pytest.raises(DomainError):
        last.open(b"rubbish")
    assert [(use.kid, use.outcome) for use in uses] == [(old.kid, Outcome.FAILED)]


def test_an_opener_is_given_for_its_own_purpose_and_owner_only(vault: Vault, tx: Session) -> None:
    code = vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256, by="test")
    mine = vault.make(tx, Purpose.ENVELOPE_RECEIVER, OWNER, SM2_SM3, by="test")
    vault.make(tx, Purpose.ENVELOPE_RECEIVER, OTHER, SM2_SM3, by="test")
    for owner, kid in ((OTHER, mine.kid), (OWNER, code.kid)):
        with pytest.raises(KeyNotFound):
            vault.opener(tx, Purpose.ENVELOPE_RECEIVER, owner, by="test", kid=kid)
    vault.move(tx, mine.kid, State.RETIRED, by="test")
    with pytest.raises(KeyNotFound):
        vault.opener(tx, Purpose.ENVELOPE_RECEIVER, OWNER, by="test", kid=mine.kid)


class Device:
    """A token whose keys are in this process; `gone` when it does not answer."""

    def __init__(self) -> None:
        self.held: dict[str, SoftwareSigner] = {}
        self.gone = False

    def make(self, algorithm: Algorithm, label: str) -> TokenKey:
        self.check()
        signer = SoftwareSigner(generate(algorithm))
        handle = f"{label} {len(self.held)}"
        self.held[handle] = signer
        return TokenKey(handle, signer.public_key.spki)

    def signer(self, handle: str, key: PublicKey) -> Signer:
        return self.held[handle]

    def destroy(self, handle: str) -> None:
        self.check()
        self.held.pop(handle, None)

    def handles(self) -> frozenset[str]:
        return frozenset(self.held)

    def check(self) -> None:
        if self.gone:
            raise TokenUnavailable


def test_a_key_in_a_token_signs_and_leaves_nothing_in_the_row(tx: Session) -> None:
    vault = another(token=Device())
    made = vault.make(tx, Purpose.PDF_SEAL, OWNER, RS256, by="test", in_token=True)
    row = tx.execute(select(private_key)).one()
    assert (row.wrapped, row.kek) == (None, None)
    assert vault.find(tx, made.kid).kept is Kept.TOKEN
    verify(made, b"m", vault.signer(tx, Purpose.PDF_SEAL, OWNER, by="test").sign(b"m"))
    with pytest.raises(TokenMissing):
        another().signer(tx, Purpose.PDF_SEAL, OWNER, by="test")


def test_a_key_that_lost_the_race_is_not_left_in_the_token(tx: Session) -> None:
    device = Device()
    vault = another(token=device)
    vault.make(tx, Purpose.PDF_SEAL, OWNER, ES256, by="test", in_token=True)
    with pytest.raises(KeyExists):
        vault.make(tx, Purpose.PDF_SEAL, OWNER, ES256, by="test", in_token=True)
    assert len(device.handles()) == 1


def test_a_token_that_does_not_answer_leaves_nothing_half_done(database: Engine) -> None:
    device = Device()
    vault = another(token=device)
    with Session(database) as tx, tx.begin():
        made = vault.make(tx, Purpose.PDF_SEAL, OWNER, ES256, by="test", in_token=True)
        vault.move(tx, made.kid, State.RETIRED, by="test")
    device.gone = True
    consent = agreed("key.destroy", Purpose.PDF_SEAL, exactly=made.kid)
    with pytest.raises(TokenUnavailable), Session(database) as tx, tx.begin():
        vault.destroy(tx, made.kid, consent=consent)
    with pytest.raises(TokenUnavailable), Session(database) as tx, tx.begin():
        vault.make(tx, Purpose.PDF_SEAL, OWNER, ES256, by="test", in_token=True)
    device.gone = False
    with Session(database) as tx, tx.begin():
        (record,) = vault.public_keys(tx)
        assert (record.state, record.kept) == (State.RETIRED, Kept.TOKEN)
        assert rows_told(tx, "key.destroyed") == []
        vault.destroy(tx, made.kid, consent=consent)
    assert device.handles() == frozenset()


@pytest.mark.parametrize("purpose", [Purpose.ENVELOPE_RECEIVER, Purpose.TOKEN_ENCRYPTION])
def test_what_opens_is_not_put_in_a_token(purpose: Purpose, tx: Session) -> None:
    with pytest.raises(TokenCannotOpen):
        another(token=Device()).make(tx, purpose, OWNER, ES256, by="test", in_token=True)


def test_the_newest_valid_certificate_of_a_key_is_given_with_its_chain(
    vault: Vault, tx: Session, now: datetime
) -> None:
    key = vault.make(tx, Purpose.PDF_SEAL, OWNER, ES256, by="test")
    with pytest.raises(CertificateNotFound):
        vault.certificate(tx, Purpose.PDF_SEAL, OWNER)
    for serial, (der, state) in enumerate(
        [(b"old", "valid"), (b"new", "valid"), (b"revoked", "revoked")]
    ):
        row = {
            "authority": "a",
            "serial": str(serial),
            "kid": key.kid,
            "der": der,
            "chain": [b"ca", b"root"],
            "profile": "p",
            "subject": "s",
            "unit": "",
            "not_before": now,
            "not_after": now,
            "state": state,
            "issued_by": "t",
            "issued_at": now,
        }
        tx.execute(insert(certificate).values(row))
    assert vault.certificate(tx, Purpose.PDF_SEAL, OWNER) == (b"new", (b"ca", b"root"))


@dataclass
class Clock:
    """A clock that stands still."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


def days_pass(database: Engine, days: int, **vault: Any) -> None:
    """Rotate every day, each time in a process of its own."""
    for day in range(days):
        with Session(database) as tx, tx.begin():
            later = Clock(NOON + timedelta(days=day))
            another(clock=later, **vault).rotate(tx, by="test")


def test_keys_are_rotated_and_the_one_that_signs_was_published_before(database: Engine) -> None:
    with Session(database) as tx, tx.begin():
        first = another().make(tx, Purpose.LICENCE_CODE, OWNER, EDDSA, by="test")
    days_pass(database, 410)
    with Session(database) as tx, tx.begin():
        old, young = another().public_keys(tx)
        assert (old.public_key, old.state, young.state) == (first, State.RETIRED, State.ACTIVE)
        assert old.retiring_at == young.active_at == NOON + timedelta(days=365)
        assert young.made_at == young.published_at == NOON + timedelta(days=358)
        assert old.retired_at == NOON + timedelta(days=395)
        assert young.public_key.algorithm is EDDSA
        signer = another().signer(tx, Purpose.LICENCE_CODE, OWNER, by="test")
        verify(young.public_key, b"m", signer.sign(b"m"))
        assert {row.actor for row in rows_told(tx, "key.moved")} == {"test"}


def test_the_key_after_one_in_a_token_is_in_the_token(database: Engine) -> None:
    device = Device()
    with Session(database) as tx, tx.begin():
        token = another(token=device)
        token.make(tx, Purpose.ID_TOKEN, "service", ES256, by="test", in_token=True)
    days_pass(database, 95, token=device)
    with Session(database) as tx:
        assert [r.kept for r in another().public_keys(tx)] == [Kept.TOKEN, Kept.TOKEN]


def test_what_takes_persons_is_told_and_not_done(vault: Vault, tx: Session) -> None:
    consent = agreed("key.make", Purpose.TRUST_ROOT)
    vault.make(tx, Purpose.TRUST_ROOT, OWNER, ES256, by="test", consent=consent)
    vault.make(tx, Purpose.PDF_SEAL, OWNER, ES256, by="test")
    later = another(clock=lambda: NOON + timedelta(days=9 * 365))
    rotation = later.rotate(tx, by="test")
    assert rotation.done == ()
    assert later.due(tx) == rotation.by_hand
    assert {step.purpose for step in rotation.by_hand} == {Purpose.TRUST_ROOT, Purpose.PDF_SEAL}
    assert len(later.public_keys(tx)) == 2


def test_a_token_that_does_not_answer_holds_up_no_other_keys_rotation(database: Engine) -> None:
    device = Device()
    with Session(database) as tx, tx.begin():
        vault = another(token=device)
        in_token = vault.make(tx, Purpose.ACCESS_TOKEN, "service", ES256, by="test", in_token=True)
        vault.make(tx, Purpose.ID_TOKEN, "service", ES256, by="test")
    later = another(token=device, clock=lambda: NOON + timedelta(days=89))
    device.gone = True
    with Session(database) as tx, tx.begin():
        rotation = later.rotate(tx, by="test")
    assert [step.purpose for step in rotation.done] == [Purpose.ID_TOKEN]
    (failed,) = rotation.failed
    assert failed.step == Make(Purpose.ACCESS_TOKEN, "service", ES256, in_token.kid)
    assert isinstance(failed.reason, TokenUnavailable)
    device.gone = False
    with Session(database) as tx, tx.begin():
        again = later.rotate(tx, by="test")
    assert (again.done, again.failed) == ((failed.step,), ())


def test_two_processes_that_rotate_at_once_make_one_key(database: Engine) -> None:
    with Session(database) as tx, tx.begin():
        another().make(tx, Purpose.LICENCE_CODE, OWNER, ES256, by="test")

    def rotate(_number: int) -> int:
        with Session(database) as tx, tx.begin():
            later = another(clock=lambda: NOON + timedelta(days=360))
            return len(later.rotate(tx, by="test").done)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(rotate, range(8))) == [0] * 7 + [1]
    with Session(database) as tx:
        states = [record.state for record in another().public_keys(tx)]
    assert states == [State.ACTIVE, State.PUBLISHED]


def held(database: Engine, number: int) -> list[str]:
    """Make some keys under the old key-encryption key, one of them retired; return their names."""
    with Session(database) as tx, tx.begin():
        vault = another(b"o" * 32)
        owners = [f"owner {n}" for n in range(number)]
        kids = [
            vault.make(tx, Purpose.LICENCE_CODE, owner, ES256, by="test").kid for owner in owners
        ]
        vault.move(tx, kids[0], State.RETIRED, by="test")
    return kids


def under(database: Engine, *keys: bytes) -> list[int]:
    """Count the wrapped keys under each key-encryption key."""
    with Session(database) as tx:
        names = list(tx.scalars(select(private_key.c.kek)))
    return [names.count(Kek(key).name) for key in keys]


def test_keys_are_wrapped_again_in_batches_that_may_be_broken_off(database: Engine) -> None:
    old, new = b"o" * 32, b"n" * 32
    kids = held(database, 5)
    both = partial(Vault, key_encryption_keys(new, (old,)), lambda: NOON, os.urandom, print)
    with Session(database) as tx, tx.begin():
        assert both().rewrap(tx, 2, by="test") == 2
    with Session(database) as tx:
        assert both().rewrap(tx, 2, by="test") == 2
        tx.rollback()
    assert under(database, old, new) == [3, 2]
    with Session(database) as tx, tx.begin():
        assert [both().rewrap(tx, 2, by="test") for _ in range(3)] == [2, 1, 0]
        assert len(rows_told(tx, "key.wrapped_again")) == 5
    assert under(database, old, new) == [0, 5]
    with Session(database) as tx:
        signer = another(new).signer(tx, Purpose.LICENCE_CODE, "owner 1", by="test")
        assert signer.public_key.kid == kids[1]
        verify(signer.public_key, b"m", signer.sign(b"m"))


def test_half_way_both_keys_are_needed_and_the_missing_one_is_named(database: Engine) -> None:
    old, new = b"o" * 32, b"n" * 32
    held(database, 3)
    vault = Vault(key_encryption_keys(new, (old,)), lambda: NOON, os.urandom, print)
    with Session(database) as tx, tx.begin():
        vault.rewrap(tx, 1, by="test")
    with Session(database) as tx, pytest.raises(KekMissing) as missing:
        another(new).rewrap(tx, 10, by="test")
    assert missing.value.parameters == {"name": Kek(old).name}


def test_keys_in_a_token_and_destroyed_ones_have_nothing_to_wrap(tx: Session) -> None:
    vault = another(token=Device())
    vault.make(tx, Purpose.PDF_SEAL, OWNER, ES256, by="test", in_token=True)
    gone = vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256, by="test", state=State.MADE)
    consent = agreed("key.destroy", Purpose.LICENCE_CODE, exactly=gone.kid)
    vault.destroy(tx, gone.kid, consent=consent)
    assert another(b"n" * 32).rewrap(tx, 10, by="test") == 0


def test_neither_repr_nor_traceback_shows_a_key_encryption_key(tx: Session) -> None:
    secret = b"k-e-k---" * 4
    vault, stranger = another(secret), another(b"\1" * 32)
    vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256, by="test")
    tx.execute(update(private_key).values(owner=OTHER))
    shown = (
        repr(vault)
        + str(vault)
        + repr(vault.private_keys.keks)
        + repr(vault.private_keys.keks.current)
    )
    for failing in (vault, stranger):
        for owner in (OWNER, OTHER):
            shown += told_of_failing(
                partial(failing.signer, tx, Purpose.LICENCE_CODE, owner, by="test")
            )
    assert "Vault()" in shown
    assert "SecretUnreadable" in shown
    for told in ("k-e-k", secret.hex()):
        assert told not in shown
    with pytest.raises(ValueError, match="32 bytes"):
        another(b"short")


def test_no_private_key_is_in_a_repr_a_traceback_or_the_journal(tx: Session) -> None:
    """The scalar is looked for as bytes, as hexadecimal, and as the number it is."""
    used: list[KeyUse] = []

    def record(use: KeyUse) -> None:
        used.append(use)
        raise OSError("the journal does not answer")

    vault = another(record=record)
    vault.make(tx, Purpose.LICENCE_CODE, OWNER, ES256, by="test")
    signer = vault.signer(tx, Purpose.LICENCE_CODE, OWNER, by="test")
    shown = told_of_failing(partial(signer.sign, b"m"))
    assert "OSError" in shown
    shown += repr(signer) + repr(used) + repr(list(tx.execute(select(journal))))
    material = vault.private_keys.material(tx.execute(select(private_key)).one())
    shown += repr(material)
    scalar = material.pkcs8[36:68]
    for secret in (scalar.hex(), repr(scalar)[2:-1], str(int.from_bytes(scalar))):
        assert secret not in shown


def told_of_failing(fails: Callable[[], object]) -> str:
    """Return the traceback of a call that fails, with every local variable of every frame."""
    try:
        fails()
    except (DomainError, OSError) as error:
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        return "".join(told.format())
    raise AssertionError("it did not fail")
