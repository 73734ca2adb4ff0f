"""The checks on one seal signature, each with its own answer (GB/T 38540-2020 §7.3, GM/T 0031-2014 §6.2.3).

Nothing here stops at the first failure: whoever reads the report sees all that is wrong.
"""

from collections.abc import Iterator
from datetime import datetime

from keys.algorithms import SM2_SM3, Purpose
from keys.certificates import (
    Certificate,
    CertificateError,
    CertificateMalformed,
    parse,
    verify_chain,
)
from keys.der_signature import SignatureMalformed, from_der
from keys.sm3 import sm3
from keys.trust import Anchors
from keys.verify import BadSignature, verify
from seal.report import CLOCK_SKEW, Finding, Outcome, SealFinding
from seal.ses_reading import Seal, SealSignature
from seal.signed_data import SignedData


def check_seal_signature(
    signature: SealSignature, signed_content: bytes, anchors: Anchors, at: datetime
) -> SealFinding:
    """Judge a seal signature over `signed_content` (Signature.xml) by the authorities `anchors` at `at`."""
    findings = (
        data_hash(signature.data_hash, signed_content),
        signature_value(
            "signature", signature.certificate, signature.signed_bytes, signature.signature
        ),
        *signer(signature.certificate, signature.signed_at, anchors, at),
        *_seal(signature.seal, anchors),
        validity(signature.seal, signature.signed_at),
        signer_listed(signature.seal, signature.certificate),
        time_stamp(signature.time_stamp),
    )
    return _described(signature.seal.name, signature.certificate, signature.signed_at, findings)


def check_signed_data(
    signature: SignedData, signed_content: bytes, anchors: Anchors, at: datetime
) -> SealFinding:
    """Judge a signature without a seal (kind `Sign`) over `signed_content`."""
    findings = (
        data_hash(signature.data_hash, signed_content),
        signature_value(
            "signature", signature.certificate, signature.signed_bytes, signature.signature
        ),
        *signer(signature.certificate, signature.signed_at, anchors, at),
    )
    return _described("", signature.certificate, signature.signed_at, findings)


def data_hash(stated: bytes, signed_content: bytes) -> Finding:
    """The signature is about these bytes: its hash is theirs."""
    if stated == sm3(signed_content):
        return Finding("data_hash", Outcome.OK, "seal.data_hash.ok")
    return Finding("data_hash", Outcome.FAILED, "seal.data_hash.differs")


def signature_value(
    check: str, certificate: bytes, signed_bytes: bytes, signature: bytes
) -> Finding:
    """The signature value is by the certificate's key over `signed_bytes`."""
    try:
        key = parse(certificate).public_key
        if key.algorithm is not SM2_SM3:
            return Finding(check, Outcome.FAILED, f"seal.{check}.not_sm2")
        verify(key, signed_bytes, from_der(signature))
    except CertificateMalformed:
        return Finding(check, Outcome.FAILED, f"seal.{check}.no_key")
    except SignatureMalformed:
        return Finding(check, Outcome.FAILED, f"seal.{check}.malformed")
    except BadSignature:
        return Finding(check, Outcome.FAILED, f"seal.{check}.bad")
    return Finding(check, Outcome.OK, f"seal.{check}.ok")


def signer(
    certificate: bytes, signed_at: datetime | None, anchors: Anchors, at: datetime
) -> Iterator[Finding]:
    """The signer's certificate leads to an authority, and the time of signing is within its life.

    Its chain is judged at the time of signing: a certificate that expired since does no harm, nor
    an authority that has been trusted no longer since.
    """
    moment = signed_at or at
    trusted = anchors(Purpose.OFD_SEAL, moment)
    yield chain("signer_certificate", certificate, trusted, moment)
    yield signing_time(_parsed(certificate), signed_at, at)


def chain(check: str, certificate: bytes, trusted: tuple[bytes, ...], moment: datetime) -> Finding:
    """The certificate leads to one of the `trusted`, with everything good at `moment`."""
    try:
        verify_chain(parse(certificate), (), trusted, moment)
    except CertificateError as error:
        reason = error.code.rpartition(".")[2]
        return Finding(check, Outcome.FAILED, f"seal.{check}.{reason}")
    return Finding(check, Outcome.OK, f"seal.{check}.ok")


def signing_time(
    certificate: Certificate | None, signed_at: datetime | None, at: datetime
) -> Finding:
    """The stated time of signing is not to come, and within the life of the certificate."""
    if signed_at is None:
        return Finding("signing_time", Outcome.UNKNOWN, "seal.signing_time.absent")
    if signed_at > at + CLOCK_SKEW:
        return Finding("signing_time", Outcome.FAILED, "seal.signing_time.in_future")
    if certificate and not certificate.not_before <= signed_at <= certificate.not_after:
        return Finding("signing_time", Outcome.FAILED, "seal.signing_time.outside_certificate")
    return Finding("signing_time", Outcome.OK, "seal.signing_time.ok")


def _seal(seal: Seal, anchors: Anchors) -> Iterator[Finding]:
    """The seal itself: its maker's signature, and the maker's certificate when it was made."""
    yield signature_value(
        "maker_signature", seal.maker_certificate, seal.signed_bytes, seal.signature
    )
    trusted = anchors(Purpose.SEAL_MAKER, seal.created)
    yield chain("maker_certificate", seal.maker_certificate, trusted, seal.created)


def validity(seal: Seal, signed_at: datetime | None) -> Finding:
    """The seal was valid when it was used."""
    if signed_at is None:
        return Finding("seal_validity", Outcome.UNKNOWN, "seal.validity.no_time")
    if signed_at < seal.valid_from:
        return Finding("seal_validity", Outcome.FAILED, "seal.validity.not_begun")
    if signed_at > seal.valid_until:
        return Finding("seal_validity", Outcome.FAILED, "seal.validity.expired")
    return Finding("seal_validity", Outcome.OK, "seal.validity.ok")


def signer_listed(seal: Seal, certificate: bytes) -> Finding:
    """The signer is one of those the seal was made for."""
    if seal.lists(certificate):
        return Finding("signer_listed", Outcome.OK, "seal.signer_listed.ok")
    return Finding("signer_listed", Outcome.FAILED, "seal.signer_listed.missing")


def time_stamp(token: bytes | None) -> Finding:
    """Without a time stamp the time of signing is the signer's own statement."""
    if token is None:
        return Finding("time_stamp", Outcome.OK, "seal.time_stamp.none")
    return Finding("time_stamp", Outcome.WARNING, "seal.time_stamp.not_checked")


def _described(
    seal_name: str, certificate: bytes, signed_at: datetime | None, findings: tuple[Finding, ...]
) -> SealFinding:
    parsed = _parsed(certificate)
    return SealFinding(
        seal_name=seal_name,
        signer_name=(parsed.subject.organization or parsed.subject.common_name) if parsed else "",
        signer_certificate=certificate,
        signed_at=signed_at,
        algorithm=parsed.public_key.algorithm.name if parsed else "",
        findings=findings,
    )


def _parsed(certificate: bytes) -> Certificate | None:
    try:
        return parse(certificate)
    except CertificateMalformed:
        return None
