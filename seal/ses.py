"""Make e-seals and seal signatures of GB/T 38540-2020 (version 4), the kind readers in the field know.

A seal is made once and by the library; a seal signature is made for each document, and put together
from parts that are DER already.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from keys.algorithms import SM2_SM3
from keys.der import bits, explicit, generalized_time, integer, octets, oid, sequence, tlv
from keys.der_signature import to_der
from keys.signer import Signer
from keys.sm3 import sm3
from seal.digests import SM3_OID
from seal.ses_structure import (
    VERSION_2020,
    ExtensionDatas,
    ListedCertificate,
    SeSeal,
    SesSealInfo,
)

LICENCE_SEAL = 4
"""The `type` of e-licence seals (电子证照专用章); it is "defined by the business" in the standard."""

_IA5_STRING = 0x16


class CertListType(IntEnum):
    """How a seal names who may stamp with it (certListType)."""

    WHOLE = 1
    """By the certificates themselves."""

    DIGEST = 2
    """By their SM3, which keeps the seal small."""


@dataclass(frozen=True, slots=True)
class Extension:
    """One ExtensionData: a dotted OID, and the bytes of its value."""

    oid: str
    value: bytes
    critical: bool = False


def make_seal(
    *,
    esid: str,
    name: str,
    vendor: str,
    picture: bytes,
    width: int,
    height: int,
    signer_certificates: tuple[bytes, ...],
    created: datetime,
    valid_from: datetime,
    valid_until: datetime,
    maker_signer: Signer,
    maker_certificate: bytes,
    list_type: CertListType = CertListType.WHOLE,
    extensions: tuple[Extension, ...] = (),
    picture_type: str = "png",
    kind: int = LICENCE_SEAL,
) -> bytes:
    """Return the DER SESeal: the maker's signature covers DER(eSealInfo) only (§7.2).

    `esid` is 14 digits in practice (region and serial) and `vendor` the maker's id, both ASCII;
    `width` and `height` are mm; times are aware and kept to the second. `picture_type` is "png",
    or "ofd" for a nested OFD of one page. Only the holders of `signer_certificates` (DER) may stamp
    with the seal: a renewed certificate needs a new one.
    """
    info = SesSealInfo(
        {
            "header": {"id": "ES", "version": VERSION_2020, "vid": vendor},
            "es_id": esid,
            "property": {
                "type": kind,
                "name": name,
                "cert_list_type": list_type.value,
                "cert_list": [_listed(der, list_type) for der in signer_certificates],
                "create_date": _whole_second(created),
                "valid_start": _whole_second(valid_from),
                "valid_end": _whole_second(valid_until),
            },
            "picture": {
                "type": picture_type,
                "data": picture,
                "width": width,
                "height": height,
            },
            "ext_datas": _extensions(extensions) if extensions else None,
        }
    )
    made = SeSeal(
        {
            "e_seal_info": info,
            "cert": maker_certificate,
            "sign_alg_id": SM2_SM3.signature_oid,
            "signed_value": to_der(maker_signer.sign(info.dump())),
        }
    )
    return bytes(made.dump())


def to_be_signed(
    seal: bytes,
    *,
    signed_at: datetime,
    data_hash: bytes,
    property_info: str,
    extensions: tuple[Extension, ...] = (),
) -> bytes:
    """Return DER TBS_Sign: what the owner of `seal` signs to stamp one document.

    `seal` is a DER SESeal, which goes in as it is: readers compare it to Seal.esl. `data_hash` is SM3
    of the document's Signature.xml, `property_info` that entry's absolute path (ASCII).
    """
    return sequence(
        integer(VERSION_2020),
        seal,
        generalized_time(signed_at),
        bits(data_hash),
        tlv(_IA5_STRING, property_info.encode("ascii")),
        explicit(0, _extensions(extensions).dump()) if extensions else b"",
    )


def seal_signature(
    tbs: bytes, certificate: bytes, signature: bytes, time_stamp: bytes | None = None
) -> bytes:
    """Return DER SES_Signature of `tbs` with the signer's certificate and its r‖s over `tbs`.

    `time_stamp` is a DER token over the signature's value, DER (r, s).
    """
    return sequence(
        tbs,
        octets(certificate),
        oid(SM2_SM3.signature_oid),
        bits(to_der(signature)),
        explicit(0, bits(time_stamp)) if time_stamp else b"",
    )


def _listed(certificate: bytes, list_type: CertListType) -> ListedCertificate:
    if list_type is CertListType.WHOLE:
        return ListedCertificate({"certificate": certificate})
    return ListedCertificate({"digest": {"type": SM3_OID, "value": sm3(certificate)}})


def _extensions(extensions: tuple[Extension, ...]) -> ExtensionDatas:
    return ExtensionDatas(
        [{"extn_id": e.oid, "critical": e.critical, "extn_value": e.value} for e in extensions]
    )


def _whole_second(moment: datetime) -> datetime:
    # A fraction that ends in 0 is not DER, and readers that encode again then see another value.
    return moment.replace(microsecond=0)
