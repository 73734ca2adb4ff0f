"""Every use of a key is told before its result is given out, or the result is not given out."""

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from keys.algorithms import ES256, SM2_SM3, Purpose
from keys.ciphertext import CiphertextRefused
from keys.key_token import TokenUnavailable
from keys.key_use import (
    KeyUse,
    Outcome,
    Record,
    Recorded,
    RecordedOpener,
    Watch,
    in_journal,
)
from keys.signer import PublicKey
from keys.sm2 import encrypt
from keys.software_opener import SoftwareOpener
from keys.software_signer import SoftwareSigner, generate
from keys.tables import journal
from keys.verify import verify

NOON = datetime.fromisoformat("2026-11-02T12:00:00Z")
# printf %s message | sha256sum
DIGEST_OF_MESSAGE = "ab530a13e45914982b79f9b7e3fba994cfd1f3fb22f71cea1afbf02b460c6d1d"


class Gone:
    """A signer whose device does not answer."""

    def __init__(self, key: PublicKey) -> None:
        self.public_key = key

    def sign(self, message: bytes) -> bytes:
        raise TokenUnavailable


@pytest.fixture
def uses() -> list[KeyUse]:
    return []


def watch(record: Record) -> Watch:
    return Watch("idp", Purpose.ID_TOKEN, "service", lambda: NOON, record)


def test_a_signature_is_told_with_who_which_key_and_over_what(
    signer: SoftwareSigner, uses: list[KeyUse]
) -> None:
    recorded = Recorded(signer, watch(uses.append))
    verify(recorded.public_key, b"message", recorded.sign(b"message"))
    kid = signer.public_key.kid
    assert uses == [
        KeyUse(NOON, "idp", kid, Purpose.ID_TOKEN, "service", DIGEST_OF_MESSAGE, Outcome.SIGNED)
    ]


def test_a_signature_that_failed_is_told_too(signer: SoftwareSigner, uses: list[KeyUse]) -> None:
    with pytest.raises(TokenUnavailable):
        Recorded(Gone(signer.public_key), watch(uses.append)).sign(b"message")
    assert [(use.outcome, use.digest) for use in uses] == [(Outcome.FAILED, DIGEST_OF_MESSAGE)]


@pytest.mark.parametrize("inner", [lambda signer: signer, lambda s: Gone(s.public_key)])
def test_what_cannot_be_told_is_not_given_out(
    inner: Callable[[SoftwareSigner], SoftwareSigner], signer: SoftwareSigner
) -> None:
    def broken(use: KeyUse) -> None:
        raise OSError("no journal")

    with pytest.raises(OSError, match="no journal"):
        Recorded(inner(signer), watch(broken)).sign(b"message")


def test_what_is_opened_is_told_and_what_does_not_open_too(uses: list[KeyUse]) -> None:
    material = generate(SM2_SM3)
    opener = RecordedOpener(SoftwareOpener(material), watch(uses.append))
    assert opener.public_key == SoftwareSigner(material).public_key
    locked = encrypt(opener.public_key.spki[-64:], b"secret")
    assert opener.open(locked) == b"secret"
    with pytest.raises(CiphertextRefused):
        opener.open(locked[:-1] + bytes([locked[-1] ^ 1]))
    assert [use.outcome for use in uses] == [Outcome.OPENED, Outcome.FAILED]
    assert uses[0].digest != uses[1].digest


def test_a_use_stands_in_the_journal_even_if_the_users_transaction_fails(
    database: Engine, signer: SoftwareSigner
) -> None:
    begin = sessionmaker(database).begin
    with Session(database) as tx:
        recorded = Recorded(signer, watch(in_journal(begin)))
        tx.execute(select(journal))
        recorded.sign(b"message")
        tx.rollback()
    with begin() as tx:
        row = tx.execute(select(journal)).one()
    assert (row.at, row.actor, row.action) == (NOON, "idp", "key.used")
    assert row.subject == signer.public_key.kid
    assert row.details == {
        "purpose": "id-token",
        "owner": "service",
        "digest": DIGEST_OF_MESSAGE,
        "outcome": "signed",
    }


def test_a_key_shows_only_its_name_through_its_watch() -> None:
    material = generate(ES256)
    shown = repr(Recorded(SoftwareSigner(material), watch(print)))
    assert SoftwareSigner(material).public_key.kid in shown
    assert material.pkcs8[36:68].hex() not in shown
