"""Keys with their certificates in PKCS#12 files: read, or refused for the right reason."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed448
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    load_der_private_key,
    pkcs12,
)

from keys.algorithms import ES256, RS256, Algorithm
from keys.certificates import ROOT, Subject, parse, self_signed
from keys.curves import KeyMalformed
from keys.pbes2 import WrongPassphrase
from keys.pkcs12 import read_pkcs12
from keys.software_signer import SoftwareSigner, generate

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = b"four herons"


def packed(algorithm: Algorithm) -> tuple[bytes, bytes]:
    """Return a file with a key, its certificate and another, and the certificate."""
    material = generate(algorithm, rsa_bits=2048)
    key = load_der_private_key(material.pkcs8, None)
    assert isinstance(key, EllipticCurvePrivateKey | RSAPrivateKey)
    validity = (SINCE, SINCE + timedelta(days=365))
    der = self_signed(SoftwareSigner(material), ROOT, Subject("示例", "示例"), validity)
    other = self_signed(SoftwareSigner(generate(ES256)), ROOT, Subject("根", "根"), validity)
    loaded = [x509.load_der_x509_certificate(each) for each in (der, other)]
    locked = BestAvailableEncryption(SECRET)
    return pkcs12.serialize_key_and_certificates(b"", key, loaded[0], loaded[1:], locked), der


@pytest.mark.parametrize("algorithm", [ES256, RS256], ids=["P-256", "RSA"])
def test_the_key_comes_with_its_certificate_first(algorithm: Algorithm) -> None:
    file, certificate = packed(algorithm)
    material, certificates = read_pkcs12(file, SECRET)
    assert material.algorithm is algorithm
    assert certificates[0] == certificate
    assert len(certificates) == 2
    assert parse(certificate).public_key.spki == SoftwareSigner(material).public_key.spki


def test_a_wrong_passphrase_is_told_apart_from_a_broken_file() -> None:
    file, _ = packed(ES256)
    with pytest.raises(WrongPassphrase):
        read_pkcs12(file, b"five herons")
    for broken in (b"", b"rubbish", file[:200], b"0" * (300 * 1024)):
        with pytest.raises(KeyMalformed):
            read_pkcs12(broken, SECRET)


def test_a_file_without_a_key_of_ours_is_refused() -> None:
    _, certificate = packed(ES256)
    only = x509.load_der_x509_certificate(certificate)
    no_key = pkcs12.serialize_key_and_certificates(
        b"", None, None, [only], BestAvailableEncryption(SECRET)
    )
    with pytest.raises(KeyMalformed):
        read_pkcs12(no_key, SECRET)
    foreign = pkcs12.serialize_key_and_certificates(
        b"", ed448.Ed448PrivateKey.generate(), None, None, BestAvailableEncryption(SECRET)
    )
    with pytest.raises(KeyMalformed):
        read_pkcs12(foreign, SECRET)
