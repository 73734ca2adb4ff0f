"""How other programs encode seal signatures (GB/T 38540-2020), and what we say of each.

Readers in the field encode again before they check, and so refuse some of what is right. Where the
signature can still be told right from wrong we read on and remark it; the rest is unreadable.
"""

import hashlib
from dataclasses import dataclass
from functools import cache

import pytest

from keys.algorithms import SM2_SM3
from keys.der import bits, explicit, generalized_time, integer, octets, oid, sequence, tlv
from keys.der_signature import to_der
from keys.sm3 import sm3
from seal import ofd_package
from seal.profiles import Profile, outcome
from seal.report import Outcome
from seal.ses_reading import SesMalformed, read_seal
from seal.ses_structure import SeSeal
from tests.seal.ofd_builders import (
    SEAL_FILE,
    SIGNATURE,
    SIGNED_AT,
    SIGNED_VALUE,
    altered,
    entries,
    seal_world,
    stamped_ofd,
)
from tests.seal.ofd_judging import bare, judge, troubles

GENERALIZED_TIME, IA5, UTF8, PRINTABLE = 0x18, 0x16, 0x0C, 0x13
FALSE = b"\x01\x01\x00"
SM2 = oid(SM2_SM3.signature_oid)
MAKER_EXTENSION = oid("1.2.156.10197.6.7.2.2.1")
EXPLICIT = sequence(sequence(MAKER_EXTENSION, FALSE, octets(b"2.1")))
OMITTED = sequence(sequence(MAKER_EXTENSION, octets(b"2.1")))


@cache
def parts() -> dict[str, bytes]:
    """The stamped face without Seal.esl, so that a test may sign with any seal."""
    return entries(altered(stamped_ofd(), {SIGNATURE: bare, SEAL_FILE: None}))


@dataclass(frozen=True)
class Variant:
    """A seal signature, and the fields in which it differs from ours: each a DER element, or none."""

    seal_extensions: bytes = b""
    seal_header: bytes = b""
    property_: bytes = b""
    version: bytes = integer(4)
    time: bytes = generalized_time(SIGNED_AT)
    hash_tag: int = 0x03
    property_info: bytes = tlv(IA5, f"/{SIGNATURE}".encode())
    extensions: bytes = b""
    time_stamp: bytes = b""
    raw_signature: bool = False
    algorithm: bytes = SM2
    seal_algorithm: bytes = SM2

    def ofd(self) -> bytes:
        return ofd_package.write(parts() | {SIGNED_VALUE: self.signed_value()})

    def signed_value(self) -> bytes:
        owner = seal_world().owner
        hash_ = sm3(parts()[SIGNATURE])
        tbs = sequence(
            self.version,
            self.seal(),
            self.time,
            bits(hash_) if self.hash_tag == 0x03 else octets(hash_),
            self.property_info,
            self.extensions,
        )
        signature = owner.signer.sign(tbs)
        value = signature if self.raw_signature else to_der(signature)
        return sequence(
            tbs, octets(owner.certificate), self.algorithm, bits(value), self.time_stamp
        )

    def seal(self) -> bytes:
        world = seal_world()
        info = SeSeal.load(world.seal)["e_seal_info"]
        signed = sequence(
            self.seal_header or info["header"].dump(),
            info["es_id"].dump(),
            self.property_ or info["property"].dump(),
            info["picture"].dump(),
            self.seal_extensions,
        )
        value = bits(to_der(world.maker.signer.sign(signed)))
        return sequence(signed, octets(world.maker.certificate), self.seal_algorithm, value)


def property_of(list_type: int, listed: bytes, start: bytes = b"") -> bytes:
    """The seal's property with another list of certificates, or another beginning."""
    own = SeSeal.load(seal_world().seal)["e_seal_info"]["property"]
    return sequence(
        own["type"].dump(),
        own["name"].dump(),
        integer(list_type),
        listed or own["cert_list"].dump(),
        own["create_date"].dump(),
        start or own["valid_start"].dump(),
        own["valid_end"].dump(),
    )


def by_digest() -> bytes:
    value = sm3(seal_world().owner.certificate)
    return sequence(sequence(tlv(PRINTABLE, b"1.2.156.10197.1.401"), octets(value)))


def at(text: bytes) -> bytes:
    return tlv(GENERALIZED_TIME, text)


def judged(variant: Variant) -> tuple[set[tuple[str, str, str]], Outcome]:
    report = judge(variant.ofd())
    return troubles(report), outcome(report, Profile.COMPATIBLE)


@pytest.mark.parametrize(
    "variant",
    [
        Variant(),
        Variant(seal_extensions=EXPLICIT),
        Variant(extensions=explicit(0, EXPLICIT)),
        Variant(property_=property_of(2, by_digest())),
        Variant(time=at(b"20260520013000.123Z")),
        Variant(time=at(b"20260520093000+0800")),
        Variant(time=at(b"20260520093000")),
        Variant(property_info=tlv(IA5, b"Signature.xml")),
    ],
    ids=[
        "baseline",
        "seal extensions, critical explicit",
        "signature extensions in [0]",
        "certListType 2",
        "thousandths",
        "zone +0800",
        "no zone is Beijing's",
        "relative propertyInfo",
    ],
)
def test_what_all_readers_take_is_in_order(variant: Variant) -> None:
    assert judged(variant) == (set(), Outcome.OK)


@pytest.mark.parametrize(
    ("variant", "field"),
    [
        (Variant(seal_extensions=OMITTED), "eSealInfo.extDatas.critical"),
        (Variant(extensions=explicit(0, OMITTED)), "toSign.extDatas.critical"),
        (Variant(time=at(b"20260520013000.000Z")), "toSign.timeInfo"),
        (Variant(time=at(b"20260520013000.120Z")), "toSign.timeInfo"),
        (
            Variant(property_=property_of(1, b"", at(b"20260101000000.0Z"))),
            "eSealInfo.property.validStart",
        ),
    ],
    ids=["critical left out", "critical left out in [0]", ".000Z", ".120Z", "seal .0Z"],
)
def test_what_others_encode_otherwise_is_remarked(variant: Variant, field: str) -> None:
    """Readers in the field refuse it, though the signature is right."""
    assert judged(variant) == ({("warning", "seal.encoding.inexact", field)}, Outcome.FAILED)


@pytest.mark.parametrize(
    "variant",
    [
        Variant(seal_extensions=explicit(0, EXPLICIT)),
        Variant(property_info=tlv(UTF8, f"/{SIGNATURE}".encode())),
        Variant(hash_tag=0x04),
        Variant(time_stamp=tlv(0x80, b"\0token")),
        Variant(extensions=EXPLICIT),
        Variant(seal_header=sequence(tlv(IA5, b"ES"), integer(3), tlv(IA5, b"YINXIN"))),
        Variant(seal_header=sequence(tlv(IA5, b"EX"), integer(4), tlv(IA5, b"YINXIN"))),
    ],
    ids=[
        "seal extensions in [0]",
        "propertyInfo UTF8String",
        "dataHash OCTET STRING",
        "timeStamp [0] IMPLICIT",
        "signature extensions untagged",
        "version 3",
        "header ID not ES",
    ],
)
def test_what_no_reader_takes_is_unreadable(variant: Variant) -> None:
    assert judged(variant) == (
        {("failed", "ofd.signature.value_unreadable", SIGNED_VALUE)},
        Outcome.FAILED,
    )


def test_a_signature_as_raw_numbers_is_malformed() -> None:
    assert judged(Variant(raw_signature=True)) == (
        {("failed", "seal.signature.malformed", "")},
        Outcome.FAILED,
    )


@pytest.mark.parametrize(
    ("variant", "field"),
    [
        (Variant(version=integer(1)), "toSign.version"),
        (Variant(property_=property_of(1, by_digest())), "eSealInfo.property.certListType"),
        (Variant(property_=property_of(9, b"")), "eSealInfo.property.certListType"),
        (Variant(property_info=tlv(IA5, b"/Doc_0/Pages")), "toSign.propertyInfo"),
        (Variant(algorithm=oid("1.2.840.10045.4.3.2")), "signatureAlgID"),
        (Variant(seal_algorithm=oid("1.2.840.10045.4.3.2")), "eseal.signAlgID"),
    ],
    ids=["version", "digests as type 1", "type 9", "propertyInfo", "algorithm", "seal algorithm"],
)
def test_what_contradicts_the_rest_is_remarked(variant: Variant, field: str) -> None:
    """Readers in the field do not look at these."""
    assert judged(variant) == (
        {("warning", "seal.consistency.contradictory", field)},
        Outcome.OK,
    )


def test_a_signer_named_by_a_weak_digest_alone_is_remarked() -> None:
    value = hashlib.md5(seal_world().owner.certificate, usedforsecurity=False).digest()
    weak = sequence(tlv(PRINTABLE, b"MD5"), octets(value))
    strong = sequence(tlv(PRINTABLE, b"SM3"), octets(sm3(seal_world().owner.certificate)))
    found = {("warning", "seal.signer_listed.weak", "")}
    assert judged(Variant(property_=property_of(2, sequence(weak)))) == (found, Outcome.OK)
    assert judged(Variant(property_=property_of(2, sequence(weak, strong)))) == (set(), Outcome.OK)


def test_a_time_stamp_nobody_can_read_fails_though_others_pass_it_over() -> None:
    assert judged(Variant(time_stamp=explicit(0, bits(b"token")))) == (
        {("failed", "seal.time_stamp.malformed", "")},
        Outcome.OK,
    )


def test_a_seal_for_endless_signers_is_unreadable() -> None:
    endless = sequence(*[octets(b"")] * 200_000)
    with pytest.raises(SesMalformed):
        read_seal(Variant(property_=property_of(1, endless)).seal())


@pytest.mark.parametrize("cut", range(0, 6000, 487))
def test_a_truncated_signature_is_unreadable(cut: int) -> None:
    value = Variant().signed_value()
    report = judge(ofd_package.write(parts() | {SIGNED_VALUE: value[: min(cut, len(value) - 1)]}))
    assert ("failed", "ofd.signature.value_unreadable", SIGNED_VALUE) in troubles(report)
