"""What no signature in an OFD speaks for: parts left uncovered, and parts that were put in (夹带)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from seal import ofd_integrity
from seal.ground import Ground
from seal.ofd_document import Structure
from seal.ofd_integrity import IntegrityList
from seal.ofd_package import NotAnOfd, Package
from seal.ofd_signatures import SignaturePart
from seal.report import Finding, Outcome
from seal.seal_checks import check_signed_data
from seal.signed_data import SignedDataMalformed, read_signed_data

_COVERAGE, _INTEGRITY = "coverage", "integrity"
_SIGNATURE_FOLDER = re.compile(r"^(?:.*/)?Signs?(?:_\d+)?/")


@dataclass(frozen=True, slots=True)
class Spoken:
    """The entries signatures speak for: those they `protect`, and their `own` (list, part, value)."""

    protected: frozenset[str]
    own: frozenset[str]

    @classmethod
    def by(cls, list_part: str, parts: list[SignaturePart]) -> "Spoken":
        """Return what the readable `parts` speak for; `list_part` is Signatures.xml."""
        protected = frozenset(r.name for part in parts for r in part.references)
        own = {name for part in parts for name in (part.name, part.signed_value)}
        return cls(protected, frozenset(own | {list_part}))


def coverage(package: Package, document: Structure, spoken: Spoken) -> Iterator[Finding]:
    """Every entry of the document is under a signature, and the package holds no other.

    The list of signatures, and of each signature Signature.xml (under its seal signature) and
    the signature value, cannot be under their own; nor can the integrity list.
    """
    if spoken.protected:
        uncovered = [n for n in document.reached if n not in spoken.protected | spoken.own]
        for name in uncovered:
            yield _failed(_COVERAGE, "ofd.coverage.uncovered", name)
        if not uncovered:
            yield Finding(_COVERAGE, Outcome.OK, "ofd.coverage.complete")
    integrity = {ofd_integrity.LIST, _value_of(package)}
    for name in package.entries:
        if name not in document.reached and name not in spoken.protected | integrity:
            orphaned = _SIGNATURE_FOLDER.match(name)
            code = "ofd.signatures.orphaned" if orphaned else "ofd.coverage.unreferenced"
            yield Finding(_COVERAGE, Outcome.WARNING, code, name)


def unprotected(document: Structure, spoken: Spoken, part: SignaturePart) -> Iterator[Finding]:
    """A seal speaks for the whole document it shows on, whatever other signatures speak for.

    Two signatures that cover half each would let a seal of one document show on another. The first
    entry left to others is named.
    """
    own = {reference.name for reference in part.references}
    for name in document.body:
        if name not in own and name in spoken.protected:
            yield _failed(_COVERAGE, "ofd.coverage.left_to_others", name)
            return


def integrity(package: Package, spoken: Spoken, ground: Ground, at: datetime) -> Iterator[Finding]:
    """The signed list of parts (GM/T 0099-2020 Annex D), where there is one, names all there is.

    A later signer who knows nothing of the list adds parts of his own, under his signature: they
    are remarked, while what nobody signed was smuggled in.
    """
    try:
        listed = ofd_integrity.read(package)
    except NotAnOfd:
        yield _failed(_INTEGRITY, "ofd.integrity.unreadable", ofd_integrity.LIST)
        return
    if listed is None:
        yield Finding(_INTEGRITY, Outcome.OK, "ofd.integrity.none")
        return
    troubles = [
        *_signature(package, listed, ground, at),
        *_unlisted(package, listed, spoken),
        *(
            _failed(_INTEGRITY, "ofd.integrity.missing_part", name)
            for name in sorted(listed.names)
            if name not in package.entries
        ),
    ]
    yield from troubles or [Finding(_INTEGRITY, Outcome.OK, "ofd.integrity.ok")]


def _unlisted(package: Package, listed: IntegrityList, spoken: Spoken) -> Iterator[Finding]:
    for name in listed.unlisted(package):
        signed = name in spoken.protected | spoken.own
        outcome = Outcome.WARNING if signed else Outcome.FAILED
        yield Finding(_INTEGRITY, outcome, "ofd.integrity.unlisted", name)


def _signature(
    package: Package, listed: IntegrityList, ground: Ground, at: datetime
) -> Iterator[Finding]:
    """A list anybody could have written names nothing."""
    value = package.entries.get(listed.signed_value, b"")
    try:
        signed = read_signed_data(value)
    except SignedDataMalformed:
        yield _failed(_INTEGRITY, "ofd.integrity.unreadable", listed.signed_value)
        return
    found = check_signed_data(signed, listed.content, ground, at).findings
    wrong = {finding.check for finding in found if finding.outcome is Outcome.FAILED}
    doubtful = any(finding.outcome is Outcome.UNKNOWN for finding in found)
    if wrong & {"data_hash", "signature"}:
        yield _failed(_INTEGRITY, "ofd.integrity.bad")
    elif wrong:
        yield _failed(_INTEGRITY, "ofd.integrity.untrusted")
    elif doubtful:
        yield Finding(_INTEGRITY, Outcome.UNKNOWN, "ofd.integrity.doubtful")


def _value_of(package: Package) -> str:
    """Return the entry of the integrity list's signature, "" without a readable list."""
    try:
        listed = ofd_integrity.read(package)
    except NotAnOfd:
        return ""
    return listed.signed_value if listed else ""


def _failed(check: str, code: str, part: str = "") -> Finding:
    return Finding(check, Outcome.FAILED, code, part)
