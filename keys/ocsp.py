"""OCSP (RFC 6960 in the lightweight profile of RFC 5019): questions read, answers made and read.

An answer is about one certificate and is made beforehand, for anybody who asks: so it names the
certificate by each of the digests a question may use, and holds no nonce (RFC 9654 §2.1).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from functools import lru_cache
from itertools import chain
from types import MappingProxyType

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from keys.algorithms import SM2_SM3
from keys.certificate_profiles import OCSP_SIGNING
from keys.certificate_states import Reason
from keys.certificates import Certificate, CertificateMalformed, parse
from keys.crl import Entry
from keys.der import (
    NULL,
    bits,
    enumerated,
    explicit,
    generalized_time,
    integer,
    octets,
    oid,
    sequence,
    tlv,
)
from keys.errors import DomainError
from keys.public_keys import key_bits
from keys.signature_value import to_x509
from keys.signer import Signer
from keys.sm3 import sm3
from keys.x509_signing import algorithm_identifier, is_signed_by

_BASIC = "1.3.6.1.5.5.7.48.1.1"
_DIGESTS: Mapping[str, str] = MappingProxyType(
    {
        "sha1": "1.3.14.3.2.26",
        "sha256": "2.16.840.1.101.3.4.2.1",
        "sm3": "1.2.156.10197.1.401",
    }
)
_LARGEST_QUESTION = 4096
_LARGEST_ANSWER = 64 * 1024
_WRONG = (
    ValueError,
    TypeError,
    LookupError,
    NotImplementedError,
    OverflowError,
    x509.InvalidVersion,
    x509.DuplicateExtension,
)


class OcspMalformed(DomainError):
    """The bytes are not a question about one certificate, or not an answer."""

    code = "ocsp.malformed"


class OcspUntrusted(DomainError):
    """Neither the issuer nor a responder it appointed signed the answer."""

    code = "ocsp.untrusted"


class Refusal(IntEnum):
    """Answers that tell nothing and are not signed (RFC 6960 §4.2.1 OCSPResponseStatus)."""

    MALFORMED = 1
    TRY_LATER = 3
    UNAUTHORIZED = 6


@dataclass(frozen=True, slots=True)
class CertId:
    """Which certificate is meant: digests of its issuer's name and key, and its serial number.

    Which digest is left open: no two of them agree.
    """

    issuer_name: bytes
    issuer_key: bytes
    serial: int


@dataclass(frozen=True, slots=True)
class Responder:
    """Who signs answers: the issuer itself, or whom `certificate` says it appointed."""

    signer: Signer
    certificate: Certificate | None


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer tells of one certificate: `revoked` is None for one that is good."""

    about: CertId
    revoked: Entry | None
    this_update: datetime
    next_update: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, read. `brought` are the certificates (DER) that came along."""

    produced_at: datetime
    told: tuple[Told, ...]
    to_be_signed: bytes
    signature_oid: str
    signature: bytes
    brought: tuple[bytes, ...]


def refusal(status: Refusal) -> bytes:
    """Return an answer that refuses."""
    return sequence(enumerated(status))


def read_question(der: bytes) -> CertId:
    """Read a request about one certificate; its nonce is passed over. Raises OcspMalformed."""
    if len(der) > _LARGEST_QUESTION:
        raise OcspMalformed(reason="size")
    try:
        return _cert_id(ocsp.load_der_ocsp_request(der))
    except _WRONG as wrong:
        raise OcspMalformed(reason=type(wrong).__name__) from wrong


@lru_cache(maxsize=256)
def issuer_digests(issuer: Certificate, digest: str) -> tuple[bytes, bytes]:
    """Return the digests by which an issuer's name and key are meant."""
    return _digest(digest, issuer.subject.der), _digest(digest, key_bits(issuer.public_key.spki))


def is_by(cert_id: CertId, issuer: Certificate) -> bool:
    """Say whether a certificate of this issuer is meant, by whichever digest."""
    told = (cert_id.issuer_name, cert_id.issuer_key)
    return any(told == issuer_digests(issuer, digest) for digest in _DIGESTS)


def build_answer(
    issuer: Certificate,
    responder: Responder,
    serial: int,
    revoked: Entry | None,
    this_update: datetime,
    next_update: datetime,
) -> bytes:
    """Return the DER of a signed OCSPResponse about the issuer's certificate of that serial number.

    By SM3 only an SM2 issuer's are named.
    """
    status = _status(revoked)
    times = generalized_time(this_update) + explicit(0, generalized_time(next_update))
    # Readers of the other families do not pass over a digest they do not know: pyHanko stops there.
    digests = [d for d in _DIGESTS if d != "sm3" or issuer.public_key.algorithm is SM2_SM3]
    singles = [sequence(_cert_id_der(issuer, digest, serial), status, times) for digest in digests]
    by_name = explicit(1, (responder.certificate or issuer).subject.der)
    tbs = sequence(by_name, generalized_time(this_update), sequence(*singles))
    key = responder.signer.public_key
    value = to_x509(key.algorithm, responder.signer.sign(tbs))
    brought = explicit(0, sequence(responder.certificate.der)) if responder.certificate else b""
    basic = sequence(tbs, algorithm_identifier(key.algorithm), bits(value), brought)
    return sequence(enumerated(0), explicit(0, sequence(oid(_BASIC), octets(basic))))


@lru_cache(maxsize=1024)
def read_answer(der: bytes) -> Answer:
    """Read an answer; its signature is `check_answer`'s.

    Raises OcspMalformed, also for one that refuses, or is to last for ever.
    """
    if len(der) > _LARGEST_ANSWER:
        raise OcspMalformed(reason="size")
    try:
        read = ocsp.load_der_ocsp_response(der)
        return Answer(
            produced_at=read.produced_at_utc,
            told=tuple(_told(single) for single in read.responses),
            to_be_signed=read.tbs_response_bytes,
            signature_oid=read.signature_algorithm_oid.dotted_string,
            signature=read.signature,
            brought=tuple(c.public_bytes(Encoding.DER) for c in read.certificates),
        )
    except _WRONG as wrong:
        raise OcspMalformed(reason=type(wrong).__name__) from wrong


def check_answer(answer: Answer, issuer: Certificate) -> None:
    """Check that the issuer, or a responder it appointed, signed the answer. Raises OcspUntrusted.

    Appointed is whose certificate comes with the answer, is signed by the issuer itself for the
    usage OCSPSigning, and was good when the answer was made (RFC 6960 §4.2.2.2).
    """
    readable = (certificate for certificate in map(_readable, answer.brought) if certificate)
    appointed = (c for c in readable if _is_appointed(c, issuer, answer.produced_at))
    for signer in chain((issuer,), appointed):
        if is_signed_by(
            signer.public_key, answer.to_be_signed, answer.signature_oid, answer.signature
        ):
            return
    raise OcspUntrusted(issuer=issuer.subject.text)


def _is_appointed(candidate: Certificate, issuer: Certificate, at: datetime) -> bool:
    return (
        OCSP_SIGNING in candidate.extended_key_usage
        and candidate.issuer.der == issuer.subject.der
        and candidate.not_before <= at <= candidate.not_after
        and is_signed_by(
            issuer.public_key,
            candidate.to_be_signed,
            candidate.signature_oid,
            candidate.signature,
        )
    )


def _readable(der: bytes) -> Certificate | None:
    try:
        return parse(der)
    except CertificateMalformed:
        return None


def _told(single: ocsp.OCSPSingleResponse) -> Told:
    if single.next_update_utc is None or single.certificate_status is ocsp.OCSPCertStatus.UNKNOWN:
        raise ValueError("an answer that tells nothing, or for ever")
    about, revoked = _cert_id(single), None
    if single.revocation_time_utc is not None:
        reason = single.revocation_reason
        told = reason.value if reason else str(Reason.UNSPECIFIED)
        revoked = Entry(about.serial, single.revocation_time_utc, told)
    return Told(about, revoked, single.this_update_utc, single.next_update_utc)


def _cert_id(told: ocsp.OCSPRequest | ocsp.OCSPSingleResponse) -> CertId:
    return CertId(told.issuer_name_hash, told.issuer_key_hash, told.serial_number)


def _cert_id_der(issuer: Certificate, digest: str, serial: int) -> bytes:
    name, key = issuer_digests(issuer, digest)
    algorithm = sequence(oid(_DIGESTS[digest]), NULL)
    return sequence(algorithm, octets(name), octets(key), integer(serial))


def _status(revoked: Entry | None) -> bytes:
    """Return a CertStatus (RFC 6960 §4.2.1): good [0], or revoked [1] with when and why."""
    if revoked is None:
        return tlv(0x80, b"")
    reason = _REASONS.get(revoked.reason)
    why = explicit(0, enumerated(reason)) if reason else b""
    return explicit(1, generalized_time(revoked.at) + why)


def _digest(name: str, message: bytes) -> bytes:
    if name == "sm3":
        return sm3(message)
    # SHA-1 names the issuer here (RFC 5019 §2.1.1), it protects nothing.
    return hashlib.new(name, message, usedforsecurity=False).digest()


_REASONS: Mapping[str, int] = MappingProxyType(
    {
        Reason.KEY_COMPROMISE: 1,
        Reason.CA_COMPROMISE: 2,
        Reason.AFFILIATION_CHANGED: 3,
        Reason.SUPERSEDED: 4,
        Reason.CESSATION: 5,
        Reason.HOLD: 6,
        Reason.PRIVILEGE_WITHDRAWN: 9,
    }
)
