"""The whole state of identity, checked against rules told a second time, and against its own secrets."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from redis import Redis
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from idp import accounts
from idp.entities import legal_levels
from idp.entities.tables import EntityRow, MandateRow
from idp.levels import LEGAL, NATURAL, EvidenceKind
from idp.provider import Provider
from idp.tables import EvidenceRow, PersonRow, SessionRow

_REGISTERS = {EvidenceKind.POPULATION_REGISTER, EvidenceKind.EXIT_ENTRY_REGISTER}
_SEEN = {
    EvidenceKind.COUNTER,
    EvidenceKind.ALIPAY,
    EvidenceKind.UNIONPAY,
    EvidenceKind.HOUSING_FUND,
    EvidenceKind.LIVE_PERSON,
}
_ENTITY_SEEN = {
    EvidenceKind.COUNTER,
    EvidenceKind.TAX_FILER,
    EvidenceKind.ENTERPRISE_CERTIFICATE,
}
_SCHEMAS = ("idp", "keys", "public")


def check(provider: Provider) -> None:
    """Assert that levels, sessions and mandates agree with the evidence, and that no secret lies open."""
    with provider.begin() as tx:
        _check_levels(tx, provider)
        _check_sessions(tx, provider)
        _check_mandates(tx, provider)
        secrets = list(_secrets(tx, provider))
        _check_tables(tx, secrets)
    _check_memory(provider.redis, secrets)


def natural(tx: Session, subject: str, now: datetime) -> int:
    """The rung of a person, by the rows alone."""
    live = _live(tx, subject, now)
    kinds = {row.kind for row in live}
    first = EvidenceKind.SMS_CODE in kinds and bool(_REGISTERS & kinds)
    if not (first or _answered(live, 1)):
        return 0
    return 2 if _SEEN & kinds or _answered(live, 2) else 1


def legal(tx: Session, entity: str, now: datetime) -> int:
    """The rung of an entity, by the rows alone."""
    heads = [m for m in _in_force(tx, entity, now) if m.kind == "representative"]
    kinds = {row.kind for row in _live(tx, entity, now)}
    if EvidenceKind.BUSINESS_REGISTER not in kinds or len(heads) != 1:
        return 0
    if natural(tx, heads[0].holder, now) < 1 or not _is_open(tx, heads[0].holder):
        return 0
    return 2 if _ENTITY_SEEN & kinds else 1


def _check_levels(tx: Session, provider: Provider) -> None:
    now = provider.clock()
    for subject in tx.scalars(select(PersonRow.subject).where(PersonRow.closed_at.is_(None))):
        told = accounts.standing(tx, provider, subject).level
        assert told is NATURAL[natural(tx, subject, now)], f"person {subject}: {told}"
    for subject in tx.scalars(select(EntityRow.subject)):
        told = legal_levels.standing(tx, provider, subject).level
        assert told is LEGAL[legal(tx, subject, now)], f"entity {subject}: {told}"


def _check_sessions(tx: Session, provider: Provider) -> None:
    now = provider.clock()
    query = select(SessionRow).where(SessionRow.ended_at.is_(None), SessionRow.expires_at > now)
    for row in tx.scalars(query.where(SessionRow.realm == "citizen")):
        assert _is_open(tx, row.subject), "a session of a closed account"
        stands = natural(tx, row.subject, now)
        assert row.level <= stands, f"session {row.sid} uses {row.level} of {stands}"


def _check_mandates(tx: Session, provider: Provider) -> None:
    """Whose registration fell lets nobody act: its agents wait, or are nothing more."""
    now = provider.clock()
    for entity in tx.scalars(select(EntityRow.subject)):
        kinds = {row.kind for row in _live(tx, entity, now)}
        if EvidenceKind.BUSINESS_REGISTER not in kinds:
            held = [m.id for m in _in_force(tx, entity, now)]
            assert held == [], f"mandates of an ended entity: {held}"


def _check_tables(tx: Session, secrets: Iterable[str]) -> None:
    """No row of identity, of the journal or of a waiting job has a number or a phone in the clear."""
    tables = text("SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY(:schemas)")
    for schema, table in tx.execute(tables, {"schemas": list(_SCHEMAS)}).all():
        whole = func.coalesce(func.string_agg(text("t::text"), "\n"), "")
        content = tx.scalar(select(whole).select_from(text(f'"{schema}"."{table}" t'))) or ""
        found = [secret for secret in secrets if secret in content]
        assert not found, f"{schema}.{table} tells {len(found)} numbers or phones"


def _check_memory(redis: Redis, secrets: Iterable[str]) -> None:
    for key in redis.scan_iter():
        content = key + (redis.get(key) or b"") if redis.type(key) == b"string" else key
        for secret in secrets:
            assert secret.encode() not in content, f"{key!r} tells a number or a phone"


def _secrets(tx: Session, provider: Provider) -> Iterator[str]:
    for row in tx.scalars(select(PersonRow)):
        for sealed in (row.number_sealed, row.phone_sealed):
            opened = provider.protector.open(sealed)
            if opened.strip():
                yield opened


def _live(tx: Session, subject: str, now: datetime) -> list[EvidenceRow]:
    query = select(EvidenceRow).where(
        EvidenceRow.subject == subject,
        EvidenceRow.happened_at <= now,
        EvidenceRow.withdrawn_at.is_(None),
    )
    return [r for r in tx.scalars(query) if r.valid_until is None or now < r.valid_until]


def _answered(live: Iterable[EvidenceRow], rung: int) -> bool:
    """Whether another node answers for the rung."""
    ours = (row for row in live if row.kind == EvidenceKind.UPSTREAM)
    return any(NATURAL[rung].acr in row.compared for row in ours)


def _in_force(tx: Session, principal: str, now: datetime) -> list[MandateRow]:
    query = select(MandateRow).where(
        MandateRow.principal == principal,
        MandateRow.ended_at.is_(None),
        MandateRow.frozen_at.is_(None),
    )
    return [row for row in tx.scalars(query) if row.until is None or now < row.until]


def _is_open(tx: Session, subject: str) -> bool:
    row = tx.get(PersonRow, subject)
    return row is not None and row.closed_at is None
