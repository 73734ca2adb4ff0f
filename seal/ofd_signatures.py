"""The signature parts of an OFD (GB/T 33190-2016 §18): where they are and what they say, read tolerantly."""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from seal.ofd_package import MAX_ENTRIES, NotAnOfd, Package
from seal.ofd_xml import child, children, descendants, parse, resolve, text

MAX_SIGNATURES = 100
MAX_REFERENCES = 8 * MAX_ENTRIES
"""References of all signatures of one file; what comes after is not read."""

# §18.2.2: a References list without CheckMethod means MD5.
DEFAULT_CHECK_METHOD = "MD5"


@dataclass(frozen=True, slots=True)
class Reference:
    """One protected entry and its digest; None where the CheckValue is no base64."""

    name: str
    check_value: bytes | None


@dataclass(frozen=True, slots=True)
class StampAnnot:
    """Where a stamp is drawn: the page's ST_ID, the Boundary in mm and the Clip in it, as written."""

    id: str
    page: str
    boundary: str
    clip: str = ""


@dataclass(frozen=True, slots=True)
class SignaturePart:
    """A Signature.xml. Names are entry names; `seal` and `signed_value` may name missing entries."""

    name: str
    content: bytes
    method: str
    check_method: str
    references: tuple[Reference, ...]
    stamps: tuple[StampAnnot, ...]
    seal: str
    signed_value: str


@dataclass(frozen=True, slots=True)
class SignatureRecord:
    """One line of Signatures.xml. `kind` is `Seal` or `Sign`; `part` the entry of its Signature.xml.

    `base` is the id of the signature it builds on (Relative, GM/T 0099-2020), "" for none.
    """

    id: str
    kind: str
    part: str
    base: str = ""


@dataclass(frozen=True, slots=True)
class SignatureList:
    """Signatures.xml: its entry name, records, and the highest number any id has taken."""

    name: str
    records: tuple[SignatureRecord, ...]
    largest_id: int


def list_name(package: Package) -> str:
    """Return the entry name of Signatures.xml, or "" for a document that names none."""
    root = parse(_entry(package, "OFD.xml"), "OFD.xml")
    location = text(root, "DocBody", "Signatures")
    return resolve(location, "OFD.xml") if location else ""


def read_list(package: Package, name: str) -> SignatureList:
    """Read the list of signatures. Raises `NotAnOfd` when it is missing, unreadable or endless."""
    root = parse(_entry(package, name), name)
    records = tuple(
        SignatureRecord(
            id=element.get("ID", ""),
            kind=element.get("Type", "Seal"),
            part=resolve(element.get("BaseLoc", ""), name),
            base=element.get("Relative", ""),
        )
        for element in children(root, "Signature")
    )
    if len(records) > MAX_SIGNATURES:
        raise NotAnOfd("entries", name)
    ids = [record.id for record in records]
    ids += [text(element) for element in children(root, "MaxSignId")]
    return SignatureList(name, records, max(map(_number, ids), default=0))


def read_part(package: Package, name: str) -> SignaturePart:
    """Read one Signature.xml. Raises `NotAnOfd` when it is missing or unreadable."""
    content = _entry(package, name)
    root = parse(content, name)
    signed_info = child(root, "SignedInfo")
    listed = child(root, "SignedInfo", "References")
    if signed_info is None or listed is None:
        raise NotAnOfd("structure", name)
    references = tuple(_references(listed, name))
    if len(references) > MAX_ENTRIES:
        raise NotAnOfd("entries", name)
    seal = text(signed_info, "Seal", "BaseLoc")
    return SignaturePart(
        name=name,
        content=content,
        method=text(signed_info, "SignatureMethod"),
        check_method=listed.get("CheckMethod", "").strip(),
        references=references,
        stamps=tuple(_stamps(signed_info)),
        seal=resolve(seal, name) if seal else "",
        signed_value=resolve(text(root, "SignedValue"), name),
    )


def largest_stamp_id(part: SignaturePart) -> int:
    """Return the highest number among the stamps' ids, which share one series with signatures."""
    return max((_number(stamp.id) for stamp in part.stamps), default=0)


def _entry(package: Package, name: str) -> bytes:
    try:
        return package.entries[name]
    except KeyError:
        raise NotAnOfd("structure", name) from None


def _references(parent: etree._Element, part: str) -> Iterator[Reference]:
    for element in descendants(parent, "Reference"):
        name = resolve(element.get("FileRef", ""), part)
        yield Reference(name, _decoded(text(element, "CheckValue")))


def _decoded(value: str) -> bytes | None:
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def _stamps(signed_info: etree._Element) -> Iterator[StampAnnot]:
    for element in children(signed_info, "StampAnnot"):
        yield StampAnnot(
            element.get("ID", ""),
            element.get("PageRef", ""),
            element.get("Boundary", ""),
            element.get("Clip", ""),
        )


def _number(identifier: str) -> int:
    """Read the number of `s001`, `1` or `01`; anything else counts as 0."""
    digits = re.search(r"\d{1,9}$", identifier)
    return int(digits[0]) if digits else 0
