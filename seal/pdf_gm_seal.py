"""Stamp a PDF with an e-seal of GB/T 38540-2020: the Chinese form `/GM.PKILite`, `/GM.sm2seal`.

The contents of the signature dictionary are the DER SES_Signature that stamps an OFD too; its data
hash is SM3 over the byte range, its propertyInfo the byte range itself: four numbers with single
spaces, as in the dictionary. Ordinary viewers do not know the form: a P-256 signature
(`seal.pdf_seal`) beside it, made before or after, is what they check.
"""

from collections.abc import Mapping
from datetime import datetime

from pyhanko.pdf_utils.generic import NameObject
from pyhanko.sign.signers.pdf_byterange import SignatureObject

from keys.algorithms import SM2_SM3
from keys.der_signature import to_der
from keys.signer import Signer
from seal.face import SealBox
from seal.pdf_embedding import NOTHING_RESERVED, Looks, Prepared, embed
from seal.pdf_levels import TOKEN_ROOM
from seal.pdf_picture import read_png
from seal.pdf_seal import holder
from seal.seal_use import check_key, check_usable, seal_of
from seal.ses import seal_signature, to_be_signed
from seal.stamp_places import Riding
from seal.time_proof import TimeStamper

FILTER, SUBFILTER = "/GM.PKILite", "/GM.sm2seal"

_ROOM = 512  # headers, times, the hash, the byte range and the signature


def stamp(
    pdf: bytes,
    picture_png: bytes,
    seal: bytes,
    signer: Signer,
    certificate: bytes,
    box: SealBox,
    signed_at: datetime,
    *,
    time_stamper: TimeStamper | None = None,
    certify: bool = False,
    field_name: str = "",
    reserved: Mapping[str, SealBox] = NOTHING_RESERVED,
    riding: Riding | None = None,
) -> bytes:
    """Return `pdf` stamped with `seal` (DER SESeal), its picture drawn in `box`, on its page.

    `signer` is the owner's SM2 key and `certificate` (DER) one the seal lists; `signed_at` is aware
    and goes into the signature in whole seconds. A `time_stamper`'s token over the signature's value
    goes beside it. `certify`, `field_name`, `reserved` and `riding` are as in `seal.pdf_seal.stamp`.

    Raises ValueError for another kind of key, SesMalformed for what is no seal, SealNotUsable, and
    what `seal.pdf_embedding.embed` and the time stamper raise.
    """
    if signer.public_key.algorithm is not SM2_SM3:
        raise ValueError("an e-seal is used with an SM2 key")
    read = seal_of(seal)
    check_key(read, certificate, signer.public_key)
    check_usable(read, certificate, signed_at)

    def make(prepared: Prepared) -> bytes:
        tbs = to_be_signed(
            seal,
            signed_at=signed_at,
            data_hash=prepared.digest,
            property_info=" ".join(map(str, prepared.byte_range)),
        )
        return _signature(tbs, signer, certificate, time_stamper)

    room = _ROOM + len(seal) + len(certificate) + (TOKEN_ROOM if time_stamper else 0)
    signature = SignatureObject(
        timestamp=signed_at, name=holder(certificate), bytes_reserved=2 * room
    )
    signature[NameObject("/Filter")] = NameObject(FILTER)
    signature[NameObject("/SubFilter")] = NameObject(SUBFILTER)
    return embed(
        pdf,
        signature,
        SM2_SM3.hash,
        make,
        looks=Looks(read_png(picture_png), box, signed_at, riding),
        field_name=field_name,
        certify=certify,
        reserved=reserved,
    )


def _signature(
    tbs: bytes, signer: Signer, certificate: bytes, time_stamper: TimeStamper | None
) -> bytes:
    signature = signer.sign(tbs)
    token = time_stamper(to_der(signature)) if time_stamper else None
    return seal_signature(tbs, certificate, signature, token)
