"""How long a signature in a PDF can be checked: the baseline levels of PAdES (ETSI EN 319 142-1 §6).

B-B is the signature alone and B-T adds a time stamp over it. B-LT adds what tells that nothing was
revoked (the DSS), B-LTA a time stamp over the whole file, to be renewed before its authority's
certificate ends. Evidence is given, never fetched.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from io import BytesIO

from asn1crypto import crl, ocsp, x509
from pyhanko.sign.signers.pdf_byterange import DocumentTimestamp
from pyhanko.sign.validation.dss import DocumentSecurityStore

from keys.certificates import Certificate, parse
from keys.crl import read_crl
from keys.errors import DomainError
from keys.ocsp import read_answer
from keys.revocation import Good, status
from keys.time_stamp_token import Token, read_token
from seal.pdf_cms_reading import read_cms
from seal.pdf_embedding import Prepared, earlier, embed, extend, reading
from seal.pdf_evidence import Evidence
from seal.pdf_signatures import Kind, PlacedSignature
from seal.time_proof import TimeStamper

TOKEN_ROOM = 8192
"""How long a time stamp token may be, in bytes."""


class PadesLevel(StrEnum):
    """The baseline levels, each with what the one before has."""

    B_B = "B-B"
    B_T = "B-T"
    B_LT = "B-LT"
    B_LTA = "B-LTA"


NO_EVIDENCE = Evidence()


class EvidenceMissing(DomainError):
    """The evidence does not tell that every certificate was good; `lacking` says what is not there."""

    code = "pdf_seal.evidence_missing"


def check_evidence(certificates: Iterable[bytes], evidence: Evidence, at: datetime) -> None:
    """Check that each of `certificates` (DER) but roots was good at `at`.

    Raises EvidenceMissing, and CrlMalformed, OcspMalformed or CertificateMalformed for what the
    evidence is made of.
    """
    for der in evidence.crls:
        read_crl(der)
    for der in evidence.ocsp_answers:
        read_answer(der)
    parsed = [parse(der) for der in certificates]
    issuers = [*parsed, *map(parse, evidence.certificates)]
    for certificate in parsed:
        if certificate.subject.der != certificate.issuer.der:
            _check_one(certificate, issuers, evidence, at)


def add_evidence(pdf: bytes, evidence: Evidence) -> bytes:
    """Return `pdf` with the evidence for its latest signature and the time stamp over it (level B-LT).

    That is the latest PAdES signature. Raises EvidenceMissing where it does not tell that all
    certificates were good at the time stamp's time, what `check_evidence` raises, PdfNotExtendable,
    CmsMalformed and TimeStampMalformed.
    """
    writer = extend(pdf)
    with reading():
        brought, token = _latest(earlier(writer, pdf))
    needed = {*brought, token.signer.der, *token.brought}
    check_evidence(needed, evidence, token.statement.at)
    out = BytesIO()
    with reading():
        DocumentSecurityStore.supply_dss_in_writer(
            writer,
            None,  # no VRI: what is for which signature, readers find out
            certs=[x509.Certificate.load(der) for der in sorted(needed | {*evidence.certificates})],
            crls=[crl.CertificateList.load(der) for der in evidence.crls],
            ocsps=[ocsp.OCSPResponse.load(der) for der in evidence.ocsp_answers],
        )
        writer.write(out)
    return out.getvalue()


def add_archive_stamp(pdf: bytes, time_stamper: TimeStamper) -> bytes:
    """Return `pdf` with a time stamp over all that is in it (level B-LTA, or its renewal).

    Raises PdfNotExtendable, PdfNoRoom, and what the time stamper raises.
    """

    def make(prepared: Prepared) -> bytes:
        return time_stamper(prepared.covered)

    return embed(pdf, DocumentTimestamp(bytes_reserved=2 * TOKEN_ROOM), "sha256", make)


def _check_one(
    certificate: Certificate, issuers: Iterable[Certificate], evidence: Evidence, at: datetime
) -> None:
    above = [each for each in issuers if each.subject.der == certificate.issuer.der]
    if not above:
        raise EvidenceMissing(lacking="issuer")
    told = (status(certificate, each, evidence.crls, evidence.ocsp_answers, at) for each in above)
    if not any(isinstance(standing, Good) for standing in told):
        raise EvidenceMissing(lacking="revocation")


def _latest(signatures: tuple[PlacedSignature | str, ...]) -> tuple[set[bytes], Token]:
    """Return the certificates in the latest signature, and the time stamp over it."""
    placed = [each for each in signatures if not isinstance(each, str)]
    signed = [each for each in placed if each.kind is Kind.CMS]
    if not signed:
        raise EvidenceMissing(lacking="signature")
    latest = read_cms(max(signed, key=lambda each: each.byte_range[-2:]).content)
    if latest.time_stamp is None:
        raise EvidenceMissing(lacking="time-stamp")
    return {latest.certificate, *latest.others}, read_token(latest.time_stamp)
