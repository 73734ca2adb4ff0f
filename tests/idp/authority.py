"""A certificate authority that is not ours: its certificates, its revocation list, its holders' keys."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from idp.certificate_trust import CertificateTrust
from keys import revocation
from keys.algorithms import ES256, Algorithm
from keys.certificate_names import Subject
from keys.certificate_profiles import ISSUING_CA, PERSON, Profile
from keys.certificates import Certificate, issue, parse, self_signed
from keys.crl import Entry, Heading, build_crl
from keys.revocation import Status
from tests.keys import key_builders

_DAY = timedelta(days=1)
IDENTITY_NUMBER = x509.ObjectIdentifier("1.2.156.10260.4.1.1")


@dataclass
class Authority:
    """It issues certificates of the numbered test keys; `crl` is what it says of them now."""

    now: datetime
    algorithm: Algorithm = ES256
    name: str = "示例电子认证机构"
    revoked: list[Entry] = field(default_factory=list)
    is_away: bool = False
    issued: int = 1

    def __post_init__(self) -> None:
        self.signer = key_builders.signer(self.algorithm, 90)
        subject = Subject(self.name, "示例机构")
        life = (self.now - 30 * _DAY, self.now + 3000 * _DAY)
        self.certificate = parse(self_signed(self.signer, ISSUING_CA, subject, life))

    def issue(
        self, subject: Subject, profile: Profile = PERSON, *, key: int = 1, days: int = 365
    ) -> Certificate:
        self.issued += 1
        return parse(
            issue(
                self.certificate,
                self.signer,
                profile,
                subject,
                key_builders.signer(self.algorithm, key).public_key,
                self.now - _DAY,
                self.now + days * _DAY,
                self.issued,
            )
        )

    def revoke(self, certificate: Certificate) -> None:
        self.revoked.append(Entry(certificate.serial, self.now, "superseded"))

    @property
    def crl(self) -> bytes:
        number = len(self.revoked) + 1
        heading = Heading(number, self.now - timedelta(hours=1), self.now + 7 * _DAY)
        return build_crl(self.certificate, self.signer, heading, self.revoked)

    def trust(self) -> CertificateTrust:
        """Trust in this authority and no other, by its list."""

        def status(certificate: Certificate, issuer: Certificate, at: datetime) -> Status:
            lists = () if self.is_away else (self.crl,)
            return revocation.status(certificate, issuer, lists, (), at)

        return CertificateTrust(lambda at: (self.certificate.der,), status)


def with_number_in_extension(name: str, number: bytes, now: datetime) -> bytes:
    """The DER of a certificate that tells a number as GM/T 0015-2023 does (IdentifyCode)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .add_extension(x509.UnrecognizedExtension(IDENTITY_NUMBER, number), critical=False)
        .sign(key, SHA256())
        .public_bytes(Encoding.DER)
    )
