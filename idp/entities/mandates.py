"""Mandates: who may act for whom, on what, until when. Given once, ended once, never changed.

A legal representative holds one by law, an agent by the representative's gift, a helper by a
citizen's. Whatever ends a mandate ends what was signed in and given by it in the same transaction.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from idp import revocations
from idp.acting import MandateKind
from idp.entities.tables import MandateRow, MandateUseRow
from idp.entity_errors import MandateUnknown
from idp.provider import Provider
from keys import journal

ALL_ITEMS = "*"
"""What stands for every item that the holder may do at all."""

NOTICE_JOB = "mandate_notice"
"""Tells one person by SMS of a mandate that was given or has ended (`notices`)."""

_SHOWN_USES = 50


class Ended(StrEnum):
    """Why a mandate ended, as the journal has it."""

    REVOKED = "revoked"
    RENOUNCED = "renounced"
    SUCCEEDED = "representative-changed"
    ENTITY_ENDED = "entity-ended"
    ACCOUNT_CLOSED = "account-closed"
    CONFIRMED = "confirmed-anew"


class Notice(StrEnum):
    """What is told by SMS, by the name of the template: to the holder, and to the other side."""

    GIVEN = "mandate-given"
    ENDED = "mandate-ended"
    GIVEN_FOR_YOU = "mandate-given-for-you"
    ENDED_FOR_YOU = "mandate-ended-for-you"


@dataclass(frozen=True, slots=True)
class Mandate:
    """The power of `holder` to act for `principal` on `items`, from `given_at` until `until`."""

    id: str
    kind: MandateKind
    principal: str
    holder: str
    items: tuple[str, ...]
    given_by: str
    given_at: datetime
    until: datetime | None
    consent: Mapping[str, str] = field(default_factory=dict)
    frozen_at: datetime | None = None
    ended_at: datetime | None = None

    def live(self, now: datetime) -> bool:
        """Is it in force: neither ended, nor frozen, nor lapsed?"""
        if self.ended_at is not None or self.frozen_at is not None:
            return False
        return self.until is None or now < self.until

    def covers(self, item: str) -> bool:
        """Does it reach to this item?"""
        return ALL_ITEMS in self.items or item in self.items


@dataclass(frozen=True, slots=True)
class Use:
    """Where and when somebody acted by a mandate."""

    mandate: str
    client_id: str
    at: datetime


def add(
    tx: Session,
    provider: Provider,
    kind: MandateKind,
    *,
    principal: str,
    holder: str,
    by: str,
    items: Collection[str] = (ALL_ITEMS,),
    until: datetime | None = None,
    consent: Mapping[str, str] | None = None,
) -> Mandate:
    """Keep a mandate that somebody may give: whether they may was seen to before."""
    now = provider.clock()
    row = MandateRow(
        id=provider.random(16).hex(),
        kind=kind,
        principal=principal,
        holder=holder,
        items=list(items),
        consent=dict(consent or {}),
        given_by=by,
        given_at=now,
        until=until,
    )
    tx.add(row)
    tx.flush()
    details = {"mandate": row.id, "kind": kind, "holder": holder, "items": " ".join(row.items)}
    _journal(tx, provider, "mandate.given", by, principal, details)
    given = _mandate(row)
    if kind is not MandateKind.REPRESENTATIVE:  # who has just registered the entity themselves
        _tell(tx, provider, given, by, Notice.GIVEN, Notice.GIVEN_FOR_YOU)
    return given


def find(tx: Session, mandate_id: str) -> Mandate | None:
    """The mandate, in force or not."""
    row = tx.get(MandateRow, mandate_id, populate_existing=True)
    return None if row is None else _mandate(row)


def representative(tx: Session, entity: str) -> Mandate | None:
    """What the present representative of an entity acts by."""
    kind = MandateKind.REPRESENTATIVE
    found = [m for m in of_principal(tx, entity) if m.kind is kind]
    return found[0] if found else None


def hold_representative(tx: Session, entity: str) -> None:
    """Let nobody end what the representative of an entity acts by before this transaction is over."""
    query = select(MandateRow.id).where(
        MandateRow.principal == entity,
        MandateRow.kind == MandateKind.REPRESENTATIVE,
        MandateRow.ended_at.is_(None),
    )
    tx.execute(query.with_for_update())


def of_holder(tx: Session, subject: str) -> list[Mandate]:
    """Every mandate of a person that has not ended, the frozen and the lapsed too, oldest first."""
    return _unended(tx, MandateRow.holder == subject)


def of_principal(tx: Session, subject: str) -> list[Mandate]:
    """Every mandate to act for an entity or a citizen that has not ended, oldest first."""
    return _unended(tx, MandateRow.principal == subject)


def about(tx: Session, subject: str) -> list[Mandate]:
    """Every mandate that a person ever held, gave or was to be helped by, oldest first."""
    theirs = or_(
        MandateRow.holder == subject,
        MandateRow.principal == subject,
        MandateRow.given_by == subject,
    )
    query = select(MandateRow).where(theirs).order_by(MandateRow.given_at, MandateRow.id)
    return [_mandate(row) for row in tx.scalars(query)]


def _unended(tx: Session, condition: ColumnElement[bool]) -> list[Mandate]:
    query = select(MandateRow).where(condition, MandateRow.ended_at.is_(None))
    query = query.order_by(MandateRow.given_at, MandateRow.id)
    return [_mandate(row) for row in tx.scalars(query.execution_options(populate_existing=True))]


def end(tx: Session, provider: Provider, mandate_id: str, *, by: str, why: Ended) -> bool:
    """End a mandate, once, and all that was given by it; says whether this call did it."""
    told = {"ended_at": provider.clock(), "ended_by": by, "ended_because": why}
    statement = update(MandateRow).values(**told).returning(MandateRow)
    row = tx.scalar(
        statement.where(MandateRow.id == mandate_id, MandateRow.ended_at.is_(None)),
        execution_options={"populate_existing": True},
    )
    if row is None:
        return False
    revocations.revoke(tx, provider, revocations.mandate(mandate_id))
    details = {"mandate": mandate_id, "why": why.value}
    _journal(tx, provider, "mandate.ended", by, row.principal, details)
    if why is not Ended.CONFIRMED:  # it goes on, as another
        _tell(tx, provider, _mandate(row), by, Notice.ENDED, Notice.ENDED_FOR_YOU)
    return True


def revoke(tx: Session, provider: Provider, mandate_id: str, *, by: str) -> None:
    """Either side ends a mandate: who it is for, or whoever stands for that, and who holds it.

    Raises `MandateUnknown`, also when it is not this person's to end, or has ended.
    """
    found = find(tx, mandate_id)
    if found is None or found.kind is MandateKind.REPRESENTATIVE:
        raise MandateUnknown
    why = Ended.RENOUNCED if by == found.holder else Ended.REVOKED
    if by not in (found.holder, _principal_is(tx, provider, found)):
        raise MandateUnknown
    if not end(tx, provider, mandate_id, by=by, why=why):
        raise MandateUnknown


def freeze(tx: Session, provider: Provider, entity: str, *, by: str) -> int:
    """Suspend what a former representative gave: agents wait for the new one. Says how many wait."""
    statement = (
        update(MandateRow)
        .where(
            MandateRow.principal == entity,
            MandateRow.kind == MandateKind.AGENT,
            MandateRow.ended_at.is_(None),
            MandateRow.frozen_at.is_(None),
        )
        .values(frozen_at=provider.clock())
        .returning(MandateRow.id)
    )
    frozen = sorted(tx.scalars(statement))
    for mandate_id in frozen:
        revocations.revoke(tx, provider, revocations.mandate(mandate_id))
        _journal(tx, provider, "mandate.frozen", by, entity, {"mandate": mandate_id})
    return len(frozen)


def end_all(tx: Session, provider: Provider, principal: str, *, by: str, why: Ended) -> None:
    """End every mandate to act for an entity or a citizen."""
    for mandate in of_principal(tx, principal):
        end(tx, provider, mandate.id, by=by, why=why)


def end_all_of(tx: Session, provider: Provider, subject: str) -> None:
    """End what a person who closes their account holds, and what they gave as a citizen.

    A representative's agents are frozen: their entity has nobody until it has a new one.
    """
    for mandate in of_holder(tx, subject):
        end(tx, provider, mandate.id, by=subject, why=Ended.ACCOUNT_CLOSED)
        if mandate.kind is MandateKind.REPRESENTATIVE:
            freeze(tx, provider, mandate.principal, by=subject)
    end_all(tx, provider, subject, by=subject, why=Ended.ACCOUNT_CLOSED)


def used(tx: Session, provider: Provider, mandate_id: str, client_id: str, grant_id: str) -> None:
    """Note, once a grant, that somebody acts by a mandate at a client: whoever it is for reads it."""
    row = {"mandate": mandate_id, "client_id": client_id, "grant_id": grant_id}
    statement = insert(MandateUseRow).values({**row, "at": provider.clock()})
    tx.execute(statement.on_conflict_do_nothing())


def uses(tx: Session, principal: str, *, at_most: int | None = _SHOWN_USES) -> list[Use]:
    """The latest uses of every mandate to act for somebody, ended ones too, the newest first."""
    query = (
        select(MandateUseRow)
        .join(MandateRow, MandateRow.id == MandateUseRow.mandate)
        .where(MandateRow.principal == principal)
        .order_by(MandateUseRow.id.desc())
        .limit(at_most)
    )
    return [Use(row.mandate, row.client_id, row.at) for row in tx.scalars(query)]


def _tell(
    tx: Session, provider: Provider, mandate: Mandate, by: str, holders: Notice, others: Notice
) -> None:
    """Let both sides be told, but for `by`, whose doing it is."""
    other = _principal_is(tx, provider, mandate)
    for to, notice in ((mandate.holder, holders), (other, others)):
        if to is not None and to != by:
            told = {"mandate": mandate.id, "to": to, "template": notice.value}
            provider.defer(tx, NOTICE_JOB, told)


def _principal_is(tx: Session, provider: Provider, mandate: Mandate) -> str | None:
    """Whose word stands for the principal's: a citizen's own, an entity's representative's."""
    if mandate.kind is MandateKind.HELPER:
        return mandate.principal
    present = representative(tx, mandate.principal)
    return present.holder if present and present.live(provider.clock()) else None


def _journal(
    tx: Session, provider: Provider, action: str, by: str, principal: str, details: dict[str, str]
) -> None:
    journal.append(
        tx, at=provider.clock(), actor=by, action=action, subject=principal, details=details
    )


def _mandate(row: MandateRow) -> Mandate:
    return Mandate(
        id=row.id,
        kind=MandateKind(row.kind),
        principal=row.principal,
        holder=row.holder,
        items=tuple(row.items),
        given_by=row.given_by,
        given_at=row.given_at,
        until=row.until,
        consent=row.consent,
        frozen_at=row.frozen_at,
        ended_at=row.ended_at,
    )
