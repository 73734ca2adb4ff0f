"""Judge a file: a sealed OFD or PDF whole, or a picture of a printed code.

A document holds three tellings of one licence: the page under its seal, the signed data file, and
the printed code. Each is checked by itself, then against the others, so that whoever alters one
must forge all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from keys import certificates, cose, jose
from keys.algorithms import Purpose
from keys.errors import DomainError
from keys.jose import TokenWrongType
from keys.trust import TrustedIssuer, TrustedKey, TrustList
from seal import ofd_verify, pdf_verify, statement
from seal.ground import Ground
from seal.ofd_package import NotAnOfd
from seal.qr import PictureTooLarge, PictureUnreadable, read_picture
from seal.report import Finding, Outcome, SealReport
from seal.statement import face_digest
from seal.template import TemplateUnknown, load
from verification.checks import (
    Check,
    Reason,
    failed,
    judge_issued,
    judge_status,
    judge_validity,
    passed,
    run,
    unknown,
)
from verification.data_file import ATTACHMENT, CONTENT_TYPE, LicenceData, read_data
from verification.errors import (
    FileDamaged,
    FileTooLarge,
    NoCodeInPicture,
    NotALicenceFile,
    SeveralCodesInPicture,
    TooManyPixels,
)
from verification.evidence import evidence_of
from verification.ofd_page import read_ofd_page
from verification.pdf_page import read_pdf_page
from verification.printed import Printed
from verification.scan import judge_code
from verification.verdict import LicenceSummary, Verdict, fold
from verification.verifier import Verifier

MOST_BYTES = 20 * 1024 * 1024
# Real OFD files of one vendor, and PDF files of many, have bytes before or behind their own.
_HEADER_WITHIN = 1024
_TRAILER_WITHIN = 4096
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")


@dataclass(frozen=True, slots=True)
class Format:
    """How one document format is judged: its seals, and what its page prints."""

    verify: Callable[[bytes, Ground, datetime], SealReport]
    read_page: Callable[[bytes, SealReport], Printed]


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "OFD": Format(ofd_verify.verify, read_ofd_page),
        "PDF": Format(pdf_verify.verify, read_pdf_page),
    }
)


@dataclass(slots=True)
class Document:
    """One sealed file; the checks fill in what they establish, each relying on those before it."""

    verifier: Verifier
    content: bytes
    format: Format
    report: SealReport
    trust_list: TrustList
    now: datetime
    data_file: str = field(init=False)
    issuer: TrustedIssuer = field(init=False)
    key: TrustedKey = field(init=False)
    payload: bytes = field(init=False)
    data: LicenceData = field(init=False)
    page: Printed = field(init=False)


def judge_file(verifier: Verifier, data: bytes) -> Verdict:
    """Return the verdict on a file, told apart by its first bytes; raise a `FileRefused`."""
    if len(data) > MOST_BYTES:
        raise FileTooLarge(limit_mib=MOST_BYTES // 2**20)
    with verifier.turns.taken():
        return _judge(verifier, data)


def _judge(verifier: Verifier, data: bytes) -> Verdict:
    if data.startswith(_PICTURES):
        return _judge_picture(verifier, data)
    if b"%PDF-" in data[:_HEADER_WITHIN]:
        # ISO 32000-1 §7.5.5: it ends with where to begin; without, a parser would search it all.
        if b"startxref" not in data[-_TRAILER_WITHIN:]:
            raise FileDamaged()
        return _judge_document(verifier, data, FORMATS["PDF"])
    if b"PK\x03\x04" in data[:_HEADER_WITHIN]:
        return _judge_document(verifier, data, FORMATS["OFD"])
    raise NotALicenceFile()


def _judge_picture(verifier: Verifier, data: bytes) -> Verdict:
    try:
        texts = tuple(dict.fromkeys(read_picture(data)))
    except PictureTooLarge as error:
        raise TooManyPixels(**error.parameters) from error
    except PictureUnreadable as error:
        raise FileDamaged() from error
    ours = tuple(text for text in texts if _is_ours(text))
    if not texts:
        raise NoCodeInPicture()
    if len(ours) > 1:
        raise SeveralCodesInPicture()
    return judge_code(verifier, (ours or texts)[0])


def _is_ours(text: str) -> bool:
    try:
        cose.read(statement.read_code(text))
    except DomainError:
        return False
    return True


def _judge_document(verifier: Verifier, content: bytes, format_: Format) -> Verdict:
    now = verifier.clock()
    trust_list = verifier.sources.trust_list()
    if trust_list is None:
        gap = Finding("document.issuer", Outcome.UNKNOWN, "trust_list.unavailable")
        return Verdict(fold((gap,)), (gap,), None, now)
    evidence = evidence_of(verifier.sources, trust_list)
    try:
        report = format_.verify(content, evidence.ground, now)
    except NotAnOfd as error:
        if error.parameters["reason"] == "no_ofd_xml":
            raise NotALicenceFile() from error
        raise FileDamaged() from error
    document = Document(verifier, content, format_, report, trust_list, now)
    findings = report.all_findings() + evidence.gaps + run(DOCUMENT_CHECKS, document)
    return Verdict(
        answer=fold(findings),
        findings=findings,
        licence=_summary(document.data) if _vouched_for(findings) else None,
        checked_at=now,
        seals=report.seals,
    )


def attached(document: Document) -> Reason:
    """Is the data file there?"""
    found = dict(document.report.attachments).get(ATTACHMENT)
    if found is None:
        return failed("data.missing", ATTACHMENT)
    document.data_file = found.decode("ascii", "replace")
    return passed("data.present")


def data_signature(document: Document) -> Reason:
    """Is the data file signed by a licence-data key of an issuer on the trust list?"""
    try:
        kid = jose.key_id(document.data_file)
        known = document.trust_list.key(kid, Purpose.LICENCE_DATA)
        if known is None:
            return failed("data.unknown_issuer", kid[:16])
        document.issuer, document.key = known
        keys = {kid: document.key.public_key}
        document.payload = jose.verify_bytes(document.data_file, keys, content_type=CONTENT_TYPE)
    except TokenWrongType:
        return failed("data.wrong_type")
    except DomainError:
        return failed("data.bad_signature")
    return passed("data.good_signature", document.issuer.name)


def data_content(document: Document) -> Reason:
    """Is the data complete, and signed by the body it names while the key was in use?"""
    try:
        document.data = read_data(document.payload)
    except DomainError as error:
        return failed("data.incomplete", str(error.parameters.get("member", "")))
    issued_at = document.data.issued_at
    if document.data.issuer_uscc != document.issuer.uscc:
        return failed("data.other_issuer", document.issuer.name)
    if not document.key.good_at(issued_at):
        return failed("data.key_not_in_use", issued_at.date().isoformat())
    return passed("data.complete")


def seal_owner(document: Document) -> Reason:
    """Is one of the seals the issuer's own? A trusted body's seal on another's licence is not."""
    owners = {_owner(seal.signer_certificate) for seal in document.report.seals}
    if document.data.issuer_uscc not in owners:
        return failed("seal.not_by_issuer", document.data.issuer_name)
    return passed("seal.by_issuer", document.data.issuer_name)


def _owner(certificate: bytes) -> str:
    try:
        return certificates.parse(certificate).subject.uscc
    except DomainError:
        return ""


def page(document: Document) -> Reason:
    """Can the page be read?"""
    try:
        document.page = document.format.read_page(document.content, document.report)
    except DomainError as error:
        return failed("printed.unreadable", str(error.parameters.get("part", "")))
    return passed("printed.readable")


def printed_text(document: Document) -> Reason:
    """Does the page print what the data says, in every place its form has?"""
    try:
        places = load(document.data.template).fields
    except TemplateUnknown:
        return unknown("printed.form_unknown", document.data.template)
    expected = {name: document.data.fields.get(name, "") for name in places}
    differing = document.page.differing(expected)
    if differing:
        return failed("printed.differs", ", ".join(differing))
    return passed("printed.agrees")


def printed_code(document: Document) -> Reason:
    """Is the printed code of this very licence, and signed by its issuer?"""
    if document.page.codes is None:
        return unknown("printed_code.not_read")
    codes = [text for text in document.page.codes if _is_ours(text)]
    if not codes:
        return failed("printed_code.missing")
    for text in codes:
        if not _states(document, text):
            return failed("printed_code.differs")
    return passed("printed_code.agrees")


def _states(document: Document, text: str) -> bool:
    """Tell whether the code `text` is signed by the document's issuer and states the same licence."""
    try:
        signed = cose.read(statement.read_code(text))
        known = document.trust_list.key(signed.kid.hex(), Purpose.LICENCE_CODE)
        if known is None or known[0].uscc != document.issuer.uscc:
            return False
        cose.verify(signed, known[1].public_key)
        told = statement.decode(signed.payload)
    except DomainError:
        return False
    data = document.data
    return (
        told.identifier == data.identifier
        and told.face_digest == face_digest(data.fields)
        and (told.status_list, told.status_index) == (data.status_list, data.status_index)
    )


def issued(document: Document) -> Reason:
    return judge_issued(document.data.issued_at, document.now)


def validity(document: Document) -> Reason:
    return judge_validity(document.data.valid_from, document.data.valid_until, document.now)


def status(document: Document) -> Reason:
    data = document.data
    sources = document.verifier.sources
    return judge_status(sources, document.issuer, data.status_list, data.status_index)


DOCUMENT_CHECKS: tuple[Check[Document], ...] = (
    Check("data.attached", attached, decisive=True),
    Check("data.signature", data_signature, decisive=True),
    Check("data.content", data_content, decisive=True),
    Check("seal.owner", seal_owner),
    Check("licence.issued", issued),
    Check("licence.validity", validity),
    Check("licence.status", status),
    Check("printed.page", page, decisive=True),
    Check("printed.text", printed_text),
    Check("printed.code", printed_code),
)


def _vouched_for(findings: tuple[Finding, ...]) -> bool:
    """May the data be shown at all? Only when a trusted issuer is known to have signed it."""
    return any(f.check == "data.content" and f.outcome is Outcome.OK for f in findings)


def _summary(data: LicenceData) -> LicenceSummary:
    return LicenceSummary(
        identifier=data.identifier,
        type_name=data.type_name,
        number=data.number,
        issuer_name=data.issuer_name,
        holder_masked="、".join(data.holders),
        valid_from=data.valid_from.isoformat() if data.valid_from else "",
        valid_until=data.valid_until.isoformat() if data.valid_until else "",
    )
