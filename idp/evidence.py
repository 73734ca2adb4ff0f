"""Evidence as it is kept: recorded with a date, withdrawn with a reason, never changed otherwise.

Levels are computed from it (`levels`). When it goes, the level that stood on it goes in the same
transaction, and with it every session that was signed in at that level.
"""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp import outbox
from idp.levels import Evidence, EvidenceKind
from idp.provider import Provider
from idp.tables import EvidenceRow
from keys import journal


def record(tx: Session, provider: Provider, subject: str, evidence: Evidence) -> int:
    """Keep a piece of evidence about a person or an entity; return its id."""
    row = EvidenceRow(
        subject=subject,
        kind=evidence.kind,
        source=evidence.source,
        reference=evidence.reference,
        compared=list(evidence.compared),
        happened_at=evidence.happened_at,
        valid_until=evidence.valid_until,
        by=evidence.by,
        details=dict(evidence.details),
    )
    tx.add(row)
    tx.flush()
    journal.append(
        tx,
        at=provider.clock(),
        actor=evidence.by,
        action="evidence.recorded",
        subject=subject,
        details={"kind": evidence.kind, "source": evidence.source, "evidence": str(row.id)},
    )
    outbox.note(tx, provider, subject)
    return row.id


def withdraw(tx: Session, provider: Provider, evidence_id: int, *, by: str, why: str) -> bool:
    """Withdraw a piece of evidence, once; says whether this call did it.

    The level of whom it was about may have fallen: call `lowering.settle` in the same transaction.
    """
    now = provider.clock()
    told = {"withdrawn_at": now, "withdrawn_by": by, "withdrawn_because": why}
    statement = update(EvidenceRow).values(**told).returning(EvidenceRow.subject)
    live = EvidenceRow.id == evidence_id, EvidenceRow.withdrawn_at.is_(None)
    subject = tx.scalar(statement.where(*live))
    if subject is None:
        return False
    details = {"evidence": str(evidence_id), "why": why}
    journal.append(
        tx, at=now, actor=by, action="evidence.withdrawn", subject=subject, details=details
    )
    outbox.note(tx, provider, subject)
    return True


def of_subject(tx: Session, subject: str) -> list[Evidence]:
    """Everything ever recorded about somebody, the withdrawn and the lapsed too, oldest first."""
    query = select(EvidenceRow).where(EvidenceRow.subject == subject).order_by(EvidenceRow.id)
    return [_evidence(row) for row in tx.scalars(query)]


def of_kinds(
    tx: Session, subject: str, kinds: tuple[EvidenceKind, ...], now: datetime
) -> list[Evidence]:
    """The live evidence of these kinds."""
    return [e for e in of_subject(tx, subject) if e.kind in kinds and e.live(now)]


def _evidence(row: EvidenceRow) -> Evidence:
    return Evidence(
        kind=EvidenceKind(row.kind),
        source=row.source,
        reference=row.reference,
        compared=tuple(row.compared),
        happened_at=row.happened_at,
        valid_until=row.valid_until,
        by=row.by,
        details=row.details,
        withdrawn_at=row.withdrawn_at,
        id=row.id,
    )
