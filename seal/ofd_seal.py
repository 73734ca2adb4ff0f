"""Stamp an OFD with an e-seal, in the mode that lets others stamp after us (允许继续签名).

The order is that of GB/T 33190-2016 §18 and GM/T 0031: everything that will be covered gets its
final bytes first, then digests, then Signature.xml, then the seal signature over its digest.
"""

import base64
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from keys.algorithms import SM2_SM3
from keys.errors import DomainError
from keys.signer import Signer
from keys.sm3 import sm3
from seal import ofd_package, ses
from seal.digests import SM3_OID
from seal.face import SealBox
from seal.ofd_package import NotAnOfd, Package
from seal.ofd_signatures import (
    SignatureList,
    SignaturePart,
    largest_stamp_id,
    list_name,
    read_list,
    read_part,
)
from seal.ofd_xml import add, child, children, new_root, parse, resolve, serialise, text
from seal.ses_reading import Seal, read_seal

_PROVIDER = {"ProviderName": "yinxin", "Version": "1", "Company": "yinxin"}


class OfdLocked(DomainError):
    """A signature in the file protects the list of signatures: nobody may sign after it."""

    code: ClassVar[str] = "ofd.locked"


class SealNotUsable(DomainError):
    """The seal does not list the signer's certificate, or is not valid at the time of signing."""

    code: ClassVar[str] = "seal.not_usable"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document with everything but the seal signature: `to_be_signed` is what the owner signs."""

    entries: Mapping[str, bytes]
    signed_value: str
    to_be_signed: bytes
    certificate: bytes


def stamp(
    ofd: bytes,
    seal: bytes,
    signer: Signer,
    certificate: bytes,
    box: SealBox,
    signed_at: datetime,
) -> bytes:
    """Return `ofd` stamped on its first page at `box` with the DER SESeal `seal`.

    Every entry already there keeps its bytes; only OFD.xml gains the pointer to the signatures
    with the first one, and Signatures.xml a line. `certificate` is the signer's, DER. Raises
    `NotAnOfd`, `OfdLocked`, `SealNotUsable`.
    """
    prepared = prepare(ofd, seal, certificate, box, signed_at)
    return finish(prepared, signer.sign(prepared.to_be_signed))


def prepare(
    ofd: bytes, seal: bytes, certificate: bytes, box: SealBox, signed_at: datetime
) -> Prepared:
    """Return the document ready for the signature value. Raises like `stamp`."""
    _check_usable(read_seal(seal), certificate, signed_at)
    package = _sound(ofd_package.read(ofd))
    entries = dict(package.entries)
    listed = _signatures(package, entries)
    folder, first_id = _free_folder(listed, entries), _next_id(package, listed)
    part, signed_value = f"{folder}/Signature.xml", f"{folder}/SignedValue.dat"
    entries[listed.name] = _with_record(entries[listed.name], first_id, part)
    entries[f"{folder}/Seal.esl"] = seal
    covered = {name: content for name, content in entries.items() if name != listed.name}
    entries[part] = _signature_xml(
        covered, folder, _stamp_annot(package, box, first_id + 1), signed_at
    )
    to_be_signed = ses.to_be_signed(
        seal,
        signed_at=signed_at,
        data_hash=sm3(entries[part]),
        property_info=f"/{part}",
    )
    return Prepared(entries, signed_value, to_be_signed, certificate)


def finish(prepared: Prepared, signature: bytes) -> bytes:
    """Return the stamped document: `signature` is r‖s over `prepared.to_be_signed`."""
    value = ses.seal_signature(prepared.to_be_signed, prepared.certificate, signature)
    return ofd_package.write({**prepared.entries, prepared.signed_value: value})


def _check_usable(seal: Seal, certificate: bytes, signed_at: datetime) -> None:
    if not seal.lists(certificate):
        raise SealNotUsable(reason="signer_not_listed", esid=seal.esid)
    if not seal.valid_from <= signed_at <= seal.valid_until:
        raise SealNotUsable(reason="outside_validity", esid=seal.esid)


def _sound(package: Package) -> Package:
    for name in package.damaged + package.repeated:
        raise NotAnOfd("structure", name)
    return package


def _signatures(package: Package, entries: dict[str, bytes]) -> SignatureList:
    """Return the list of signatures, made with its pointer in OFD.xml where there is none yet."""
    name = list_name(package)
    if name:
        listed = read_list(package, name)
        for part in _parts(package, listed):
            if name in {reference.name for reference in part.references}:
                raise OfdLocked(part=part.name)
        return listed
    root = parse(package.entries["OFD.xml"], "OFD.xml")
    body = child(root, "DocBody")
    if body is None:
        raise NotAnOfd("structure", "OFD.xml")
    name = posixpath.join(posixpath.dirname(_document_name(package)), "Signs/Signatures.xml")
    add(body, "Signatures", name)
    entries["OFD.xml"] = serialise(root)
    entries[name] = serialise(new_root("Signatures"))
    return SignatureList(name, (), 0)


def _parts(package: Package, listed: SignatureList) -> list[SignaturePart]:
    return [read_part(package, record.part) for record in listed.records]


def _free_folder(listed: SignatureList, entries: Mapping[str, bytes]) -> str:
    pattern = re.compile(r"(?:^|/)Sign_(\d{1,6})/")
    used = (int(match[1]) for match in map(pattern.search, entries) if match)
    number = max(used, default=-1) + 1
    return posixpath.join(posixpath.dirname(listed.name), f"Sign_{number}")


def _next_id(package: Package, listed: SignatureList) -> int:
    stamps = (largest_stamp_id(part) for part in _parts(package, listed))
    return max(listed.largest_id, *stamps, 0) + 1


def _with_record(content: bytes, number: int, part: str) -> bytes:
    """Add a line to Signatures.xml; MaxSignId comes first and counts the stamp's id as well."""
    root = parse(content, part)
    for element in list(children(root, "MaxSignId")):
        root.remove(element)
    root.insert(0, add(root, "MaxSignId", _sign_id(number + 1)))
    add(root, "Signature", ID=_sign_id(number), Type="Seal", BaseLoc=f"/{part}")
    return serialise(root)


def _stamp_annot(package: Package, box: SealBox, number: int) -> dict[str, str]:
    boundary = f"{box.x:g} {box.y:g} {box.width:g} {box.height:g}"
    return {"ID": _sign_id(number), "PageRef": _first_page(package), "Boundary": boundary}


def _signature_xml(
    covered: Mapping[str, bytes], folder: str, annotation: Mapping[str, str], signed_at: datetime
) -> bytes:
    root = new_root("Signature")
    info = add(root, "SignedInfo")
    add(info, "Provider", **_PROVIDER)
    add(info, "SignatureMethod", SM2_SM3.signature_oid)
    add(info, "SignatureDateTime", f"{signed_at.astimezone(UTC):%Y%m%d%H%M%SZ}")
    references = add(info, "References", CheckMethod=SM3_OID)
    for name, content in covered.items():
        reference = add(references, "Reference", FileRef=f"/{name}")
        add(reference, "CheckValue", base64.b64encode(sm3(content)).decode())
    add(info, "StampAnnot", **annotation)
    add(add(info, "Seal"), "BaseLoc", f"/{folder}/Seal.esl")
    add(root, "SignedValue", f"/{folder}/SignedValue.dat")
    return serialise(root)


def _document_name(package: Package) -> str:
    root = parse(package.entries["OFD.xml"], "OFD.xml")
    name = resolve(text(root, "DocBody", "DocRoot"), "OFD.xml")
    if name not in package.entries:
        raise NotAnOfd("structure", name)
    return name


def _first_page(package: Package) -> str:
    name = _document_name(package)
    page = child(parse(package.entries[name], name), "Pages", "Page")
    if page is None:
        raise NotAnOfd("structure", name)
    return page.get("ID", "")


def _sign_id(number: int) -> str:
    return f"s{number:03}"
