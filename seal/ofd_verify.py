"""Judge an OFD: each signature in it, and what no signature speaks for.

Reading is as tolerant as the files in the field are sloppy; concluding is not. What is wrong is
reported with the name of the entry, and one fault does not hide the next.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from keys.trust import Anchors
from seal import ofd_package
from seal.digests import UnknownDigest, digest, is_weak
from seal.ofd_document import Structure, attachments, structure
from seal.ofd_package import NotAnOfd, Package
from seal.ofd_signatures import (
    DEFAULT_CHECK_METHOD,
    Reference,
    SignaturePart,
    SignatureRecord,
    list_name,
    read_list,
    read_part,
)
from seal.report import Finding, Outcome, SealFinding, SealReport
from seal.seal_checks import check_seal_signature, check_signed_data
from seal.ses_reading import SealSignature, SesMalformed, read_signature
from seal.signed_data import SignedDataMalformed, read_signed_data

_SIGN = "Sign"
_SIGNATURE_FOLDER = re.compile(r"^(?:.*/)?Signs?(?:_\d+)?/")


@dataclass(frozen=True, slots=True)
class _Case:
    """What is judged, by which authorities, as of when; each entry is digested once."""

    package: Package
    anchors: Anchors
    at: datetime
    _digests: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def digest(self, method: str, name: str) -> bytes:
        if (method, name) not in self._digests:
            self._digests[method, name] = digest(method, self.package.entries[name])
        return self._digests[method, name]


def verify(ofd: bytes, anchors: Anchors, at: datetime) -> SealReport:
    """Return the report on `ofd`, judged by the authorities `anchors` at the moment `at`.

    Raises `NotAnOfd` only when there is no package to report on.
    """
    package = ofd_package.read(ofd)
    case = _Case(package, anchors, at)
    document = structure(package)
    list_part, records, trouble = _records(package)
    parts = {record.part: _part(package, record.part) for record in records}
    readable = [part for part in parts.values() if part]
    return SealReport(
        format="ofd",
        seals=tuple(_signature(case, record, parts[record.part]) for record in records),
        findings=(
            *_package(package),
            *_structure(document),
            *trouble,
            *_coverage(package, document, list_part, readable),
        ),
        attachments=attachments(package, document),
    )


# --- The package and its structure ---


def _package(package: Package) -> Iterator[Finding]:
    for name in package.damaged:
        yield _failed("package", "ofd.package.damaged", name)
    for name in package.repeated:
        yield _failed("package", "ofd.package.repeated_name", name)
    for name in package.clashing:
        yield Finding("package", Outcome.WARNING, "ofd.package.case_clash", name)
    if package.prefix:
        yield Finding("package", Outcome.WARNING, "ofd.package.prefix")


def _structure(document: Structure) -> Iterator[Finding]:
    for name in document.unreadable:
        yield _failed("structure", "ofd.structure.unreadable", name)
    for name in document.missing:
        yield Finding("structure", Outcome.WARNING, "ofd.structure.missing_part", name)


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


def _part(package: Package, name: str) -> SignaturePart | None:
    try:
        return read_part(package, name)
    except NotAnOfd:
        return None


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
    return replace(found, findings=(*_digests(case, part), *found.findings))


def _signed_data(case: _Case, part: SignaturePart, value: bytes) -> SealFinding:
    try:
        signature = read_signed_data(value)
    except SignedDataMalformed:
        return _unreadable("ofd.signature.value_unreadable", part.signed_value)
    return check_signed_data(signature, part.content, case.anchors, case.at)


def _seal_signature(case: _Case, part: SignaturePart, value: bytes) -> SealFinding:
    try:
        signature = read_signature(value)
    except SesMalformed:
        return _unreadable("ofd.signature.value_unreadable", part.signed_value)
    found = check_seal_signature(signature, part.content, case.anchors, case.at)
    drawn = _stamp(part), _seal_file(case.package, part, signature)
    return replace(found, findings=(*drawn, *found.findings))


def _unreadable(code: str, part: str) -> SealFinding:
    return SealFinding("", "", b"", None, "", (_failed("form", code, part),))


def _stamp(part: SignaturePart) -> Finding:
    if part.stamps:
        return Finding("stamp", Outcome.OK, "ofd.stamp.ok")
    return Finding("stamp", Outcome.WARNING, "ofd.stamp.invisible", part.name)


def _seal_file(package: Package, part: SignaturePart, signature: SealSignature) -> Finding:
    """The seal shown (Seal.esl) is the seal signed; the file is optional."""
    if not part.seal:
        return Finding("seal_file", Outcome.OK, "ofd.seal_file.none")
    if package.entries.get(part.seal) == signature.seal.encoded:
        return Finding("seal_file", Outcome.OK, "ofd.seal_file.ok")
    return _failed("seal_file", "ofd.seal_file.differs", part.seal)


# --- Digests and coverage ---


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


def _coverage(
    package: Package, document: Structure, list_part: str, parts: list[SignaturePart]
) -> Iterator[Finding]:
    """Every entry of the document is under a signature, and the package holds no other (夹带).

    The list of signatures, and of each signature Signature.xml (under its seal signature) and
    the signature value, cannot be under their own.
    """
    protected = {reference.name for part in parts for reference in part.references}
    own = {list_part} | {name for part in parts for name in (part.name, part.signed_value)}
    if parts:
        uncovered = [name for name in document.reached if name not in protected | own]
        for name in uncovered:
            yield _failed("coverage", "ofd.coverage.uncovered", name)
        if not uncovered:
            yield Finding("coverage", Outcome.OK, "ofd.coverage.complete")
    for name in package.entries:
        if name not in document.reached and name not in protected:
            orphaned = _SIGNATURE_FOLDER.match(name)
            code = "ofd.signatures.orphaned" if orphaned else "ofd.coverage.unreferenced"
            yield Finding("coverage", Outcome.WARNING, code, name)


def _failed(check: str, code: str, part: str = "") -> Finding:
    return Finding(check, Outcome.FAILED, code, part)
