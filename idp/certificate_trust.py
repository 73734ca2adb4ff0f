"""Whose certificates sign people in, and whether one still counts: told by the service, judged here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from idp.sign_in_errors import CertificateStatusUnknown, CertificateUnfit
from keys.certificate_profiles import CLIENT_AUTH
from keys.certificates import Certificate, CertificateError, parse, verify_chain
from keys.revocation import Good, Revoked, Status, Unknown


@dataclass(frozen=True, slots=True)
class CertificateTrust:
    """Authorities (DER) that issue certificates to sign in with, and what is known of one of theirs.

    `status(certificate, issuer, at)` may ask the outside: never within a transaction.
    """

    anchors: Callable[[datetime], tuple[bytes, ...]]
    status: Callable[[Certificate, Certificate, datetime], Status]

    def checked(self, der: bytes, at: datetime) -> Certificate:
        """Read a certificate that counts at `at`: issued by one of the authorities, not revoked.

        Raises `CertificateUnfit`, or `CertificateStatusUnknown` when nobody can tell now.
        """
        anchors = self.anchors(at)
        try:
            certificate = parse(der)
            verify_chain(certificate, (), anchors, at, CLIENT_AUTH)
        except CertificateError as wrong:
            raise CertificateUnfit from wrong
        if certificate.is_ca:
            raise CertificateUnfit
        named = (parse(anchor) for anchor in anchors)
        told = [
            self.status(certificate, issuer, at)
            for issuer in named
            if issuer.subject.der == certificate.issuer.der
        ]
        if any(isinstance(status, Revoked) for status in told):
            raise CertificateUnfit
        if not any(isinstance(status, Good) for status in told):
            raise CertificateStatusUnknown
        return certificate


NOBODYS = CertificateTrust(lambda at: (), lambda certificate, issuer, at: Unknown())
"""No certificate signs anybody in."""
