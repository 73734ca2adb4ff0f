"""Tokens and what checks them: `openssl ts` for P-256 and RSA, pyHanko for all, and our client."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Protocol

import pytest
from asn1crypto import tsp
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.algorithms import ES256, RS256, SM2_SM3, Algorithm
from keys.certificate_profiles import PDF_SIGNER, ROOT, TIME_STAMP
from keys.certificates import (
    Certificate,
    CertificateError,
    CertificateExpired,
    CertificateUntrusted,
    CertificateWrongUsage,
    Subject,
    issue,
    parse,
    self_signed,
)
from keys.der import oid
from keys.software_signer import SoftwareSigner, generate
from keys.time_stamp import (
    Failure,
    Imprint,
    Request,
    Statement,
    TimeStampRefused,
    grant,
    imprint_of,
    read_request,
    refuse,
    write_request,
)
from keys.time_stamp_client import (
    TimeStampClient,
    TimeStampMismatch,
    TimeStampNotGranted,
    check_token,
    read_response,
)
from keys.time_stamp_token import (
    TimeStampBadSignature,
    TimeStampMalformed,
    TimeStampWrongAlgorithm,
    build_token,
    check_signature,
    read_token,
)
from tests.keys.outside_judge import openssl, put, signature_holds

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
MESSAGE = "加盖时间戳的内容".encode()
POLICY = "1.2.3.4"
families = pytest.mark.parametrize("algorithm", [ES256, RS256, SM2_SM3], ids=lambda a: a.name)
outside = pytest.mark.parametrize("algorithm", [ES256, RS256], ids=lambda a: a.name)
digests = pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512", "sm3"])


class Issued(Protocol):
    """What the fixture `issued` makes."""

    root: Certificate
    root_signer: SoftwareSigner
    leaf: Certificate
    leaf_signer: SoftwareSigner


Issue = Callable[..., Issued]


def stated(now: datetime, digest: str = "sha256", nonce: int | None = 7) -> Statement:
    return Statement(imprint_of(MESSAGE, digest), POLICY, 12, now, SECOND, nonce)


def token(made: Issued, statement: Statement, signer: SoftwareSigner | None = None) -> bytes:
    brought = (made.leaf.der, made.root.der)
    return build_token(statement, signer or made.leaf_signer, made.leaf, brought)


@families
@digests
def test_a_token_says_what_was_stated(
    algorithm: Algorithm, digest: str, issued: Issue, now: datetime
) -> None:
    made = issued(algorithm, profile=TIME_STAMP)
    statement = stated(now, digest)
    stamp = token(made, statement)
    assert read_token(stamp).statement == statement
    checked = check_token(stamp, statement.imprint, (made.root.der,))
    assert (checked.at, checked.accuracy, checked.serial) == (now, SECOND, 12)
    assert (checked.policy, checked.signer) == (POLICY, made.leaf)


@outside
@digests
def test_openssl_accepts_our_tokens(
    algorithm: Algorithm, digest: str, issued: Issue, now: datetime, tmp_path: Path
) -> None:
    made = issued(algorithm, profile=TIME_STAMP)
    response = grant(token(made, stated(now, digest)))
    (tmp_path / "response").write_bytes(response)
    put(tmp_path, "root.pem", "CERTIFICATE", made.root.der)
    value = imprint_of(MESSAGE, digest).value.hex()
    moment = int(now.timestamp())
    verify = f"ts -verify -in response -CAfile root.pem -attime {moment} -digest"
    done = openssl(tmp_path, f"{verify} {value}")
    assert "Verification: OK" in done.stdout, done.stderr
    assert "Verification: FAILED" in openssl(tmp_path, f"{verify} 00{value[2:]}").stdout


@outside
def test_openssl_matches_a_token_with_its_request(
    algorithm: Algorithm, issued: Issue, now: datetime, tmp_path: Path
) -> None:
    made = issued(algorithm, profile=TIME_STAMP)
    (tmp_path / "message").write_bytes(MESSAGE)
    openssl(tmp_path, f"ts -query -data message -sha256 -cert -tspolicy {POLICY} -out request")
    asked = read_request((tmp_path / "request").read_bytes())
    assert asked.nonce is not None
    assert (asked.imprint, asked.policy) == (imprint_of(MESSAGE, "sha256"), POLICY)
    put(tmp_path, "root.pem", "CERTIFICATE", made.root.der)
    verify = (
        "ts -verify -queryfile request -in response -CAfile root.pem"
        f" -attime {int(now.timestamp())}"
    )
    for nonce, told in ((asked.nonce, "Verification: OK"), (5, "Verification: FAILED")):
        response = grant(token(made, stated(now, nonce=nonce)))
        (tmp_path / "response").write_bytes(response)
        assert told in openssl(tmp_path, verify).stdout


def test_openssl_accepts_the_signature_of_an_sm2_token(
    issued: Issue, now: datetime, tmp_path: Path
) -> None:
    made = issued(SM2_SM3, profile=TIME_STAMP)
    read = read_token(token(made, stated(now, "sm3")))
    key, signed = made.leaf.public_key, read.signed_attributes
    assert signature_holds(tmp_path, key, signed, read.signature)
    assert not signature_holds(tmp_path, key, signed + b"\0", read.signature)


def test_openssl_reads_policy_accuracy_and_serial(
    issued: Issue, now: datetime, tmp_path: Path
) -> None:
    made = issued(SM2_SM3, profile=TIME_STAMP)
    (tmp_path / "response").write_bytes(grant(token(made, stated(now, "sm3", nonce=-5))))
    text = openssl(tmp_path, "ts -reply -in response -text").stdout
    for told in (
        "Status: Granted.",
        "Policy OID: 1.2.3.4",
        "Hash Algorithm: sm3",
        "Serial number: 0x0C",
        "Time stamp: Nov  1 08:00:00 2026 GMT",
        "Accuracy: 0x01 seconds",
        "Nonce: 0x-05",
    ):
        assert told in text


def test_a_request_reads_back() -> None:
    for request in (
        Request(imprint_of(MESSAGE, "sm3")),
        Request(imprint_of(MESSAGE, "sha512"), POLICY, 2**127, wants_certificates=False),
        Request(imprint_of(MESSAGE, "sha256"), "", -1),
    ):
        assert read_request(write_request(request)) == request


def sha1_request() -> bytes:
    imprint = {"hash_algorithm": {"algorithm": "sha1"}, "hashed_message": b"1" * 20}
    told = {"version": "v1", "message_imprint": imprint}
    return bytes(tsp.TimeStampReq(told).dump())


def request_with_an_extension() -> bytes:
    imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": b"1" * 32}
    extension = {"extn_id": "1.2.3", "critical": False, "extn_value": b"\x05\x00"}
    told = {"version": "v1", "message_imprint": imprint, "extensions": [extension]}
    return bytes(tsp.TimeStampReq(told).dump())


@pytest.mark.parametrize(
    ("der", "failure"),
    [
        (b"", Failure.BAD_DATA_FORMAT),
        (b"\x30\x03abc", Failure.BAD_DATA_FORMAT),
        (b"\x30\x80" * 3000, Failure.BAD_DATA_FORMAT),
        (write_request(Request(Imprint("sha256", b"short"))), Failure.BAD_DATA_FORMAT),
        (sha1_request(), Failure.BAD_ALGORITHM),
        (request_with_an_extension(), Failure.UNACCEPTED_EXTENSION),
    ],
)
def test_a_bad_request_is_refused_with_its_reason(der: bytes, failure: Failure) -> None:
    with pytest.raises(TimeStampRefused) as refused:
        read_request(der)
    assert refused.value.failure is failure


_CALLED = {
    Failure.BAD_ALGORITHM: "bad_alg",
    Failure.UNACCEPTED_EXTENSION: "unaccepted_extensions",
}


@pytest.mark.parametrize("failure", Failure)
def test_openssl_and_our_client_read_why_it_was_refused(failure: Failure, tmp_path: Path) -> None:
    (tmp_path / "response").write_bytes(refuse(failure))
    text = openssl(tmp_path, "ts -reply -in response -text").stdout
    assert "Status: Rejected." in text
    told = {
        Failure.BAD_ALGORITHM: "unrecognized or unsupported algorithm identifier",
        Failure.TIME_NOT_AVAILABLE: "the TSA's time source is not available",
        Failure.SYSTEM_FAILURE: "the request cannot be handled due to system failure",
    }
    assert told.get(failure, "") in text
    with pytest.raises(TimeStampNotGranted) as refused:
        read_response(refuse(failure))
    assert refused.value.parameters["status"] == "rejection"
    named = refused.value.parameters["failure"]
    assert named == _CALLED.get(failure, failure.name.lower())


@families
def test_another_message_policy_or_nonce_is_noticed(
    algorithm: Algorithm, issued: Issue, now: datetime
) -> None:
    made = issued(algorithm, profile=TIME_STAMP)

    def client(answers: Callable[[Request], Statement], policy: str = POLICY) -> TimeStampClient:
        def post(request: bytes) -> bytes:
            return grant(token(made, answers(read_request(request))))

        return TimeStampClient(post, (made.root.der,), lambda n: b"\7" * n, policy)

    def honest(request: Request) -> Statement:
        return replace(stated(now, nonce=request.nonce), imprint=request.imprint)

    imprint = imprint_of(MESSAGE, "sha256")
    assert client(honest).stamp(imprint).at == now
    assert client(honest, policy="").stamp(imprint).policy == POLICY
    wrong: dict[str, Callable[[Request], Statement]] = {
        "nonce": lambda request: replace(honest(request), nonce=8),
        "imprint": lambda request: replace(honest(request), imprint=imprint_of(b"2", "sha256")),
        "policy": lambda request: replace(honest(request), policy="1.2.3.5"),
    }
    for field, answers in wrong.items():
        with pytest.raises(TimeStampMismatch) as mismatch:
            client(answers).stamp(imprint)
        assert mismatch.value.parameters["field"] == field
    replayed = client(lambda request: replace(honest(request), nonce=None))
    with pytest.raises(TimeStampMismatch):
        replayed.stamp(imprint)


@families
def test_a_token_signed_by_another_key_is_refused(
    algorithm: Algorithm, issued: Issue, now: datetime
) -> None:
    made = issued(algorithm, profile=TIME_STAMP)
    statement = stated(now)
    forged = token(made, statement, SoftwareSigner(generate(algorithm)))
    with pytest.raises(TimeStampBadSignature):
        check_token(forged, statement.imprint, (made.root.der,))


@pytest.mark.parametrize(
    ("ours", "other"),
    [
        ("1.2.840.113549.1.1.11", "1.2.840.113549.1.1.13"),  # sha512WithRSAEncryption
        ("2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.3"),  # SHA-512
    ],
)
def test_an_algorithm_that_is_not_in_the_table_is_told_from_a_forgery(
    ours: str, other: str, issued: Issue, now: datetime
) -> None:
    made = issued(RS256, profile=TIME_STAMP)
    stamp = build_token(stated(now, "sm3"), made.leaf_signer, made.leaf, ())
    changed = stamp.replace(oid(ours), oid(other))
    with pytest.raises(TimeStampWrongAlgorithm):
        check_signature(read_token(changed, (made.leaf.der,)))


def test_a_signature_over_another_certificate_of_the_same_name_is_refused(
    issued: Issue, now: datetime
) -> None:
    """ESSCertIDv2: the certificate cannot be exchanged for another of the same key and number."""
    made = issued(ES256, profile=TIME_STAMP)
    other = parse(
        issue(
            made.root,
            made.root_signer,
            TIME_STAMP,
            Subject("冒名", "冒名"),
            made.leaf.public_key,
            now,
            now + DAY,
            made.leaf.serial,
        )
    )
    statement = stated(now)
    stamp = build_token(statement, made.leaf_signer, made.leaf, ())
    check_signature(read_token(stamp, (made.leaf.der,)))
    with pytest.raises(TimeStampBadSignature):
        check_signature(read_token(stamp, (other.der,)))


def test_the_authority_must_be_known_in_date_and_for_time_stamps_alone(
    issued: Issue, now: datetime
) -> None:
    made, other = issued(profile=TIME_STAMP, lasts=DAY), issued(profile=TIME_STAMP)
    statement = stated(now)
    stamp = token(made, statement)
    with pytest.raises(CertificateError):
        check_token(stamp, statement.imprint, (other.root.der,))
    with pytest.raises(CertificateUntrusted):
        check_token(stamp, statement.imprint, ())
    late = token(made, stated(now + DAY + SECOND))
    with pytest.raises(CertificateExpired):
        check_token(late, statement.imprint, (made.root.der,))
    for profile in (PDF_SIGNER, replace(TIME_STAMP, extended_key_usage_critical=False)):
        unfit = issued(profile=profile)
        with pytest.raises(CertificateWrongUsage):
            check_token(token(unfit, statement), statement.imprint, (unfit.root.der,))


def test_a_token_without_certificates_needs_the_signers(issued: Issue, now: datetime) -> None:
    made = issued(profile=TIME_STAMP)
    statement = stated(now)
    bare = build_token(statement, made.leaf_signer, made.leaf, ())
    with pytest.raises(TimeStampMalformed):
        check_token(bare, statement.imprint, (made.root.der,))
    check_token(bare, statement.imprint, (made.root.der,), (made.leaf.der,))


def test_who_asks_and_who_judges_read_a_token_once(issued: Issue, now: datetime) -> None:
    der = token(issued(), stated(now))
    assert read_token(der) is read_token(der, ())


@cache
def _kept() -> tuple[bytes, bytes, Imprint]:
    now = datetime.fromisoformat("2026-11-01T00:00:00Z")
    signer, key = SoftwareSigner(generate(ES256)), SoftwareSigner(generate(ES256))
    subject = Subject("示例", "示例")
    root = parse(self_signed(signer, ROOT, subject, (now, now + DAY)))
    leaf = parse(issue(root, signer, TIME_STAMP, subject, key.public_key, now, now + DAY, 5))
    statement = stated(now)
    return root.der, build_token(statement, key, leaf, (leaf.der,)), statement.imprint


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_flipped_bit_never_changes_what_a_token_states(data: st.DataObject) -> None:
    root, stamp, imprint = _kept()
    honest = check_token(stamp, imprint, (root,))
    place = data.draw(st.integers(min_value=0, max_value=8 * len(stamp) - 1))
    changed = bytearray(stamp)
    changed[place // 8] ^= 1 << (place % 8)
    try:
        checked = check_token(bytes(changed), imprint, (root,))
    except (TimeStampMalformed, TimeStampMismatch, CertificateError):
        return
    except (TimeStampBadSignature, TimeStampWrongAlgorithm):
        return
    # What is left: bits outside the signed attributes that nothing is read from.
    assert replace(checked, token=b"") == replace(honest, token=b"")


@pytest.mark.parametrize("junk", [b"", b"0", b"\x30\x03abc", b"\x30\x80" * 2000])
def test_junk_is_no_answer_and_no_token(junk: bytes) -> None:
    with pytest.raises(TimeStampMalformed):
        read_response(junk)
    with pytest.raises(TimeStampMalformed):
        read_token(junk)
