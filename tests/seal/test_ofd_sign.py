"""Signatures without a seal: GB/T 35275 over Signature.xml, the digest in signed attributes."""

import base64

from keys.der import oid, sequence
from keys.der_signature import from_der
from keys.sm3 import sm3
from keys.verify import verify as verify_value
from seal.ofd_draft import Kind, Mode
from seal.ofd_package import read
from seal.ofd_sign import sign
from seal.ofd_signatures import list_name, read_list, read_part
from seal.ofd_xml import descendants, parse, text
from seal.report import Outcome
from seal.signed_data import read_signed_data
from seal.signed_data_structure import ContentInfo
from seal.signed_data_writing import sign_data
from seal.time_proof import check
from tests.seal.ofd_builders import (
    LATER,
    SIGNATURE,
    SIGNATURES,
    SIGNED_AT,
    SIGNED_VALUE,
    entries,
    plain_ofd,
    seal_world,
    stamped,
)
from tests.seal.ofd_judging import judge
from tests.seal.time_stamping import STAMPED_AT, time_stamper
from tests.trusting import trusting


def signed(ofd: bytes, mode: Mode = Mode.CONTINUE) -> bytes:
    owner = seal_world().owner
    return sign(ofd, owner.signer, owner.certificate, SIGNED_AT, mode=mode)


def test_the_signature_is_over_the_final_signature_xml() -> None:
    parts, owner = entries(signed(plain_ofd())), seal_world().owner
    value = read_signed_data(parts[SIGNED_VALUE])
    assert value.data_hash == sm3(parts[SIGNATURE])
    assert (value.signed_at, value.certificate) == (SIGNED_AT, owner.certificate)
    verify_value(owner.signer.public_key, value.signed_bytes, from_der(value.signature))


def test_it_is_listed_as_what_it_is_and_shows_nowhere() -> None:
    package = read(signed(plain_ofd()))
    (record,) = read_list(package, list_name(package)).records
    assert record.kind == Kind.SIGN
    part = read_part(package, record.part)
    assert (part.seal, part.stamps) == ("", ())


def test_every_entry_but_the_unavoidable_three_is_referenced() -> None:
    parts = entries(signed(plain_ofd()))
    root = parse(parts[SIGNATURE], SIGNATURE)
    assert {
        element.get("FileRef", "")[1:]: base64.b64decode(text(element, "CheckValue"))
        for element in descendants(root, "Reference")
    } == {
        name: sm3(body)
        for name, body in parts.items()
        if name not in {SIGNATURE, SIGNATURES, SIGNED_VALUE}
    }


def test_our_verifier_finds_nothing_broken() -> None:
    for ofd in (signed(plain_ofd()), signed(stamped(plain_ofd())), signed(plain_ofd(), Mode.WHOLE)):
        report = judge(ofd)
        assert {f.code for f in report.all_findings() if f.outcome is Outcome.FAILED} == set()


def test_a_seal_may_follow_a_signature() -> None:
    package = read(stamped(signed(plain_ofd())))
    records = read_list(package, list_name(package)).records
    assert [record.kind for record in records] == [Kind.SIGN, Kind.SEAL]


# --- The SignedData ---


def data(stamped_too: bool = False) -> bytes:
    owner = seal_world().owner
    stamper = time_stamper() if stamped_too else None
    return sign_data(sm3(b"content"), owner.signer, owner.certificate, SIGNED_AT, stamper)


def test_the_attributes_are_in_the_order_of_der() -> None:
    info = ContentInfo.load(data(), strict=True)["content"]
    (signer,) = info["signer_infos"]
    attributes = [attribute.dump() for attribute in signer["signed_attributes"]]
    assert attributes == sorted(attributes)
    assert len(attributes) == 3
    assert info["content_info"]["content"].native is None


def test_the_algorithms_are_those_of_the_standard() -> None:
    (signer,) = ContentInfo.load(data(), strict=True)["content"]["signer_infos"]
    method = signer["digest_encryption_algorithm"].dump()
    assert method == sequence(oid("1.2.156.10197.1.301.1"))
    assert signer["digest_algorithm"].dump() == sequence(oid("1.2.156.10197.1.401"))


def test_a_time_stamp_is_an_attribute_beside_the_signature() -> None:
    value = read_signed_data(data(stamped_too=True))
    assert value.time_stamp is not None
    proof = check(value.time_stamp, value.signature, trusting(*seal_world().anchors), LATER)
    assert proof.at == STAMPED_AT
    assert read_signed_data(data()).time_stamp is None
