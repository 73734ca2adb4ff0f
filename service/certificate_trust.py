"""Whose certificates sign people in: our own authorities', and those of a file that operators keep.

Ours are judged by the register, so that what is revoked counts no more at once; the others' by the
lists that their certificates name (RFC 5280 §4.2.1.13), kept as long as `_LIST_KEPT`.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy.orm import Session

from idp.certificate_trust import CertificateTrust
from idp.memory import Memory
from idp.outgoing import Outgoing, OutgoingFailed
from keys import authorities, register, revocation
from keys.authorities import Authority, AuthorityExpired, AuthorityRevoked
from keys.certificate_profiles import LEGAL_ENTITY, PERSON, STAFF
from keys.certificates import Certificate
from keys.register import CertificateUnknown
from keys.revocation import Good, Revoked, Status, Unknown
from service.db import Begin
from service.remembered import Remembered

_HOLDERS = frozenset({PERSON.name, LEGAL_ENTITY.name, STAFF.name})
_FOUND_KEPT = timedelta(minutes=1)
_LIST_KEPT = timedelta(minutes=10)
_LARGEST_LIST = 8 * 1024 * 1024


@dataclass(frozen=True)
class _Trust:
    begin: Begin
    outgoing: Outgoing
    others: tuple[bytes, ...]
    own: Remembered[dict[bytes, Authority]]
    lists: Memory[bytes] = field(default_factory=lambda: Memory(_LIST_KEPT))

    def anchors(self, at: datetime) -> tuple[bytes, ...]:
        return (*self.own.get(), *self.others)

    def status(self, certificate: Certificate, issuer: Certificate, at: datetime) -> Status:
        authority = self.own.get().get(issuer.der)
        if authority is None:
            lists = list(self._lists(certificate, at))
            return revocation.status(certificate, issuer, lists, (), at)
        with self.begin() as tx:
            return _registered(tx, authority, certificate, at)

    def _lists(self, certificate: Certificate, at: datetime) -> Iterator[bytes]:
        for url in _places(certificate):
            kept = self.lists.get(url, at)
            if kept is None:
                # One place that is away leaves the others.
                with suppress(OutgoingFailed):
                    kept = self.outgoing.get(
                        url, accept="application/pkix-crl", most_bytes=_LARGEST_LIST
                    )
                    self.lists.keep(url, kept, at)
            if kept is not None:
                yield kept


def certificate_trust(
    begin: Begin, outgoing: Outgoing, clock: Callable[[], datetime], file: str
) -> CertificateTrust:
    """Return the trust of this service; `file` (PEM) holds the other authorities, "" for none.

    Raises OSError or ValueError for a file that cannot be read.
    """

    def own() -> dict[bytes, Authority]:
        with begin() as tx:
            return {found.certificate.der: found for found in _usable(tx, clock())}

    trust = _Trust(begin, outgoing, _in_file(file), Remembered(own, clock, _FOUND_KEPT))
    return CertificateTrust(trust.anchors, trust.status)


def _usable(tx: Session, at: datetime) -> Iterator[Authority]:
    for authority in authorities.every(tx):
        if _HOLDERS & set(authority.profiles):
            with suppress(AuthorityExpired, AuthorityRevoked):
                authorities.check_usable(tx, authority, at)
                yield authority


def _registered(
    tx: Session, authority: Authority, certificate: Certificate, at: datetime
) -> Status:
    try:
        record = register.find(tx, authority.name, f"{certificate.serial:x}")
    except CertificateUnknown:
        return Unknown()
    if record.der != certificate.der:
        return Unknown()
    if record.counts_at(at):
        return Good(at)
    return Revoked(record.changed_at or at, record.reason or "")


def _places(certificate: Certificate) -> Iterator[str]:
    """Yield where the certificate's issuer keeps its lists."""
    read = x509.load_der_x509_certificate(certificate.der)
    try:
        points = read.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return
    for point in points:
        for name in point.full_name or ():
            if isinstance(name, x509.UniformResourceIdentifier):
                yield name.value


def _in_file(file: str) -> tuple[bytes, ...]:
    if not file:
        return ()
    read = x509.load_pem_x509_certificates(Path(file).read_bytes())
    return tuple(certificate.public_bytes(Encoding.DER) for certificate in read)
