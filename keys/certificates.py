"""X.509 certificates (RFC 5280, GM/T 0015) of SM2, P-256 and RSA keys: make, read, check a chain.

Reading is tolerant of form, because seals of other provinces carry what they carry; checking is
not.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice

from asn1crypto import x509

from keys.certificate_building import build
from keys.certificate_names import Subject
from keys.certificate_profiles import (
    DOCUMENT_SIGNING,
    ISSUING_CA,
    OCSP_SIGNING,
    PDF_SIGNER,
    ROOT,
    SEAL_MAKER,
    SEAL_SIGNER,
    SERVER_AUTH,
    TIME_STAMPING,
    Profile,
)
from keys.curves import KeyMalformed
from keys.der_signature import SignatureMalformed
from keys.errors import DomainError
from keys.public_keys import public_key
from keys.signature_value import from_x509
from keys.signer import PublicKey, Signer
from keys.verify import BadSignature, verify

__all__ = [
    "ISSUING_CA",
    "PDF_SIGNER",
    "ROOT",
    "SEAL_MAKER",
    "SEAL_SIGNER",
    "Certificate",
    "CertificateBadSignature",
    "CertificateError",
    "CertificateExpired",
    "CertificateMalformed",
    "CertificateNotYetValid",
    "CertificateUntrusted",
    "CertificateWrongUsage",
    "Name",
    "Profile",
    "Subject",
    "holder",
    "issue",
    "parse",
    "self_signed",
    "verify_chain",
]

_ANY_USAGE = "2.5.29.37.0"
_OF_MACHINES = frozenset({SERVER_AUTH, TIME_STAMPING, OCSP_SIGNING})
_LONGEST_CHAIN = 5
_MOST_INTERMEDIATES = 20
_LARGEST = 64 * 1024
_WRONG = (ValueError, TypeError, LookupError, OverflowError, KeyMalformed)

# Extensions whose meaning is applied here, or is advice the check below does not depend on.
_UNDERSTOOD = frozenset(
    {
        "basic_constraints",
        "key_usage",
        "extended_key_usage",
        "key_identifier",
        "authority_key_identifier",
        "subject_alt_name",
        "certificate_policies",
    }
)


class CertificateError(DomainError):
    """A certificate says no; the code says why."""

    code = "certificate"


class CertificateMalformed(CertificateError):
    """The bytes are not a certificate, or not of a key in the algorithm table."""

    code = "certificate.malformed"


class CertificateUntrusted(CertificateError):
    """No chain leads from the certificate to an anchor."""

    code = "certificate.untrusted"


class CertificateExpired(CertificateError):
    """The moment is after the certificate's end."""

    code = "certificate.expired"


class CertificateNotYetValid(CertificateError):
    """The moment is before the certificate's beginning."""

    code = "certificate.not_yet_valid"


class CertificateBadSignature(CertificateError):
    """The issuer named did not sign these bytes."""

    code = "certificate.bad_signature"


class CertificateWrongUsage(CertificateError):
    """The certificate is used for what it does not allow, or demands what is not understood."""

    code = "certificate.wrong_usage"


@dataclass(frozen=True, slots=True)
class Name:
    """A distinguished name: its DER, and the attributes people ask for ("" when absent)."""

    der: bytes
    country: str
    organization: str
    common_name: str
    organization_identifier: str
    text: str

    @property
    def uscc(self) -> str:
        """The 统一社会信用代码 of an organizationIdentifier `NTRCN-…` (ETSI EN 319 412-1 §5.1.4)."""
        return self.organization_identifier.removeprefix("NTRCN-")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate, read. `key_usage` holds asn1crypto's names and is empty when not stated.

    `extended_key_usage` holds dotted OIDs, empty when not stated; `critical` the extensions that are,
    by asn1crypto's names or dotted.
    """

    der: bytes
    subject: Name
    issuer: Name
    serial: int
    not_before: datetime
    not_after: datetime
    public_key: PublicKey
    key_usage: frozenset[str]
    is_ca: bool
    path_length: int | None
    signature_oid: str
    signature: bytes
    to_be_signed: bytes
    extended_key_usage: frozenset[str]
    critical: frozenset[str]

    @property
    def not_understood(self) -> frozenset[str]:
        """The critical extensions whose meaning is not applied here."""
        return self.critical - _UNDERSTOOD


def self_signed(
    signer: Signer,
    profile: Profile,
    subject: Subject,
    validity: tuple[datetime, datetime],
    serial: int = 1,
) -> bytes:
    """Return the DER of a certificate `signer` makes for itself, good from … to …, both included.

    Nothing is linted. Raises ValueError for a name or serial number that RFC 5280 forbids.
    """
    return build(subject, None, signer, profile, signer.public_key, validity, serial)


def issue(
    issuer_certificate: Certificate,
    issuer_signer: Signer,
    profile: Profile,
    subject: Subject,
    public_key: PublicKey,
    not_before: datetime,
    not_after: datetime,
    serial: int,
) -> bytes:
    """Return the DER of a certificate for `public_key`, signed by the issuer; nothing is linted.

    `serial` must be positive, below 2^159 and unlike any other of this issuer (RFC 5280 §4.1.2.2).
    Raises ValueError for a name or serial number that RFC 5280 forbids.
    """
    validity = (not_before, not_after)
    issuer = issuer_certificate.der
    return build(subject, issuer, issuer_signer, profile, public_key, validity, serial)


@lru_cache(maxsize=512)
def parse(der: bytes) -> Certificate:
    """Read a DER certificate. Raises CertificateMalformed."""
    if len(der) > _LARGEST:
        raise CertificateMalformed(reason="size")
    try:
        return _read(x509.Certificate.load(der, strict=True))
    except _WRONG as wrong:
        raise CertificateMalformed(reason=type(wrong).__name__) from wrong


@lru_cache(maxsize=512)
def holder(der: bytes) -> tuple[Name, PublicKey]:
    """Return whom a DER certificate names and the key, whatever its extensions are.

    Seals in the field carry certificates with an extension no strict parser reads: what they
    signed can still be told from what they did not. Raises CertificateMalformed.
    """
    if len(der) > _LARGEST:
        raise CertificateMalformed(reason="size")
    try:
        tbs = x509.Certificate.load(der, strict=True)["tbs_certificate"]
        return _name(tbs["subject"]), public_key(tbs["subject_public_key_info"].dump())
    except _WRONG as wrong:
        raise CertificateMalformed(reason=type(wrong).__name__) from wrong


def verify_chain(
    certificate: Certificate,
    intermediates: Iterable[bytes],
    anchors: Iterable[bytes],
    at: datetime,
    usage: str = DOCUMENT_SIGNING,
) -> tuple[Certificate, ...]:
    """Return the chain that leads from `certificate` to one of `anchors`, all good at the moment `at`.

    It begins with the certificate and ends with the anchor. `usage` is the extended key usage (OID)
    it is for: one that is critically for others is refused.

    Intermediates and anchors are DER; an anchor is trusted by being one of the bytes given, not by
    its name. Intermediates that cannot be read are passed over, as are those after the first
    twenty. Raises a CertificateError (RFC 5280 §6.1, without policies and name constraints: a
    critical extension that asks for them is refused).
    """
    trusted = [parse(der) for der in anchors]
    offered = trusted + _readable(intermediates)
    _check_leaf_usage(certificate, usage)
    subject, anchor_ders = certificate, {anchor.der for anchor in trusted}
    chain: list[Certificate] = []
    for depth in range(_LONGEST_CHAIN):
        _check_moment(subject, at)
        if subject.not_understood:
            strangers = ", ".join(sorted(subject.not_understood))
            raise CertificateWrongUsage(subject=subject.subject.text, extensions=strangers)
        chain.append(subject)
        if subject.der in anchor_ders:
            return tuple(chain)
        subject = _issuer_of(subject, offered, depth)
    raise CertificateUntrusted(subject=certificate.subject.text)


def _readable(intermediates: Iterable[bytes]) -> list[Certificate]:
    # They come with the document: what cannot be read cannot help, and a thousand would only cost.
    readable = []
    for der in islice(intermediates, _MOST_INTERMEDIATES):
        with suppress(CertificateMalformed):
            readable.append(parse(der))
    return readable


def _issuer_of(subject: Certificate, offered: list[Certificate], depth: int) -> Certificate:
    """Return the one that signed `subject`; `depth` is how many CA certificates stand below it."""
    named = [c for c in offered if c.subject.der == subject.issuer.der and c.der != subject.der]
    if not named:
        raise CertificateUntrusted(subject=subject.subject.text)
    signed = [issuer for issuer in named if _signed(issuer, subject)]
    if not signed and not _signed(subject, subject):
        raise CertificateBadSignature(subject=subject.subject.text)
    if not signed:  # a root of its own that borrows the name of one of ours
        raise CertificateUntrusted(subject=subject.subject.text)
    for issuer in signed:
        may_sign = issuer.is_ca and (not issuer.key_usage or "key_cert_sign" in issuer.key_usage)
        if may_sign and (issuer.path_length is None or depth <= issuer.path_length):
            return issuer
    raise CertificateWrongUsage(subject=signed[0].subject.text)


# The same few authorities stand above a hundred thousand signatures.
@lru_cache(maxsize=512)
def _signed(issuer: Certificate, subject: Certificate) -> bool:
    if issuer.public_key.algorithm.signature_oid != subject.signature_oid:
        return False
    try:
        signature = from_x509(issuer.public_key.algorithm, subject.signature)
        verify(issuer.public_key, subject.to_be_signed, signature)
    except (BadSignature, SignatureMalformed):
        return False
    return True


def _check_moment(certificate: Certificate, at: datetime) -> None:
    if at < certificate.not_before:
        raise CertificateNotYetValid(subject=certificate.subject.text)
    if at > certificate.not_after:
        raise CertificateExpired(subject=certificate.subject.text)


def _check_leaf_usage(certificate: Certificate, usage: str) -> None:
    signs = {"digital_signature", "non_repudiation"}
    if certificate.key_usage and not certificate.key_usage & signs:
        raise CertificateWrongUsage(subject=certificate.subject.text)
    # RFC 5280 §4.2.1.12. What is not critical is advice here, for seals in the field carry all sorts;
    # but a key that speaks for a machine in other matters is on hand where no person decides.
    told = certificate.extended_key_usage
    is_strict = "extended_key_usage" in certificate.critical or told & _OF_MACHINES
    if is_strict and not told & {usage, _ANY_USAGE}:
        raise CertificateWrongUsage(subject=certificate.subject.text)


def _read(certificate: x509.Certificate) -> Certificate:
    tbs = certificate["tbs_certificate"]
    constraints, usage = certificate.basic_constraints_value, certificate.key_usage_value
    extended = certificate.extended_key_usage_value
    return Certificate(
        der=certificate.dump(),
        subject=_name(tbs["subject"]),
        issuer=_name(tbs["issuer"]),
        serial=tbs["serial_number"].native,
        not_before=_moment(tbs["validity"]["not_before"].native),
        not_after=_moment(tbs["validity"]["not_after"].native),
        public_key=public_key(tbs["subject_public_key_info"].dump()),
        key_usage=frozenset(usage.native if usage else ()),
        is_ca=bool(constraints and constraints["ca"].native),
        path_length=constraints["path_len_constraint"].native if constraints else None,
        signature_oid=certificate["signature_algorithm"]["algorithm"].dotted,
        signature=certificate["signature_value"].native,
        to_be_signed=tbs.dump(),
        extended_key_usage=frozenset(usage.dotted for usage in extended or ()),
        critical=frozenset(certificate.critical_extensions),
    )


def _moment(told: object) -> datetime:
    # RFC 5280 §4.1.2.5: in UTC. asn1crypto also reads local times and the year 0, which compare
    # with nothing.
    if not isinstance(told, datetime) or told.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return told


def _name(name: x509.Name) -> Name:
    attributes = name.native

    def one(key: str) -> str:
        value = attributes.get(key, "")
        return str(value[0] if isinstance(value, list) else value)

    return Name(
        der=name.dump(),
        country=one("country_name"),
        organization=one("organization_name"),
        common_name=one("common_name"),
        organization_identifier=one("organization_identifier"),
        text=name.human_friendly,
    )
