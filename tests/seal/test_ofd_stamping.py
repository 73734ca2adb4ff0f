"""Stamps of every kind: whole mode, several places in one signature, time stamps, seals that cannot stamp."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.algorithms import SM2_SM3
from keys.der import octets, oid, sequence
from keys.der_signature import from_der
from keys.errors import DomainError
from keys.software_signer import SoftwareSigner, generate
from keys.time_stamp_client import TimeStampNotGranted
from keys.verify import verify as verify_value
from seal import ofd_package
from seal.ofd_draft import Mode, OfdLocked
from seal.ofd_package import NotAnOfd
from seal.ofd_pages import pages
from seal.ofd_seal import finish, prepare, stamp
from seal.ofd_writer import write_ofd
from seal.ofd_xml import descendants, parse
from seal.seal_use import SealNotUsable
from seal.ses import CertListType, Extension, make_seal, seal_signature, to_be_signed
from seal.ses_reading import read_seal, read_signature
from seal.ses_structure import SesSignature
from seal.stamp_places import At, ByKeyword, ByTag, Place, Riding, StampPlaceUnsuitable
from seal.time_proof import TimeStamper, check
from tests.seal.ofd_builders import (
    BOX,
    FOUNDED,
    LATER,
    OWNER,
    SIGNATURE,
    SIGNATURES,
    SIGNED_AT,
    SIGNED_VALUE,
    YEAR,
    altered,
    entries,
    face,
    info,
    picture,
    plain_ofd,
    seal_world,
    stamped,
    stamped_ofd,
)
from tests.seal.seal_versions import seal_2014, seal_2025
from tests.seal.time_stamping import STAMPED_AT, time_stamper
from tests.trusting import trusting


def stamp_with(
    ofd: bytes,
    *places: Place,
    mode: Mode = Mode.CONTINUE,
    stamper: TimeStamper | None = None,
    seal: bytes = b"",
) -> bytes:
    world = seal_world()
    owner = world.owner
    return stamp(
        ofd,
        seal or world.seal,
        owner.signer,
        owner.certificate,
        places,
        SIGNED_AT,
        mode=mode,
        time_stamper=stamper,
    )


def annotations(ofd: bytes, part: str = SIGNATURE) -> list[dict[str, str]]:
    root = parse(entries(ofd)[part], part)
    return [
        {name: element.get(name, "") for name in ("ID", "PageRef", "Boundary", "Clip")}
        for element in descendants(root, "StampAnnot")
    ]


def covered(ofd: bytes, part: str = SIGNATURE) -> set[str]:
    root = parse(entries(ofd)[part], part)
    return {element.get("FileRef", "")[1:] for element in descendants(root, "Reference")}


def test_the_whole_document_is_protected_with_the_list_of_signatures() -> None:
    whole = stamp_with(plain_ofd(), BOX, mode=Mode.WHOLE)
    assert covered(whole) == set(entries(whole)) - {SIGNATURE, SIGNED_VALUE}
    assert SIGNATURES in covered(whole)


def test_nobody_stamps_after_the_whole_document_was_protected() -> None:
    with pytest.raises(OfdLocked):
        stamped(stamp_with(plain_ofd(), BOX, mode=Mode.WHOLE))


def test_the_last_of_several_may_close_the_document() -> None:
    closed = stamp_with(stamped(plain_ofd()), At(0, 10, 10), mode=Mode.WHOLE)
    second = "Doc_0/Signs/Sign_1/Signature.xml"
    assert {SIGNATURES, SIGNATURE, SIGNED_VALUE} <= covered(closed, second)


def test_one_signature_may_show_at_several_places() -> None:
    ofd = stamp_with(plain_ofd(), BOX, At(0, 10, 20), ByKeyword("施工许可证"), ByTag("number"))
    drawn = annotations(ofd)
    assert [one["ID"] for one in drawn] == ["s002", "s003", "s004", "s005"]
    assert [one["Boundary"] for one in drawn[:2]] == ["100 100 42 42", "10 20 42 42"]
    root = parse(entries(ofd)[SIGNATURES], SIGNATURES)
    assert [element.text or element.get("ID") for element in root] == ["s005", "s001"]


def test_a_riding_seal_is_one_signature_with_a_slice_on_each_page() -> None:
    ofd = write_ofd(replace(face(), pages=face().pages * 3), info())
    drawn = annotations(stamp_with(ofd, Riding()))
    assert [one["PageRef"] for one in drawn] == [page.id for page in pages(ofd_package.read(ofd))]
    assert [one["Clip"] for one in drawn] == ["0 0 14 42", "14 0 14 42", "28 0 14 42"]
    assert [one["Boundary"] for one in drawn] == [
        "283 84 42 42",
        "269 84 42 42",
        "255 84 42 42",
    ]


def test_a_stamp_may_show_nowhere() -> None:
    assert annotations(stamp_with(plain_ofd())) == []


def test_a_place_that_is_not_there_signs_nothing() -> None:
    with pytest.raises(StampPlaceUnsuitable, match="keyword"):
        stamp_with(plain_ofd(), ByKeyword("没有的字"))


def test_a_time_stamp_is_over_the_value_of_the_signature() -> None:
    ofd = stamp_with(plain_ofd(), BOX, stamper=time_stamper())
    signed = read_signature(entries(ofd)[SIGNED_VALUE])
    assert signed.time_stamp is not None
    proof = check(signed.time_stamp, signed.signature, trusting(*seal_world().anchors), LATER)
    assert proof.at == STAMPED_AT


def test_without_a_time_stamp_there_is_no_stamp_either() -> None:
    def refuses(_value: bytes) -> bytes:
        raise TimeStampNotGranted(status="rejection", failure="time_not_available")

    with pytest.raises(TimeStampNotGranted):
        stamp_with(plain_ofd(), BOX, stamper=refuses)


def test_a_time_stamp_may_be_got_elsewhere() -> None:
    world = seal_world()
    prepared = prepare(plain_ofd(), world.seal, world.owner.certificate, BOX, SIGNED_AT)
    done = finish(prepared, world.owner.signer.sign(prepared.to_be_signed), b"a token")
    assert read_signature(entries(done)[SIGNED_VALUE]).time_stamp == b"a token"


@pytest.mark.parametrize("seal", [seal_2014, seal_2025], ids=["version 1", "version 5"])
def test_seals_of_other_versions_are_read_but_do_not_stamp(seal: Callable[[], bytes]) -> None:
    with pytest.raises(SealNotUsable, match="version"):
        stamp_with(plain_ofd(), BOX, seal=seal())


def test_a_key_that_is_not_the_certificates_does_not_stamp() -> None:
    world = seal_world()
    other = SoftwareSigner(generate(SM2_SM3))
    with pytest.raises(SealNotUsable, match="other_key"):
        stamp(plain_ofd(), world.seal, other, world.owner.certificate, BOX, SIGNED_AT)


# --- The structure of GB/T 38540-2020, byte for byte ---


def a_seal(
    list_type: CertListType = CertListType.WHOLE, extensions: tuple[Extension, ...] = ()
) -> bytes:
    world = seal_world()
    return make_seal(
        esid="37010000000001",
        name=OWNER,
        vendor="YINXIN",
        picture=picture(),
        width=42,
        height=42,
        signer_certificates=(world.owner.certificate,),
        created=FOUNDED,
        valid_from=FOUNDED,
        valid_until=FOUNDED + YEAR,
        maker_signer=world.maker.signer,
        maker_certificate=world.maker.certificate,
        list_type=list_type,
        extensions=extensions,
    )


def test_a_seal_may_list_its_signers_by_digest() -> None:
    seal = a_seal(list_type=CertListType.DIGEST)
    read = read_seal(seal)
    assert read.certificates == ()
    assert read.lists(seal_world().owner.certificate)
    assert not read.lists(seal_world().maker.certificate)
    assert SIGNED_VALUE in entries(stamp_with(plain_ofd(), BOX, seal=seal))


def test_extensions_of_a_seal_are_untagged_and_say_that_they_are_not_critical() -> None:
    seal = a_seal(extensions=(Extension("1.2.156.10197.6.7.2.2.1", b"2.1"),))
    # OID, BOOLEAN FALSE and OCTET STRING in two SEQUENCEs, as every maker in the field writes them.
    content = oid("1.2.156.10197.6.7.2.2.1") + b"\x01\x01\x00" + octets(b"2.1")
    assert seal.count(sequence(sequence(content))) == 1
    verify_value(
        seal_world().maker.signer.public_key,
        read_seal(seal).signed_bytes,
        from_der(read_seal(seal).signature),
    )


def test_extensions_of_a_signature_are_tagged() -> None:
    tbs = to_be_signed(
        seal_world().seal,
        signed_at=SIGNED_AT,
        data_hash=bytes(32),
        property_info="/x",
        extensions=(Extension("1.2.3", b"value", critical=True),),
    )
    assert tbs.endswith(bytes.fromhex("a012 3010 300e 0602 2a03 0101ff 0405") + b"value")


def test_what_is_written_is_what_the_library_would_write() -> None:
    world = seal_world()
    tbs = to_be_signed(world.seal, signed_at=SIGNED_AT, data_hash=bytes(32), property_info="/x")
    der = seal_signature(tbs, world.owner.certificate, world.owner.signer.sign(tbs), b"a token")
    assert SesSignature.load(der, strict=True).dump(force=True) == der


def test_times_are_whole_seconds_utc() -> None:
    moment = datetime(2026, 5, 20, 9, 30, 15, 900000, tzinfo=UTC) + timedelta(hours=8)
    tbs = to_be_signed(seal_world().seal, signed_at=moment, data_hash=bytes(32), property_info="/x")
    assert b"20260520173015Z" in tbs


# --- Bad input: refused with a reason, or stamped and then in order ---


@given(st.data())
@settings(max_examples=60)
def test_a_damaged_package_is_refused_with_a_reason_or_stamped(data: st.DataObject) -> None:
    ofd = bytearray(stamped_ofd() if data.draw(st.booleans()) else plain_ofd())
    at = data.draw(st.integers(min_value=0, max_value=len(ofd) - 1))
    ofd[at] ^= 1 << data.draw(st.integers(min_value=0, max_value=7))
    with suppress(DomainError):
        stamp_with(bytes(ofd), BOX, ByKeyword("施工许可证"))


@given(st.data())
@settings(max_examples=60)
def test_nonsense_in_any_part_is_refused_with_a_reason_or_stamped(data: st.DataObject) -> None:
    parts = entries(stamped_ofd())
    name = data.draw(st.sampled_from(sorted(part for part in parts if part.endswith(".xml"))))
    body = parts[name]
    start = data.draw(st.integers(min_value=0, max_value=len(body)))
    cut = data.draw(st.integers(min_value=0, max_value=30))
    put_in = data.draw(
        st.sampled_from([b"", b"999999999999", b"../", b"<a/>", b"&#x1;", b" ID='s9'"])
    )
    mangled = body[:start] + put_in + body[start + cut :]
    with suppress(DomainError):
        stamp_with(ofd_package.write({**parts, name: mangled}), BOX, ByTag("number"))


def test_an_entry_name_that_xml_cannot_say_is_refused() -> None:
    with pytest.raises(NotAnOfd, match="path"):
        stamped(altered(plain_ofd(), {"Doc_0/a\x01b": b"x"}))


def test_a_document_in_a_folder_of_another_script_is_stamped_beside_it() -> None:
    """propertyInfo is an IA5String: the signature has a path in ASCII whatever the document's is."""
    moved = {name.replace("Doc_0", "文档"): body for name, body in entries(plain_ofd()).items()}
    moved["OFD.xml"] = moved["OFD.xml"].replace(b"Doc_0", "文档".encode())
    done = entries(stamped(stamped(ofd_package.write(moved))))
    assert {"Signs/Sign_0/SignedValue.dat", "Signs/Sign_1/SignedValue.dat"} <= set(done)
    assert read_signature(done["Signs/Sign_0/SignedValue.dat"]).property_info.isascii()
