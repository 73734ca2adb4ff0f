"""Whom a certificate names, as a client registers it: one of five members (RFC 8705 §2.1.2)."""

from collections.abc import Callable, Mapping
from ipaddress import ip_address
from types import MappingProxyType

from cryptography import x509
from cryptography.x509.oid import NameOID

# Names that tools print and RFC 4514 §3 has no short form for.
_SHORT_NAMES = {
    "E": NameOID.EMAIL_ADDRESS,
    "EMAILADDRESS": NameOID.EMAIL_ADDRESS,
    "emailAddress": NameOID.EMAIL_ADDRESS,
    "SERIALNUMBER": NameOID.SERIAL_NUMBER,
    "serialNumber": NameOID.SERIAL_NUMBER,
    "organizationIdentifier": NameOID.ORGANIZATION_IDENTIFIER,
}


def names(der: bytes, member: str, expected: str) -> bool:
    """Say whether a certificate names what a client registered. Its chain is not looked at here."""
    try:
        return _FITS[member](x509.load_der_x509_certificate(der), expected)
    except ValueError:
        return False


def check(member: str, expected: str) -> None:
    """Raise ValueError unless a certificate could name this."""
    if member == "tls_client_auth_subject_dn":
        _read_name(expected)
    if member == "tls_client_auth_san_ip":
        ip_address(expected)
    if member not in MEMBERS or not expected:
        raise ValueError(member)


def _read_name(text: str) -> x509.Name:
    """RFC 4514."""
    return x509.Name.from_rfc4514_string(text, _SHORT_NAMES)


def _has_subject(certificate: x509.Certificate, expected: str) -> bool:
    # As values: two texts may write the same name differently (RFC 4514 §2.4).
    return certificate.subject == _read_name(expected)


def _has_dns(certificate: x509.Certificate, expected: str) -> bool:
    # RFC 4343 §3: names of hosts are alike whatever their case.
    told = _alternatives(certificate).get_values_for_type(x509.DNSName)
    return expected.lower() in map(str.lower, told)


def _has_uri(certificate: x509.Certificate, expected: str) -> bool:
    told = _alternatives(certificate).get_values_for_type(x509.UniformResourceIdentifier)
    return expected in told


def _has_ip(certificate: x509.Certificate, expected: str) -> bool:
    return ip_address(expected) in _alternatives(certificate).get_values_for_type(x509.IPAddress)


def _has_email(certificate: x509.Certificate, expected: str) -> bool:
    return expected in _alternatives(certificate).get_values_for_type(x509.RFC822Name)


def _alternatives(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension):
        raise ValueError("no alternative names") from None


_FITS: Mapping[str, Callable[[x509.Certificate, str], bool]] = MappingProxyType(
    {
        "tls_client_auth_subject_dn": _has_subject,
        "tls_client_auth_san_dns": _has_dns,
        "tls_client_auth_san_uri": _has_uri,
        "tls_client_auth_san_ip": _has_ip,
        "tls_client_auth_san_email": _has_email,
    }
)
MEMBERS = tuple(_FITS)
"""Of these a client with `tls_client_auth` registers exactly one."""
