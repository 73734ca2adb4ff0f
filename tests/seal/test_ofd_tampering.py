"""The verifier names what was changed after signing, and survives rubbish."""

import base64
import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.sm3 import sm3
from seal.ofd_package import NotAnOfd
from seal.report import Outcome
from tests.seal.ofd_builders import (
    PAGE,
    SEAL_FILE,
    SIGNATURE,
    SIGNATURES,
    SIGNED_VALUE,
    Change,
    altered,
    entries,
    replacing,
    resigned,
    seal_of,
    seal_world,
    stamped,
    stamped_ofd,
)
from tests.seal.ofd_judging import codes, judge, troubles, without

IN_SECOND = "Doc_0/Signs/Sign_1"


@pytest.mark.parametrize(
    "name", sorted(set(entries(stamped_ofd())) - {SIGNATURES, SIGNATURE, SIGNED_VALUE})
)
def test_a_byte_added_to_any_protected_entry_is_named(name: str) -> None:
    report = judge(altered(stamped_ofd(), {name: lambda body: body + b" "}))
    assert ("failed", "ofd.digests.differs", name) in troubles(report)
    assert report.outcome is Outcome.FAILED


def test_a_flipped_bit_in_the_page_is_named_though_the_archive_itself_is_broken() -> None:
    data = bytearray(stamped_ofd())
    data[data.find(PAGE.encode()) + len(PAGE) + 40] ^= 4
    assert {
        ("failed", "ofd.package.damaged", PAGE),
        ("failed", "ofd.digests.differs", PAGE),
    } <= troubles(judge(bytes(data)))


def test_a_flipped_bit_in_ofd_xml_is_named() -> None:
    data = bytearray(stamped_ofd())
    data[data.find(b"OFD.xml") + 60] ^= 4
    assert {
        ("failed", "ofd.package.damaged", "OFD.xml"),
        ("failed", "ofd.signatures.unreadable", "OFD.xml"),
    } <= troubles(judge(bytes(data)))


def test_a_changed_signature_xml_breaks_the_hash_and_nothing_else() -> None:
    report = judge(altered(stamped_ofd(), {SIGNATURE: replacing(b"20260520", b"20260521")}))
    assert troubles(report) == {("failed", "seal.data_hash.differs", "")}


def test_a_changed_signature_value_is_bad() -> None:
    def flip(content: bytes) -> bytes:
        return content[:-1] + bytes([content[-1] ^ 1])

    report = judge(altered(stamped_ofd(), {SIGNED_VALUE: flip}))
    assert troubles(report) == {("failed", "seal.signature.bad", "")}


def test_a_removed_entry_is_named() -> None:
    report = judge(altered(stamped_ofd(), {"Doc_0/Tags/CustomTag.xml": None}))
    assert troubles(report) == {
        ("failed", "ofd.digests.missing_part", "Doc_0/Tags/CustomTag.xml"),
        ("warning", "ofd.structure.missing_part", "Doc_0/Tags/CustomTag.xml"),
    }


def test_another_seal_file_than_the_signed_one_is_told() -> None:
    other = seal_of(seal_world().maker, seal_world().owner)
    report = judge(resigned(stamped_ofd(), seal=other))
    assert troubles(report) == {("failed", "ofd.seal_file.differs", SEAL_FILE)}


def test_a_smuggled_entry_is_told() -> None:
    report = judge(altered(stamped_ofd(), {"Doc_0/hidden.bin": b"x"}))
    assert troubles(report) == {("warning", "ofd.coverage.unreferenced", "Doc_0/hidden.bin")}


def test_content_that_no_signature_covers_fails() -> None:
    change = without(f'<ofd:Reference FileRef="/{PAGE}">'.encode(), b"</ofd:Reference>")
    report = judge(resigned(stamped_ofd(), {SIGNATURE: change}))
    assert troubles(report) == {("failed", "ofd.coverage.uncovered", PAGE)}


def test_a_second_document_in_the_file_is_covered_by_no_signature() -> None:
    second = b"<ofd:DocBody><ofd:DocRoot>Doc_1/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>"
    changes: dict[str, Change] = {
        "OFD.xml": replacing(b"</ofd:OFD>", second),
        "Doc_1/Document.xml": b"<Document/>",
    }
    assert troubles(judge(altered(stamped_ofd(), changes))) == {
        ("failed", "ofd.digests.differs", "OFD.xml"),
        ("failed", "ofd.coverage.uncovered", "Doc_1/Document.xml"),
    }


def test_an_annotation_drawn_over_the_page_after_signing_is_told() -> None:
    over = b"<Annotations><Page PageID='1'><FileLoc>Annot.xml</FileLoc></Page></Annotations>"
    pointer = b"<ofd:Annotations>Annots/Annotations.xml</ofd:Annotations></ofd:Document>"
    changes: dict[str, Change] = {
        "Doc_0/Document.xml": replacing(b"</ofd:Document>", pointer),
        "Doc_0/Annots/Annotations.xml": over,
        "Doc_0/Annots/Annot.xml": b"<PageAnnot/>",
    }
    assert troubles(judge(altered(stamped_ofd(), changes))) == {
        ("failed", "ofd.digests.differs", "Doc_0/Document.xml"),
        ("failed", "ofd.coverage.uncovered", "Doc_0/Annots/Annotations.xml"),
        ("failed", "ofd.coverage.uncovered", "Doc_0/Annots/Annot.xml"),
    }


def test_a_signature_over_nothing_is_told() -> None:
    def emptied(content: bytes) -> bytes:
        content = without(b"<ofd:Reference ", b"</ofd:References>")(content)
        return content.replace(b"<ofd:StampAnnot", b"</ofd:References><ofd:StampAnnot")

    report = judge(resigned(stamped_ofd(), {SIGNATURE: emptied}))
    assert ("failed", "ofd.digests.empty", SIGNATURE) in troubles(report)


def test_a_second_signature_taken_out_of_the_list_leaves_an_orphan() -> None:
    twice = stamped(stamped_ofd())
    report = judge(altered(twice, {SIGNATURES: without(b'<ofd:Signature ID="s003"', b"/>")}))
    assert {(o, c) for o, c, _ in troubles(report)} == {("warning", "ofd.signatures.orphaned")}
    assert {p for _, _, p in troubles(report)} == {
        f"{IN_SECOND}/{name}" for name in ("Signature.xml", "SignedValue.dat", "Seal.esl")
    }


def test_signatures_cut_off_from_ofd_xml_leave_a_document_not_signed_and_orphans() -> None:
    change = without(b"<ofd:Signatures>", b"</ofd:Signatures>")
    found = troubles(judge(altered(stamped_ofd(), {"OFD.xml": change})))
    assert ("failed", "ofd.signatures.none", "") in found
    assert ("warning", "ofd.signatures.orphaned", SIGNATURE) in found


def test_a_signature_after_a_whole_document_one_breaks_the_first_only() -> None:
    parts = entries(stamped_ofd())
    digest = base64.b64encode(sm3(parts[SIGNATURES])).decode()
    own = (
        f'<ofd:Reference FileRef="/{SIGNATURES}"><ofd:CheckValue>{digest}</ofd:CheckValue>'
        "</ofd:Reference></ofd:References>"
    )
    whole = resigned(stamped_ofd(), {SIGNATURE: replacing(b"</ofd:References>", own.encode())})
    assert troubles(judge(whole)) == set()
    longer = altered(whole, {SIGNATURES: replacing(b"</ofd:Signatures>", b" </ofd:Signatures>")})
    assert troubles(judge(longer)) == {("failed", "ofd.digests.differs", SIGNATURES)}


def test_a_repeated_name_fails() -> None:
    target = io.BytesIO(stamped_ofd())
    with zipfile.ZipFile(target, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(PAGE, entries(stamped_ofd())[PAGE])
    assert ("failed", "ofd.package.repeated_name", PAGE) in troubles(judge(target.getvalue()))


def test_names_that_clash_on_other_systems_are_told() -> None:
    """A reader that unpacks the file into a folder there shows the one it wrote last."""
    for ending in (".", " ", "\u200c", "::$DATA"):
        found = troubles(judge(altered(stamped_ofd(), {PAGE + ending: b"<Page/>"})))
        assert ("failed", "ofd.package.case_clash", PAGE) in found
    found = troubles(judge(altered(stamped_ofd(), {"ofd.XML": b"<OFD/>"})))
    assert ("failed", "ofd.package.case_clash", "OFD.xml") in found


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        (SIGNATURES, b"no xml", "ofd.signatures.unreadable"),
        (SIGNATURES, None, "ofd.signatures.unreadable"),
        (SIGNATURES, b"<Signatures/>", "ofd.signatures.none"),
        (SIGNATURES, b"<S>" + b"<Signature/>" * 101 + b"</S>", "ofd.signatures.unreadable"),
        (SIGNATURE, b"no xml", "ofd.signature.unreadable"),
        (SIGNATURE, b"<Signature/>", "ofd.signature.unreadable"),
        (SIGNATURE, None, "ofd.signature.unreadable"),
        (SIGNED_VALUE, b"rubbish", "ofd.signature.value_unreadable"),
        (SIGNED_VALUE, None, "ofd.signature.no_value"),
        ("OFD.xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "ofd.signatures.unreadable"),
        ("Doc_0/Document.xml", b"no xml", "ofd.structure.unreadable"),
    ],
)
def test_what_cannot_be_read_is_reported(name: str, change: bytes | None, code: str) -> None:
    report = judge(altered(stamped_ofd(), {name: change}))
    assert code in codes(report)
    assert report.outcome is Outcome.FAILED


def test_parts_that_name_each_other_in_a_circle_are_followed_once() -> None:
    circle = b'<Page xmlns="http://www.ofdspec.org/2016"><PageRes>Content.xml</PageRes></Page>'
    assert judge(altered(stamped_ofd(), {PAGE: circle})).outcome is Outcome.FAILED


def test_what_is_no_package_is_refused() -> None:
    with pytest.raises(NotAnOfd):
        judge(b"rubbish")


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(sorted(entries(stamped_ofd()))),
    at=st.integers(min_value=0),
    byte=st.integers(min_value=0, max_value=255),
)
def test_any_changed_byte_in_any_entry_is_noticed(name: str, at: int, byte: int) -> None:
    body = bytearray(entries(stamped_ofd())[name])
    body[at % len(body)] = byte
    if bytes(body) == entries(stamped_ofd())[name] or name == SIGNATURES:
        return
    assert judge(altered(stamped_ofd(), {name: bytes(body)})).outcome is Outcome.FAILED


@settings(max_examples=150, deadline=None)
@given(at=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=7))
def test_a_flipped_bit_anywhere_in_the_file_never_crashes(at: int, bit: int) -> None:
    data = bytearray(stamped_ofd())
    data[at % len(data)] ^= 1 << bit
    try:
        judge(bytes(data))
    except NotAnOfd:
        return
