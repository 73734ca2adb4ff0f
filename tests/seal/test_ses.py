"""E-seals and seal signatures: encoded as GB/T 38540 readers expect, read in three versions."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from asn1crypto import core, parser
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.certificates import parse
from keys.der_signature import from_der
from keys.sm3 import sm3
from keys.verify import BadSignature, verify
from seal.ses import seal_signature, to_be_signed
from seal.ses_reading import SesMalformed, read_seal, read_signature
from seal.ses_structure import (
    ExtensionData,
    ListedCertificate,
    SeSeal,
)
from tests.seal.ofd_builders import FOUNDED, OWNER, SIGNED_AT, YEAR, picture, seal_world
from tests.seal.seal_versions import seal_2014, seal_2025, signature_2014, signature_2025
from tests.seal.time_stamping import token

HASH = sm3(b"Signature.xml")
PART = "/Doc_0/Signs/Sign_0/Signature.xml"


def tbs(at: datetime = SIGNED_AT) -> bytes:
    return to_be_signed(seal_world().seal, signed_at=at, data_hash=HASH, property_info=PART)


def signature() -> bytes:
    owner = seal_world().owner
    return seal_signature(tbs(), owner.certificate, owner.signer.sign(tbs()))


def element(der: bytes, *path: int) -> bytes:
    """Return the encoded element at `path`, counted from 0, whatever its type."""
    for index in path:
        der = core.Sequence.load(der)[index].dump()
    return der


def test_a_seal_says_what_it_was_made_of() -> None:
    seal = read_seal(seal_world().seal)
    assert (seal.version, seal.esid, seal.vendor) == (4, "37010000000001", "YINXIN")
    assert seal.name == OWNER + "电子证照专用章"
    assert (seal.picture_type, seal.picture) == ("png", picture())
    assert (seal.width, seal.height) == (42, 42)
    assert (seal.valid_from, seal.valid_until) == (FOUNDED, FOUNDED + 3 * YEAR)
    assert seal.certificates == (seal_world().owner.certificate,)
    assert seal.maker_certificate == seal_world().maker.certificate
    assert seal.encoded == seal_world().seal


def test_the_makers_signature_covers_the_seal_info_alone() -> None:
    world, seal = seal_world(), read_seal(seal_world().seal)
    assert seal.signed_bytes == element(world.seal, 0)
    verify(
        parse(world.maker.certificate).public_key, element(world.seal, 0), from_der(seal.signature)
    )


def test_a_changed_seal_breaks_the_makers_signature() -> None:
    world = seal_world()
    changed = world.seal.replace(b"37010000000001", b"37010000000002", 1)
    seal = read_seal(changed)
    with pytest.raises(BadSignature):
        verify(
            parse(world.maker.certificate).public_key, seal.signed_bytes, from_der(seal.signature)
        )


def test_a_signature_says_what_was_signed_and_carries_the_seal_unchanged() -> None:
    signed = read_signature(signature())
    assert signed.signed_at == SIGNED_AT
    assert (signed.data_hash, signed.property_info) == (HASH, PART)
    assert signed.seal.encoded == seal_world().seal
    assert element(signature(), 0, 1) == seal_world().seal
    assert signed.time_stamp is None


def test_the_owners_signature_covers_tbs_sign() -> None:
    signed = read_signature(signature())
    assert signed.signed_bytes == element(signature(), 0) == tbs()
    verify(seal_world().owner.signer.public_key, tbs(), from_der(signed.signature))


def test_times_are_utc_whole_seconds() -> None:
    late = datetime(2026, 5, 20, 9, 30, 7, 120_000, tzinfo=UTC)
    assert element(tbs(late), 2) == b"\x18\x0f20260520093007Z"


def test_the_path_is_an_ia5_string_and_the_hash_a_bit_string() -> None:
    assert element(tbs(), 4) == b"\x16" + bytes([len(PART)]) + PART.encode("ascii")
    assert element(tbs(), 3) == b"\x03\x21\x00" + HASH


def test_signature_algorithms_are_bare_object_identifiers() -> None:
    sm2_with_sm3 = bytes.fromhex("06082a811ccf55018375")
    assert element(signature(), 2) == sm2_with_sm3
    assert element(seal_world().seal, 2) == sm2_with_sm3


def test_an_uncritical_extension_is_written_out() -> None:
    extension = ExtensionData({"extn_id": "1.2.3", "critical": False, "extn_value": b"x"})
    assert b"\x01\x01\x00" in extension.dump()


def test_only_listed_certificates_may_stamp() -> None:
    seal = read_seal(seal_world().seal)
    assert seal.lists(seal_world().owner.certificate)
    assert not seal.lists(seal_world().maker.certificate)


def test_a_certificate_may_be_listed_by_its_digest() -> None:
    world = seal_world()
    structure = SeSeal.load(world.seal)
    owner = structure["e_seal_info"]["property"]
    owner["cert_list_type"] = 2
    owner["cert_list"] = [
        ListedCertificate({"digest": {"type": kind, "value": value}})
        for kind, value in [("SM3", sm3(world.owner.certificate)), ("WHIRLPOOL", b"?")]
    ]
    seal = read_seal(structure.dump(force=True))
    assert seal.lists(world.owner.certificate)
    assert not seal.lists(world.maker.certificate)


@pytest.mark.parametrize(
    ("made", "version"), [(seal_2014, 1), (lambda: seal_world().seal, 4), (seal_2025, 5)]
)
def test_each_version_of_a_seal_is_read_and_its_maker_confirmed(
    made: Callable[[], bytes], version: int
) -> None:
    seal = read_seal(made())
    assert (seal.version, seal.name) == (version, OWNER + "电子证照专用章")
    assert seal.lists(seal_world().owner.certificate)
    verify(parse(seal.maker_certificate).public_key, seal.signed_bytes, from_der(seal.signature))


@pytest.mark.parametrize(
    ("made", "version"), [(signature_2014, 1), (signature, 4), (signature_2025, 5)]
)
def test_each_version_of_a_signature_is_read(made: Callable[[], bytes], version: int) -> None:
    signed = read_signature(made())
    assert signed.version == signed.seal.version == version
    assert signed.signed_at == SIGNED_AT
    verify(parse(signed.certificate).public_key, signed.signed_bytes, from_der(signed.signature))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"2026-05-20 09:30:00", SIGNED_AT),
        (b"2026-05-20T01:30:00Z", SIGNED_AT),
        (b"\x17\x0d260520013000Z", SIGNED_AT),
        (b"\x18\x0f20260520013000Z", SIGNED_AT),
        (b"0\x03\x02\x01\x00", None),
    ],
)
def test_version_1_writes_its_time_in_many_ways(written: bytes, read: datetime | None) -> None:
    assert read_signature(signature_2014(written)).signed_at == read


def test_a_time_stamp_where_version_1_has_its_time_is_the_signers_word() -> None:
    """It was there before the signature; only one over the value comes after."""
    inside = token(b"the document", SIGNED_AT)
    read = read_signature(signature_2014(inside))
    assert (read.signed_at, read.time_stamp) == (SIGNED_AT, None)
    assert read_signature(signature_2014(inside[:-1])).signed_at is None


def with_element(der: bytes, index: int, new: bytes) -> bytes:
    """Return the SEQUENCE with one element exchanged, everything else byte for byte."""
    elements = [element(der, at) for at in range(len(core.Sequence.load(der)))]
    elements[index] = new
    return bytes(parser.emit(0, 1, 16, b"".join(elements)))


def timed(text: bytes) -> bytes:
    """The signature with another GeneralizedTime in it."""
    moment = b"\x18" + bytes([len(text)]) + text
    return with_element(signature(), 0, with_element(tbs(), 2, moment))


@pytest.mark.parametrize(
    "text",
    [b"20260520013000Z", b"20260520013000.000Z", b"20260520093000+0800", b"20260520093000"],
)
def test_times_are_read_in_every_form_seen(text: bytes) -> None:
    assert read_signature(timed(text)).signed_at == SIGNED_AT


@pytest.mark.parametrize("der", [b"", b"\x30\x00", b"\x02\x01\x01", b"rubbish" * 100])
def test_what_is_no_seal_is_refused(der: bytes) -> None:
    with pytest.raises(SesMalformed):
        read_seal(der)
    with pytest.raises(SesMalformed):
        read_signature(der)


def test_a_seal_of_an_unknown_version_is_refused() -> None:
    structure = SeSeal.load(seal_world().seal)
    structure["e_seal_info"]["header"]["version"] = 3
    with pytest.raises(SesMalformed):
        read_seal(structure.dump(force=True))


@settings(deadline=None)
@given(at=st.integers(min_value=0), byte=st.integers(min_value=0, max_value=255))
def test_a_changed_byte_never_crashes_the_reader(at: int, byte: int) -> None:
    der = bytearray(signature())
    der[at % len(der)] = byte
    try:
        read_signature(bytes(der))
    except SesMalformed:
        return


@settings(deadline=None)
@given(length=st.integers(min_value=0, max_value=3000))
def test_a_truncated_signature_is_refused(length: int) -> None:
    der = signature()
    with pytest.raises(SesMalformed):
        read_signature(der[: min(length, len(der) - 1)])
