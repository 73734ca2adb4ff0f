"""Stamping: what is there stays as it is, and others can stamp after us."""

import base64
import io
import zipfile
from datetime import datetime, timedelta

import ofdkit
import pytest

from keys.sm3 import sm3
from seal import ofd_package
from seal.face import SealBox
from seal.ofd_draft import OfdLocked
from seal.ofd_package import NotAnOfd
from seal.ofd_seal import finish, prepare, stamp
from seal.ofd_xml import child, children, descendants, local_name, parse, text
from seal.seal_use import SealNotUsable
from seal.ses_reading import read_signature
from tests.seal.ofd_builders import (
    BOX,
    FIELDS,
    FOLDER,
    FOUNDED,
    SEAL_FILE,
    SIGNATURE,
    SIGNATURES,
    SIGNED_AT,
    SIGNED_VALUE,
    YEAR,
    altered,
    entries,
    plain_ofd,
    replacing,
    seal_world,
    stamped,
    stamped_ofd,
)

SECOND = "Doc_0/Signs/Sign_1"
OWN = {SIGNATURES, SIGNATURE, SIGNED_VALUE}


def references(ofd: bytes, part: str = SIGNATURE) -> dict[str, bytes]:
    return {
        element.get("FileRef", "").removeprefix("/"): base64.b64decode(text(element, "CheckValue"))
        for element in descendants(parse(entries(ofd)[part], part), "Reference")
    }


def test_only_the_pointer_in_ofd_xml_and_the_signature_parts_are_new() -> None:
    before, after = entries(plain_ofd()), entries(stamped_ofd())
    assert {n for n, body in before.items() if after[n] != body} == {"OFD.xml"}
    assert set(after) - set(before) == OWN | {SEAL_FILE}


def test_every_entry_but_the_unavoidable_three_is_referenced_by_its_sm3() -> None:
    after = entries(stamped_ofd())
    assert references(stamped_ofd()) == {
        name: sm3(body) for name, body in after.items() if name not in OWN
    }


def test_the_signature_is_about_the_final_signature_xml() -> None:
    after = entries(stamped_ofd())
    signed = read_signature(after[SIGNED_VALUE])
    assert signed.data_hash == sm3(after[SIGNATURE])
    assert signed.property_info == f"/{SIGNATURE}"
    assert signed.signed_at == SIGNED_AT
    assert signed.seal.encoded == after[SEAL_FILE] == seal_world().seal


def test_signature_xml_is_in_the_order_of_the_schema() -> None:
    root = parse(entries(stamped_ofd())[SIGNATURE], SIGNATURE)
    info = child(root, "SignedInfo")
    assert info is not None
    assert [local_name(e) for e in root] == ["SignedInfo", "SignedValue"]
    assert [local_name(e) for e in info] == [
        "Provider",
        "SignatureMethod",
        "SignatureDateTime",
        "References",
        "StampAnnot",
        "Seal",
    ]
    assert text(info, "SignatureMethod") == "1.2.156.10197.1.501"
    assert text(info, "SignatureDateTime") == "20260520013000Z"
    assert [e.get("CheckMethod") for e in children(info, "References")] == ["1.2.156.10197.1.401"]


def test_the_stamp_lies_on_the_first_page_at_true_size() -> None:
    root = parse(entries(stamped_ofd())[SIGNATURE], SIGNATURE)
    (annotation,) = descendants(root, "StampAnnot")
    page = child(parse(entries(stamped_ofd())["Doc_0/Document.xml"], ""), "Pages", "Page")
    assert page is not None
    assert annotation.get("PageRef") == page.get("ID")
    assert annotation.get("Boundary") == "100 100 42 42"


def ids(ofd: bytes) -> list[tuple[str, str]]:
    return [
        (local_name(e), e.get("ID") or text(e)) for e in parse(entries(ofd)[SIGNATURES], SIGNATURES)
    ]


def test_ids_of_signatures_and_stamps_share_one_series() -> None:
    assert ids(stamped_ofd()) == [("MaxSignId", "s002"), ("Signature", "s001")]
    assert ids(stamped(stamped_ofd())) == [
        ("MaxSignId", "s004"),
        ("Signature", "s001"),
        ("Signature", "s003"),
    ]


def test_a_second_stamp_leaves_every_byte_of_the_first_alone() -> None:
    first = stamped_ofd()
    second = stamped(first, SealBox(20, 100, 42, 42))
    before, after = entries(first), entries(second)
    assert {n for n, body in before.items() if after[n] != body} == {SIGNATURES}
    assert {SIGNATURE, SIGNED_VALUE, SEAL_FILE} <= set(
        references(second, f"{SECOND}/Signature.xml")
    )


def test_stamping_is_repeatable_but_for_the_signature_value() -> None:
    def without_value(ofd: bytes) -> dict[str, bytes]:
        return {n: body for n, body in entries(ofd).items() if n != SIGNED_VALUE}

    assert without_value(stamped(plain_ofd())) == without_value(stamped(plain_ofd()))


def test_the_signature_may_be_made_elsewhere() -> None:
    world = seal_world()
    prepared = prepare(plain_ofd(), world.seal, world.owner.certificate, BOX, SIGNED_AT)
    done = finish(prepared, world.owner.signer.sign(prepared.to_be_signed))
    assert read_signature(entries(done)[SIGNED_VALUE]).signed_bytes == prepared.to_be_signed


def test_a_stamped_file_still_reads() -> None:
    with ofdkit.open(io.BytesIO(stamped_ofd())) as document:
        assert FIELDS["holder"] in document.text()


def test_a_document_under_whole_protection_is_not_signed_again() -> None:
    whole = altered(
        stamped_ofd(),
        {SIGNATURE: replacing(b'FileRef="/OFD.xml"', f'FileRef="/{SIGNATURES}"'.encode())},
    )
    with pytest.raises(OfdLocked) as caught:
        stamped(whole)
    assert caught.value.parameters == {"part": SIGNATURE}


def test_a_certificate_the_seal_was_not_made_for_cannot_stamp() -> None:
    world = seal_world()
    with pytest.raises(SealNotUsable, match="signer_not_listed"):
        stamp(plain_ofd(), world.seal, world.maker.signer, world.maker.certificate, BOX, SIGNED_AT)


@pytest.mark.parametrize("at", [FOUNDED - timedelta(seconds=1), FOUNDED + 3 * YEAR + timedelta(1)])
def test_a_seal_cannot_be_used_outside_its_validity(at: datetime) -> None:
    with pytest.raises(SealNotUsable, match="outside_validity"):
        stamped(plain_ofd(), at=at)


def test_a_document_in_the_old_namespace_gets_its_pointer_in_that_namespace() -> None:
    old = altered(
        plain_ofd(),
        {
            "OFD.xml": lambda body: body.replace(
                b"http://www.ofdspec.org/2016", b"http://www.ofdspec.org"
            )
        },
    )
    root = parse(entries(stamped(old))["OFD.xml"], "OFD.xml")
    pointer = child(root, "DocBody", "Signatures")
    assert pointer is not None
    assert pointer.tag == "{http://www.ofdspec.org}Signatures"


def test_a_leftover_folder_of_another_signature_is_not_reused() -> None:
    left = altered(plain_ofd(), {f"{FOLDER}/Signature.xml": b"<left/>"})
    assert f"{SECOND}/SignedValue.dat" in entries(stamped(left))


def test_a_package_that_is_damaged_or_ambiguous_is_not_stamped() -> None:
    target = io.BytesIO(plain_ofd())
    with zipfile.ZipFile(target, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("Doc_0/Document.xml", b"<Document/>")
    with pytest.raises(NotAnOfd):
        stamped(target.getvalue())


@pytest.mark.parametrize(
    "changes",
    [
        {"OFD.xml": b"<OFD/>"},
        {"OFD.xml": b"no xml"},
        {"Doc_0/Document.xml": None},
        {"Doc_0/Document.xml": b"<Document/>"},
    ],
)
def test_a_document_without_a_page_is_not_stamped(changes: dict[str, bytes | None]) -> None:
    parts = {**entries(plain_ofd()), **changes}
    broken = ofd_package.write({name: body for name, body in parts.items() if body is not None})
    with pytest.raises(NotAnOfd):
        stamped(broken)
