import json
import re
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from ssl import PEM_cert_to_DER_cert
from typing import Protocol

import pytest
from asn1crypto import pem
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.algorithms import ES256, RS256, SM2_SM3, Algorithm
from keys.certificate_profiles import TIME_STAMP, TIME_STAMPING
from keys.certificates import (
    ISSUING_CA,
    PDF_SIGNER,
    ROOT,
    SEAL_MAKER,
    SEAL_SIGNER,
    Certificate,
    CertificateBadSignature,
    CertificateExpired,
    CertificateMalformed,
    CertificateNotYetValid,
    CertificateUntrusted,
    CertificateWrongUsage,
    Profile,
    Subject,
    issue,
    parse,
    self_signed,
    verify_chain,
)
from keys.software_signer import SoftwareSigner, generate

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "sm2_x509.json").read_text())
both = pytest.mark.parametrize("algorithm", [ES256, SM2_SM3], ids=lambda a: a.name)
families = pytest.mark.parametrize("algorithm", [ES256, SM2_SM3, RS256], ids=lambda a: a.name)
DAY = timedelta(days=1)


class Issued(Protocol):
    """What the fixture `issued` makes."""

    root: Certificate
    root_signer: SoftwareSigner
    leaf: Certificate
    leaf_signer: SoftwareSigner


Issue = Callable[..., Issued]


def vector(name: str) -> Certificate:
    return parse(PEM_cert_to_DER_cert(VECTORS[name]))


def openssl(folder: Path, command: str, **files: Certificate) -> subprocess.CompletedProcess[str]:
    for name, certificate in files.items():
        (folder / f"{name}.pem").write_bytes(pem.armor("CERTIFICATE", certificate.der))
    return subprocess.run(command.split(), cwd=folder, capture_output=True, text=True, check=False)


def verify_command(algorithm: Algorithm) -> str:
    told = "-vfyopt distid:1234567812345678 " if algorithm is SM2_SM3 else ""
    return f"openssl verify -x509_strict -attime 1793606400 {told}-CAfile root.pem leaf.pem"


@families
@pytest.mark.parametrize("profile", [SEAL_MAKER, SEAL_SIGNER, PDF_SIGNER], ids=lambda p: p.name)
def test_openssl_accepts_what_we_issue(
    algorithm: Algorithm, profile: Profile, issued: Issue, tmp_path: Path
) -> None:
    made = issued(algorithm, profile=profile)
    done = openssl(tmp_path, verify_command(algorithm), root=made.root, leaf=made.leaf)
    assert done.stdout == "leaf.pem: OK\n", done.stderr


@both
def test_openssl_refuses_our_certificate_under_another_root(
    algorithm: Algorithm, issued: Issue, tmp_path: Path
) -> None:
    made, other = issued(algorithm), issued(algorithm)
    done = openssl(tmp_path, verify_command(algorithm), root=other.root, leaf=made.leaf)
    assert done.returncode != 0


@families
def test_openssl_reads_the_names_dates_and_usages_we_wrote(
    algorithm: Algorithm, issued: Issue, tmp_path: Path
) -> None:
    made = issued(algorithm)
    command = "openssl x509 -in leaf.pem -noout -text -nameopt utf8,sep_multiline"
    text = openssl(tmp_path, command, leaf=made.leaf).stdout
    for told in (
        "organizationIdentifier=NTRCN-11330100MBXX00027W",
        "CN=示例市行政审批局电子印章",
        "Serial Number: 77 (0x4d)",
        "Not Before: Nov  1 08:00:00 2026 GMT",
        "CA:FALSE",
        "Digital Signature, Non Repudiation",
    ):
        assert told in text


@families
def test_a_certificate_reads_back_as_it_was_made(
    algorithm: Algorithm, issued: Issue, now: datetime
) -> None:
    made = issued(algorithm)
    leaf, root = made.leaf, made.root
    assert leaf.public_key == made.leaf_signer.public_key
    assert leaf.subject.common_name == "示例市行政审批局电子印章"
    assert leaf.subject.organization == "示例市行政审批局"
    assert leaf.subject.uscc == "11330100MBXX00027W"
    assert leaf.issuer == root.subject == root.issuer
    assert (leaf.serial, leaf.not_before) == (77, now)
    assert leaf.key_usage == {"digital_signature", "non_repudiation"}
    assert (leaf.is_ca, root.is_ca, root.path_length) == (False, True, 1)


@families
def test_a_chain_holds_from_its_first_to_its_last_second(
    algorithm: Algorithm, issued: Issue, now: datetime
) -> None:
    made = issued(algorithm, lasts=DAY)
    verify_chain(made.leaf, (), (made.root.der,), now)
    verify_chain(made.leaf, (), (made.root.der,), now + DAY)
    with pytest.raises(CertificateNotYetValid):
        verify_chain(made.leaf, (), (made.root.der,), now - timedelta(seconds=1))
    with pytest.raises(CertificateExpired):
        verify_chain(made.leaf, (), (made.root.der,), now + DAY + timedelta(seconds=1))


@both
def test_a_root_that_is_not_an_anchor_gives_no_trust(
    algorithm: Algorithm, issued: Issue, now: datetime
) -> None:
    made = issued(algorithm)
    for intermediates in ((), (made.root.der,)):
        with pytest.raises(CertificateUntrusted):
            verify_chain(made.leaf, intermediates, (), now)


@both
def test_a_false_root_with_the_true_name_is_noticed(
    algorithm: Algorithm, issued: Issue, now: datetime
) -> None:
    made, impostor = issued(algorithm), issued(algorithm)
    assert made.root.subject == impostor.root.subject
    with pytest.raises(CertificateBadSignature):
        verify_chain(impostor.leaf, (), (made.root.der,), now)
    # Brought along, the false root signs but is no anchor.
    with pytest.raises(CertificateUntrusted):
        verify_chain(impostor.leaf, (impostor.root.der,), (made.root.der,), now)


@both
def test_a_chain_through_an_issuing_ca_holds_and_no_deeper(
    algorithm: Algorithm, issued: Issue, now: datetime
) -> None:
    made = issued(algorithm, profile=ISSUING_CA)
    below, key = Subject("下级", "示例"), SoftwareSigner(generate(algorithm))
    end = now + DAY
    leaf = issue(made.leaf, made.leaf_signer, PDF_SIGNER, below, key.public_key, now, end, 5)
    verify_chain(parse(leaf), (made.leaf.der,), (made.root.der,), now)

    deeper_ca = issue(made.leaf, made.leaf_signer, ISSUING_CA, below, key.public_key, now, end, 6)
    end_key = SoftwareSigner(generate(algorithm)).public_key
    too_deep = issue(
        parse(deeper_ca), key, PDF_SIGNER, Subject("末级", "示例"), end_key, now, end, 7
    )
    with pytest.raises(CertificateWrongUsage):
        verify_chain(parse(too_deep), (made.leaf.der, deeper_ca), (made.root.der,), now)


@both
def test_a_seal_certificate_cannot_issue_another(
    algorithm: Algorithm, issued: Issue, now: datetime
) -> None:
    made = issued(algorithm)
    key = SoftwareSigner(generate(algorithm)).public_key
    subject = Subject("冒名", "冒名")
    forged = issue(made.leaf, made.leaf_signer, SEAL_SIGNER, subject, key, now, now + DAY, 9)
    with pytest.raises(CertificateWrongUsage):
        verify_chain(parse(forged), (made.leaf.der,), (made.root.der,), now)


@pytest.mark.parametrize(
    "profile",
    [
        Profile("usage without CA", frozenset({"key_cert_sign", "digital_signature"}), DAY),
        Profile("CA without usage", frozenset({"digital_signature"}), DAY, path_length=0),
    ],
    ids=lambda p: p.name,
)
def test_an_issuer_must_be_a_ca_and_may_sign_certificates(
    profile: Profile, issued: Issue, now: datetime
) -> None:
    made = issued(profile=profile)
    key = SoftwareSigner(generate(ES256)).public_key
    subject = Subject("冒名", "冒名")
    forged = issue(made.leaf, made.leaf_signer, SEAL_SIGNER, subject, key, now, now + DAY, 9)
    with pytest.raises(CertificateWrongUsage):
        verify_chain(parse(forged), (made.leaf.der,), (made.root.der,), now)


def test_a_ca_certificate_does_not_seal_documents(issued: Issue, now: datetime) -> None:
    made = issued(profile=ISSUING_CA)
    with pytest.raises(CertificateWrongUsage):
        verify_chain(made.leaf, (), (made.root.der,), now)


def test_what_is_critically_for_time_stamps_seals_no_document(issued: Issue, now: datetime) -> None:
    made = issued(profile=TIME_STAMP)
    verify_chain(made.leaf, (), (made.root.der,), now, TIME_STAMPING)
    with pytest.raises(CertificateWrongUsage):
        verify_chain(made.leaf, (), (made.root.der,), now)


def test_rubbish_among_the_intermediates_is_passed_over(issued: Issue, now: datetime) -> None:
    made = issued(profile=ISSUING_CA)
    key = SoftwareSigner(generate(ES256)).public_key
    subject = Subject("下级", "示例")
    leaf = parse(issue(made.leaf, made.leaf_signer, PDF_SIGNER, subject, key, now, now + DAY, 5))
    verify_chain(leaf, (b"rubbish", made.leaf.der), (made.root.der,), now)
    with pytest.raises(CertificateUntrusted):
        verify_chain(leaf, (*[b"rubbish"] * 20, made.leaf.der), (made.root.der,), now)


def test_two_certificates_that_issue_each_other_end_the_search(now: datetime) -> None:
    signers = [SoftwareSigner(generate(ES256)) for _ in range(2)]
    names = [Subject("甲", "甲"), Subject("乙", "乙")]
    validity = (now, now + DAY)
    roots = [parse(self_signed(s, ROOT, n, validity)) for s, n in zip(signers, names, strict=True)]
    ring = [
        issue(
            roots[1 - i],
            signers[1 - i],
            Profile("ring", frozenset({"key_cert_sign"}), DAY, 9),
            names[i],
            signers[i].public_key,
            now,
            now + DAY,
            i + 2,
        )
        for i in range(2)
    ]
    leaf_key = SoftwareSigner(generate(ES256)).public_key
    leaf = issue(
        parse(ring[0]), signers[0], PDF_SIGNER, Subject("丙", "丙"), leaf_key, *validity, 5
    )
    with pytest.raises(CertificateUntrusted):
        verify_chain(parse(leaf), ring, (), now)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_flipped_bit_in_a_certificate_is_noticed(data: st.DataObject) -> None:
    root, leaf = vector("root_pem"), vector("leaf_good_pem")
    place = data.draw(st.integers(min_value=0, max_value=8 * len(leaf.der) - 1))
    changed = bytearray(leaf.der)
    changed[place // 8] ^= 1 << (place % 8)
    with pytest.raises(
        (
            CertificateMalformed,
            CertificateUntrusted,
            CertificateBadSignature,
            CertificateExpired,
            CertificateNotYetValid,
            CertificateWrongUsage,
        )
    ):
        verify_chain(parse(bytes(changed)), (), (root.der,), leaf.not_before)


def test_certificates_made_elsewhere_are_accepted() -> None:
    root, leaf = vector("root_pem"), vector("leaf_good_pem")
    verify_chain(leaf, (), (root.der,), leaf.not_before)
    own = vector("made_by_openssl_pem")
    verify_chain(own, (), (own.der,), own.not_before)


def test_a_certificate_signed_with_the_empty_user_id_is_refused(now: datetime) -> None:
    certificate = vector("made_by_openssl_with_empty_id_pem")
    other = vector("root_pem")
    with pytest.raises((CertificateBadSignature, CertificateUntrusted)):
        verify_chain(certificate, (certificate.der,), (other.der,), certificate.not_before)


@pytest.mark.parametrize("junk", [b"", b"0", b"\x30\x03abc", b"-----BEGIN", b"\x30\x80" * 2000])
def test_junk_is_not_a_certificate(junk: bytes) -> None:
    with pytest.raises(CertificateMalformed):
        parse(junk)


def foreign(
    key: CertificateIssuerPrivateKeyTypes, now: datetime, *extensions: x509.ExtensionType
) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "elsewhere")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1)
    builder = builder.not_valid_before(now).not_valid_after(now + DAY).public_key(key.public_key())
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def test_a_key_outside_the_algorithm_table_is_refused_by_name(now: datetime) -> None:
    with pytest.raises(CertificateMalformed, match="KeyMalformed"):
        parse(foreign(ec.generate_private_key(ec.SECP384R1()), now))
    with pytest.raises(CertificateMalformed, match="KeyWeak"):
        parse(foreign(rsa.generate_private_key(65537, 1024), now))  # noqa: S505 - it is refused


def test_extended_usages_and_critical_extensions_are_told(issued: Issue) -> None:
    stamping = issued(profile=TIME_STAMP).leaf
    assert stamping.extended_key_usage == {"1.3.6.1.5.5.7.3.8"}
    assert stamping.critical == {"basic_constraints", "key_usage", "extended_key_usage"}
    assert issued().leaf.extended_key_usage == frozenset()


@pytest.mark.parametrize("subject_family", [ES256, SM2_SM3, RS256], ids=lambda a: a.name)
@families
def test_every_family_certifies_every_other(
    algorithm: Algorithm, subject_family: Algorithm, issued: Issue, now: datetime, tmp_path: Path
) -> None:
    made = issued(algorithm)
    key, subject = issued(subject_family).leaf.public_key, Subject("示例", "示例")
    end = now + 9 * DAY
    leaf = parse(issue(made.root, made.root_signer, PDF_SIGNER, subject, key, now, end, 7))
    verify_chain(leaf, (), (made.root.der,), now)
    done = openssl(tmp_path, verify_command(algorithm), root=made.root, leaf=leaf)
    assert done.stdout == "leaf.pem: OK\n", done.stderr


def test_a_critical_extension_nobody_here_understands_is_refused(now: datetime) -> None:
    limits = x509.NameConstraints(
        permitted_subtrees=[x509.DNSName("example.cn")], excluded_subtrees=None
    )
    der = foreign(ec.generate_private_key(ec.SECP256R1()), now, limits)
    with pytest.raises(CertificateWrongUsage, match="name_constraints"):
        verify_chain(parse(der), (), (der,), now)


@both
def test_a_name_cannot_reach_the_pieces_that_are_swapped(
    algorithm: Algorithm, issued: Issue, now: datetime
) -> None:
    made = issued(algorithm)
    # The piece is no UTF-8, so in a name it never stands as these bytes.
    piece = bytes.fromhex("300a06082a8648ce3d040302").decode("latin-1")
    key = SoftwareSigner(generate(algorithm)).public_key
    subject = Subject(piece, piece)
    der = issue(made.root, made.root_signer, PDF_SIGNER, subject, key, now, now + DAY, 3)
    verify_chain(parse(der), (), (made.root.der,), now)
    assert parse(der).subject.common_name == piece


def test_a_serial_number_that_holds_a_piece_is_refused_not_swapped(
    issued: Issue, now: datetime
) -> None:
    made = issued(ES256)
    serial = int.from_bytes(bytes.fromhex("300a06082a8648ce3d040302"))
    key = SoftwareSigner(generate(ES256)).public_key
    subject = Subject("示例", "示例")
    with pytest.raises(ValueError, match="exactly one place"):
        issue(made.root, made.root_signer, PDF_SIGNER, subject, key, now, now + DAY, serial)


@pytest.mark.parametrize("moment", [b"205501010000.50", b"00000101000000Z"])
def test_a_certificate_of_no_moment_that_can_be_compared_is_malformed(
    issued: Issue, moment: bytes
) -> None:
    """A time without its zone would pass here and trip whoever compares it."""
    der = issued(lasts=timedelta(days=30 * 365)).leaf.der
    # From 2050 on a date is a GeneralizedTime (RFC 5280 §4.1.2.5).
    bent, bends = re.subn(rb"\x18\x0f[0-9]{14}Z", b"\x18\x0f" + moment, der)
    assert bends == 1
    with pytest.raises(CertificateMalformed):
        parse(bent)
