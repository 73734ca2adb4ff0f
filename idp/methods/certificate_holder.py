"""Whom a certificate names: a person, a legal entity, or a member of its staff.

What an authority of ours issues never holds an identity number: a person's certificate names the
account. Others tell the number in the extension of GM/T 0015-2023 or as ETSI EN 319 412-1 §5.1.3.
"""

from dataclasses import dataclass, field

from asn1crypto import parser
from cryptography import x509
from sqlalchemy.orm import Session

from idp import accounts, staff
from idp.people_errors import AccountUnknown
from idp.provider import Provider
from idp.sign_in_errors import CertificateHolderUnknown
from idp.vocabulary import Realm
from keys.certificate_names import subject_in
from keys.certificates import Certificate

_IDENTITY_NUMBER = x509.ObjectIdentifier("1.2.156.10260.4.1.1")
_ETSI = ("IDCCN-", "PNOCN-")
_CONTEXT, _RESIDENT = 2, 0


@dataclass(frozen=True, slots=True)
class Named:
    """What a certificate says of its holder, "" for what it does not say.

    `number` is a person's account or a member of staff's user name, `identity_number` a document's.
    """

    name: str
    uscc: str
    number: str
    identity_number: str = field(repr=False)


def named(certificate: Certificate) -> Named:
    """Read whom a certificate names."""
    subject = subject_in(certificate.der)
    etsi = next((p for p in _ETSI if subject.number.startswith(p)), None)
    told = subject.number.removeprefix(etsi) if etsi else _in_extension(certificate)
    return Named(subject.common_name, subject.uscc, "" if etsi else subject.number, told)


def account_of(tx: Session, provider: Provider, realm: Realm, certificate: Certificate) -> str:
    """The subject of the open account that a certificate names in a realm.

    Raises `CertificateHolderUnknown`: one answer, whatever does not agree.
    """
    told = named(certificate)
    find = _member if realm is Realm.STAFF else _citizen
    try:
        return find(tx, provider, told)
    except AccountUnknown:
        raise CertificateHolderUnknown from None


def uscc_of(certificate: Certificate) -> str:
    """The 统一社会信用代码 of the entity whose own certificate this is.

    Raises `CertificateHolderUnknown` for a person's, or one of a member of its staff.
    """
    told = named(certificate)
    if not told.uscc or told.number or told.identity_number:
        raise CertificateHolderUnknown
    return told.uscc


def _citizen(tx: Session, provider: Provider, told: Named) -> str:
    """A person's certificate: of nobody's organisation, and of the name the account has."""
    subject = told.number
    if told.identity_number:
        known = accounts.credentials(tx, provider, told.identity_number)
        subject = known.subject if known else ""
    person = accounts.person(tx, provider, subject)
    if told.uscc or person.name != told.name:
        raise CertificateHolderUnknown
    return subject


def _member(tx: Session, provider: Provider, told: Named) -> str:
    """A member's certificate: the unit they work at now, and their user name there."""
    subject = staff.subject_of(tx, told.number)
    member = staff.member(tx, provider, subject or "")
    if member.organisation != told.uscc:
        raise CertificateHolderUnknown
    return member.subject


def _in_extension(certificate: Certificate) -> str:
    """The resident's number of the extension IdentifyCode: `[0]` of a CHOICE, or a plain string."""
    read = x509.load_der_x509_certificate(certificate.der)
    try:
        value = read.extensions.get_extension_for_oid(_IDENTITY_NUMBER).value
        return _text(value.public_bytes())
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return ""


def _text(der: bytes) -> str:
    tag_class, constructed, tag, _, content, _ = parser.parse(der)
    if tag_class == _CONTEXT and tag != _RESIDENT:
        raise ValueError("a number of another document")
    return _text(content) if constructed else str(content, "ascii")
