"""Judge an OFD: each signature in it, and what no signature speaks for.

Reading is as tolerant as the files in the field are sloppy; concluding is not. What is wrong is
reported with the name of the entry, and one fault does not hide the next.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from seal import ofd_package
from seal.digests import UnknownDigest, digest, is_weak
from seal.ground import Ground
from seal.ofd_coverage import Spoken, coverage, integrity, unprotected
from seal.ofd_document import Structure, attachments, structure
from seal.ofd_package import NotAnOfd, Package
from seal.ofd_pages import DocumentPage, pages
from seal.ofd_signatures import (
    DEFAULT_CHECK_METHOD,
    MAX_REFERENCES,
    Reference,
    SignaturePart,
    SignatureRecord,
    list_name,
    read_list,
    read_part,
)
from seal.ofd_stamps import check_stamps
from seal.ofd_xml import resolve
from seal.report import Finding, Outcome, SealFinding, SealReport
from seal.seal_checks import check_seal_signature, check_signed_data
from seal.ses_reading import SealSignature, SesMalformed, read_signature
from seal.signed_data import SignedDataMalformed, read_signed_data

_SIGN = "Sign"


@dataclass(frozen=True, slots=True)
class _Case:
    """What is judged, on which ground, as of when; each entry is digested once."""

    package: Package
    pages: Mapping[str, DocumentPage]
    document: Structure
    list_part: str
    spoken: Spoken
    ground: Ground
    at: datetime
    _digests: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def digest(self, method: str, name: str) -> bytes:
        if (method, name) not in self._digests:
            self._digests[method, name] = digest(method, self.package.entries[name])
        return self._digests[method, name]


def verify(ofd: bytes, ground: Ground, at: datetime) -> SealReport:
    """Return the report on `ofd`, judged by the ground at hand at the moment `at`.

    Raises `NotAnOfd` only when there is no package to report on.
    """
    package = ofd_package.read(ofd)
    document = structure(package)
    list_part, records, trouble = _records(package)
    parts = _parts(package, records)
    spoken = Spoken.by(list_part, [part for part in parts.values() if part])
    case = _Case(package, _pages(package), document, list_part, spoken, ground, at)
    return SealReport(
        format="ofd",
        seals=tuple(_signature(case, record, parts[record.part]) for record in _distinct(records)),
        findings=(
            *_package(package),
            *_structure(document),
            *trouble,
            *_repeated(records),
            *_bases(records),
            *coverage(package, document, spoken),
            *integrity(package, spoken, ground, at),
        ),
        attachments=attachments(package, document),
    )


# --- The package and its structure ---


def _package(package: Package) -> Iterator[Finding]:
    for name in package.damaged:
        yield _failed("package", "ofd.package.damaged", name)
    for name in package.repeated:
        yield _failed("package", "ofd.package.repeated_name", name)
    for name in package.ambiguous:
        yield _failed("package", "ofd.package.ambiguous", name)
    for name in package.clashing:
        yield _failed("package", "ofd.package.case_clash", name)
    if package.hides_entries:
        yield _failed("package", "ofd.package.hidden_entries")
    if package.prefix:
        yield Finding("package", Outcome.WARNING, "ofd.package.prefix")
    if package.hidden:
        yield Finding("package", Outcome.WARNING, "ofd.package.hidden_bytes")


def _structure(document: Structure) -> Iterator[Finding]:
    for name in document.unreadable:
        yield _failed("structure", "ofd.structure.unreadable", name)
    for name in document.missing:
        yield Finding("structure", Outcome.WARNING, "ofd.structure.missing_part", name)


def _pages(package: Package) -> Mapping[str, DocumentPage]:
    """Return the pages by ST_ID; none where they cannot be read, so that no stamp is found on one."""
    try:
        return {page.id: page for page in pages(package)}
    except NotAnOfd:
        return {}


# --- The list of signatures ---


def _records(
    package: Package,
) -> tuple[str, tuple[SignatureRecord, ...], tuple[Finding, ...]]:
    """Return the entry name of Signatures.xml, its records, and why there are none."""
    try:
        name = list_name(package)
        records = read_list(package, name).records if name else ()
    except NotAnOfd as error:
        part = str(error.parameters["part"])
        return "", (), (_failed("signatures", "ofd.signatures.unreadable", part),)
    if not records:
        return name, (), (_failed("signatures", "ofd.signatures.none"),)
    return name, records, ()


def _parts(
    package: Package, records: tuple[SignatureRecord, ...]
) -> Mapping[str, SignaturePart | None]:
    """Read each Signature.xml once: None for one that cannot be read, or that comes after too much."""
    parts: dict[str, SignaturePart | None] = {}
    references = 0
    for name in dict.fromkeys(record.part for record in records):
        part = _part(package, name) if references <= MAX_REFERENCES else None
        references += len(part.references) if part else 0
        parts[name] = part
    return parts


def _part(package: Package, name: str) -> SignaturePart | None:
    try:
        return read_part(package, name)
    except NotAnOfd:
        return None


def _distinct(records: tuple[SignatureRecord, ...]) -> Iterator[SignatureRecord]:
    """Yield each signature once, however often the list names it."""
    return iter({(record.part, record.kind): record for record in records}.values())


def _repeated(records: tuple[SignatureRecord, ...]) -> Iterator[Finding]:
    """A number or a signature that stands in the list twice is a sign of tampering or a poor tool."""
    for code, names in (
        ("ofd.signatures.repeated_id", [record.id for record in records]),
        ("ofd.signatures.repeated_part", [record.part for record in records]),
    ):
        for name, times in Counter(names).items():
            if times > 1:
                yield Finding("signature_list", Outcome.WARNING, code, name)


def _bases(records: tuple[SignatureRecord, ...]) -> Iterator[Finding]:
    """A signature that builds on another (Relative, GM/T 0099-2020) still has that one beside it.

    The base is judged like every signature in the list.
    """
    there = {record.id for record in records}
    for record in records:
        if record.base and (record.base == record.id or record.base not in there):
            yield _failed("signature_list", "ofd.signatures.no_base", record.part)


# --- One signature ---


def _signature(case: _Case, record: SignatureRecord, part: SignaturePart | None) -> SealFinding:
    if part is None:
        return _unreadable("ofd.signature.unreadable", record.part)
    value = case.package.entries.get(part.signed_value)
    if value is None:
        found = _unreadable("ofd.signature.no_value", part.signed_value)
    elif record.kind == _SIGN:
        found = _signed_data(case, part, value)
    else:
        found = _seal_signature(case, part, value)
    said = (
        *_digests(case, part),
        *unprotected(case.document, case.spoken, part),
        _protection(case, part),
    )
    return replace(found, findings=(*said, *found.findings))


def _signed_data(case: _Case, part: SignaturePart, value: bytes) -> SealFinding:
    try:
        signature = read_signed_data(value)
    except SignedDataMalformed:
        return _unreadable("ofd.signature.value_unreadable", part.signed_value)
    return check_signed_data(signature, part.content, case.ground, case.at)


def _seal_signature(case: _Case, part: SignaturePart, value: bytes) -> SealFinding:
    try:
        signature = read_signature(value)
    except SesMalformed:
        return _unreadable("ofd.signature.value_unreadable", part.signed_value)
    found = check_seal_signature(signature, part.content, case.ground, case.at)
    drawn = (
        *check_stamps(part, case.pages, signature.seal),
        _seal_file(case.package, part, signature),
    )
    stated = _property_info(part, signature)
    return replace(found, findings=(*drawn, *stated, *found.findings))


def _unreadable(code: str, part: str) -> SealFinding:
    return SealFinding("", "", b"", None, "", (_failed("form", code, part),))


def _protection(case: _Case, part: SignaturePart) -> Finding:
    """Whoever protects the list of signatures lets nobody sign after him (整个文档保护)."""
    whole = case.list_part in {reference.name for reference in part.references}
    code = "ofd.protection.whole" if whole else "ofd.protection.continued"
    return Finding("protection", Outcome.OK, code)


def _property_info(part: SignaturePart, signature: SealSignature) -> Iterator[Finding]:
    """The signature names the entry it is over; older makers write other things there."""
    if resolve(signature.property_info, part.name) != part.name:
        code = "seal.consistency.contradictory"
        yield Finding("consistency", Outcome.WARNING, code, "toSign.propertyInfo")


def _seal_file(package: Package, part: SignaturePart, signature: SealSignature) -> Finding:
    """The seal shown (Seal.esl) is the seal signed; the file is optional."""
    if not part.seal:
        return Finding("seal_file", Outcome.OK, "ofd.seal_file.none")
    if package.entries.get(part.seal) == signature.seal.encoded:
        return Finding("seal_file", Outcome.OK, "ofd.seal_file.ok")
    return _failed("seal_file", "ofd.seal_file.differs", part.seal)


# --- Digests ---


def _digests(case: _Case, part: SignaturePart) -> Iterator[Finding]:
    """Each protected entry is what it was; the faulty ones are named."""
    method = part.check_method or DEFAULT_CHECK_METHOD
    if not part.check_method:
        yield Finding("digests", Outcome.WARNING, "ofd.digests.method_absent", part.name)
    if is_weak(method):
        yield Finding("digests", Outcome.WARNING, "ofd.digests.weak", part.name)
    if not part.references:
        yield _failed("digests", "ofd.digests.empty", part.name)
        return
    try:
        faults = list(_faults(case, part.references, method))
    except UnknownDigest:
        yield Finding("digests", Outcome.UNKNOWN, "ofd.digests.unknown_method", part.name)
        return
    yield from faults
    if not faults:
        yield Finding("digests", Outcome.OK, "ofd.digests.ok")


def _faults(case: _Case, references: tuple[Reference, ...], method: str) -> Iterator[Finding]:
    for reference in references:
        present = reference.name in case.package.entries
        if present and case.digest(method, reference.name) == reference.check_value:
            continue
        altered = present or reference.name in case.package.damaged
        code = "ofd.digests.differs" if altered else "ofd.digests.missing_part"
        yield _failed("digests", code, reference.name)


def _failed(check: str, code: str, part: str = "") -> Finding:
    return Finding(check, Outcome.FAILED, code, part)
