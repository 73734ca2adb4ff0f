"""Read e-seals and seal signatures of versions 1, 4 and 5 into one form, keeping the bytes as signed.

Nothing is encoded again: what a signature covers is cut out of the bytes as they came.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar

from asn1crypto import core, parser

from keys.errors import DomainError
from keys.time_stamp_token import TimeStampMalformed, read_token
from seal.digests import UnknownDigest, digest, is_weak
from seal.ses_exactness import check_closed, contradictory, inexact
from seal.ses_structure import (
    VERSION_2014,
    VERSION_2020,
    VERSION_2025,
    SeSeal,
    SeSeal2014,
    SesSignature,
    SesSignature2014,
)

MAX_BYTES = 4 * 1024 * 1024
"""A seal and its signature; a picture at 600 dpi takes a few hundred thousand bytes."""

_BEIJING = timezone(timedelta(hours=8))
_TIMES = {b"\x17": core.UTCTime, b"\x18": core.GeneralizedTime}
_WRONG = (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError)


class SesMalformed(DomainError):
    """The bytes are no e-seal or seal signature of a version this program reads."""

    code: ClassVar[str] = "seal.malformed"


@dataclass(frozen=True, slots=True)
class Seal:
    """An e-seal as read. `signed_bytes` is what the maker's `signature` (DER r, s) covers.

    `certificates` are the signers' (DER), `certificate_digests` the same by (method, digest).
    Times are aware; `width` and `height` are mm; `time_stamp` (version 5) is over the signature.
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
    time_stamp: bytes | None

    def lists(self, certificate: bytes) -> bool:
        """Say whether the holder of `certificate` may stamp with this seal."""
        return certificate in self.certificates or bool(self._digests_of(certificate))

    def lists_weakly(self, certificate: bytes) -> bool:
        """Say whether nothing but digests of a kind two certificates can share names the holder."""
        methods = self._digests_of(certificate)
        return certificate not in self.certificates and bool(methods) and all(map(is_weak, methods))

    def _digests_of(self, certificate: bytes) -> tuple[str, ...]:
        return tuple(
            method
            for method, value in self.certificate_digests
            if _is_digest(method, value, certificate)
        )


@dataclass(frozen=True, slots=True)
class SealSignature:
    """A seal signature as read. `signed_at` is None where version 1 writes what is no time.

    `inexact` names the fields that readers who encode again would write otherwise, `contradictory`
    those that say another thing than the rest.
    """

    version: int
    seal: Seal
    signed_at: datetime | None
    data_hash: bytes
    property_info: str
    certificate: bytes
    signed_bytes: bytes
    signature: bytes
    time_stamp: bytes | None
    inexact: tuple[str, ...] = ()
    contradictory: tuple[str, ...] = ()


def read_seal(der: bytes) -> Seal:
    """Read an SESeal (a Seal.esl). Raises `SesMalformed`."""
    try:
        _check_size(der)
        if len(core.Sequence.load(der, strict=True)) == len(SeSeal2014._fields):
            return _seal_2014(_loaded(SeSeal2014, der))
        return _seal(_loaded(SeSeal, der))
    except _WRONG as wrong:
        raise SesMalformed(what="SESeal", reason=type(wrong).__name__) from wrong


def read_signature(der: bytes) -> SealSignature:
    """Read an SES_Signature (a SignedValue.dat). Raises `SesMalformed`."""
    try:
        _check_size(der)
        if len(core.Sequence.load(der, strict=True)) == len(SesSignature2014._fields):
            return _signature_2014(_loaded(SesSignature2014, der))
        return _signature(_loaded(SesSignature, der))
    except _WRONG as wrong:
        raise SesMalformed(what="SES_Signature", reason=type(wrong).__name__) from wrong


def _check_size(der: bytes) -> None:
    if len(der) > MAX_BYTES:
        raise ValueError("size")


def _loaded(kind: Any, der: bytes) -> Any:
    loaded = kind.load(der, strict=True)
    check_closed(loaded)
    return loaded


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
        time_stamp=seal["time_stamp"].native,
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
        time_stamp=None,
    )


def _described(
    info: Any,
    *,
    maker_certificate: bytes,
    signed_bytes: bytes,
    signature: bytes,
    encoded: bytes,
    time_stamp: bytes | None,
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
        time_stamp=time_stamp,
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
        inexact=inexact(signed),
        contradictory=contradictory(signed),
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
    """Read the time of version 1: an ASN.1 time, text as makers write it, or a time stamp token.

    A token inside what is signed shows that the signature came after it, never that it came before:
    its time is the signer's own word. None for anything else.
    """
    if value[:1] in _TIMES:
        return _aware(_TIMES[value[:1]].load(value, strict=True).native)
    with suppress(TimeStampMalformed):
        return read_token(value).statement.at
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
