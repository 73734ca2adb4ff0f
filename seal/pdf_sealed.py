"""Judge one signature in a PDF: a CMS one as PAdES has it, or an e-seal's as Chinese readers have it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from keys.algorithms import Purpose
from keys.certificates import CertificateMalformed, holder
from seal.certificate_checks import Use, check_certificate, readable
from seal.ground import Ground
from seal.moments import Moments
from seal.pdf_cms_reading import CmsSignature, attributes, integrity, read_cms
from seal.pdf_evidence import Evidence
from seal.pdf_signatures import PlacedSignature
from seal.pdf_times import signature_stamp
from seal.report import CLOCK_SKEW, Finding, Outcome, SealFinding, worst
from seal.seal_checks import check_seal_signature
from seal.ses_reading import SealSignature, read_signature

_SIGNATURE, _CERTIFICATE, _REVOCATION = "pdf.signature", "pdf.certificate", "pdf.revocation"
_TIME, _LEVEL = "pdf.time", "pdf.level"


def malformed(field_name: str) -> SealFinding:
    """Say that the signature in this field cannot be read."""
    return _undescribed(_failed(_SIGNATURE, "pdf.signature_malformed", field_name))


def unsupported(placed: PlacedSignature, about: Sequence[Finding]) -> SealFinding:
    """Say that nothing is known of signatures of this form."""
    finding = Finding(_SIGNATURE, Outcome.UNKNOWN, "pdf.signature_unsupported", placed.fq_name)
    return _undescribed(finding, *about)


def judge_seal(
    placed: PlacedSignature, about: Sequence[Finding], ground: Ground, at: datetime
) -> SealFinding:
    """Judge an SES_Signature over the byte range (GB/T 38540-2020 in /GM.sm2seal).

    Raises `SesMalformed`, or ValueError for a byte range outside the file.
    """
    signature = read_signature(placed.content)
    found = check_seal_signature(signature, placed.covered, ground, at)
    own = (replace(f, part=f.part or placed.fq_name) for f in found.findings)
    stated = _property_info(placed, signature)
    return replace(found, findings=(*about, *_room(placed), *stated, *own))


def _property_info(placed: PlacedSignature, signature: SealSignature) -> Iterator[Finding]:
    """The signature names the byte range it is over."""
    if re.findall(r"\d+", signature.property_info) != [*map(str, placed.byte_range)]:
        code = "seal.consistency.contradictory"
        yield Finding("consistency", Outcome.WARNING, code, "toSign.propertyInfo")


@dataclass(frozen=True, slots=True)
class _Case:
    """A CMS signature, what came with it, and the moments it is judged by."""

    signature: CmsSignature
    evidence: Evidence
    ground: Ground
    moments: Moments
    part: str


def judge_cms(
    placed: PlacedSignature,
    about: Sequence[Finding],
    evidence: Evidence,
    held: datetime | None,
    ground: Ground,
    at: datetime,
) -> SealFinding:
    """Judge a CMS signature; `held` is when a time stamp over the whole file proves it there.

    Raises `CmsMalformed`, or ValueError for a byte range outside the file.
    """
    signature, part = read_cms(placed.content), placed.fq_name
    believed = evidence.beside(ground)
    proven, stamp = signature_stamp(signature.time_stamp, signature.value, believed, held or at)
    moments = Moments(signature.signed_at or placed.dictionary_time, proven or held, at)
    case = _Case(signature, evidence, ground, moments, part)
    findings = (
        integrity(signature, placed.covered, part),
        *about,
        *_room(placed),
        *attributes(signature, asks_for_name=placed.is_pades, part=part),
        *_certificate(case, believed),
        _time(case),
        *(replace(finding, part=part) for finding in stamp),
        *_level(case, placed, held, stamp),
    )
    return _described(signature, moments, findings)


def _room(placed: PlacedSignature) -> Iterator[Finding]:
    if not placed.is_padded_with_nothing:
        yield Finding("pdf.room", Outcome.WARNING, "pdf.hidden_bytes", placed.fq_name)


def _certificate(case: _Case, ground: Ground) -> Iterator[Finding]:
    """Did a trusted body vouch for the signer when it signed, and does it still?"""
    for finding in _as_seal(case, ground):
        word = finding.code.rpartition(".")[2]
        if finding.check == "signer_certificate":
            yield _standing(case, finding.outcome, word)
        else:
            code = f"{_CERTIFICATE}.{word}"
            yield Finding(_REVOCATION, finding.outcome, code, case.part)


def _standing(case: _Case, outcome: Outcome, word: str) -> Finding:
    if outcome is not Outcome.OK:
        return Finding(_CERTIFICATE, outcome, f"{_CERTIFICATE}.{word}", case.part)
    certificate = readable(case.signature.certificate)
    ended = certificate is not None and case.moments.now > certificate.not_after
    if ended and case.moments.proven is None:
        # Signed in time as it says; without a time stamp nobody else says so.
        return Finding(_CERTIFICATE, Outcome.WARNING, "pdf.certificate.expired_since", case.part)
    return Finding(_CERTIFICATE, Outcome.OK, "pdf.certificate.trusted", case.part)


def _as_seal(case: _Case, ground: Ground) -> Iterator[Finding]:
    signature, moments = case.signature, case.moments
    use = Use("signer", Purpose.PDF_SEAL, signature.certificate, moments.judged, signature.others)
    yield from check_certificate(use, ground, moments)


def _time(case: _Case) -> Finding:
    moments, part = case.moments, case.part
    if moments.stated is None and moments.proven is None:
        return Finding(_TIME, Outcome.WARNING, "pdf.time_missing", part)
    stated = moments.stated or moments.judged
    if stated > moments.now + CLOCK_SKEW:
        return _failed(_TIME, "pdf.time_in_future", part)
    if moments.proven is None:
        return Finding(_TIME, Outcome.OK, "pdf.time_claimed", part)
    if stated > moments.proven + CLOCK_SKEW:
        return _failed(_TIME, "pdf.time_after_stamp", part)
    return Finding(_TIME, Outcome.OK, "pdf.time_proven", part)


def _level(
    case: _Case, placed: PlacedSignature, held: datetime | None, stamp: Sequence[Finding]
) -> Iterator[Finding]:
    """Say which baseline level of PAdES the signature has come to (ETSI EN 319 142-1 §6)."""
    if not placed.is_pades:
        return
    level = "b_b"
    if case.moments.proven and worst(stamp) is Outcome.OK:
        level = "b_t"
        if _carries_its_proofs(case):
            level = "b_lta" if held else "b_lt"
    yield Finding(_LEVEL, Outcome.OK, f"pdf.level.{level}", case.part)


def _carries_its_proofs(case: _Case) -> bool:
    """The file itself tells that the certificate had not been revoked."""
    told = _as_seal(case, case.evidence.alone(case.ground))
    return any(f.code.endswith((".not_revoked", ".revoked_since")) for f in told)


def _described(
    signature: CmsSignature, moments: Moments, findings: tuple[Finding, ...]
) -> SealFinding:
    seal_name = signer_name = ""
    try:
        name, _ = holder(signature.certificate)
        seal_name, signer_name = name.common_name, name.organization or name.common_name
    except CertificateMalformed:
        pass
    return SealFinding(
        seal_name=seal_name,
        signer_name=signer_name,
        signer_certificate=signature.certificate,
        signed_at=moments.told,
        algorithm=signature.algorithm,
        findings=findings,
    )


def _undescribed(*findings: Finding) -> SealFinding:
    return SealFinding("", "", b"", None, "", findings)


def _failed(check: str, code: str, part: str) -> Finding:
    return Finding(check, Outcome.FAILED, code, part)
