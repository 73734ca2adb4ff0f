"""What a stranger may send: bounded work, a report with reasons or a refusal, never a crash."""

import io
import socket
import struct
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.der import bits, integer, octets, sequence
from seal import ofd_package
from seal.ofd_document import MAX_LINKS
from seal.ofd_integrity import LIST, VALUE
from seal.ofd_package import NotAnOfd
from seal.report import Outcome, SealReport
from seal.ses_reading import MAX_BYTES, SesMalformed, read_seal, read_signature
from tests.seal.ofd_builders import (
    PAGE,
    SEAL_FILE,
    SIGNATURE,
    SIGNATURES,
    SIGNED_VALUE,
    altered,
    entries,
    stamped_ofd,
)
from tests.seal.ofd_judging import codes, judge, troubles

NAMES = sorted(entries(stamped_ofd()))
XML = [name for name in NAMES if name.endswith(".xml")]


def reported(data: bytes) -> SealReport | None:
    """Return the report, or None for what is refused."""
    with suppress(NotAnOfd):
        return judge(data)
    return None


# --- Every entry cut short, emptied, bent ---


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_an_entry_cut_short_fails_by_name(name: str, share: float) -> None:
    body = entries(stamped_ofd())[name]
    report = reported(altered(stamped_ofd(), {name: body[: int(len(body) * share)]}))
    assert report
    assert report.outcome is Outcome.FAILED
    if name != SIGNED_VALUE:  # what is wrong with the others is told with their names
        assert name in {part for _, _, part in troubles(report)} | {SIGNATURE}


@pytest.mark.parametrize("name", NAMES)
def test_a_bit_flipped_at_any_entry_of_the_archive_is_noticed(name: str) -> None:
    data = bytearray(stamped_ofd())
    start = data.index(name.encode()) + len(name)
    data[start + 12] ^= 1
    report = reported(bytes(data))
    assert report is None or report.outcome is Outcome.FAILED


@pytest.mark.parametrize("name", NAMES)
def test_an_archive_that_ends_at_any_entry_is_refused(name: str) -> None:
    data = stamped_ofd()
    assert reported(data[: data.index(name.encode())]) is None


# --- Archives ---


def test_an_archive_in_the_archive_is_not_opened() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("OFD.xml", bytes(20 * 1024 * 1024))
    report = judge(altered(stamped_ofd(), {"Doc_0/Res/inner.ofd": bomb.getvalue()}))
    assert troubles(report) == {("warning", "ofd.coverage.unreferenced", "Doc_0/Res/inner.ofd")}


def test_a_hundred_thousand_entries_are_refused() -> None:
    numbers, empty = range(100_000), bytes(12)
    local = b"".join(b"PK\3\4" + bytes(10) + empty + b"\5\0\0\0%05d" % n for n in numbers)
    listed = b"".join(
        b"PK\1\2"
        + bytes(12)
        + empty
        + b"\5\0"
        + bytes(12)
        + struct.pack("<I", 35 * n)
        + b"%05d" % n
        for n in numbers
    )
    for told in (100_000 % 2**16, 1):
        end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, told, told, len(listed), len(local), 0)
        with pytest.raises(NotAnOfd) as refused:
            judge(local + listed + end)
        assert refused.value.parameters["reason"] == "entries"


# --- XML ---

LAUGHS = (
    b'<!DOCTYPE a [<!ENTITY a "ha">'
    + b"".join(
        b'<!ENTITY %c "%s">' % (this, b"&%c;" % before * 10)
        for before, this in zip(b"abcdefghi", b"bcdefghij", strict=True)
    )
    + b"]><a>&j;</a>"
)
OUTSIDE = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>'
DEEP = b"<a>" * 100_000 + b"</a>" * 100_000
LONG = b"<a>" + b"x" * (9 * 1024 * 1024) + b"</a>"


@pytest.mark.parametrize(
    "body", [LAUGHS, OUTSIDE, DEEP, LONG], ids=["laughs", "file", "deep", "long"]
)
@pytest.mark.parametrize(
    "name", ["OFD.xml", "Doc_0/Document.xml", PAGE, SIGNATURES, SIGNATURE, LIST]
)
def test_hostile_xml_fails_unread(name: str, body: bytes) -> None:
    report = reported(stored({name: body}))
    assert report
    assert report.outcome is Outcome.FAILED
    assert b"ha" * 100 not in repr(report).encode()


def stored(changes: dict[str, bytes]) -> bytes:
    """The stamped face with other entries, not compressed: a bomb by ratio is refused before."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, body in (entries(stamped_ofd()) | changes).items():
            archive.writestr(name, body)
    return target.getvalue()


def test_no_address_in_a_file_is_called() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/x"
        entity = f'<!DOCTYPE a SYSTEM "{address}" [<!ENTITY b SYSTEM "{address}">]><a>&b;</a>'
        schema = f'<Page xmlns="{address}" xsi="{address}"><PageRes>{address}</PageRes></Page>'
        for body in (entity.encode(), schema.encode()):
            assert judge(altered(stamped_ofd(), {PAGE: body})).outcome is Outcome.FAILED
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize(
    ("name", "body"),
    [
        (
            "Doc_0/PublicRes.xml",
            b'<Res BaseLoc="."><Fonts><Font><FontFile>PublicRes.xml</FontFile></Font></Fonts></Res>',
        ),
        (
            "Doc_0/Document.xml",
            b"<Document><CommonData><PublicRes>Document.xml</PublicRes></CommonData></Document>",
        ),
        (
            "OFD.xml",
            b"<OFD><DocBody><DocRoot>OFD.xml</DocRoot><Signatures>OFD.xml</Signatures></DocBody></OFD>",
        ),
        (
            "Doc_0/Document.xml",
            b"<Document><Pages><Page BaseLoc='Document.xml'/></Pages></Document>",
        ),
        (SIGNATURES, b"<Signatures><Signature BaseLoc='Signatures.xml'/></Signatures>"),
        (
            SIGNATURE,
            b"<Signature><SignedInfo><References/></SignedInfo><SignedValue>Signature.xml</SignedValue></Signature>",
        ),
    ],
    ids=["resources", "document", "root", "page", "list", "signature"],
)
def test_parts_that_lead_to_themselves_end(name: str, body: bytes) -> None:
    assert judge(altered(stamped_ofd(), {name: body})).outcome is Outcome.FAILED


def test_a_part_that_names_endless_others_is_not_followed() -> None:
    body = b"<Page>" + b"<PageRes>a</PageRes>" * (MAX_LINKS + 1) + b"</Page>"
    found = troubles(judge(stored({PAGE: body})))
    assert ("failed", "ofd.structure.unreadable", PAGE) in found


def test_huge_pages_and_places_are_only_numbers() -> None:
    body = b"<Page><Area><PhysicalBox>0 0 1e308 1e308</PhysicalBox></Area></Page>"
    assert ("failed", "ofd.digests.differs", PAGE) in troubles(
        judge(altered(stamped_ofd(), {PAGE: body}))
    )


# --- Fonts, pictures, certificates, seals ---


def test_fonts_and_pictures_are_never_opened() -> None:
    rubbish = {name: b"\0\1\0\0" + b"\xff" * 5000 for name in NAMES if "/Res/" in name}
    assert rubbish
    found = {(code, part) for _, code, part in troubles(judge(altered(stamped_ofd(), rubbish)))}
    assert found == {("ofd.digests.differs", name) for name in rubbish}


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\x30",
        b"\x30\x80\x00\x00",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x82\x04\x00" * 1000,
        sequence(*[integer(0)] * 100_000),
        sequence(sequence(*[octets(b"")] * 5), bits(b"x")),
        sequence(b"\x05\x00", bits(b"x")),
    ],
    ids=["empty", "no length", "endless", "4 GB", "deep", "wide", "odd", "null"],
)
def test_hostile_structures_are_unreadable(value: bytes) -> None:
    for read in (read_seal, read_signature):
        with pytest.raises(SesMalformed):
            read(value)
    for name in (SIGNED_VALUE, VALUE):
        assert codes(judge(stored({name: value})))


def test_a_seal_of_many_megabytes_is_unreadable() -> None:
    with pytest.raises(SesMalformed):
        read_seal(sequence(octets(bytes(MAX_BYTES))))


@settings(max_examples=150)
@given(at=st.integers(min_value=0), value=st.binary(min_size=1, max_size=3))
def test_no_bent_seal_crashes_the_reader(at: int, value: bytes) -> None:
    for name, read in ((SEAL_FILE, read_seal), (SIGNED_VALUE, read_signature)):
        der = bytearray(entries(stamped_ofd())[name])
        der[at % len(der) : at % len(der) + len(value)] = value
        with suppress(SesMalformed):
            read(bytes(der))


@settings(max_examples=25)
@given(data=st.binary(max_size=200))
def test_no_rubbish_entry_crashes_the_verifier(data: bytes) -> None:
    for name in (SIGNATURES, SIGNATURE, SIGNED_VALUE, PAGE, "OFD.xml", LIST):
        parts = entries(stamped_ofd()) | {name: data}
        reported(ofd_package.write(parts))
