"""The register of certificates (统一登记, K03): every one issued, by unit, by state, by when it ends."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Row, Select, Text, any_, func, insert, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from keys.certificate_states import CertificateState, Reason
from keys.errors import DomainError
from keys.tables import authority, certificate

MOST = 1000
"""The longest page of a listing."""


class CertificateUnknown(DomainError):
    """The authority has issued no certificate of that serial number."""

    code = "certificate.unknown"


@dataclass(frozen=True, slots=True)
class CertificateRecord:
    """A certificate as the register has it. Its times are aware UTC.

    `serial` is lower-case hexadecimal, `kid` names the certified key, `unit` is a
    统一社会信用代码 or "". `changed_at` is when it last began or ceased to count, None when it
    always did.
    """

    id: int
    authority: str
    serial: str
    kid: str
    der: bytes
    chain: tuple[bytes, ...]
    profile: str
    subject: str
    unit: str
    not_before: datetime
    not_after: datetime
    state: CertificateState
    issued_by: str
    issued_at: datetime
    changed_at: datetime | None = None
    reason: Reason | None = None
    invalid_since: datetime | None = None

    def counts_at(self, at: datetime) -> bool:
        """Say whether it is valid now and the moment lies inside its life."""
        alive = self.not_before <= at <= self.not_after
        return alive and self.state is CertificateState.VALID


@dataclass(frozen=True, slots=True)
class Search:
    """What to list; a field that is None asks for nothing. `after` is the id of the page before's last."""

    authority: str | None = None
    unit: str | None = None
    profile: str | None = None
    state: CertificateState | None = None
    ends_before: datetime | None = None
    ends_after: datetime | None = None
    after: int = 0


def enter(tx: Session, entry: Mapping[str, object]) -> CertificateRecord:
    """Write a new certificate into the register; `entry` holds the columns of its row."""
    return _record(tx.execute(insert(certificate).values(entry).returning(certificate)).one())


def find(tx: Session, authority: str, serial: str, *, lock: bool = False) -> CertificateRecord:
    """Return a certificate by its issuer and serial number. Raises CertificateUnknown."""
    query = select(certificate).where(
        certificate.c.authority == authority, certificate.c.serial == serial
    )
    row = tx.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise CertificateUnknown(authority=authority, serial=serial[:40])
    return _record(row)


def of_key(tx: Session, kid: str) -> tuple[CertificateRecord, ...]:
    """Return the certificates of a key, newest first."""
    query = select(certificate).where(certificate.c.kid == kid).order_by(certificate.c.id.desc())
    return tuple(_record(row) for row in tx.execute(query))


def listed(tx: Session, search: Search, limit: int = 100) -> tuple[CertificateRecord, ...]:
    """Return a page of what is searched for, in the order of issuing; `MOST` at most."""
    query = _searched(search).order_by(certificate.c.id).limit(min(limit, MOST))
    return tuple(_record(row) for row in tx.execute(query))


def expiring(
    tx: Session, search: Search, now: datetime, before: datetime, limit: int = MOST
) -> tuple[CertificateRecord, ...]:
    """Return what is searched for, ends between now and a moment and counts, the soonest first.

    In another state only if the search asks for that; `MOST` at most.
    """
    state = search.state or CertificateState.VALID
    wanted = replace(search, state=state, ends_after=now, ends_before=before)
    query = _searched(wanted).order_by(certificate.c.not_after, certificate.c.id)
    return tuple(_record(row) for row in tx.execute(query.limit(min(limit, MOST))))


def ceased(tx: Session, serials: Collection[str]) -> frozenset[str]:
    """Return which of these serial numbers are of certificates that are suspended or revoked."""
    query = select(certificate.c.serial).where(
        # By name, as the index goes: there are few authorities.
        certificate.c.authority.in_(select(authority.c.name)),
        certificate.c.serial == any_(literal([*serials], ARRAY(Text()))),
        certificate.c.state != CertificateState.VALID.value,
    )
    return frozenset(tx.scalars(query))


def counts(tx: Session) -> Mapping[tuple[str, str, CertificateState], int]:
    """Return how many certificates there are by authority, profile and state."""
    kinds = (certificate.c.authority, certificate.c.profile, certificate.c.state)
    query = select(*kinds, func.count()).group_by(*kinds)
    return {(a, p, CertificateState(s)): number for a, p, s, number in tx.execute(query)}


def _searched(search: Search) -> Select[tuple[object, ...]]:
    query = select(certificate).where(certificate.c.id > search.after)
    for column in ("authority", "unit", "profile", "state"):
        if (wanted := getattr(search, column)) is not None:
            query = query.where(certificate.c[column] == wanted)
    if search.ends_before is not None:
        query = query.where(certificate.c.not_after < search.ends_before)
    if search.ends_after is not None:
        query = query.where(certificate.c.not_after >= search.ends_after)
    return query


def _record(row: Row[tuple[object, ...]]) -> CertificateRecord:
    told = dict(row._mapping)
    return CertificateRecord(
        **{
            **told,
            "chain": tuple(row.chain),
            "state": CertificateState(row.state),
            "reason": Reason(row.reason) if row.reason else None,
        }
    )
