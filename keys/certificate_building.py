"""Build X.509 certificates for P-256 and SM2 keys from profiles.

`cryptography` builds the certificate around a placeholder P-256 key, since it knows no SM2; two
DER pieces of equal length (key and algorithm) are then put in place and the whole is signed by any
Signer. Every certificate goes this way, so both families have the same shape.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from asn1crypto.core import ObjectIdentifier
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from keys.algorithms import ES256, Algorithm
from keys.curves import curve_of
from keys.der_signature import to_der
from keys.signer import PublicKey, Signer

# RFC 9336: id-kp-documentSigning.
_DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")


@dataclass(frozen=True, slots=True)
class Profile:
    """What a kind of certificate may do and how long it lasts.

    `path_length` is how many CA certificates may follow; `None` makes an end entity.
    """

    name: str
    key_usage: frozenset[str]
    lasts: timedelta
    path_length: int | None = None
    signs_documents: bool = False


_SIGNS = frozenset({"digital_signature", "content_commitment"})
_CERTIFIES = frozenset({"key_cert_sign", "crl_sign"})
_YEAR = timedelta(days=365)

ROOT = Profile("root", _CERTIFIES, 20 * _YEAR, path_length=1)
ISSUING_CA = Profile("issuing-ca", _CERTIFIES, 10 * _YEAR, path_length=0)
SEAL_MAKER = Profile("seal-maker", _SIGNS, 5 * _YEAR)
SEAL_SIGNER = Profile("seal-signer", _SIGNS, 5 * _YEAR)
PDF_SIGNER = Profile("pdf-signer", _SIGNS, 5 * _YEAR, signs_documents=True)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a certificate names; `uscc` becomes the organizationIdentifier `NTRCN-…`."""

    common_name: str
    organization: str
    uscc: str = ""
    country: str = "CN"


def build(
    subject: Subject,
    issuer: bytes | None,
    signer: Signer,
    profile: Profile,
    public_key: PublicKey,
    validity: tuple[datetime, datetime],
    serial: int,
) -> bytes:
    """Return a certificate's DER; `issuer` is the DER of the issuer's, or None for a self-signed one.

    Raises ValueError for a name or serial number that RFC 5280 forbids.
    """
    name = _name(subject)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(x509.load_der_x509_certificate(issuer).subject if issuer else name)
        .serial_number(serial)
        .not_valid_before(validity[0])
        .not_valid_after(validity[1])
        .public_key(_PLACEHOLDER.public_key())
    )
    for extension, critical in _extensions(profile, public_key, signer.public_key):
        builder = builder.add_extension(extension, critical)
    tbs = builder.sign(_PLACEHOLDER, hashes.SHA256()).tbs_certificate_bytes
    algorithm = _algorithm_identifier(signer.public_key.algorithm)
    tbs = _swap(tbs, _PLACEHOLDER_SPKI, public_key.spki)
    tbs = _swap(tbs, _algorithm_identifier(ES256), algorithm)
    signature = to_der(signer.sign(tbs))
    return _der(0x30, tbs + algorithm + _der(0x03, b"\0" + signature))


def _extensions(
    profile: Profile, key: PublicKey, issuer_key: PublicKey
) -> list[tuple[x509.ExtensionType, bool]]:
    is_ca = profile.path_length is not None
    usages = {name: name in profile.key_usage for name in _KEY_USAGES}
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=is_ca, path_length=profile.path_length), True),
        (x509.KeyUsage(**usages), True),
        (x509.SubjectKeyIdentifier(_key_identifier(key)), False),
        (x509.AuthorityKeyIdentifier(_key_identifier(issuer_key), None, None), False),
    ]
    if profile.signs_documents:
        extensions.append((x509.ExtendedKeyUsage([_DOCUMENT_SIGNING]), False))
    return extensions


def _name(subject: Subject) -> x509.Name:
    attributes = [
        (NameOID.COUNTRY_NAME, subject.country),
        (NameOID.ORGANIZATION_NAME, subject.organization),
        (NameOID.ORGANIZATION_IDENTIFIER, f"NTRCN-{subject.uscc}" if subject.uscc else ""),
        (NameOID.COMMON_NAME, subject.common_name),
    ]
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes if value])


def _key_identifier(key: PublicKey) -> bytes:
    # RFC 7093 §2 method 1: SHA-256 of the public key's bits, the first 160.
    point = b"\x04" + curve_of(key.algorithm).point(key.spki)
    return hashlib.sha256(point).digest()[:20]


def _algorithm_identifier(algorithm: Algorithm) -> bytes:
    """An AlgorithmIdentifier without parameters (RFC 5758 §3.2; as OpenSSL writes SM2's)."""
    return _der(0x30, ObjectIdentifier(algorithm.signature_oid).dump())


def _swap(tbs: bytes, placeholder: bytes, real: bytes) -> bytes:
    # Equal lengths keep every DER length above them true; a name that happens to hold the piece
    # would make two places, and is refused rather than guessed at.
    if len(placeholder) != len(real) or tbs.count(placeholder) != 1:
        raise ValueError("the certificate has not exactly one place for a piece")
    return tbs.replace(placeholder, real)


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content


_KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
# A key everybody knows: it signs nothing that leaves this module.
_PLACEHOLDER = ec.derive_private_key(1, ec.SECP256R1())
_PLACEHOLDER_SPKI = _PLACEHOLDER.public_key().public_bytes(
    Encoding.DER, PublicFormat.SubjectPublicKeyInfo
)
