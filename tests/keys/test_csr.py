import subprocess
from pathlib import Path

import pytest
from asn1crypto import csr, pem
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.algorithms import ES256, RS256, SM2_SM3, Algorithm
from keys.certificate_names import Subject, x509_name
from keys.csr import (
    CsrBadKey,
    CsrBadName,
    CsrBadSignature,
    CsrEmptyId,
    CsrError,
    CsrMalformed,
    CsrWeakKey,
    CsrWrongAlgorithm,
    make_csr,
    read_csr,
)
from keys.x509_signing import sign_tbs
from tests.keys.key_builders import signer

families = pytest.mark.parametrize("algorithm", [ES256, SM2_SM3, RS256], ids=lambda a: a.name)

SUBJECT = Subject(
    "网关", "示例市", dns_names=("gw.example.cn",), ip_addresses=("10.0.0.1",), number="7"
)
_REQUEST = make_csr(signer(SM2_SM3), SUBJECT)
_NEW_KEY = {
    ES256: "ecparam -genkey -noout -name prime256v1",
    SM2_SM3: "ecparam -genkey -noout -name SM2",
    RS256: "genrsa",
}
_HASHED = {
    ES256: "-sha256",
    SM2_SM3: "-sm3 -sigopt distid:1234567812345678",
    RS256: "-sha256",
}


def openssl(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["openssl", *command.split()], cwd=folder, capture_output=True, text=True, check=False
    )


def made_by_openssl(folder: Path, algorithm: Algorithm, hashed: str) -> bytes:
    assert openssl(folder, f"{_NEW_KEY[algorithm]} -out k").returncode == 0
    names = "-utf8 -subj /C=CN/O=示例/CN=网关 -addext subjectAltName=DNS:gw.example.cn"
    done = openssl(folder, f"req -new -key k {hashed} {names} -out r -outform DER")
    assert done.returncode == 0, done.stderr
    return (folder / "r").read_bytes()


def foreign(
    key: CertificateIssuerPrivateKeyTypes, hashed: hashes.SHA256 | hashes.SHA384 | None
) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509_name(SUBJECT))
    return builder.sign(key, hashed).public_bytes(Encoding.DER)


@families
def test_a_request_reads_back_as_it_was_made(algorithm: Algorithm) -> None:
    request = read_csr(make_csr(signer(algorithm), SUBJECT))
    assert request.subject == SUBJECT
    assert request.public_key == signer(algorithm).public_key


@families
def test_openssl_accepts_the_requests_we_make(algorithm: Algorithm, tmp_path: Path) -> None:
    (tmp_path / "r").write_bytes(make_csr(signer(algorithm), SUBJECT))
    told = "-vfyopt distid:1234567812345678" if algorithm is SM2_SM3 else ""
    done = openssl(tmp_path, f"req -in r -inform DER -verify -noout {told}")
    # Its exit status is 0 whatever it found.
    assert "verify OK" in done.stderr


@families
def test_requests_made_by_openssl_are_accepted(algorithm: Algorithm, tmp_path: Path) -> None:
    request = read_csr(made_by_openssl(tmp_path, algorithm, _HASHED[algorithm]))
    assert request.public_key.algorithm is algorithm
    assert request.subject == Subject("网关", "示例", dns_names=("gw.example.cn",))


@pytest.mark.parametrize("kind", ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"])
def test_pem_is_as_good_as_der(kind: str) -> None:
    der = make_csr(signer(ES256), SUBJECT)
    assert read_csr(pem.armor(kind, der)).der == der


def test_a_request_with_the_empty_user_id_is_told_from_a_forged_one(tmp_path: Path) -> None:
    made = made_by_openssl(tmp_path, SM2_SM3, "-sm3")
    with pytest.raises(CsrEmptyId):
        read_csr(made)


@families
def test_whoever_lacks_the_private_key_gets_nothing(algorithm: Algorithm) -> None:
    theirs = make_csr(signer(algorithm), SUBJECT)
    info = x509.load_der_x509_csr(theirs).tbs_certrequest_bytes
    stolen = sign_tbs(info, signer(algorithm, 1))
    with pytest.raises(CsrBadSignature) as refused:
        read_csr(stolen)
    assert not isinstance(refused.value, CsrEmptyId)


def test_weak_keys_are_refused_as_weak() -> None:
    small = rsa.generate_private_key(65537, 1024)  # noqa: S505 - it is refused
    with pytest.raises(CsrWeakKey) as refused:
        read_csr(foreign(small, hashes.SHA256()))
    assert refused.value.parameters["reason"] == "size"
    with pytest.raises(CsrWeakKey) as refused:
        read_csr(foreign(rsa.generate_private_key(3, 2048), hashes.SHA256()))
    assert refused.value.parameters["reason"] == "exponent"


@pytest.mark.parametrize(
    ("key", "hashed", "kind"),
    [
        (ec.generate_private_key(ec.SECP384R1()), hashes.SHA256(), "secp384r1"),
        (ec.generate_private_key(ec.SECP256K1()), hashes.SHA256(), "secp256k1"),
        (ed25519.Ed25519PrivateKey.generate(), None, "Ed25519"),
    ],
    ids=["P-384", "secp256k1", "Ed25519"],
)
def test_kinds_of_keys_that_get_no_certificate_are_refused(
    key: CertificateIssuerPrivateKeyTypes, hashed: hashes.SHA256 | None, kind: str
) -> None:
    with pytest.raises(CsrBadKey) as refused:
        read_csr(foreign(key, hashed))
    assert refused.value.parameters == {"kind": kind}


def test_a_point_off_the_curve_is_no_key() -> None:
    der = make_csr(signer(ES256), SUBJECT)
    point = signer(ES256).public_key.spki[-64:]
    with pytest.raises(CsrBadKey):
        read_csr(der.replace(point, point[:-1] + bytes([point[-1] ^ 1])))


def test_a_request_signed_by_another_algorithm_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(CsrWrongAlgorithm) as refused:
        read_csr(foreign(key, hashes.SHA384()))
    assert refused.value.parameters == {"oid": "1.2.840.10045.4.3.3"}


@pytest.mark.parametrize(
    ("subject", "check", "about"),
    [
        (Subject("示例\u202e"), "characters", "common_name"),
        (Subject("示例", number="11010519491231002X"), "identity_number", "number"),
        (Subject("示例", uscc="11330100MBXX00027X"), "uscc", "uscc"),
        (Subject("示例", dns_names=("*.cn",)), "dns_name", "dns_names"),
    ],
)
def test_a_bad_name_is_refused_by_its_rule(subject: Subject, check: str, about: str) -> None:
    with pytest.raises(CsrBadName) as refused:
        read_csr(make_csr(signer(ES256), subject))
    assert refused.value.parameters == {"check": check, "about": about}


def test_a_name_longer_than_any_may_be_is_refused() -> None:
    der = make_csr(signer(ES256), Subject("a" * 64))
    info = x509.load_der_x509_csr(der).tbs_certrequest_bytes
    longer = csr.CertificationRequestInfo.load(info)
    longer["subject"] = asn1_x509.Name.build({"common_name": "a" * 65})
    with pytest.raises(CsrBadName) as refused:
        read_csr(sign_tbs(longer.dump(force=True), signer(ES256)))
    assert refused.value.parameters == {"check": "length", "about": "common_name"}


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"0",
        b"\x30\x03abc",
        b"-----BEGIN",
        b"-----BEGIN CERTIFICATE REQUEST-----\n!\n-----END CERTIFICATE REQUEST-----\n",
        b"\x30\x80" * 2000,
        b"\x30" * 100_000,
    ],
)
def test_junk_is_no_request(junk: bytes) -> None:
    with pytest.raises(CsrMalformed):
        read_csr(junk)


def test_another_kind_of_pem_is_no_request() -> None:
    der = make_csr(signer(ES256), SUBJECT)
    with pytest.raises(CsrMalformed):
        read_csr(pem.armor("CERTIFICATE", der))
    with pytest.raises(CsrMalformed):
        read_csr(der + b"\0")


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_a_flipped_bit_in_a_request_is_noticed(data: st.DataObject) -> None:
    der = _REQUEST
    place = data.draw(st.integers(min_value=0, max_value=8 * len(der) - 1))
    changed = bytearray(der)
    changed[place // 8] ^= 1 << (place % 8)
    with pytest.raises(CsrError):
        read_csr(bytes(changed))
