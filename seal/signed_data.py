"""Signatures of the kind `Sign`: SignedData of GB/T 35275-2017 over Signature.xml (GM/T 0099-2020 §7.2.2).

Two flavours are in use: the digest of Signature.xml inside, signed itself; or no content, and
signed attributes that hold the digest.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from asn1crypto import core, x509

from keys.cms_signing import SIGNATURE_TIME_STAMP
from keys.errors import DomainError
from seal.der_counting import check_count
from seal.signed_data_structure import MESSAGE_DIGEST, SIGNED_DATA, SIGNING_TIME, ContentInfo

MAX_BYTES = 256 * 1024
"""A chain of certificates and a time stamp with another take some tens of thousands."""

_SET_OF = b"\x31"
_WRONG = (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError)


class SignedDataMalformed(DomainError):
    """The bytes are no GB/T 35275 SignedData with one signer and its certificate."""

    code: ClassVar[str] = "signature.signed_data_malformed"


@dataclass(frozen=True, slots=True)
class SignedData:
    """What one signer signed: `data_hash` should be SM3 of Signature.xml.

    `brought` are the other certificates (DER) inside, `time_stamp` a token over the signature.
    """

    data_hash: bytes
    signed_at: datetime | None
    certificate: bytes
    signed_bytes: bytes
    signature: bytes
    brought: tuple[bytes, ...]
    time_stamp: bytes | None


def read_signed_data(der: bytes) -> SignedData:
    """Read a SignedData. Raises `SignedDataMalformed`."""
    try:
        if len(der) > MAX_BYTES:
            raise ValueError("size")
        return _read(ContentInfo.load(der, strict=True))
    except _WRONG as wrong:
        raise SignedDataMalformed(reason=type(wrong).__name__) from wrong


def _read(info: Any) -> SignedData:
    if info["type"].dotted != SIGNED_DATA:
        raise ValueError("content type")
    data = info["content"]
    check_count(data["signer_infos"].contents)
    (signer,) = data["signer_infos"]
    for each in (data["certificates"], signer["signed_attributes"], signer["unsigned_attributes"]):
        if isinstance(each, core.SetOf):  # to ask for its length is to parse it
            check_count(each.contents)
    signature = signer["encrypted_digest"].native
    certificate = _signers_certificate(data["certificates"], signer["issuer_and_serial"])
    certificates = (bytes(candidate.dump()) for candidate in data["certificates"])
    brought = tuple(der for der in certificates if der != certificate)
    token = _time_stamp(signer["unsigned_attributes"])
    if not signer["signed_attributes"]:
        content = data["content_info"]["content"].native
        return SignedData(content, None, certificate, content, signature, brought, token)
    attributes = {
        attribute["type"].dotted: _value(attribute) for attribute in signer["signed_attributes"]
    }
    signing_time = attributes.get(SIGNING_TIME)
    return SignedData(
        data_hash=attributes[MESSAGE_DIGEST].parse(core.OctetString).native,
        signed_at=signing_time.parse(x509.Time).native if signing_time else None,
        certificate=certificate,
        # Signed as a SET OF, in the order encoded: real signers do not sort (DER would).
        signed_bytes=_SET_OF + signer["signed_attributes"].dump()[1:],
        signature=signature,
        brought=brought,
        time_stamp=token,
    )


def _time_stamp(attributes: Any) -> bytes | None:
    """Return the token in the unsigned attributes (RFC 3161, appendix A), None without one."""
    for attribute in attributes or ():
        if attribute["type"].dotted == SIGNATURE_TIME_STAMP:
            return bytes(_value(attribute).dump())
    return None


def _value(attribute: Any) -> Any:
    """Return the one value of an attribute (RFC 5652 §11)."""
    check_count(attribute["values"].contents)
    (value,) = attribute["values"]
    return value


def _signers_certificate(certificates: Any, wanted: Any) -> bytes:
    for candidate in certificates:
        tbs = x509.Certificate.load(candidate.dump())["tbs_certificate"]
        same_serial = tbs["serial_number"].native == wanted["serial_number"].native
        if same_serial and tbs["issuer"].dump() == wanted["issuer"].dump():
            return bytes(candidate.dump())
    raise ValueError("certificate")
