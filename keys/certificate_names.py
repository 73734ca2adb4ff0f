"""Whom a certificate names: the subject as people give it, its rules, its X.501 form, and back.

The rules are checked before anything is encoded or signed: a name in a certificate cannot be
taken back. Lengths are RFC 5280 appendix A.1, forms X.520 and ETSI EN 319 412-1 §5.1.4.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from types import MappingProxyType
from typing import Any

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.x509.oid import NameOID

from keys import identity_numbers
from keys.certificate_profiles import Profile
from keys.errors import DomainError
from keys.identity_numbers import NumberWrong

_REGISTER = "NTRCN-"


class CertificateUnfit(DomainError):
    """The certificate would break a rule; `check` names the rule, `about` what breaks it."""

    code = "certificate.unfit"


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that does not hold, and the field it is about ("" for the whole)."""

    check: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a certificate names; a field that is "" or () is left out.

    `uscc` becomes the organizationIdentifier `NTRCN-…` and the extension of GM/T 0015. `number` is a
    serialNumber: a staff number, or one that tells namesakes apart. `dns_names` and `ip_addresses`
    are alternative names.
    """

    common_name: str
    organization: str = ""
    uscc: str = ""
    country: str = "CN"
    organizational_unit: str = ""
    province: str = ""
    locality: str = ""
    number: str = ""
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()

    @property
    def alternatives(self) -> tuple[str, ...]:
        """The hosts it names besides."""
        return self.dns_names + self.ip_addresses


# In the order of the name, from the wide to the narrow (X.521), with RFC 5280's upper bounds.
_ATTRIBUTES: Mapping[str, tuple[x509.ObjectIdentifier, int]] = MappingProxyType(
    {
        "country": (NameOID.COUNTRY_NAME, 2),
        "province": (NameOID.STATE_OR_PROVINCE_NAME, 128),
        "locality": (NameOID.LOCALITY_NAME, 128),
        "organization": (NameOID.ORGANIZATION_NAME, 64),
        "uscc": (NameOID.ORGANIZATION_IDENTIFIER, 18),
        "organizational_unit": (NameOID.ORGANIZATIONAL_UNIT_NAME, 64),
        "number": (NameOID.SERIAL_NUMBER, 64),
        "common_name": (NameOID.COMMON_NAME, 64),
    }
)
# asn1crypto's names of the same attributes.
_NATIVE = MappingProxyType(
    {
        "country": "country_name",
        "province": "state_or_province_name",
        "locality": "locality_name",
        "organization": "organization_name",
        "uscc": "organization_identifier",
        "organizational_unit": "organizational_unit_name",
        "number": "serial_number",
        "common_name": "common_name",
    }
)


def x509_name(subject: Subject) -> x509.Name:
    """Return the distinguished name. Raises ValueError for what RFC 5280 forbids outright."""
    values = {field: getattr(subject, field) for field in _ATTRIBUTES}
    if subject.uscc:
        values["uscc"] = _REGISTER + subject.uscc
    return x509.Name(
        [x509.NameAttribute(oid, values[f]) for f, (oid, _) in _ATTRIBUTES.items() if values[f]]
    )


def alternative_names(subject: Subject) -> x509.SubjectAlternativeName | None:
    """Return the hosts as an extension, or None for a subject without any."""
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in subject.dns_names]
    names += [x509.IPAddress(ip_address(address)) for address in subject.ip_addresses]
    return x509.SubjectAlternativeName(names) if names else None


def subject_in(der: bytes) -> Subject:
    """Return whom a certificate names. Raises ValueError when it is none."""
    certificate = asn1_x509.Certificate.load(der, strict=True)
    return subject_of(certificate.subject.native, certificate.subject_alt_name_value)


def subject_of(name: Mapping[str, Any], alternatives: Any = None) -> Subject:
    """Return the subject of asn1crypto's native name and alternative names (None without any).

    Of what stands there twice the last counts, as it is the narrowest; what no field is for is left
    out.
    """
    told = {field: _last(name.get(native, "")) for field, native in _NATIVE.items()}
    told["uscc"] = told["uscc"].removeprefix(_REGISTER)
    return Subject(
        **told,
        dns_names=_alternatives(alternatives, "dns_name"),
        ip_addresses=_alternatives(alternatives, "ip_address"),
    )


def _last(value: object) -> str:
    return str(value[-1] if isinstance(value, list) else value)


def _alternatives(names: Any, kind: str) -> tuple[str, ...]:
    return tuple(n.native for n in names if n.name == kind) if names else ()


def check_subject(subject: Subject, profile: Profile) -> None:
    """Check the subject for a profile. Raises CertificateUnfit, for the first rule that does not hold."""
    for finding in lint_subject(subject, profile):
        raise CertificateUnfit(check=finding.check, about=finding.about)


def lint_subject(subject: Subject, profile: Profile) -> Iterator[Finding]:
    """Yield every rule the subject breaks as one for this profile, and where."""
    for field in sorted(profile.required):
        if not getattr(subject, field):
            yield Finding("required", field)
    for field in sorted(profile.forbidden):
        if getattr(subject, field):
            yield Finding("forbidden", field)
    yield from lint_texts(subject)


def lint_texts(subject: Subject) -> Iterator[Finding]:
    """Yield every rule that what the subject does say breaks, and where."""
    for field, text in _texts(subject):
        yield from (Finding(check, field) for check, holds in _TEXT.items() if not holds(text))
    for field, check, holds in _FIELDS:
        told = getattr(subject, field)
        values = told if isinstance(told, tuple) else (told,)
        if not all(holds(value) for value in values if value):
            yield Finding(check, field)


def _texts(subject: Subject) -> Iterator[tuple[str, str]]:
    for field in _ATTRIBUTES:
        if text := getattr(subject, field):
            yield field, text
    for field in ("dns_names", "ip_addresses"):
        for text in getattr(subject, field):
            yield field, text


def _holds_no_identity_number(text: str) -> bool:
    # A certificate is public for ever: an identity number in it could never be taken back.
    for found in _RESIDENT_ID.finditer(text):
        with suppress(NumberWrong):
            identity_numbers.citizen_form(found[1])
            return False
    return True


def _is_uscc(text: str) -> bool:
    try:
        return identity_numbers.uscc(text) == text
    except NumberWrong:
        return False


def _is_dns_name(name: str) -> bool:
    # RFC 1034 §3.5 and RFC 5280 §4.2.1.6: letters, digits, hyphens; no wildcard; no address.
    labels = name.split(".")
    return (
        len(name) <= 253
        and all(_LABEL.fullmatch(label) for label in labels)
        and not labels[-1].isdigit()
    )


def _is_host_address(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return str(address) == text and not (address.is_unspecified or address.is_multicast)


def _at_most(length: int) -> Callable[[str], bool]:
    return lambda text: len(text) <= length


# Look ahead, so that one number inside a longer run of digits is found too.
_RESIDENT_ID = re.compile(r"(?=(\d{17}[\dXx]))")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# Controls, invisible formatting (which can turn a name around), private use (which reads otherwise
# on every machine), nothing at all, and line ends.
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
_PRINTABLE = re.compile(r"[A-Za-z0-9 '()+,./:=?-]+")

_TEXT: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "characters": lambda text: not any(unicodedata.category(c) in _UNSEEN for c in text),
        "spaces": lambda text: " ".join(text.split()) == text,
        "meaning": lambda text: any(character.isalnum() for character in text),
        "identity_number": _holds_no_identity_number,
    }
)
"""The rules every text of a subject keeps."""

_FIELDS: tuple[tuple[str, str, Callable[[str], bool]], ...] = (
    *((field, "length", _at_most(most)) for field, (_, most) in _ATTRIBUTES.items()),
    ("country", "country", lambda text: re.fullmatch("[A-Z]{2}", text) is not None),
    ("uscc", "uscc", _is_uscc),
    ("number", "printable", lambda text: _PRINTABLE.fullmatch(text) is not None),
    ("dns_names", "dns_name", _is_dns_name),
    ("ip_addresses", "ip_address", _is_host_address),
)
"""The rules of single fields, under the names they are told by."""
