"""Make e-seals and seal signatures of GB/T 38540-2020 (version 4), the kind readers in the field know."""

from datetime import datetime

from keys.algorithms import SM2_SM3
from keys.der_signature import to_der
from keys.signer import Signer
from seal.ses_structure import (
    VERSION_2020,
    ListedCertificate,
    SeSeal,
    SesSealInfo,
    SesSignature,
    TbsSign,
)

_WHOLE_CERTIFICATES = 1
# "Defined by the business" in the standard; 4 is what e-licence seals (电子证照专用章) carry.
_LICENCE_SEAL = 4


def make_seal(
    *,
    esid: str,
    name: str,
    vendor: str,
    picture_png: bytes,
    width: int,
    height: int,
    signer_certificates: tuple[bytes, ...],
    created: datetime,
    valid_from: datetime,
    valid_until: datetime,
    maker_signer: Signer,
    maker_certificate: bytes,
) -> bytes:
    """Return the DER SESeal: the maker's signature covers DER(eSealInfo) only (§7.2).

    `esid` is 14 digits in practice (region and serial) and `vendor` the maker's id, both ASCII;
    `width` and `height` are mm; times are aware and kept to the second. Only the holders of
    `signer_certificates` (DER) may stamp with the seal: a renewed certificate needs a new one.
    """
    info = SesSealInfo(
        {
            "header": {"id": "ES", "version": VERSION_2020, "vid": vendor},
            "es_id": esid,
            "property": {
                "type": _LICENCE_SEAL,
                "name": name,
                "cert_list_type": _WHOLE_CERTIFICATES,
                "cert_list": [
                    ListedCertificate({"certificate": certificate})
                    for certificate in signer_certificates
                ],
                "create_date": _whole_second(created),
                "valid_start": _whole_second(valid_from),
                "valid_end": _whole_second(valid_until),
            },
            "picture": {
                "type": "png",
                "data": picture_png,
                "width": width,
                "height": height,
            },
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
    seal: bytes, *, signed_at: datetime, data_hash: bytes, property_info: str
) -> bytes:
    """Return DER TBS_Sign: what the owner of `seal` signs to stamp one document.

    `data_hash` is SM3 of the document's Signature.xml, `property_info` that entry's absolute path.
    The seal's bytes go in as they are: readers compare them to Seal.esl.
    """
    tbs = TbsSign(
        {
            "version": VERSION_2020,
            "eseal": SeSeal.load(seal, strict=True),
            "time_info": _whole_second(signed_at),
            "data_hash": data_hash,
            "property_info": property_info,
        }
    )
    return bytes(tbs.dump())


def seal_signature(tbs: bytes, certificate: bytes, signature: bytes) -> bytes:
    """Return DER SES_Signature of `tbs` with the signer's certificate and its r‖s over `tbs`."""
    signed = SesSignature(
        {
            "to_sign": TbsSign.load(tbs, strict=True),
            "cert": certificate,
            "signature_alg_id": SM2_SM3.signature_oid,
            "signature": to_der(signature),
        }
    )
    return bytes(signed.dump())


def _whole_second(moment: datetime) -> datetime:
    # A fraction that ends in 0 is not DER, and readers that encode again then see another value.
    return moment.replace(microsecond=0)
