"""Time stamps over signature values: got from an authority, and judged when found."""

from datetime import timedelta

import pytest

from keys.certificates import SEAL_SIGNER
from keys.time_stamp_client import TimeStampMismatch, check_token
from keys.time_stamp_token import read_token
from seal.report import Outcome
from seal.time_proof import check, stamper
from tests.seal.ofd_builders import LATER, SIGNED_AT, holder, seal_world
from tests.seal.ofd_judging import says_in_both_languages
from tests.seal.time_stamping import STAMPED_AT, client, time_stamper, token
from tests.trusting import trusting

VALUE = b"a signature value"


def judged(der: bytes, *, trusted: bool = True) -> tuple[Outcome, str]:
    anchors = seal_world().anchors if trusted else ()
    proof = check(der, VALUE, trusting(*anchors), LATER)
    assert (proof.at is None) == (proof.finding.outcome is not Outcome.OK)
    says_in_both_languages({proof.finding.code})
    return proof.finding.outcome, proof.finding.code


def test_a_token_of_the_client_is_over_the_value_and_proves_its_time() -> None:
    der = stamper(client())(VALUE)
    proof = check(der, VALUE, trusting(*seal_world().anchors), LATER)
    assert proof.at == STAMPED_AT
    assert proof.finding.code == "seal.time_stamp.ok"


def test_the_digest_of_the_imprint_may_be_chosen() -> None:
    der = stamper(client(), "sha256")(VALUE)
    assert read_token(der).statement.imprint.digest == "sha256"
    assert judged(der) == (Outcome.OK, "seal.time_stamp.ok")


def test_an_answer_to_another_question_is_not_taken() -> None:
    other = token(b"another value")
    with pytest.raises(TimeStampMismatch):
        check_token(other, read_token(token(VALUE)).statement.imprint, seal_world().anchors)


def test_a_token_over_another_value_proves_nothing() -> None:
    assert judged(token(b"another value")) == (Outcome.FAILED, "seal.time_stamp.differs")


def test_rubbish_proves_nothing() -> None:
    assert judged(b"rubbish") == (Outcome.FAILED, "seal.time_stamp.malformed")


def test_a_forged_signature_proves_nothing() -> None:
    der = bytearray(token(VALUE))
    der[-1] ^= 1
    assert judged(bytes(der)) == (Outcome.FAILED, "seal.time_stamp.bad")


def test_an_unknown_authority_proves_nothing() -> None:
    assert judged(token(VALUE), trusted=False) == (Outcome.UNKNOWN, "seal.time_stamp.untrusted")


def test_a_certificate_that_is_not_for_time_stamps_proves_nothing() -> None:
    signer = holder(SEAL_SIGNER, "不是时间戳机构", seal_world().root, serial=10)
    assert judged(time_stamper(by=signer)(VALUE))[1] == "seal.time_stamp.untrusted"


def test_a_time_to_come_proves_nothing() -> None:
    der = token(VALUE, LATER + timedelta(hours=1))
    assert judged(der) == (Outcome.FAILED, "seal.time_stamp.in_future")


def test_the_authority_is_judged_at_the_time_it_states() -> None:
    der = token(VALUE, SIGNED_AT - timedelta(days=3650))
    assert judged(der)[1] == "seal.time_stamp.untrusted"
