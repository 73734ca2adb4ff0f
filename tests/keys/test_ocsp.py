"""Answers about certificates, made beforehand: `openssl ocsp` judges those of P-256 and RSA whole."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Protocol

import pytest
from asn1crypto import ocsp as asn1_ocsp
from cryptography.x509 import ocsp as foreign_ocsp
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from keys import authority, ocsp_publishing
from keys.algorithms import ES256, RS256, SM2_SM3, Algorithm, Purpose
from keys.certificate_issuing import AuthorityKeyChanged
from keys.certificate_names import Subject
from keys.certificate_profiles import OCSP, PDF_SIGNER, ROOT
from keys.certificate_states import Reason
from keys.certificates import Certificate, issue, parse, self_signed
from keys.crl import Entry
from keys.key_states import State
from keys.ocsp import (
    OcspMalformed,
    OcspUntrusted,
    Refusal,
    Responder,
    build_answer,
    check_answer,
    is_by,
    issuer_digests,
    read_answer,
    read_question,
    refusal,
)
from keys.register import CertificateRecord
from keys.software_signer import SoftwareSigner, generate
from keys.tables import ocsp_answer
from tests.keys.outside_judge import openssl, put, signature_holds, signed_parts
from tests.keys.pki_world import CA, PkiWorld
from tests.keys.pki_world import ROOT as ROOT_NAME

DAY = timedelta(days=1)
families = pytest.mark.parametrize("algorithm", [ES256, RS256, SM2_SM3], ids=lambda a: a.name)
outside = pytest.mark.parametrize("algorithm", [ES256, RS256], ids=lambda a: a.name)
delegation = pytest.mark.parametrize("delegated", [False, True], ids=["by the CA", "delegated"])
RESPONDER = Subject("示例应答服务", "示例")


class Issued(Protocol):
    """What the fixture `issued` makes."""

    root: Certificate
    root_signer: SoftwareSigner
    leaf: Certificate
    leaf_signer: SoftwareSigner


Issue = Callable[..., Issued]


@pytest.fixture
def pki(database: Engine, now: datetime) -> PkiWorld:
    return PkiWorld(database, ES256, now)


def digests_of(algorithm: Algorithm) -> tuple[str, ...]:
    """The digests by which an authority of this kind of key is asked."""
    return ("sha1", "sha256", "sm3") if algorithm is SM2_SM3 else ("sha1", "sha256")


def delegate(pki: PkiWorld) -> None:
    with pki.begin() as tx:
        pki.vault.make(tx, Purpose.OCSP, CA, pki.algorithm, by="test")
        authority.certify(tx, pki.vault, Purpose.OCSP, CA, RESPONDER, by="test")


def refresh(pki: PkiWorld) -> int:
    return ocsp_publishing.refresh(pki.begin, pki.vault, pki.clock)


def ask(pki: PkiWorld, question: bytes, name: str = CA) -> bytes:
    with pki.begin() as tx:
        return ocsp_publishing.respond(tx, name, question, pki.now).der


@outside
@delegation
def test_openssl_asks_and_believes_what_it_is_told(
    algorithm: Algorithm, delegated: bool, database: Engine, now: datetime, tmp_path: Path
) -> None:
    pki = PkiWorld(database, algorithm, now)
    if delegated:
        delegate(pki)
    good, held, bad = pki.issue(), pki.issue(), pki.issue()
    pki.suspend(held)
    pki.revoke(bad, Reason.KEY_COMPROMISE)
    refresh(pki)
    put(tmp_path, "ca.pem", "CERTIFICATE", pki.ca.certificate.der)
    put(tmp_path, "root.pem", "CERTIFICATE", pki.root.der)
    expected: dict[str, tuple[CertificateRecord, str]] = {
        "good": (good, "good"),
        "held": (held, "revoked"),
        "bad": (bad, "revoked"),
    }
    for name, (record, status) in expected.items():
        put(tmp_path, f"{name}.pem", "CERTIFICATE", record.der)
        for digest in digests_of(algorithm):
            about = f"-{digest} -issuer ca.pem -cert {name}.pem"
            openssl(tmp_path, f"ocsp {about} -reqout question")
            answer = ask(pki, (tmp_path / "question").read_bytes())
            (tmp_path / "answer").write_bytes(answer)
            done = openssl(
                tmp_path,
                f"ocsp {about} -respin answer -CAfile root.pem -verify_other ca.pem"
                f" -no_nonce -attime {int(now.timestamp())} -validity_period 999999999",
            )
            assert "Response verify OK" in done.stderr, done.stderr
            assert f"{name}.pem: {status}" in done.stdout, done.stdout
    assert "Reason: keyCompromise" in done.stdout


@families
@delegation
def test_the_signature_of_an_answer_holds(
    algorithm: Algorithm, delegated: bool, database: Engine, now: datetime, tmp_path: Path
) -> None:
    pki = PkiWorld(database, algorithm, now)
    if delegated:
        delegate(pki)
    record = pki.issue()
    refresh(pki)
    answer = ask(pki, pki.question(record.serial))
    check_answer(read_answer(answer), pki.ca.certificate)
    basic = asn1_ocsp.OCSPResponse.load(answer)["response_bytes"]["response"].parsed
    with pki.begin() as tx:
        purpose = Purpose.OCSP if delegated else Purpose.CERTIFICATES
        key = pki.vault.signer(tx, purpose, CA, by="test").public_key
    assert signature_holds(tmp_path, key, *signed_parts(basic.dump()))
    digest = hashlib.sha256(basic["tbs_response_data"].dump()).hexdigest()
    assert [(use.by, use.kid) for use in pki.uses if use.digest == digest] == [("ocsp", key.kid)]


@families
def test_the_digest_of_a_question_may_be_any_that_goes_with_the_key(
    algorithm: Algorithm, database: Engine, now: datetime
) -> None:
    pki = PkiWorld(database, algorithm, now)
    record = pki.issue()
    refresh(pki)
    digests = digests_of(algorithm)
    (answer,) = {ask(pki, pki.question(record.serial, digest)) for digest in digests}
    told = read_answer(answer).told
    assert len(told) == len(digests)
    assert all(is_by(t.about, pki.ca.certificate) and t.revoked is None for t in told)
    assert all(t.about.serial == int(record.serial, 16) for t in told)


def test_a_nonce_is_passed_over(pki: PkiWorld, tmp_path: Path) -> None:
    record = pki.issue()
    refresh(pki)
    put(tmp_path, "ca.pem", "CERTIFICATE", pki.ca.certificate.der)
    put(tmp_path, "one.pem", "CERTIFICATE", record.der)
    openssl(tmp_path, "ocsp -issuer ca.pem -cert one.pem -nonce -reqout question")
    asked = (tmp_path / "question").read_bytes()
    assert foreign_ocsp.load_der_ocsp_request(asked).extensions
    assert ask(pki, asked) == ask(pki, pki.question(record.serial))


def test_what_cannot_be_answered_is_refused_unsigned(pki: PkiWorld) -> None:
    record = pki.issue()
    other = pki.root
    unauthorized = refusal(Refusal.UNAUTHORIZED)
    assert ask(pki, pki.question(record.serial)) == unauthorized, "not made yet"
    refresh(pki)
    uses = len(pki.uses)
    good = pki.question(record.serial)
    assert ask(pki, pki.question("1234")) == unauthorized
    assert ask(pki, good, "nobody") == unauthorized
    assert ask(pki, good, ROOT_NAME) == unauthorized
    foreign = pki.question(record.serial)
    name, key = issuer_digests(pki.ca.certificate, "sha1")
    assert ask(pki, foreign.replace(key, issuer_digests(other, "sha1")[1])) == unauthorized
    assert ask(pki, foreign.replace(name, bytes(20))) == unauthorized
    for junk in (b"", b"0", b"\x30\x03abc", b"\x30\x80" * 2000, good + b"\0"):
        assert ask(pki, junk) == refusal(Refusal.MALFORMED)
    pki.later(days=2)
    assert ask(pki, good) == refusal(Refusal.TRY_LATER)
    assert len(pki.uses) == uses, "nobody who asks reaches a private key"


def test_openssl_reads_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "answer").write_bytes(refusal(Refusal.UNAUTHORIZED))
    done = openssl(tmp_path, "ocsp -respin answer -text")
    assert "unauthorized (6)" in done.stdout + done.stderr


def test_the_job_makes_what_is_missing_untrue_or_ageing(pki: PkiWorld) -> None:
    records = [pki.issue() for _ in range(3)]
    assert refresh(pki) == 3
    pki.later(hours=1)
    assert refresh(pki) == 0
    pki.revoke(records[0])
    assert refresh(pki) == 1
    told = read_answer(ask(pki, pki.question(records[0].serial))).told[0]
    assert told.revoked == Entry(int(records[0].serial, 16), pki.now, "superseded")
    assert refresh(pki) == 0
    pki.later(hours=11, minutes=30)
    assert refresh(pki) == 2
    pki.later(days=1)
    assert refresh(pki) == 3


def test_a_change_committed_late_is_told_though_its_moment_is_before_the_answer(
    pki: PkiWorld,
) -> None:
    record = pki.issue()
    pki.later(minutes=2)
    refresh(pki)
    pki.later(minutes=-1)
    pki.revoke(record)
    pki.later(minutes=1)
    assert refresh(pki) == 1
    assert read_answer(ask(pki, pki.question(record.serial))).told[0].revoked is not None


def test_a_job_does_all_batches_and_answers_stay_few(
    pki: PkiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ocsp_publishing, "_BATCH", 2)
    ended = pki.issue()
    for _ in range(4):
        pki.issue()
    assert refresh(pki) == 5
    pki.now = ended.not_after + timedelta(seconds=1)
    assert refresh(pki) == 0
    with pki.begin() as tx:
        assert tx.scalar(select(func.count()).select_from(ocsp_answer)) == 0


def test_an_older_answer_never_takes_the_place_of_a_newer(pki: PkiWorld) -> None:
    record = pki.issue()
    pki.later(hours=2)
    refresh(pki)
    newer = ask(pki, pki.question(record.serial))
    pki.revoke(record)
    pki.later(hours=-1)
    refresh(pki)
    assert ask(pki, pki.question(record.serial)) == newer
    pki.later(hours=2)
    refresh(pki)
    assert ask(pki, pki.question(record.serial)) != newer


def test_an_authority_without_its_key_does_not_keep_others_from_answering(pki: PkiWorld) -> None:
    pki.issue()
    with pki.begin() as tx:
        pki.vault.move(tx, pki.ca.kid, State.RETIRING, by="test")
        pki.vault.make(tx, Purpose.CERTIFICATES, CA, ES256, by="test")
    with pytest.raises(ExceptionGroup) as failed:
        refresh(pki)
    assert [type(failure) for failure in failed.value.exceptions] == [AuthorityKeyChanged]


def test_a_responder_near_its_end_is_passed_over(pki: PkiWorld) -> None:
    delegate(pki)
    record = pki.issue()
    pki.later(days=89, hours=1)
    refresh(pki)
    answer = ask(pki, pki.question(record.serial))
    check_answer(read_answer(answer), pki.ca.certificate)
    brought = foreign_ocsp.load_der_ocsp_response(answer).certificates
    assert brought == []


def test_a_roots_key_answers_nothing(pki: PkiWorld) -> None:
    """It is used by two persons together, not by a job."""
    used = len(pki.uses)
    assert refresh(pki) == 0
    assert len(pki.uses) == used
    assert ask(pki, pki.question(f"{pki.ca.certificate.serial:x}"), ROOT_NAME) == refusal(
        Refusal.UNAUTHORIZED
    )


@pytest.mark.parametrize("algorithm", [ES256, SM2_SM3], ids=lambda a: a.name)
def test_only_who_the_issuer_appointed_may_answer_for_it(
    algorithm: Algorithm, issued: Issue, now: datetime
) -> None:
    made, other = issued(algorithm, profile=OCSP), issued(algorithm, profile=OCSP)
    unfit = issued(algorithm, profile=PDF_SIGNER)

    def check(signer: SoftwareSigner, certificate: Certificate | None, at: datetime = now) -> None:
        responder = Responder(signer, certificate)
        der = build_answer(made.root, responder, 77, None, at, at + DAY)
        check_answer(read_answer(der), made.root)

    check(made.root_signer, None)
    check(made.leaf_signer, made.leaf)
    for signer, certificate in (
        (other.root_signer, None),
        (other.leaf_signer, other.leaf),
        (other.leaf_signer, made.leaf),
        (unfit.leaf_signer, unfit.leaf),
    ):
        with pytest.raises(OcspUntrusted):
            check(signer, certificate)
    with pytest.raises(OcspUntrusted):
        check(made.leaf_signer, made.leaf, now + timedelta(days=400))


def test_an_answerers_certificate_of_the_issuer_for_another_usage_does_not_do(
    issued: Issue, now: datetime
) -> None:
    made = issued(profile=PDF_SIGNER)
    responder = Responder(made.leaf_signer, made.leaf)
    der = build_answer(made.root, responder, 77, None, now, now + DAY)
    with pytest.raises(OcspUntrusted):
        check_answer(read_answer(der), made.root)


@cache
def _kept() -> tuple[Certificate, bytes]:
    now = datetime.fromisoformat("2026-11-01T00:00:00Z")
    signer, key = SoftwareSigner(generate(SM2_SM3)), SoftwareSigner(generate(SM2_SM3))
    root = parse(self_signed(signer, ROOT, RESPONDER, (now, now + DAY)))
    leaf = parse(issue(root, signer, OCSP, RESPONDER, key.public_key, now, now + DAY, 5))
    revoked = Entry(77, now, "keyCompromise")
    return root, build_answer(root, Responder(key, leaf), 77, revoked, now, now + DAY)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_flipped_bit_never_changes_what_an_answer_tells(data: st.DataObject) -> None:
    root, der = _kept()
    place = data.draw(st.integers(min_value=0, max_value=8 * len(der) - 1))
    changed = bytearray(der)
    changed[place // 8] ^= 1 << (place % 8)
    try:
        answer = read_answer(bytes(changed))
        check_answer(answer, root)
    except (OcspMalformed, OcspUntrusted):
        return
    assert answer.told == read_answer(der).told


@pytest.mark.parametrize("junk", [b"", b"0", b"\x30\x03abc", b"\x30\x80" * 2000])
def test_junk_is_neither_question_nor_answer(junk: bytes) -> None:
    with pytest.raises(OcspMalformed):
        read_question(junk)
    with pytest.raises(OcspMalformed):
        read_answer(junk)
    with pytest.raises(OcspMalformed):
        read_answer(refusal(Refusal.TRY_LATER))


def test_a_question_about_two_certificates_is_refused(pki: PkiWorld) -> None:
    records = [pki.issue(), pki.issue()]
    refresh(pki)
    requests = [
        asn1_ocsp.OCSPRequest.load(pki.question(r.serial))["tbs_request"]["request_list"][0]
        for r in records
    ]
    both = asn1_ocsp.OCSPRequest({"tbs_request": {"request_list": requests}}).dump()
    assert ask(pki, both) == refusal(Refusal.MALFORMED)
