"""Write Signature.xml (GB/T 33190-2016 §18.2): what a signature protects, and where its stamps are."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from keys.algorithms import SM2_SM3
from keys.sm3 import sm3
from seal.digests import SM3_OID
from seal.ofd_xml import add, new_root, serialise
from seal.stamp_places import Placed

_PROVIDER = {"ProviderName": "yinxin", "Version": "1", "Company": "yinxin"}


@dataclass(frozen=True, slots=True)
class Stated:
    """What a Signature.xml in `folder` states; `covered` are the entries it protects, by name.

    `first_stamp_id` numbers the first of the `stamps`; there is a Seal.esl when `has_seal`.
    """

    folder: str
    covered: Mapping[str, bytes]
    signed_at: datetime
    stamps: tuple[Placed, ...]
    first_stamp_id: int
    has_seal: bool


def signature_xml(stated: Stated) -> bytes:
    """Return the bytes of Signature.xml, its elements in the order of the schema."""
    root = new_root("Signature")
    info = add(root, "SignedInfo")
    add(info, "Provider", **_PROVIDER)
    add(info, "SignatureMethod", SM2_SM3.signature_oid)
    add(info, "SignatureDateTime", f"{stated.signed_at.astimezone(UTC):%Y%m%d%H%M%SZ}")
    references = add(info, "References", CheckMethod=SM3_OID)
    for name, content in stated.covered.items():
        reference = add(references, "Reference", FileRef=f"/{name}")
        add(reference, "CheckValue", base64.b64encode(sm3(content)).decode())
    for number, stamp in enumerate(stated.stamps, stated.first_stamp_id):
        add(info, "StampAnnot", **_annotation(stamp, number))
    if stated.has_seal:
        add(add(info, "Seal"), "BaseLoc", f"/{stated.folder}/Seal.esl")
    add(root, "SignedValue", f"/{stated.folder}/SignedValue.dat")
    return serialise(root)


def sign_id(number: int) -> str:
    """Return the xs:ID of a signature or stamp, which share one series (§18.1)."""
    return f"s{number:03}"


def _annotation(stamp: Placed, number: int) -> dict[str, str]:
    boundary = _numbers(stamp.x, stamp.y, stamp.width, stamp.height)
    clip = {"Clip": _numbers(*stamp.clip)} if stamp.clip else {}
    return {"ID": sign_id(number), "PageRef": stamp.page_id, "Boundary": boundary} | clip


def _numbers(*lengths: float) -> str:
    """Write lengths in mm to a micrometre."""
    return " ".join(f"{round(length, 3) + 0.0:g}" for length in lengths)
