"""Certificate authorities as they stand in the database: who may issue what, until when, under whom."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from keys.algorithms import Purpose
from keys.certificate_building import Places
from keys.certificate_profiles import Profile
from keys.certificate_states import CertificateState
from keys.certificates import Certificate, parse
from keys.errors import DomainError
from keys.tables import authority as authorities
from keys.tables import certificate as certificates


class AuthorityUnknown(DomainError):
    """There is no authority of this name."""

    code = "authority.unknown"


class AuthorityExpired(DomainError):
    """The authority's certificate, or one above it, has ended or not yet begun."""

    code = "authority.expired"


class AuthorityRevoked(DomainError):
    """The authority's certificate, or one above it, is suspended or revoked."""

    code = "authority.revoked"


class ProfileRefused(DomainError):
    """The authority does not issue certificates of this profile."""

    code = "authority.profile_refused"


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority: its key in the vault by `kid`, its certificate, the profiles it issues.

    `parent` is "" for a root; `base_url` "" for one whose certificates name no place to ask.
    `chain` is its own certificate and those above, nearest first, the root's last.
    """

    name: str
    parent: str
    kid: str
    certificate: Certificate
    profiles: tuple[str, ...]
    base_url: str
    founded_at: datetime
    chain: tuple[bytes, ...]

    @property
    def purpose(self) -> Purpose:
        """What its key is for in the vault, under the authority's name."""
        return Purpose.CERTIFICATES if self.parent else Purpose.ROOT_CERTIFICATES

    @property
    def places(self) -> Places | None:
        """Where others fetch its certificate, list and answers; None when it tells no place."""
        if not self.base_url:
            return None
        under = f"{self.base_url}/pki"
        return Places(
            issuer=f"{under}/{self.name}.crt",
            crl=f"{under}/{self.name}.crl",
            # A root's key is used by two persons together: nobody answers for it from day to day.
            ocsp=f"{under}/ocsp/{self.name}" if self.parent else "",
        )

    def check_issues(self, profile: Profile) -> None:
        """Do nothing when it issues this profile. Raises ProfileRefused."""
        if profile.name not in self.profiles:
            raise ProfileRefused(authority=self.name, profile=profile.name)


def find(tx: Session, name: str) -> Authority:
    """Return the authority of that name. Raises AuthorityUnknown."""
    found = next((a for a in every(tx) if a.name == name), None)
    if found is None:
        raise AuthorityUnknown(authority=name[:64])
    return found


def every(tx: Session) -> tuple[Authority, ...]:
    """Return all authorities, those above before those below."""
    rows = tx.execute(select(authorities).order_by(authorities.c.founded_at, authorities.c.name))
    by_name = {row.name: row for row in rows}
    known = [_authority(row, _chain(row, by_name)) for row in by_name.values()]
    return tuple(sorted(known, key=lambda authority: len(authority.chain)))


def check_usable(tx: Session, authority: Authority, now: datetime) -> None:
    """Do nothing when the authority may issue now. Raises AuthorityExpired, AuthorityRevoked."""
    for der in authority.chain:
        certificate = parse(der)
        if not certificate.not_before <= now <= certificate.not_after:
            raise AuthorityExpired(authority=authority.name)
    query = select(certificates.c.state).where(certificates.c.der.in_(authority.chain))
    if any(state != CertificateState.VALID for state in tx.scalars(query)):
        raise AuthorityRevoked(authority=authority.name)


def _chain(
    row: Row[tuple[object, ...]], rows: dict[str, Row[tuple[object, ...]]]
) -> tuple[bytes, ...]:
    above = _chain(rows[row.parent], rows) if row.parent else ()
    return (row.der, *above)


def _authority(row: Row[tuple[object, ...]], chain: tuple[bytes, ...]) -> Authority:
    return Authority(
        name=row.name,
        parent=row.parent,
        kid=row.kid,
        certificate=parse(row.der),
        profiles=tuple(row.profiles),
        base_url=row.base_url,
        founded_at=row.founded_at,
        chain=chain,
    )
