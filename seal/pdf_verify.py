"""Read a signed PDF and say, step by step, what holds (GB/T 38540-2020 §7.3 in PAdES's terms).

pyHanko judges the signature, what it covers and what was changed since; the chain is judged by
`keys.certificates` too, as for an OFD, and the stricter of the two counts. Nothing is fetched: a
link in a stranger's document is not followed.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from asn1crypto import x509
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation.pdf_embedded import (
    EmbeddedPdfSignature,
    async_validate_pdf_signature,
)
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from keys.algorithms import ES256, Purpose
from keys.certificates import CertificateError, parse, verify_chain
from keys.trust import Anchors
from seal.pdf_attachments import LIMITS, read_attachments
from seal.pdf_coroutine import finish
from seal.report import CLOCK_SKEW, Finding, Outcome, SealFinding, SealReport

MOST_SIGNATURES = 16
MOST_READS = 100_000
"""A licence of ours takes about 7 000, of a byte or a few each."""

# It logs the names in strangers' certificates, with tracebacks; the report says what is wrong.
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)

_CHECK_FORM, _CHECK_SIGNATURE, _CHECK_COVERAGE = "pdf.form", "pdf.signature", "pdf.coverage"
_CHECK_CERTIFICATE, _CHECK_TIME = "pdf.certificate", "pdf.time"


class _Rationed(BytesIO):
    """A stranger's bytes that can be read `MOST_READS` times.

    pyHanko reads byte by byte, and a cross-reference table cut off at the end of the file for ever.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._left = MOST_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise PdfReadError("the file keeps its reader busy")
        return super().read(size)


def verify(pdf: bytes, anchors: Anchors, at: datetime) -> SealReport:
    """Return the report on `pdf`, judged by the authorities `anchors` at the moment `at`.

    Never raises on what the bytes are: a file that cannot be read is a failed finding.
    """
    try:
        reader = PdfFileReader(_Rationed(pdf), decode_limits=LIMITS)
        signatures = reader.embedded_regular_signatures
        attachments = read_attachments(reader)
    except Exception:  # whatever a stranger's bytes do to the parser, the answer is the same
        return _report((), (_failed(_CHECK_FORM, "pdf.unreadable"),), ())
    if not signatures:
        return _report((), (_failed(_CHECK_SIGNATURE, "pdf.unsigned"),), attachments)
    if len(signatures) > MOST_SIGNATURES:
        return _report((), (_failed(_CHECK_FORM, "pdf.too_many_signatures"),), attachments)
    seals = tuple(_seal(signature, anchors, at) for signature in signatures)
    return _report(seals, tuple(_whole(seals)), attachments)


def _whole(seals: tuple[SealFinding, ...]) -> Iterator[Finding]:
    yield Finding(_CHECK_FORM, Outcome.OK, "pdf.readable")
    last_words = {f.code for seal in seals for f in seal.findings}
    if "pdf.extended_since" in last_words and "pdf.covers_whole_file" not in last_words:
        yield _failed(_CHECK_COVERAGE, "pdf.extended_unsigned")


def _report(
    seals: tuple[SealFinding, ...],
    findings: tuple[Finding, ...],
    attachments: tuple[tuple[str, bytes], ...],
) -> SealReport:
    return SealReport("PDF", seals, findings, attachments)


def _seal(signature: EmbeddedPdfSignature, anchors: Anchors, at: datetime) -> SealFinding:
    part = str(signature.field_name or "")
    try:
        signed = _Signed.read(signature)
        moment = signed.signed_at or at
        trusted = anchors(Purpose.PDF_SEAL, moment)
        status = _status(signature, trusted, moment)
        findings = tuple(_findings(signed, status, trusted, at, part))
    except Exception:  # as above, one signature at a time
        broken = _failed(_CHECK_SIGNATURE, "pdf.signature_malformed", part)
        return SealFinding("", "", b"", None, "", (broken,))
    return SealFinding(
        seal_name=signed.seal_name,
        signer_name=signed.signer_name,
        signer_certificate=signed.certificate,
        signed_at=signed.signed_at,
        algorithm=signed.algorithm,
        findings=findings,
    )


@dataclass(frozen=True, slots=True)
class _Signed:
    """What a signature says of itself, before any of it is believed."""

    certificate: bytes
    others: tuple[bytes, ...]
    seal_name: str
    signer_name: str
    signed_at: datetime | None
    algorithm: str

    @classmethod
    def read(cls, signature: EmbeddedPdfSignature) -> "_Signed":
        subject = signature.signer_cert.subject.native
        mechanism = str(signature.signer_info["signature_algorithm"]["algorithm"].native)
        return cls(
            certificate=bytes(signature.signer_cert.dump()),
            others=tuple(bytes(c.dump()) for c in signature.other_embedded_certs),
            seal_name=str(subject.get("common_name", "")),
            signer_name=str(subject.get("organization_name") or subject.get("common_name", "")),
            signed_at=signature.self_reported_timestamp,
            algorithm=ES256.name if mechanism == "sha256_ecdsa" else mechanism,
        )


def _status(
    signature: EmbeddedPdfSignature, trusted: tuple[bytes, ...], moment: datetime
) -> PdfSignatureStatus:
    context = ValidationContext(
        trust_roots=[x509.Certificate.load(der) for der in trusted],
        allow_fetching=False,
        revocation_mode="soft-fail",
        moment=moment,
    )
    signer_keys = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"})
    return finish(async_validate_pdf_signature(signature, context, key_usage_settings=signer_keys))


def _findings(
    signed: _Signed,
    status: PdfSignatureStatus,
    trusted: tuple[bytes, ...],
    at: datetime,
    part: str,
) -> Iterator[Finding]:
    yield _integrity(status, part)
    yield _coverage(status, part)
    yield _certificate(signed, status, trusted, at, part)
    yield _time(signed, at, part)


def _integrity(status: PdfSignatureStatus, part: str) -> Finding:
    """Are the bytes those that were signed, and is the signature by the certificate's key?"""
    if not status.intact:
        return _failed(_CHECK_SIGNATURE, "pdf.changed", part)
    if not status.valid:
        return _failed(_CHECK_SIGNATURE, "pdf.signature_bad", part)
    return Finding(_CHECK_SIGNATURE, Outcome.OK, "pdf.intact", part)


def _coverage(status: PdfSignatureStatus, part: str) -> Finding:
    """Does the signature cover the file, and if the file went on, what came after?"""
    if status.coverage is SignatureCoverageLevel.ENTIRE_FILE:
        return Finding(_CHECK_COVERAGE, Outcome.OK, "pdf.covers_whole_file", part)
    if status.coverage is not SignatureCoverageLevel.ENTIRE_REVISION:
        return _failed(_CHECK_COVERAGE, "pdf.not_covered", part)
    match status.modification_level:
        case ModificationLevel.NONE:
            return _failed(_CHECK_COVERAGE, "pdf.bytes_after", part)
        case ModificationLevel.LTA_UPDATES:
            return Finding(_CHECK_COVERAGE, Outcome.OK, "pdf.extended_for_archive", part)
        case ModificationLevel.FORM_FILLING if status.docmdp_ok:
            return Finding(_CHECK_COVERAGE, Outcome.WARNING, "pdf.extended_since", part)
        case ModificationLevel.FORM_FILLING:
            return _failed(_CHECK_COVERAGE, "pdf.change_forbidden", part)
        case _:
            return _failed(_CHECK_COVERAGE, "pdf.changed_since", part)


def _certificate(
    signed: _Signed,
    status: PdfSignatureStatus,
    trusted: tuple[bytes, ...],
    at: datetime,
    part: str,
) -> Finding:
    """Did a trusted body vouch for the signer when it signed, and does it still?"""
    certificate = parse(signed.certificate)
    try:
        verify_chain(certificate, signed.others, trusted, signed.signed_at or at)
    except CertificateError as refused:
        return _failed(_CHECK_CERTIFICATE, f"pdf.{refused.code}", part)
    if status.intact and status.valid and not status.trusted:
        return _failed(_CHECK_CERTIFICATE, "pdf.certificate.untrusted", part)
    if at > certificate.not_after:
        # Signed in time as it says; without a time stamp nobody else says so.
        return Finding(_CHECK_CERTIFICATE, Outcome.WARNING, "pdf.certificate.expired_since", part)
    return Finding(_CHECK_CERTIFICATE, Outcome.OK, "pdf.certificate.trusted", part)


def _time(signed: _Signed, at: datetime, part: str) -> Finding:
    if signed.signed_at is None:
        return Finding(_CHECK_TIME, Outcome.WARNING, "pdf.time_missing", part)
    if signed.signed_at > at + CLOCK_SKEW:
        return _failed(_CHECK_TIME, "pdf.time_in_future", part)
    return Finding(_CHECK_TIME, Outcome.OK, "pdf.time_claimed", part)


def _failed(check: str, code: str, part: str = "") -> Finding:
    return Finding(check, Outcome.FAILED, code, part)
