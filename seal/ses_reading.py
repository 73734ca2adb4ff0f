"""Read e-seals and seal signatures of versions 1, 4 and 5 into one form, keeping the bytes as signed.

Nothing is encoded again: what a signature covers is cut out of the bytes as they came.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar

from asn1crypto import core, parser

from keys.errors import DomainError
from seal.digests import UnknownDigest, digest
from seal.ses_structure import (
    VERSION_2014,
    VERSION_2020,
    VERSION_2025,
    SeSeal,
    SeSeal2014,
    SesSignature,
    SesSignature2014,
)

_BEIJING = timezone(timedelta(hours=8))
_WRONG = (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError)


class SesMalformed(DomainError):
    """The bytes are no e-seal or seal signature of a version this program reads."""

    code: ClassVar[str] = "seal.malformed"


@dataclass(frozen=True, slots=True)
class Seal:
    """An e-seal as read. `signed_bytes` is what the maker's `signature` (DER r, s) covers.

    `certificates` are the signers' (DER), `certificate_digests` the same by (method, digest).
    Times are aware; `width` and `height` are mm.
    """

    version: int
    esid: str
    name: str
    vendor: str
    kind: int
    picture_type: str
    picture: bytes
    width: int
    height: int
    certificates: tuple[bytes, ...]
    certificate_digests: tuple[tuple[str, bytes], ...]
    created: datetime
    valid_from: datetime
    valid_until: datetime
    maker_certificate: bytes
    signed_bytes: bytes
    signature: bytes
    encoded: bytes

    def lists(self, certificate: bytes) -> bool:
        """Say whether the holder of `certificate` may stamp with this seal."""
        return certificate in self.certificates or any(
            _is_digest(method, value, certificate) for method, value in self.certificate_digests
        )


@dataclass(frozen=True, slots=True)
class SealSignature:
    """A seal signature as read. `signed_at` is None where version 1 hides a time stamp there."""

    version: int
    seal: Seal
    signed_at: datetime | None
    data_hash: bytes
    property_info: str
    certificate: bytes
    signed_bytes: bytes
    signature: bytes
    time_stamp: bytes | None


def read_seal(der: bytes) -> Seal:
    """Read an SESeal (a Seal.esl). Raises `SesMalformed`."""
    try:
        if len(core.Sequence.load(der, strict=True)) == len(SeSeal2014._fields):
            return _seal_2014(SeSeal2014.load(der, strict=True))
        return _seal(SeSeal.load(der, strict=True))
    except _WRONG as wrong:
        raise SesMalformed(what="SESeal", reason=type(wrong).__name__) from wrong


def read_signature(der: bytes) -> SealSignature:
    """Read an SES_Signature (a SignedValue.dat). Raises `SesMalformed`."""
    try:
        if len(core.Sequence.load(der, strict=True)) == len(SesSignature2014._fields):
            return _signature_2014(SesSignature2014.load(der, strict=True))
        return _signature(SesSignature.load(der, strict=True))
    except _WRONG as wrong:
        raise SesMalformed(what="SES_Signature", reason=type(wrong).__name__) from wrong


def _seal(seal: Any) -> Seal:
    version = seal["e_seal_info"]["header"]["version"].native
    if version not in (VERSION_2020, VERSION_2025):
        raise ValueError(version)
    return _described(
        seal["e_seal_info"],
        maker_certificate=seal["cert"].native,
        signed_bytes=seal["e_seal_info"].dump(),
        signature=seal["signed_value"].native,
        encoded=seal.dump(),
    )


def _seal_2014(seal: Any) -> Seal:
    info, sign_info = seal["e_seal_info"], seal["sign_info"]
    parts = info, sign_info["cert"], sign_info["signature_algorithm"]
    return _described(
        info,
        maker_certificate=sign_info["cert"].native,
        signed_bytes=_sequence(*(part.dump() for part in parts)),
        signature=sign_info["sign_data"].native,
        encoded=seal.dump(),
    )


def _described(
    info: Any, *, maker_certificate: bytes, signed_bytes: bytes, signature: bytes, encoded: bytes
) -> Seal:
    owner, picture = info["property"], info["picture"]
    if info["header"]["id"].native != "ES":
        raise ValueError("header")
    listed = [(entry.name, entry.chosen) for entry in owner["cert_list"]]
    return Seal(
        version=info["header"]["version"].native,
        esid=info["es_id"].native,
        name=owner["name"].native,
        vendor=info["header"]["vid"].native,
        kind=owner["type"].native,
        picture_type=picture["type"].native.lower(),
        picture=picture["data"].native,
        width=picture["width"].native,
        height=picture["height"].native,
        certificates=tuple(c.native for kind, c in listed if kind == "certificate"),
        certificate_digests=tuple(
            (c["type"].native, c["value"].native) for kind, c in listed if kind == "digest"
        ),
        created=_aware(owner["create_date"].native),
        valid_from=_aware(owner["valid_start"].native),
        valid_until=_aware(owner["valid_end"].native),
        maker_certificate=maker_certificate,
        signed_bytes=signed_bytes,
        signature=signature,
        encoded=encoded,
    )


def _signature(signed: Any) -> SealSignature:
    tbs = signed["to_sign"]
    seal = _seal(tbs["eseal"])
    return SealSignature(
        version=seal.version,
        seal=seal,
        signed_at=_aware(tbs["time_info"].native),
        data_hash=tbs["data_hash"].native,
        property_info=tbs["property_info"].native,
        certificate=signed["cert"].native,
        signed_bytes=tbs.dump(),
        signature=signed["signature"].native,
        time_stamp=signed["time_stamp"].native,
    )


def _signature_2014(signed: Any) -> SealSignature:
    tbs = signed["to_sign"]
    return SealSignature(
        version=VERSION_2014,
        seal=_seal_2014(tbs["eseal"]),
        signed_at=_time_2014(tbs["time_info"].native),
        data_hash=tbs["data_hash"].native,
        property_info=tbs["property_info"].native,
        certificate=tbs["cert"].native,
        signed_bytes=tbs.dump(),
        signature=signed["signature"].native,
        time_stamp=None,
    )


def _time_2014(value: bytes) -> datetime | None:
    """Read the time of version 1: a UTCTime, or text as makers write it; None for a time stamp."""
    if value[:1] == b"\x17":
        return _aware(core.UTCTime.load(value, strict=True).native)
    try:
        return _aware(datetime.fromisoformat(value.decode("ascii").strip()))
    except ValueError:
        return None


def _aware(moment: datetime) -> datetime:
    """Read a time without zone as Beijing's, the only legal time where these seals are made."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=_BEIJING)).astimezone(UTC)


def _is_digest(method: str, value: bytes, certificate: bytes) -> bool:
    try:
        return digest(method, certificate) == value
    except UnknownDigest:
        return False


def _sequence(*parts: bytes) -> bytes:
    return bytes(parser.emit(class_=0, method=1, tag=16, contents=b"".join(parts)))
