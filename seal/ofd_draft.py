"""A document made ready for one more signature: everything it will cover has its final bytes.

The order is that of GB/T 33190-2016 §18: the pointer in OFD.xml, the record in Signatures.xml, the
seal; then the digests, then Signature.xml. What was there keeps its bytes, since the signatures
already in the file are over them.
"""

import posixpath
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from lxml import etree

from keys.errors import DomainError
from keys.sm3 import sm3
from seal import ofd_integrity
from seal.ofd_package import NotAnOfd, Package
from seal.ofd_pages import document_part
from seal.ofd_signature_xml import Stated, sign_id, signature_xml
from seal.ofd_signatures import (
    MAX_REFERENCES,
    SignatureList,
    SignaturePart,
    largest_stamp_id,
    list_name,
    read_list,
    read_part,
)
from seal.ofd_xml import add, child, children, new_root, parse, serialise
from seal.stamp_places import Placed

_NOT_IN_XML = frozenset({"Cc", "Cs", "Cn"})
_LISTING = {ofd_integrity.LIST, ofd_integrity.VALUE}


class OfdLocked(DomainError):
    """A signature in the file protects what another would have to change: nobody may sign after it."""

    code: ClassVar[str] = "ofd.locked"


class Mode(StrEnum):
    """What a signature protects (保护模式, GM/T 0099-2020)."""

    CONTINUE = "continue"
    """The document and the signatures so far; others may sign after it (允许继续签名)."""

    WHOLE = "whole"
    """The list of signatures as well: nobody can sign after it (整个文档保护)."""


class Kind(StrEnum):
    """What a signature is (§18.1): one that shows a seal, or one without."""

    SEAL = "Seal"
    SIGN = "Sign"


@dataclass(frozen=True, slots=True)
class Draft:
    """The entries but the signature value. `part` is Signature.xml, `signed_value` the entry to come.

    `was_listed` says that the file had an integrity list, which is left out: it is out of date.
    """

    entries: Mapping[str, bytes]
    part: str
    signed_value: str
    was_listed: bool

    @property
    def content_hash(self) -> bytes:
        """SM3 of Signature.xml: what the signature is about."""
        return sm3(self.entries[self.part])


def draft(
    package: Package,
    signed_at: datetime,
    *,
    mode: Mode = Mode.CONTINUE,
    seal: bytes = b"",
    stamps: Sequence[Placed] = (),
) -> Draft:
    """Return `package` ready for a signature at `signed_at` (aware): of kind Seal, if there is a `seal`.

    Raises `NotAnOfd` for a package that is damaged or ambiguous, or signed endlessly; `OfdLocked`.
    """
    _check_sound(package)
    was_listed = ofd_integrity.LIST in package.entries
    entries = dict(ofd_integrity.without_list(package.entries))
    listed, parts = _signatures(package, entries)
    folder, first_id = _free_folder(listed, entries), _next_id(listed, parts)
    part = f"{folder}/Signature.xml"
    kind = Kind.SEAL if seal else Kind.SIGN
    records = parse(entries[listed.name], listed.name)
    _add_record(records, part, kind, first_id, first_id + len(stamps))
    entries[listed.name] = serialise(records)
    if seal:
        entries[f"{folder}/Seal.esl"] = seal
    covered = {
        name: content
        for name, content in entries.items()
        if mode is Mode.WHOLE or name != listed.name
    }
    entries[part] = signature_xml(
        Stated(folder, covered, signed_at, tuple(stamps), first_id + 1, has_seal=bool(seal))
    )
    return Draft(entries, part, f"{folder}/SignedValue.dat", was_listed)


def _check_sound(package: Package) -> None:
    """Whoever asked for the signature may have seen another document in another reader."""
    if package.hides_entries:
        raise NotAnOfd("structure")
    for name in package.damaged + package.repeated + package.ambiguous + package.clashing:
        raise NotAnOfd("structure", name)
    for name in package.entries:
        if any(unicodedata.category(character) in _NOT_IN_XML for character in name):
            raise NotAnOfd("path", name)


def _signatures(
    package: Package, entries: dict[str, bytes]
) -> tuple[SignatureList, tuple[SignaturePart, ...]]:
    """Return the list of signatures, made with its pointer in OFD.xml where there is none yet."""
    name = list_name(package)
    if name:
        listed = read_list(package, name)
        parts = _parts(package, listed)
        _check_open(parts, {name, *_LISTING} if ofd_integrity.LIST in package.entries else {name})
        return listed, parts
    folder = _ascii(posixpath.dirname(document_part(package)), "")
    name = posixpath.join(folder, "Signs/Signatures.xml")
    root = parse(entries["OFD.xml"], "OFD.xml")
    body = child(root, "DocBody")
    if body is None:
        raise NotAnOfd("structure", "OFD.xml")
    add(body, "Signatures", name)
    entries["OFD.xml"] = serialise(root)
    entries[name] = serialise(new_root("Signatures"))
    return SignatureList(name, (), 0), ()


def _parts(package: Package, listed: SignatureList) -> tuple[SignaturePart, ...]:
    parts: list[SignaturePart] = []
    for record in listed.records:
        parts.append(read_part(package, record.part))
        if sum(len(part.references) for part in parts) > MAX_REFERENCES:
            raise NotAnOfd("entries", record.part)
    return tuple(parts)


def _check_open(parts: tuple[SignaturePart, ...], changed: set[str]) -> None:
    for part in parts:
        if changed & {reference.name for reference in part.references}:
            raise OfdLocked(part=part.name)


def _free_folder(listed: SignatureList, entries: Mapping[str, bytes]) -> str:
    pattern = re.compile(r"(?:^|/)Sign_(\d{1,6})/")
    used = (int(match[1]) for match in map(pattern.search, entries) if match)
    number = max(used, default=-1) + 1
    return posixpath.join(_ascii(posixpath.dirname(listed.name), "Signs"), f"Sign_{number}")


def _ascii(folder: str, otherwise: str) -> str:
    """Return a folder a seal signature can name: propertyInfo is an IA5String."""
    return folder if folder.isascii() else otherwise


def _next_id(listed: SignatureList, parts: tuple[SignaturePart, ...]) -> int:
    return max(listed.largest_id, *map(largest_stamp_id, parts), 0) + 1


def _add_record(records: etree._Element, part: str, kind: Kind, number: int, largest: int) -> None:
    """Add a line to Signatures.xml; MaxSignId comes first and counts the stamps' ids as well."""
    for element in list(children(records, "MaxSignId")):
        records.remove(element)
    records.insert(0, add(records, "MaxSignId", sign_id(largest)))
    add(records, "Signature", ID=sign_id(number), Type=kind.value, BaseLoc=f"/{part}")
