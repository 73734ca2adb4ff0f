"""The business register is asked again and again: what it says now lowers an entity at once.

注销 and 吊销 end everything; another representative ends the former one's mandate and freezes what they
gave; an entity that no longer files its taxes loses what stood on that. A register that does not
answer changes nothing, and is asked again.
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp import accounts, evidence
from idp.entities import entity, legal_levels, mandates
from idp.entities.mandates import Ended
from idp.entities.tables import MandateRow
from idp.levels import EvidenceKind
from idp.people_errors import AccountUnknown
from idp.provider import Provider
from idp.sources.business_register import EntityState, EntityStatus
from idp.sources.tax import TaxStatus

JOB = "watch_entity"
ALL_JOB = "watch_entities"

_BY = "watch"
_OVER = (EntityState.CANCELLED, EntityState.REVOKED)


@dataclass(frozen=True, slots=True)
class Answers:
    """What the sources say now of an entity; `None` of one that was not asked."""

    status: EntityStatus
    tax: TaxStatus | None


def watch_all(provider: Provider) -> None:
    """Put every entity that has a representative in line."""
    with provider.begin() as tx:
        query = select(MandateRow.principal).where(
            MandateRow.kind == "representative", MandateRow.ended_at.is_(None)
        )
        for subject in tx.scalars(query).all():
            provider.defer(tx, JOB, {"subject": subject})


def watch(provider: Provider, subject: str) -> None:
    """Ask about one entity and act on the answer. Raises `SourceUnavailable`."""
    with provider.begin() as tx:
        present = mandates.representative(tx, subject)
        if present is None:
            return
        code = entity.get(tx, subject).uscc
        files = bool(evidence.of_kinds(tx, subject, (EvidenceKind.TAX_FILER,), provider.clock()))
        try:
            number = accounts.reveal_number(tx, provider, present.holder)
        except AccountUnknown:
            return
    status = provider.sources.business.status(code, number)
    tax = provider.sources.tax.status(code) if files else None
    with provider.begin() as tx:
        settle(tx, provider, subject, present.id, Answers(status, tax))


def settle(
    tx: Session, provider: Provider, subject: str, asked_about: str, answers: Answers
) -> None:
    """Act on the answers, which were about the representative of this mandate."""
    status = answers.status
    if status.state in _OVER:
        before = legal_levels.standing(tx, provider, subject).level.number
        _withdraw_all(tx, provider, subject, f"the entity was {status.state}")
        mandates.end_all(tx, provider, subject, by=_BY, why=Ended.ENTITY_ENDED)
        legal_levels.settle(tx, provider, subject, before, by=_BY)
        return
    if status.state is EntityState.ACTIVE and not status.representative_number_agrees:
        _replaced(tx, provider, subject, asked_about)
    if answers.tax is not None and not answers.tax.is_filer:
        pieces = evidence.of_kinds(tx, subject, (EvidenceKind.TAX_FILER,), provider.clock())
        why = "the entity files no taxes"
        legal_levels.withdraw(tx, provider, subject, pieces, by=_BY, why=why)


def _replaced(tx: Session, provider: Provider, subject: str, asked_about: str) -> None:
    """Somebody else represents the entity: until they register it, nobody does."""
    before = legal_levels.standing(tx, provider, subject).level.number
    # Whoever became the representative since we asked was not asked about.
    if not mandates.end(tx, provider, asked_about, by=_BY, why=Ended.SUCCEEDED):
        return
    mandates.freeze(tx, provider, subject, by=_BY)
    pieces = evidence.of_kinds(tx, subject, (EvidenceKind.BUSINESS_REGISTER,), provider.clock())
    for piece in pieces:
        if piece.id is not None:
            evidence.withdraw(tx, provider, piece.id, by=_BY, why="another represents the entity")
    legal_levels.settle(tx, provider, subject, before, by=_BY)


def _withdraw_all(tx: Session, provider: Provider, subject: str, why: str) -> None:
    for piece in evidence.of_subject(tx, subject):
        if piece.id is not None and piece.live(provider.clock()):
            evidence.withdraw(tx, provider, piece.id, by=_BY, why=why)
