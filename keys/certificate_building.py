"""Build X.509 certificates (RFC 5280, GM/T 0015-2023) from profiles, for and by keys of any family.

`cryptography` encodes; the keys it does not know are put in and the whole is signed as
`keys.x509_signing` tells.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import AuthorityInformationAccessOID

from keys.certificate_names import Subject, alternative_names, x509_name
from keys.certificate_profiles import OCSP_SIGNING, Profile
from keys.der import tlv
from keys.public_keys import key_bits
from keys.signer import PublicKey, Signer
from keys.x509_signing import PLACEHOLDER, put_algorithm, put_key, sign_tbs

UNIT_EXTENSION = x509.ObjectIdentifier("1.2.156.10260.4.1.4")
"""GM/T 0015's extension for the number of a unit, where the field writes the 统一社会信用代码.

That the edition of 2023 kept this number could not be confirmed (docs/divergences.md).
"""

_PRINTABLE_STRING = 0x13
_Extension = tuple[x509.ExtensionType, bool]


@dataclass(frozen=True, slots=True)
class Places:
    """Where anybody fetches the issuer's certificate, its list of revoked ones, and its answers.

    `ocsp` is "" for an issuer that gives no answers.
    """

    issuer: str
    crl: str
    ocsp: str


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

    Nothing is linted. Raises ValueError for a name or serial number that RFC 5280 forbids.
    """
    tbs = to_be_signed(subject, issuer, signer.public_key, profile, public_key, validity, serial)
    return sign_tbs(tbs, signer)


def to_be_signed(
    subject: Subject,
    issuer: bytes | None,
    issuer_key: PublicKey,
    profile: Profile,
    public_key: PublicKey,
    validity: tuple[datetime, datetime],
    serial: int,
    places: Places | None = None,
) -> bytes:
    """Return the TBSCertificate that the issuer's key is to sign.

    Raises ValueError for a name or serial number that RFC 5280 forbids.
    """
    name = x509_name(subject)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(_subject_name(issuer) if issuer else name)
        .serial_number(serial)
        .not_valid_before(validity[0])
        .not_valid_after(validity[1])
        .public_key(PLACEHOLDER.public_key())
    )
    own = _own_extensions(subject, profile, public_key)
    for extension, critical in _profile_extensions(profile, issuer_key.spki, places) + own:
        builder = builder.add_extension(extension, critical)
    tbs = builder.sign(PLACEHOLDER, hashes.SHA256()).tbs_certificate_bytes
    return put_algorithm(put_key(tbs, public_key), issuer_key.algorithm)


@lru_cache(maxsize=1024)
def key_identifier(spki: bytes) -> bytes:
    """Return the 20 bytes a key is known by in certificates and lists.

    RFC 7093 §2 method 1: SHA-256 of the public key's bits, the first 160.
    """
    return hashlib.sha256(key_bits(spki)).digest()[:20]


@lru_cache(maxsize=64)
def _subject_name(der: bytes) -> x509.Name:
    return x509.load_der_x509_certificate(der).subject


@lru_cache(maxsize=256)
def _profile_extensions(
    profile: Profile, issuer_spki: bytes, places: Places | None
) -> tuple[_Extension, ...]:
    """What is the same in every certificate of a profile by one issuer."""
    usages = {name: name in profile.key_usage for name in _KEY_USAGES}
    extensions: list[_Extension] = [
        (x509.BasicConstraints(profile.is_ca, profile.path_length), True),
        (x509.KeyUsage(**usages), True),
        (x509.AuthorityKeyIdentifier(key_identifier(issuer_spki), None, None), False),
    ]
    if profile.extended_key_usage:
        usage = x509.ExtendedKeyUsage(
            [x509.ObjectIdentifier(o) for o in profile.extended_key_usage]
        )
        extensions.append((usage, profile.extended_key_usage_critical))
    if OCSP_SIGNING in profile.extended_key_usage:
        extensions.append((x509.OCSPNoCheck(), False))
    if places and profile.revocable:
        extensions += ((extension, False) for extension in _told(places))
    return tuple(extensions)


def _told(places: Places) -> tuple[x509.ExtensionType, x509.ExtensionType]:
    uri = x509.UniformResourceIdentifier
    methods = AuthorityInformationAccessOID
    access = ((methods.OCSP, places.ocsp), (methods.CA_ISSUERS, places.issuer))
    return (
        x509.CRLDistributionPoints(
            [x509.DistributionPoint([uri(places.crl)], None, None, None)],
        ),
        x509.AuthorityInformationAccess(
            [x509.AccessDescription(method, uri(place)) for method, place in access if place]
        ),
    )


def _own_extensions(subject: Subject, profile: Profile, key: PublicKey) -> tuple[_Extension, ...]:
    """What is this certificate's own."""
    extensions: list[_Extension] = [(x509.SubjectKeyIdentifier(key_identifier(key.spki)), False)]
    if alternatives := alternative_names(subject):
        extensions.append((alternatives, False))
    if subject.uscc and not profile.is_ca:
        unit = tlv(_PRINTABLE_STRING, subject.uscc.encode("ascii"))
        extensions.append((x509.UnrecognizedExtension(UNIT_EXTENSION, unit), False))
    return tuple(extensions)


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
