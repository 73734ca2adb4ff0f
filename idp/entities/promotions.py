"""What raises a legal entity to 中级: a counter, the tax administration, or its own certificate.

Each use case records one piece of evidence and needs the entity to be registered; nothing about the
people who act for it counts.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from idp import counter, evidence, evidence_policy, throttle
from idp.entities import entity, legal_levels, mandates
from idp.entities.entity import Entity
from idp.entity_errors import (
    CertificateOfAnother,
    EntityFieldWrong,
    EntityNotRegistered,
    NotRepresentative,
    NotTaxFiler,
)
from idp.levels import Evidence, EvidenceKind, Standing
from idp.people_errors import SourceUnavailable
from idp.provider import Provider
from idp.sources.tax import TaxStatus


@dataclass(frozen=True, slots=True)
class Sight:
    """What a clerk saw: of which entity (its code and the name on its licence), at which counter."""

    uscc: str
    name: str
    counter: str


@dataclass(frozen=True, slots=True)
class EnterpriseCertificate:
    """A certificate that its holder has just used: whose code it names, which it is, until when."""

    uscc: str
    fingerprint: str
    valid_until: datetime


def represented(tx: Session, provider: Provider, subject: str, entity_subject: str) -> Entity:
    """The entity that this person represents. Raises `NotRepresentative`, `EntityUnknown`."""
    found = entity.get(tx, entity_subject)
    present = mandates.representative(tx, entity_subject)
    if present is None or present.holder != subject or not present.live(provider.clock()):
        raise NotRepresentative
    return found


def ask_tax(provider: Provider, found: Entity) -> TaxStatus:
    """Ask whether the entity files its taxes; call it outside any transaction.

    Raises `NotTaxFiler`, `TooManyTries`; `SourceUnavailable`, after which it may be tried again.
    """
    throttle.count(provider, throttle.ENTITY_PER_PERSON, found.subject)
    try:
        status = provider.sources.tax.status(found.uscc)
    except SourceUnavailable:
        throttle.give_back(provider, throttle.ENTITY_PER_PERSON, found.subject)
        raise
    ended = status.valid_until is not None and status.valid_until <= provider.clock()
    if not status.is_filer or ended:
        raise NotTaxFiler
    return status


def by_tax(
    tx: Session, provider: Provider, found: Entity, status: TaxStatus, *, by: str
) -> Standing:
    """Record that the entity files its taxes; it ends with the status. Raises `EntityNotRegistered`."""
    now, kind = provider.clock(), EvidenceKind.TAX_FILER
    piece = Evidence(
        kind=kind,
        source="tax",
        reference=status.reference,
        compared=("uscc",),
        happened_at=now,
        valid_until=evidence_policy.valid_until(kind, now, status.valid_until),
        by=by,
    )
    return _recorded(tx, provider, found, piece)


def at_counter(tx: Session, provider: Provider, clerk: str, sight: Sight) -> Standing:
    """Record that this clerk saw the entity's licence at a counter where they serve.

    Raises `CounterUnknown`, `CounterIsNotTheirs`, `EntityFieldWrong` for what does not agree,
    `EntityNotRegistered`.
    """
    at = counter.serving(tx, provider, clerk, sight.counter)
    found = entity.find(tx, sight.uscc)
    if found is None or found.name != sight.name.strip():
        raise EntityFieldWrong(field="name")
    now, kind = provider.clock(), EvidenceKind.COUNTER
    piece = Evidence(
        kind=kind,
        source="counter",
        reference=provider.handle(12),
        compared=("name", "uscc"),
        happened_at=now,
        valid_until=evidence_policy.valid_until(kind, now),
        by=clerk,
        details=at.told,
    )
    return _recorded(tx, provider, found, piece)


def by_certificate(
    tx: Session,
    provider: Provider,
    found: Entity,
    certificate: EnterpriseCertificate,
    *,
    by: str,
) -> Standing:
    """Record that the entity's own certificate was used; whether it is sound was seen to before.

    Raises `CertificateOfAnother`, `EntityNotRegistered`.
    """
    if certificate.uscc != found.uscc:
        raise CertificateOfAnother
    now, kind = provider.clock(), EvidenceKind.ENTERPRISE_CERTIFICATE
    piece = Evidence(
        kind=kind,
        source="certificate",
        reference=certificate.fingerprint,
        compared=("uscc",),
        happened_at=now,
        valid_until=evidence_policy.valid_until(kind, now, certificate.valid_until),
        by=by,
    )
    return _recorded(tx, provider, found, piece)


def _recorded(tx: Session, provider: Provider, found: Entity, piece: Evidence) -> Standing:
    if legal_levels.standing(tx, provider, found.subject).level.number < 1:
        raise EntityNotRegistered
    evidence.record(tx, provider, found.subject, piece)
    return legal_levels.standing(tx, provider, found.subject)
