"""The checks on one seal signature, each with its own answer (GB/T 38540-2020 §7.3, GM/T 0031-2014 §6.2.3).

Nothing here stops at the first failure: whoever reads the report sees all that is wrong.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from keys.algorithms import SM2_SM3, Purpose
from keys.certificates import CertificateMalformed, holder
from keys.der import bits, octets, oid, sequence
from keys.der_signature import SignatureMalformed, from_der
from keys.sm3 import sm3
from keys.verify import BadSignature, verify
from seal import time_proof
from seal.certificate_checks import Use, check_certificate, is_void, readable
from seal.ground import Ground, no_register
from seal.moments import Moments, signing_time
from seal.report import Finding, Outcome, SealFinding
from seal.seal_states import SealState
from seal.ses_reading import Seal, SealSignature
from seal.ses_structure import VERSION_2014
from seal.signed_data import SignedData
from seal.time_proof import TimeProof

_MOST_REMEMBERED_BYTES = 256 * 1024


def check_seal_signature(
    signature: SealSignature, signed_content: bytes, ground: Ground, at: datetime
) -> SealFinding:
    """Judge a seal signature over `signed_content` (Signature.xml) on the ground at hand at `at`."""
    proof = time_stamp(signature.time_stamp, signature.signature, ground, at)
    moments = Moments(signature.signed_at, proof.at, at)
    findings = (
        *encoding(signature),
        data_hash(signature.data_hash, signed_content),
        signature_value(
            "signature", signature.certificate, signature.signed_bytes, signature.signature
        ),
        *_signer(signature.certificate, (), ground, moments),
        *_maker(signature.seal, ground, moments),
        validity(signature.seal, moments.told),
        signer_listed(signature.seal, signature.certificate),
        *seal_state(signature.seal, ground, moments),
        proof.finding,
    )
    return _described(signature.seal.name, signature.certificate, moments, findings)


def check_signed_data(
    signature: SignedData, signed_content: bytes, ground: Ground, at: datetime
) -> SealFinding:
    """Judge a signature without a seal (kind `Sign`) over `signed_content`."""
    proof = time_stamp(signature.time_stamp, signature.signature, ground, at)
    moments = Moments(signature.signed_at, proof.at, at)
    findings = (
        data_hash(signature.data_hash, signed_content),
        signature_value(
            "signature", signature.certificate, signature.signed_bytes, signature.signature
        ),
        *_signer(signature.certificate, signature.brought, ground, moments),
        proof.finding,
    )
    return _described("", signature.certificate, moments, findings)


def encoding(signature: SealSignature) -> Iterator[Finding]:
    """The structure is written as all readers expect it, and its parts say the same."""
    for field in signature.inexact:
        yield Finding("encoding", Outcome.WARNING, "seal.encoding.inexact", field)
    for field in signature.contradictory:
        yield Finding("consistency", Outcome.WARNING, "seal.consistency.contradictory", field)


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
        _, key = holder(certificate)
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


# One seal is on a hundred thousand licences: its maker's signature is checked once a process.
_remembered_value = lru_cache(maxsize=64)(signature_value)


def maker_signature(seal: Seal) -> Finding:
    """The seal is as its maker made it."""
    small = len(seal.signed_bytes) <= _MOST_REMEMBERED_BYTES
    judge = _remembered_value if small else signature_value
    return judge("maker_signature", seal.maker_certificate, seal.signed_bytes, seal.signature)


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
    if seal.lists_weakly(certificate):
        return Finding("signer_listed", Outcome.WARNING, "seal.signer_listed.weak")
    if seal.lists(certificate):
        return Finding("signer_listed", Outcome.OK, "seal.signer_listed.ok")
    return Finding("signer_listed", Outcome.FAILED, "seal.signer_listed.missing")


_STOPPED = frozenset({SealState.SUSPENDED, SealState.LOST, SealState.DESTROYED})


def seal_state(seal: Seal, ground: Ground, moments: Moments) -> Iterator[Finding]:
    """The register had the seal in use when it stamped; how it stands today is told beside it.

    A seal lost since casts doubt on what no time stamp dates: its finder can date as he likes.
    """
    if ground.seal_states is no_register:
        yield Finding("seal_state", Outcome.OK, "seal.state.not_looked_at")
        return
    known = _as_made(seal, ground, moments.now)
    then = ground.seal_states(known, moments.judged)
    today = ground.seal_states(known, moments.now)
    if then is None and today is None:
        yield Finding("seal_state", Outcome.WARNING, "seal.state.not_registered")
        return
    if then is not SealState.IN_USE:
        word = then.value if then in _STOPPED else "not_in_use"
        yield Finding("seal_state", Outcome.FAILED, f"seal.state.{word}")
        return
    yield Finding("seal_state", Outcome.OK, "seal.state.in_use")
    if today in _STOPPED:
        doubtful = today is SealState.LOST and moments.proven is None
        outcome = Outcome.UNKNOWN if doubtful else Outcome.OK
        yield Finding("seal_state_now", outcome, f"seal.state_now.{today.value}")


def _as_made(seal: Seal, ground: Ground, at: datetime) -> bytes:
    """Return the bytes by which the register knows the seal.

    The maker signs what is in a seal, not how that is wrapped: who found a lost one could wrap it
    otherwise (a longer length, a time stamp of version 5), and nobody would know it.
    """
    if seal.version == VERSION_2014 or ground.seal_states(seal.encoded, at) is not None:
        return seal.encoded
    algorithm = oid(SM2_SM3.signature_oid)
    certificate, value = octets(seal.maker_certificate), bits(seal.signature)
    return sequence(seal.signed_bytes, certificate, algorithm, value)


def time_stamp(token: bytes | None, value: bytes, ground: Ground, at: datetime) -> TimeProof:
    """Without a time stamp the time of signing is the signer's own statement."""
    if token is None:
        return TimeProof(None, Finding("time_stamp", Outcome.OK, "seal.time_stamp.none"))
    proof = time_proof.check(token, value, ground, at)
    if proof.at and is_void(token, proof.at, ground, at):
        return TimeProof(None, Finding("time_stamp", Outcome.FAILED, "seal.time_stamp.revoked"))
    return proof


def _signer(
    der: bytes, brought: tuple[bytes, ...], ground: Ground, moments: Moments
) -> Iterator[Finding]:
    """The signer's certificate was good when it signed; what ended since does no harm."""
    use = Use("signer", Purpose.OFD_SEAL, der, moments.judged, brought)
    yield from check_certificate(use, ground, moments)
    yield signing_time(moments, readable(der))


def _maker(seal: Seal, ground: Ground, moments: Moments) -> Iterator[Finding]:
    """The seal itself: its maker's signature, and the maker's certificate when it was made."""
    yield maker_signature(seal)
    use = Use("maker", Purpose.SEAL_MAKER, seal.maker_certificate, seal.created)
    yield from check_certificate(use, ground, moments)
    if seal.time_stamp is not None:
        proof = time_stamp(seal.time_stamp, seal.signature, ground, moments.now)
        yield replace(proof.finding, check="maker_time_stamp", part="SESeal")


def _described(
    seal_name: str, certificate: bytes, moments: Moments, findings: tuple[Finding, ...]
) -> SealFinding:
    signer_name = algorithm = ""
    with suppress(CertificateMalformed):
        name, key = holder(certificate)
        signer_name, algorithm = name.organization or name.common_name, key.algorithm.name
    return SealFinding(
        seal_name=seal_name,
        signer_name=signer_name,
        signer_certificate=certificate,
        signed_at=moments.told,
        algorithm=algorithm,
        findings=findings,
    )
