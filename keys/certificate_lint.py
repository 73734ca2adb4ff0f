"""The rules an encoded certificate keeps, checked on the very bytes that are about to be signed.

What `keys.certificate_building` makes keeps them by construction; they are here for the day it does
not, since a certificate that is out cannot be mended. The names are what a refusal tells.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from asn1crypto.x509 import TbsCertificate
from cryptography import x509

from keys.certificate_building import UNIT_EXTENSION, Places, key_identifier
from keys.certificate_names import CertificateUnfit, Finding
from keys.certificate_profiles import (
    CERTIFIED_KEY_TYPES,
    OCSP_SIGNING,
    SERVER_AUTH,
    TIME_STAMPING,
    Profile,
)
from keys.certificates import Certificate
from keys.der import bits, sequence
from keys.signer import PublicKey
from keys.x509_signing import algorithm_identifier

_Kind = TypeVar("_Kind", bound=x509.ExtensionType)

_URL_SCHEMES = ("http://", "https://")
_LARGEST = 16 * 1024


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be signed and what it was to be.

    `issuer` is None for a self-signed certificate, `places` for an authority that tells none.
    """

    tbs: bytes
    profile: Profile
    public_key: PublicKey
    issuer: Certificate | None = None
    places: Places | None = None

    @property
    def issuer_key(self) -> PublicKey:
        """The key that will sign."""
        return self.issuer.public_key if self.issuer else self.public_key


@dataclass(frozen=True, slots=True)
class _Read:
    """A draft and what stands in it: the head as it is encoded, the rest by its meaning."""

    draft: Draft
    head: Any
    body: x509.Certificate

    def extension(self, kind: type[_Kind]) -> x509.Extension[_Kind] | None:
        try:
            return self.body.extensions.get_extension_for_class(kind)
        except x509.ExtensionNotFound:
            return None

    def value(self, kind: type[_Kind]) -> _Kind | None:
        found = self.extension(kind)
        return found.value if found else None


def check(draft: Draft) -> None:
    """Raise CertificateUnfit for the first rule the draft breaks."""
    for finding in lint(draft):
        raise CertificateUnfit(check=finding.check, about=finding.about)


def lint(draft: Draft) -> tuple[Finding, ...]:
    """Return every rule the draft breaks; one that cannot be read breaks `encoding`."""
    try:
        read = _read(draft)
        return tuple(Finding(name) for name, holds in _CHECKS.items() if not holds(read))
    except (ValueError, TypeError, x509.DuplicateExtension):
        return (Finding("encoding"),)


def _read(draft: Draft) -> _Read:
    # The outer signature is not there yet; nobody looks at it.
    whole = sequence(draft.tbs, algorithm_identifier(draft.issuer_key.algorithm), bits(b""))
    head = TbsCertificate.load(draft.tbs, strict=True)
    return _Read(draft, head, x509.load_der_x509_certificate(whole))


def _serial_is_long_and_fits(read: _Read) -> bool:
    # RFC 5280 §4.1.2.2: positive, at most 20 octets. CA/B Forum BR §7.1: 64 random bits at least.
    return 64 <= read.body.serial_number.bit_length() <= 159 and read.body.serial_number > 0


def _algorithm_is_the_issuers(read: _Read) -> bool:
    expected = algorithm_identifier(read.draft.issuer_key.algorithm)
    return bool(read.head["signature"].dump() == expected)


def _issuer_is_named_byte_by_byte(read: _Read) -> bool:
    # RFC 5280 §4.1.2.4 compares names by meaning; software in the field compares their bytes.
    issuer = read.draft.issuer
    return bool(read.head["issuer"].dump() == (issuer.subject.der if issuer else _subject(read)))


def _subject_is_not_the_issuer(read: _Read) -> bool:
    issuer = read.draft.issuer
    return issuer is None or (
        _subject(read) != issuer.subject.der and read.draft.public_key != issuer.public_key
    )


def _subject(read: _Read) -> bytes:
    der: bytes = read.head["subject"].dump()
    return der


def _key_is_the_one_asked_for(read: _Read) -> bool:
    key = read.draft.public_key
    told = read.head["subject_public_key_info"].dump()
    return key.algorithm.key_type in CERTIFIED_KEY_TYPES and told == key.spki


def _lasts_as_long_as_it_may(read: _Read) -> bool:
    begins, ends = read.body.not_valid_before_utc, read.body.not_valid_after_utc
    return begins < ends <= begins + read.draft.profile.lasts


def _lies_inside_the_issuers_life(read: _Read) -> bool:
    issuer = read.draft.issuer
    return issuer is None or (
        issuer.not_before <= read.body.not_valid_before_utc
        and read.body.not_valid_after_utc <= issuer.not_after
    )


def _says_whether_it_is_a_ca(read: _Read) -> bool:
    told, profile = read.extension(x509.BasicConstraints), read.draft.profile
    return (
        told is not None
        and told.critical
        and (told.value.ca, told.value.path_length) == (profile.is_ca, profile.path_length)
    )


def _path_is_shorter_than_the_issuers(read: _Read) -> bool:
    issuer, length = read.draft.issuer, read.draft.profile.path_length
    if issuer is None:
        return length is not None
    allowed = issuer.path_length
    return issuer.is_ca and (length is None or allowed is None or length < allowed)


def _key_usage_is_the_profiles(read: _Read) -> bool:
    told = read.extension(x509.KeyUsage)
    if told is None or not told.critical or told.value.key_cert_sign != read.draft.profile.is_ca:
        return False
    return {u for u in _USAGES if getattr(told.value, u)} == read.draft.profile.key_usage


def _extended_key_usage_is_the_profiles(read: _Read) -> bool:
    told, profile = read.extension(x509.ExtendedKeyUsage), read.draft.profile
    if told is None:
        return not profile.extended_key_usage
    usages = tuple(usage.dotted_string for usage in told.value)
    # RFC 3161 §2.3: alone and critical.
    lone = TIME_STAMPING not in usages or (len(usages) == 1 and told.critical)
    critical = told.critical == profile.extended_key_usage_critical
    return lone and critical and usages == profile.extended_key_usage


def _keys_are_identified(read: _Read) -> bool:
    own = read.value(x509.SubjectKeyIdentifier)
    above = read.value(x509.AuthorityKeyIdentifier)
    return (
        own is not None
        and above is not None
        and own.digest == key_identifier(read.draft.public_key.spki)
        and above.key_identifier == key_identifier(read.draft.issuer_key.spki)
    )


def _server_has_a_host(read: _Read) -> bool:
    return SERVER_AUTH not in read.draft.profile.extended_key_usage or (
        read.value(x509.SubjectAlternativeName) is not None
    )


def _unit_is_told_alike(read: _Read) -> bool:
    """The unit's number is the same in the name and in the extension, or in neither."""
    told = [e.value for e in read.body.extensions if e.oid == UNIT_EXTENSION]
    named = read.body.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_IDENTIFIER)
    numbers = [str(attribute.value).removeprefix("NTRCN-") for attribute in named]
    if read.draft.profile.is_ca:
        return not told
    units = [v.value[2:].decode() for v in told if isinstance(v, x509.UnrecognizedExtension)]
    return numbers == units


def _places_are_told(read: _Read) -> bool:
    """Where to ask whether it is revoked is told by all but those that say they need no asking."""
    lists = read.value(x509.CRLDistributionPoints)
    access = read.value(x509.AuthorityInformationAccess)
    places = read.draft.places if read.draft.profile.revocable else None
    if places is None:
        return lists is None and access is None
    if lists is None or access is None:
        return False
    listed = [name.value for point in lists for name in point.full_name or ()]
    told = [*listed, *(description.access_location.value for description in access)]
    wanted = [place for place in (places.crl, places.ocsp, places.issuer) if place]
    return told == wanted and all(is_url(url) for url in told)


def is_url(text: str) -> bool:
    """Say whether a text is an address that anybody can fetch from, as certificates tell them."""
    return (
        text.startswith(_URL_SCHEMES) and text.isascii() and text.isprintable() and " " not in text
    )


def _responder_needs_no_asking(read: _Read) -> bool:
    # RFC 6960 §4.2.2.2.1.
    answers = OCSP_SIGNING in read.draft.profile.extended_key_usage
    return answers == (read.value(x509.OCSPNoCheck) is not None)


_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)

_CHECKS: Mapping[str, Callable[[_Read], bool]] = MappingProxyType(
    {
        "size": lambda read: len(read.draft.tbs) <= _LARGEST,
        "version": lambda read: read.body.version is x509.Version.v3,
        "serial": _serial_is_long_and_fits,
        "signature_algorithm": _algorithm_is_the_issuers,
        "issuer_name": _issuer_is_named_byte_by_byte,
        "self_issued": _subject_is_not_the_issuer,
        "public_key": _key_is_the_one_asked_for,
        "lifetime": _lasts_as_long_as_it_may,
        "validity_inside_issuer": _lies_inside_the_issuers_life,
        "basic_constraints": _says_whether_it_is_a_ca,
        "path_length": _path_is_shorter_than_the_issuers,
        "key_usage": _key_usage_is_the_profiles,
        "extended_key_usage": _extended_key_usage_is_the_profiles,
        "key_identifiers": _keys_are_identified,
        "server_without_host": _server_has_a_host,
        "unit": _unit_is_told_alike,
        "places": _places_are_told,
        "ocsp_no_check": _responder_needs_no_asking,
    }
)
"""The rules, by the names they are told by."""
