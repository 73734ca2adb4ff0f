"""The verifier finds good files good, in every form that real files show."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace

import pytest

from keys.sm3 import sm3
from seal import ofd_package
from seal.report import Outcome
from tests.seal.ofd_builders import (
    BOX,
    DATA,
    FOLDER,
    OWNER,
    SEAL_FILE,
    SIGNATURE,
    SIGNATURES,
    SIGNED_AT,
    SIGNED_VALUE,
    Change,
    altered,
    entries,
    plain_ofd,
    replacing,
    resigned,
    seal_world,
    stamped,
    stamped_ofd,
)
from tests.seal.ofd_digests import by_method, hashed
from tests.seal.ofd_judging import bare, codes, judge, troubles, without
from tests.seal.seal_versions import signature_2014, signature_2025, signed_data


def test_our_own_stamp_is_in_order_in_every_check() -> None:
    report = judge(stamped_ofd())
    assert report.outcome is Outcome.OK
    assert [f.code for f in report.findings] == ["ofd.coverage.complete", "ofd.integrity.none"]
    (seal,) = report.seals
    assert [f.code for f in seal.findings] == [
        "ofd.digests.ok",
        "ofd.protection.continued",
        "ofd.stamp.ok",
        "ofd.seal_file.ok",
        "seal.data_hash.ok",
        "seal.signature.ok",
        "seal.signer_certificate.ok",
        "seal.signer_certificate.revocation_not_looked_at",
        "seal.signing_time.ok",
        "seal.maker_signature.ok",
        "seal.maker_certificate.ok",
        "seal.maker_certificate.revocation_not_looked_at",
        "seal.validity.ok",
        "seal.signer_listed.ok",
        "seal.state.not_looked_at",
        "seal.time_stamp.none",
    ]


def test_the_report_says_who_stamped_what_when() -> None:
    report = judge(stamped_ofd())
    (seal,) = report.seals
    assert (seal.seal_name, seal.signer_name) == (OWNER + "电子证照专用章", OWNER)
    assert (seal.signed_at, seal.algorithm) == (SIGNED_AT, "SM2-SM3")
    assert seal.signer_certificate == seal_world().owner.certificate
    assert report.attachments == ((DATA.name, DATA.content),)


def test_two_stamps_are_both_in_order() -> None:
    report = judge(stamped(stamped_ofd(), replace(BOX, x=20.0)))
    assert (len(report.seals), report.outcome) == (2, Outcome.OK)


def test_an_unsigned_document_is_not_signed() -> None:
    assert troubles(judge(plain_ofd())) == {("failed", "ofd.signatures.none", "")}


def old_namespace(content: bytes) -> bytes:
    return content.replace(b"http://www.ofdspec.org/2016", b"http://www.ofdspec.org")


def default_namespace(content: bytes) -> bytes:
    return content.replace(b"xmlns:ofd", b"xmlns").replace(b"ofd:", b"")


def value_first(content: bytes) -> bytes:
    value = f"<ofd:SignedValue>/{SIGNED_VALUE}</ofd:SignedValue>".encode()
    return content.replace(value, b"").replace(b"<ofd:SignedInfo>", value + b"<ofd:SignedInfo>")


@pytest.mark.parametrize(
    "change",
    [
        by_method(b'CheckMethod="SM3"', sm3),
        by_method(b'CheckMethod="1.2.156.10197.1.401.2"', sm3),
        by_method(b'CheckMethod="SHA256"', hashed("sha256")),
        by_method(b'CheckMethod="SHA-256"', hashed("sha256")),
        replacing(b'FileRef="/OFD.xml"', b'FileRef="../../../OFD.xml"'),
        replacing(f"<ofd:SignedValue>/{FOLDER}/".encode(), b"<ofd:SignedValue>"),
        without(b"<ofd:SignatureMethod>", b"</ofd:SignatureMethod>"),
        without(b"<ofd:SignatureDateTime>", b"</ofd:SignatureDateTime>"),
        old_namespace,
        default_namespace,
        value_first,
    ],
)
def test_sloppy_forms_of_signature_xml_are_read(change: Change) -> None:
    assert troubles(judge(resigned(stamped_ofd(), {SIGNATURE: change}))) == set()


@pytest.mark.parametrize(
    "change",
    [
        without(b"<ofd:MaxSignId>", b"</ofd:MaxSignId>"),
        replacing(b' Type="Seal"', b""),
        replacing(b'ID="s001"', b'ID="1"'),
        replacing(f'BaseLoc="/{SIGNATURE}"'.encode(), b'BaseLoc="Sign_0/Signature.xml"'),
        replacing(b"</ofd:Signatures>", b"<ofd:MaxSignId>s009</ofd:MaxSignId></ofd:Signatures>"),
        old_namespace,
        default_namespace,
    ],
)
def test_sloppy_forms_of_signatures_xml_are_read(change: Change) -> None:
    assert troubles(judge(altered(stamped_ofd(), {SIGNATURES: change}))) == set()


def test_a_stored_package_with_another_order_is_read() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, body in reversed(entries(stamped_ofd()).items()):
            archive.writestr(name, body)
    assert troubles(judge(target.getvalue())) == set()


def test_bytes_before_the_archive_are_only_remarked() -> None:
    assert troubles(judge(b"KINGGRID" + stamped_ofd())) == {("warning", "ofd.package.prefix", "")}


@pytest.mark.parametrize(("name", "digest"), [(b"MD5", "md5"), (b"SHA1", "sha1")])
def test_weak_digests_are_remarked(name: bytes, digest: str) -> None:
    change = by_method(b'CheckMethod="' + name + b'"', hashed(digest))
    report = judge(resigned(stamped_ofd(), {SIGNATURE: change}))
    assert troubles(report) == {("warning", "ofd.digests.weak", SIGNATURE)}


def test_a_missing_check_method_means_md5_and_is_remarked() -> None:
    change = by_method(b"", hashed("md5"))
    assert troubles(judge(resigned(stamped_ofd(), {SIGNATURE: change}))) == {
        ("warning", "ofd.digests.method_absent", SIGNATURE),
        ("warning", "ofd.digests.weak", SIGNATURE),
    }


def test_an_unknown_digest_leaves_the_question_open() -> None:
    change = by_method(b'CheckMethod="GOST"', sm3)
    assert ("unknown", "ofd.digests.unknown_method", SIGNATURE) in troubles(
        judge(resigned(stamped_ofd(), {SIGNATURE: change}))
    )


def test_a_seal_without_a_place_is_invisible() -> None:
    change = without(b"<ofd:StampAnnot", b"/>")
    report = judge(resigned(stamped_ofd(), {SIGNATURE: change}))
    assert troubles(report) == {("warning", "ofd.stamp.invisible", SIGNATURE)}


def test_a_file_may_do_without_seal_esl() -> None:
    report = judge(resigned(stamped_ofd(), {SIGNATURE: bare, SEAL_FILE: None}))
    assert troubles(report) == set()
    assert "ofd.seal_file.none" in codes(report)


@pytest.mark.parametrize("make", [signature_2014, signature_2025])
def test_other_versions_of_seals_are_judged(make: Callable[..., bytes]) -> None:
    parts = entries(altered(stamped_ofd(), {SIGNATURE: bare, SEAL_FILE: None}))
    value = make(data_hash=sm3(parts[SIGNATURE]))
    found = codes(judge(ofd_package.write(parts | {SIGNED_VALUE: value})))
    assert {"seal.signature.ok", "seal.data_hash.ok", "seal.maker_signature.ok"} <= found
    assert {"seal.signer_certificate.ok", "seal.validity.ok", "seal.signer_listed.ok"} <= found


@pytest.mark.parametrize("attributes", [True, False])
def test_a_signature_without_a_seal_is_judged(attributes: bool) -> None:
    parts = entries(altered(stamped_ofd(), {SIGNATURES: replacing(b'"Seal"', b'"Sign"')}))
    value = signed_data(parts[SIGNATURE], seal_world().owner, attributes=attributes)
    report = judge(ofd_package.write(parts | {SIGNED_VALUE: value}))
    open_question = () if attributes else (("unknown", "seal.signing_time.absent", ""),)
    assert troubles(report) == set(open_question)
    assert {"seal.signature.ok", "seal.data_hash.ok"} <= codes(report)
