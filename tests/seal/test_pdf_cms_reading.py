"""CMS signatures in a PDF as strangers make them: what is read, what is refused, and why."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from keys.algorithms import ES256, SM2_SM3, Algorithm
from keys.certificate_building import build
from keys.certificate_profiles import OCSP, SYSTEM, TIME_STAMP
from keys.certificate_profiles import Profile as CertificateProfile
from keys.certificates import PDF_SIGNER, parse
from keys.public_keys import public_key
from keys.signature_value import to_x509
from seal import pdf_verify
from seal.ground import Ground
from seal.pdf_cms_reading import CmsMalformed, read_cms
from seal.profiles import Profile
from seal.profiles import outcome as outcome_for
from seal.report import Outcome
from tests.keys import key_builders
from tests.seal.cms_made import by_a_key_of_its_own, made
from tests.seal.face_builders import SIGNED_AT
from tests.seal.pdf_builders import UNIT, PdfWorld, pdf_world
from tests.seal.pdf_judging import (
    NOW,
    YEAR,
    codes,
    contents,
    failures,
    signed_again,
    troubles,
    with_contents,
)
from tests.trusting import trusting


@pytest.fixture(scope="module")
def world() -> PdfWorld:
    return pdf_world(ES256)


@pytest.fixture(scope="module")
def ground(world: PdfWorld) -> Ground:
    return trusting(world.root)


@pytest.fixture(scope="module")
def signed(pdf: bytes, picture: bytes, world: PdfWorld) -> bytes:
    return world.stamped(pdf, picture)


# --- What is good ---


def test_a_signature_made_elsewhere_is_good(signed: bytes, world: PdfWorld, ground: Ground) -> None:
    assert troubles(signed_again(signed, made(world)), ground) == set()


@pytest.mark.parametrize("digest", ["sha256", "sha512"])
def test_a_longer_digest_is_judged_too(
    signed: bytes, world: PdfWorld, ground: Ground, digest: str
) -> None:
    assert troubles(signed_again(signed, by_a_key_of_its_own(world, digest)), ground) == set()


def test_rsa_named_by_its_key_alone_is_judged_too(
    signed: bytes, ground: Ground, world: PdfWorld
) -> None:
    private = rsa.generate_private_key(65537, 2048)
    spki = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    own = made(
        world,
        sign=lambda content: private.sign(content, padding.PKCS1v15(), hashes.SHA512()),
        digest="sha512",
        mechanism="rsassa_pkcs1v15",
    ).by(world.certified(public_key(spki), PDF_SIGNER, serial=41))
    assert troubles(signed_again(signed, own), ground) == set()


def test_the_names_come_from_the_certificate(signed: bytes, ground: Ground) -> None:
    (seal,) = pdf_verify.verify(signed, ground, NOW).seals
    subject = parse(seal.signer_certificate).subject
    assert (seal.seal_name, seal.signer_name) == (subject.common_name, subject.organization)


@pytest.mark.parametrize("algorithm", [ES256, SM2_SM3], ids=str)
def test_what_is_signed_is_taken_as_it_came(
    pdf: bytes, picture: bytes, algorithm: Algorithm
) -> None:
    world = pdf_world(algorithm)
    content = contents(world.stamped(pdf, picture))
    read = read_cms(content)
    assert read.signed_bytes[1:] in content  # its tag aside: [0] there, SET OF here
    assert read.certificate == world.certificate
    assert set(read.others) == set(world.chain)


# --- What is not ---


def test_a_value_of_another_key_is_found(signed: bytes, world: PdfWorld, ground: Ground) -> None:
    other = key_builders.signer(ES256, 9)
    forged = made(world, sign=lambda content: to_x509(ES256, other.sign(content)))
    assert troubles(signed_again(signed, forged), ground) == {("failed", "pdf.signature_bad")}


def test_a_weak_digest_is_refused_here_and_passes_in_common_readers(
    signed: bytes, world: PdfWorld, ground: Ground
) -> None:
    weak = signed_again(signed, by_a_key_of_its_own(world, "sha1"))
    assert troubles(weak, ground) == {("failed", "pdf.digest_weak")}
    report = pdf_verify.verify(weak, ground, NOW)
    assert outcome_for(report, Profile.COMPATIBLE) is Outcome.OK


def test_a_value_over_a_weaker_digest_than_the_files_is_refused(
    signed: bytes, world: PdfWorld, ground: Ground
) -> None:
    weak = by_a_key_of_its_own(world, "sha1")
    mixed = replace(weak, digest="sha256")  # the mechanism stays ECDSA with SHA-1
    assert troubles(signed_again(signed, mixed), ground) == {("failed", "pdf.digest_weak")}


def test_an_attribute_twice_is_malformed(signed: bytes, world: PdfWorld, ground: Ground) -> None:
    twice = made(world, message_digests=2)
    found = failures(pdf_verify.verify(signed_again(signed, twice), ground, NOW))
    assert found == {"pdf.signature_malformed"}


@pytest.mark.parametrize("profile", [TIME_STAMP, OCSP, SYSTEM], ids=lambda p: p.name)
def test_a_certificate_of_a_machine_signs_no_document(
    signed: bytes, world: PdfWorld, ground: Ground, profile: CertificateProfile
) -> None:
    own = by_a_key_of_its_own(world, "sha256", profile)
    assert troubles(signed_again(signed, own), ground) == {
        ("failed", "pdf.certificate.wrong_usage")
    }


def test_a_certificate_not_named_is_told(signed: bytes, world: PdfWorld, ground: Ground) -> None:
    unnamed = signed_again(signed, made(world, named=None))
    assert troubles(unnamed, ground) == {("warning", "pdf.certificate_not_named")}


def test_an_older_form_need_not_name_its_certificate(
    signed: bytes, world: PdfWorld, ground: Ground
) -> None:
    older = signed.replace(b"/ETSI.CAdES.detached", b"/adbe.pkcs7.detached")
    report = pdf_verify.verify(signed_again(older, made(world, named=None)), ground, NOW)
    assert report.outcome is Outcome.OK
    assert not any(code.startswith("pdf.level") for code in codes(report))


def test_another_certificate_of_the_same_key_is_found(
    signed: bytes, world: PdfWorld, ground: Ground
) -> None:
    twin = world.certified(world.signer.public_key, PDF_SIGNER, serial=99)
    changed = signed_again(signed, made(world, certificate=twin))
    assert troubles(changed, ground) == {("failed", "pdf.certificate_differs")}


@pytest.mark.parametrize(
    "change",
    [
        {"has_attributes": False},
        {"content_type": "signed_data"},
        {"signers": 2},
        {"signers": 0},
    ],
    ids=["no attributes", "another content", "two signers", "no signer"],
)
def test_what_cannot_be_judged_is_malformed(
    signed: bytes, world: PdfWorld, ground: Ground, change: dict[str, object]
) -> None:
    strange = signed_again(signed, made(world, **change))
    assert failures(pdf_verify.verify(strange, ground, NOW)) == {"pdf.signature_malformed"}


def test_a_key_of_another_kind_than_the_mechanism_is_not_judged(
    signed: bytes, world: PdfWorld, ground: Ground
) -> None:
    sm2 = key_builders.signer(SM2_SM3, 3)
    strange = made(world).by(world.certified(sm2.public_key, PDF_SIGNER, serial=43))
    found = troubles(signed_again(signed, strange), ground)
    assert found == {("unknown", "pdf.signature_unsupported")}


@pytest.mark.parametrize("rubbish", [b"", b"\x30\x00", b"\x30\x80", b"\x04\x02ab", b"\xff" * 300])
def test_rubbish_is_malformed(rubbish: bytes) -> None:
    with pytest.raises(CmsMalformed):
        read_cms(rubbish)


# --- Certificates ---


def test_a_certificate_its_issuer_did_not_sign_is_found(
    signed: bytes, world: PdfWorld, ground: Ground
) -> None:
    forged = build(
        UNIT,
        world.authority,
        key_builders.signer(ES256, 9),
        PDF_SIGNER,
        world.signer.public_key,
        (SIGNED_AT - YEAR, SIGNED_AT + YEAR),
        7,
    )
    found = troubles(signed_again(signed, made(world).by(forged)), ground)
    assert found == {("failed", "pdf.certificate.bad_signature")}


def test_a_key_on_another_curve_is_no_certificate_here(
    signed: bytes, world: PdfWorld, ground: Ground
) -> None:
    private = ec.generate_private_key(ec.SECP384R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "p384")])
    certificate = (
        x509.CertificateBuilder(name, name, private.public_key(), 5)
        .not_valid_before(SIGNED_AT - timedelta(days=1))
        .not_valid_after(SIGNED_AT + timedelta(days=1))
        .sign(private, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    own = made(world, sign=lambda content: private.sign(content, ec.ECDSA(hashes.SHA256())))
    report = pdf_verify.verify(signed_again(signed, own.by(certificate)), ground, NOW)
    assert failures(report) == {"pdf.certificate.malformed"}
    assert "pdf.intact" in codes(report)


def test_no_bent_certificate_passes(signed: bytes, world: PdfWorld, ground: Ground) -> None:
    whole = contents(signed)
    start = whole.index(world.certificate)
    for at in range(start, start + len(world.certificate), 10):
        bent = whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]
        report = pdf_verify.verify(with_contents(signed, bent), ground, NOW)
        assert report.outcome in (Outcome.FAILED, Outcome.UNKNOWN), at
