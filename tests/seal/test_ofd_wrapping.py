"""True signatures put where they do not belong: every one holds, and the file says what nobody signed."""

import hashlib
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace

import pytest

from keys.der import explicit, oid, sequence, tlv
from keys.sm3 import sm3
from seal import ofd_package
from seal.der_counting import check_count
from seal.ofd_package import NotAnOfd
from seal.ofd_signatures import MAX_REFERENCES
from seal.report import Outcome
from seal.ses import seal_signature, to_be_signed
from seal.signed_data import SignedDataMalformed, read_signed_data
from seal.signed_data_structure import SIGNED_DATA, ContentInfo
from tests.seal.ofd_builders import (
    BOX,
    PAGE,
    SIGNATURE,
    SIGNATURES,
    SIGNED_AT,
    SIGNED_VALUE,
    altered,
    entries,
    replacing,
    resigned,
    seal_world,
    stamped,
    stamped_ofd,
)
from tests.seal.ofd_judging import judge, troubles, without
from tests.seal.seal_versions import signed_data

SECOND = "Doc_0/Signs/Sign_1"


def twice() -> bytes:
    return stamped(stamped_ofd(), replace(BOX, x=20.0))


def second_covering(change: Callable[[bytes], bytes]) -> bytes:
    """A second seal, truly signed by its owner, whose Signature.xml was changed first."""
    world, parts = seal_world(), entries(twice())
    content = change(parts[f"{SECOND}/Signature.xml"])
    tbs = to_be_signed(
        world.seal,
        signed_at=SIGNED_AT,
        data_hash=sm3(content),
        property_info=f"/{SECOND}/Signature.xml",
    )
    value = seal_signature(tbs, world.owner.certificate, world.owner.signer.sign(tbs))
    return ofd_package.write(
        parts | {f"{SECOND}/Signature.xml": content, f"{SECOND}/SignedValue.dat": value}
    )


def test_a_seal_that_leaves_the_page_it_shows_on_to_another_signature_fails() -> None:
    change = without(f'<ofd:Reference FileRef="/{PAGE}">'.encode(), b"</ofd:Reference>")
    assert troubles(judge(second_covering(change))) == {
        ("failed", "ofd.coverage.left_to_others", PAGE)
    }


def test_a_seal_of_another_document_does_not_pass_under_the_cover_of_a_true_one() -> None:
    """Its own parts come along and are untouched; what it covers is nothing of this document."""

    def elsewhere(content: bytes) -> bytes:
        start = content.index(b"<ofd:Reference ")
        end = content.index(b"</ofd:References>")
        own = content.index(f'<ofd:Reference FileRef="/{SECOND}/Seal.esl">'.encode())
        stop = content.index(b"</ofd:Reference>", own) + len(b"</ofd:Reference>")
        return content[:start] + content[own:stop] + content[end:]

    report = judge(second_covering(elsewhere))
    assert troubles(report) == {("failed", "ofd.coverage.left_to_others", "OFD.xml")}
    assert [f.outcome for f in report.seals[1].findings if f.check == "coverage"] == [
        Outcome.FAILED
    ]


def test_an_earlier_signature_need_not_protect_what_a_later_one_brought() -> None:
    assert troubles(judge(twice())) == set()


def test_a_page_named_as_somebodys_signature_value_stays_a_page() -> None:
    """What anybody may add to the list of signatures takes nothing out of the document."""
    names_page = (
        b"<Signature><SignedInfo><References/></SignedInfo>"
        b"<SignedValue>/%s</SignedValue></Signature>"
    )
    record = b'<ofd:Signature ID="s009" BaseLoc="/Doc_0/x.xml"/></ofd:Signatures>'
    second = second_covering(
        without(f'<ofd:Reference FileRef="/{PAGE}">'.encode(), b"</ofd:Reference>")
    )
    bent = altered(
        second,
        {
            SIGNATURES: replacing(b"</ofd:Signatures>", record),
            "Doc_0/x.xml": names_page % PAGE.encode(),
        },
    )
    assert ("failed", "ofd.coverage.left_to_others", PAGE) in troubles(judge(bent))


def test_a_copy_of_a_seal_signature_under_another_name_is_told() -> None:
    parts = entries(stamped_ofd())
    record = b'<ofd:Signature ID="s009" BaseLoc="/Doc_0/Signs/copy.xml"/></ofd:Signatures>'
    bent = altered(
        stamped_ofd(),
        {
            SIGNATURES: replacing(b"</ofd:Signatures>", record),
            "Doc_0/Signs/copy.xml": parts[SIGNATURE],
        },
    )
    assert troubles(judge(bent)) == {
        ("warning", "seal.consistency.contradictory", "toSign.propertyInfo")
    }


@pytest.mark.parametrize("kind", ["Sign", "sign", "SEAL", "Other"])
def test_a_seal_told_to_be_of_another_kind_does_not_pass_for_one(kind: str) -> None:
    bent = altered(
        stamped_ofd(), {SIGNATURES: replacing(b'Type="Seal"', f'Type="{kind}"'.encode())}
    )
    unread = {("failed", "ofd.signature.value_unreadable", SIGNED_VALUE)}
    assert troubles(judge(bent)) == (unread if kind == "Sign" else set())


@pytest.mark.parametrize("reference", ["/{page}?x", "/{page}#x", "/{page} ", "/%44oc_0/x", ""])
def test_a_reference_is_a_name_and_no_address(reference: str) -> None:
    change = replacing(
        f'FileRef="/{PAGE}"'.encode(), f'FileRef="{reference.format(page=PAGE)}"'.encode()
    )
    found = troubles(judge(resigned(stamped_ofd(), {SIGNATURE: change})))
    assert ("failed", "ofd.coverage.uncovered", PAGE) in found
    assert "ofd.digests.missing_part" in {code for _, code, _ in found}


@pytest.mark.parametrize(
    "reference", ["/./{page}", "//{page}", "/Doc_0/../{page}", "../../../{page}"]
)
def test_ways_round_to_an_entry_lead_to_it(reference: str) -> None:
    change = replacing(
        f'FileRef="/{PAGE}"'.encode(), f'FileRef="{reference.format(page=PAGE)}"'.encode()
    )
    assert troubles(judge(resigned(stamped_ofd(), {SIGNATURE: change}))) == set()


def test_two_digests_for_one_entry_cannot_both_hold() -> None:
    other = f'<ofd:Reference FileRef="/Doc_0/../{PAGE}"><ofd:CheckValue>AAAA</ofd:CheckValue></ofd:Reference>'
    change = replacing(b"</ofd:References>", other.encode() + b"</ofd:References>")
    assert troubles(judge(resigned(stamped_ofd(), {SIGNATURE: change}))) == {
        ("failed", "ofd.digests.differs", PAGE)
    }


# --- Relative (GM/T 0099-2020): the signature another one builds on ---


def relative(to: str) -> bytes:
    change = replacing(
        b'<ofd:Signature ID="s003"', f'<ofd:Signature Relative="{to}" ID="s003"'.encode()
    )
    return altered(twice(), {SIGNATURES: change})


def test_a_signature_may_build_on_another_that_is_there() -> None:
    assert troubles(judge(relative("s001"))) == set()


@pytest.mark.parametrize("to", ["s002", "s003", "Sign_0"])
def test_a_signature_that_builds_on_none_that_is_there_fails(to: str) -> None:
    part = f"{SECOND}/Signature.xml"
    assert troubles(judge(relative(to))) == {("failed", "ofd.signatures.no_base", part)}


# --- Limits ---


def test_references_beyond_the_limit_are_not_read() -> None:
    many = b'<Reference FileRef="/x"/>' * 4000
    part = b"<Signature><SignedInfo><References>" + many + b"</References></SignedInfo></Signature>"
    numbers = range(MAX_REFERENCES // 4000 + 3)
    listed = b"".join(b'<Signature ID="%d" BaseLoc="/S/%d.xml"/>' % (n, n) for n in numbers)
    endless = altered(
        stamped_ofd(),
        {SIGNATURES: b"<Signatures>" + listed + b"</Signatures>"}
        | {f"S/{n}.xml": part for n in numbers},
    )
    found = [finding for seal in judge(endless).seals for finding in seal.findings]
    unread = [f.part for f in found if f.code == "ofd.signature.unreadable"]
    assert unread == [f"S/{n}.xml" for n in numbers][-2:]
    with pytest.raises(NotAnOfd):
        stamped(endless)


def test_a_signed_data_with_more_behind_it_or_endless_certificates_is_unreadable() -> None:
    parts = entries(altered(stamped_ofd(), {SIGNATURES: replacing(b'"Seal"', b'"Sign"')}))
    value = signed_data(parts[SIGNATURE], seal_world().owner)
    for bent in (value + b"\0", value + hashlib.shake_256().digest(300_000)):
        report = judge(ofd_package.write(parts | {SIGNED_VALUE: bent}))
        assert ("failed", "ofd.signature.value_unreadable", SIGNED_VALUE) in troubles(report)


def test_nobody_stamps_what_two_readers_may_read_differently() -> None:
    clashing = ofd_package.write(entries(stamped_ofd()) | {PAGE.upper(): b"<Page/>"})
    with pytest.raises(NotAnOfd) as refused:
        stamped(clashing)
    assert refused.value.parameters["reason"] == "structure"


@pytest.mark.parametrize(("number", "read"), [(256, True), (257, False)])
def test_elements_of_a_list_are_counted_before_they_are_parsed(number: int, read: bool) -> None:
    with nullcontext() if read else pytest.raises(ValueError, match="too long"):
        check_count(b"\5\0" * number)


def test_a_signature_with_endless_certificates_is_unreadable() -> None:
    der = signed_data(b"Signature.xml", seal_world().owner)
    certificate = seal_world().owner.certificate
    read = ContentInfo.load(der)["content"]
    parts = [
        read[name].dump()
        for name in ("version", "digest_algorithms", "content_info", "signer_infos")
    ]

    def with_certificates(contents: bytes) -> bytes:
        body = sequence(*parts[:3], tlv(0xA0, contents), parts[3])
        return sequence(oid(SIGNED_DATA), explicit(0, body))

    assert read_signed_data(with_certificates(certificate)) == read_signed_data(der)
    with pytest.raises(SignedDataMalformed):
        read_signed_data(with_certificates(certificate + b"\5\0" * 300))
