"""Certificate revocation lists (RFC 5280 §5; GM/T 0015 has the same form): build, read, check, combine.

Entries stay after their certificates have ended, since a document is verified years after it was
sealed; the lists say so (ITU-T X.509 §9.5.2.8, expiredCertsOnCRL).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID

from keys.certificate_states import Reason
from keys.certificates import Certificate
from keys.der import generalized_time
from keys.errors import DomainError
from keys.signer import PublicKey, Signer
from keys.x509_signing import PLACEHOLDER, is_signed_by, put_algorithm, sign_tbs

_REMOVED = "removeFromCRL"

_EXPIRED_CERTS_ON_CRL = x509.ObjectIdentifier("2.5.29.60")
_LARGEST = 64 * 1024 * 1024
_WRONG = (
    ValueError,
    TypeError,
    LookupError,
    OverflowError,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
_UNDERSTOOD = frozenset({ExtensionOID.DELTA_CRL_INDICATOR, ExtensionOID.CRL_NUMBER})


class CrlMalformed(DomainError):
    """The bytes are no CRL, or one that demands what is not understood (another scope)."""

    code = "crl.malformed"


class CrlUntrusted(DomainError):
    """The issuer did not sign this list, or may not sign lists."""

    code = "crl.untrusted"


class CrlMismatch(DomainError):
    """The delta does not add to this complete list."""

    code = "crl.mismatch"


@dataclass(frozen=True, slots=True)
class Entry:
    """One certificate on a list; `reason` is a name of RFC 5280 §5.3.1, moments are aware UTC."""

    serial: int
    at: datetime
    reason: str = Reason.UNSPECIFIED
    invalid_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Crl:
    """A list, read. `base` is the number a delta adds to; None for a complete list."""

    der: bytes
    issuer: bytes
    number: int
    base: int | None
    this_update: datetime
    next_update: datetime
    entries: Mapping[int, Entry]


@dataclass(frozen=True, slots=True)
class Heading:
    """What a list says of itself; `freshest` is where its deltas are ("" in a delta)."""

    number: int
    this_update: datetime
    next_update: datetime
    base: int | None = None
    freshest: str = ""


def build_crl(
    issuer: Certificate, signer: Signer, heading: Heading, entries: Iterable[Entry]
) -> bytes:
    """Return the DER of a list signed by the issuer."""
    authority = x509.load_der_x509_certificate(issuer.der)
    builder = x509.CertificateRevocationListBuilder(
        authority.subject,
        heading.this_update,
        heading.next_update,
        _extensions(authority, heading),
        [_listed(entry) for entry in entries],
    )
    tbs = builder.sign(PLACEHOLDER, hashes.SHA256()).tbs_certlist_bytes
    return sign_tbs(put_algorithm(tbs, signer.public_key.algorithm), signer)


def changes(since: Sequence[Mapping[int, Entry]], now: Mapping[int, Entry]) -> tuple[Entry, ...]:
    """Return the entries of a delta (RFC 5280 §5.2.4).

    `since` are the entries of the complete list it adds to, then of each delta made since: what
    one of these told is told again, so that a reader who merged it comes to the same end. What is
    no longer listed, a hold that was lifted, becomes an entry removeFromCRL.
    """
    base, *deltas = since
    told = {serial: entry for delta in deltas for serial, entry in delta.items()}
    listed = [e for serial, e in now.items() if serial in told or base.get(serial) != e]
    lifted = [
        replace(entry, reason=_REMOVED, invalid_since=None)
        for serial, entry in {**base, **told}.items()
        if serial not in now
    ]
    return (*listed, *lifted)


def combine(complete: Crl, delta: Crl) -> Mapping[int, Entry]:
    """Return the entries of the complete list brought up to the delta.

    Raises CrlMismatch unless both are one issuer's and the delta's base is not newer than the list
    and the list not newer than the delta (RFC 5280 §5.2.4).
    """
    fits = delta.base is not None and delta.base <= complete.number <= delta.number
    if not fits or complete.base is not None or complete.issuer != delta.issuer:
        raise CrlMismatch(number=complete.number, delta=delta.number)
    entries = {**complete.entries, **delta.entries}
    return {serial: entry for serial, entry in entries.items() if entry.reason != _REMOVED}


@lru_cache(maxsize=64)
def read_crl(der: bytes) -> Crl:
    """Read a DER list; its signature is `check_crl`'s. Raises CrlMalformed."""
    if len(der) > _LARGEST:
        raise CrlMalformed(reason="size")
    try:
        return _read(der)
    except _WRONG as wrong:
        raise CrlMalformed(reason=type(wrong).__name__) from wrong


def check_crl(crl: Crl, issuer: Certificate) -> None:
    """Check that `issuer` signed the list and may sign lists. Raises CrlUntrusted."""
    may_sign = not issuer.key_usage or "crl_sign" in issuer.key_usage
    if not may_sign or crl.issuer != issuer.subject.der:
        raise CrlUntrusted(issuer=issuer.subject.text)
    if not _is_signed(crl.der, issuer.public_key):
        raise CrlUntrusted(issuer=issuer.subject.text)


# A verifier asks of the same lists for every document, and one may be of many megabytes.
@lru_cache(maxsize=64)
def _is_signed(crl: bytes, key: PublicKey) -> bool:
    read = x509.load_der_x509_crl(crl)
    oid = read.signature_algorithm_oid.dotted_string
    return is_signed_by(key, read.tbs_certlist_bytes, oid, read.signature)


def _extensions(
    authority: x509.Certificate, heading: Heading
) -> list[x509.Extension[x509.ExtensionType]]:
    key = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    kept_since = generalized_time(authority.not_valid_before_utc)
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key), False),
        (x509.CRLNumber(heading.number), False),
        (x509.UnrecognizedExtension(_EXPIRED_CERTS_ON_CRL, kept_since), False),
    ]
    if heading.base is not None:
        extensions.append((x509.DeltaCRLIndicator(heading.base), True))
    if heading.freshest:
        place = x509.UniformResourceIdentifier(heading.freshest)
        point = x509.DistributionPoint([place], None, None, None)
        extensions.append((x509.FreshestCRL([point]), False))
    return [x509.Extension(value.oid, critical, value) for value, critical in extensions]


def _listed(entry: Entry) -> x509.RevokedCertificate:
    builder = x509.RevokedCertificateBuilder(entry.serial, entry.at)
    if entry.reason != Reason.UNSPECIFIED:  # RFC 5280 §5.3.1: absent rather than unspecified
        builder = builder.add_extension(x509.CRLReason(x509.ReasonFlags(entry.reason)), False)
    if entry.invalid_since is not None:
        builder = builder.add_extension(x509.InvalidityDate(entry.invalid_since), False)
    return builder.build()


def _read(der: bytes) -> Crl:
    read = x509.load_der_x509_crl(der)
    if read.public_bytes(Encoding.DER) != der or read.next_update_utc is None:
        raise ValueError("not in the one form of DER, or without an end")
    for extension in read.extensions:
        if extension.critical and extension.oid not in _UNDERSTOOD:
            raise ValueError("a critical extension that is not understood")
    numbers = {type(e.value): e.value for e in read.extensions}
    number, base = numbers.get(x509.CRLNumber), numbers.get(x509.DeltaCRLIndicator)
    return Crl(
        der=der,
        issuer=read.issuer.public_bytes(),
        number=number.crl_number if isinstance(number, x509.CRLNumber) else 0,
        base=base.crl_number if isinstance(base, x509.DeltaCRLIndicator) else None,
        this_update=read.last_update_utc,
        next_update=read.next_update_utc,
        entries={entry.serial: entry for entry in map(_entry, read)},
    )


def _entry(listed: x509.RevokedCertificate) -> Entry:
    reason, invalid_since = str(Reason.UNSPECIFIED), None
    for extension in listed.extensions:
        if isinstance(extension.value, x509.CRLReason):
            reason = extension.value.reason.value
        elif isinstance(extension.value, x509.InvalidityDate):
            invalid_since = extension.value.invalidity_date_utc
        elif extension.critical:
            raise ValueError("a critical extension that is not understood")
    return Entry(listed.serial_number, listed.revocation_date_utc, reason, invalid_since)
