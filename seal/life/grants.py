"""授权: the keeper lets somebody stamp, for so long, so often, on such licences; and ends it again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal, or_, select, update
from sqlalchemy.orm import Session

from seal.life.desk import SealDesk
from seal.life.errors import (
    GrantEnded,
    GrantUnknown,
    GrantWrong,
    NotTheKeeper,
    SealNotInUse,
)
from seal.life.register import held, note
from seal.life.tables import SealGrantRow, SealRow
from seal.seal_states import SealState

_LONGEST = 200


class HolderKind(StrEnum):
    """Who holds a grant: a system by its client's name, or a person by their staff subject."""

    SYSTEM = "system"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Granting:
    """The keeper's wish to let `holder` stamp with `seal`.

    Without `licence_types` it is any; `most` is how often, None without end. Times are aware UTC.
    """

    seal: UUID
    by: str
    holder_kind: HolderKind
    holder: str
    since: datetime
    until: datetime
    licence_types: tuple[str, ...] = ()
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """The keeper's wish to end a grant."""

    grant: UUID
    by: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant as it stands: `used` so often, `ended_at` when somebody ended it."""

    id: UUID
    seal: UUID
    holder_kind: HolderKind
    holder: str
    licence_types: tuple[str, ...]
    since: datetime
    until: datetime
    most: int | None
    used: int
    granted_by: str
    ended_at: datetime | None


def grant(tx: Session, desk: SealDesk, command: Granting) -> UUID:
    """Let somebody stamp, and return the id of the grant.

    Raises SealUnknown, NotTheKeeper, SealNotInUse, GrantWrong.
    """
    row = _kept_by(tx, command.seal, command.by)
    if row.state != SealState.IN_USE:
        raise SealNotInUse(esid=row.esid or "", state=row.state)
    for field in _wrong(command, row, desk.clock()):
        raise GrantWrong(field=field)
    granted = SealGrantRow(
        id=desk.new_id(),
        seal=row.id,
        holder_kind=command.holder_kind,
        holder=command.holder.strip(),
        licence_types=sorted(set(command.licence_types)),
        since=command.since,
        until=command.until,
        most=command.most,
        used=0,
        granted_by=command.by,
    )
    tx.add(granted)
    tx.flush()
    note(tx, desk, row, "seal.granted", command.by, _told(granted))
    return granted.id


def end(tx: Session, desk: SealDesk, command: Ending) -> None:
    """End a grant at once. Raises GrantUnknown, NotTheKeeper, GrantEnded."""
    found = tx.get(SealGrantRow, command.grant)
    if found is None:
        raise GrantUnknown()
    row = _kept_by(tx, found.seal, command.by)
    ended = (
        update(SealGrantRow)
        .where(SealGrantRow.id == command.grant, SealGrantRow.ended_at.is_(None))
        .values(ended_at=desk.clock(), ended_by=command.by)
        .returning(SealGrantRow.id)
    )
    if tx.execute(ended).first() is None:
        raise GrantEnded()
    note(tx, desk, row, "seal.grant_ended", command.by, {"grant": str(command.grant)})


def grants_of(tx: Session, seal: UUID) -> tuple[Grant, ...]:
    """Return every grant of a seal, the newest first."""
    query = select(SealGrantRow).where(SealGrantRow.seal == seal)
    rows = tx.scalars(query.order_by(SealGrantRow.since.desc(), SealGrantRow.id))
    return tuple(map(_grant, rows))


def in_term(now: datetime) -> ColumnElement[bool]:
    """Is a row's grant good now, by its term and unless it was ended?"""
    row = SealGrantRow
    return row.ended_at.is_(None) & (row.since <= now) & (now < row.until)


def has_left() -> ColumnElement[bool]:
    """May a row's grant be used once more, by its count?"""
    return or_(SealGrantRow.most.is_(None), SealGrantRow.used < SealGrantRow.most)


def allows(kind: HolderKind, holder: str, licence_type: str) -> ColumnElement[bool]:
    """Is a row's grant this holder's, and for this type of licence?"""
    row = SealGrantRow
    any_type = func.cardinality(row.licence_types) == 0
    of_type = literal(licence_type) == func.any(row.licence_types)
    return (row.holder_kind == kind) & (row.holder == holder) & or_(any_type, of_type)


def carry_over(tx: Session, desk: SealDesk, old: SealRow, new: SealRow, by: str) -> None:
    """Give what is left of the live grants of a held seal to the one that takes its place."""
    now = desk.clock()
    ended = (
        update(SealGrantRow)
        .where(SealGrantRow.seal == old.id, SealGrantRow.ended_at.is_(None))
        .where(now < SealGrantRow.until)
        .values(ended_at=now, ended_by=by)
        .returning(SealGrantRow)
    )
    for last in tx.scalars(ended).all():
        left = None if last.most is None else last.most - last.used
        until = min(last.until, new.made_for)
        if left == 0 or until <= max(last.since, now):
            continue
        granted = SealGrantRow(
            id=desk.new_id(),
            seal=new.id,
            holder_kind=last.holder_kind,
            holder=last.holder,
            licence_types=last.licence_types,
            since=max(last.since, now),
            until=until,
            most=left,
            used=0,
            granted_by=by,
        )
        tx.add(granted)
        tx.flush()
        note(tx, desk, new, "seal.granted", by, {**_told(granted), "instead_of": str(last.id)})


def _kept_by(tx: Session, seal: UUID, by: str) -> SealRow:
    row = held(tx, seal)
    if row.keeper != by:
        raise NotTheKeeper()
    return row


def _wrong(told: Granting, row: SealRow, now: datetime) -> Iterator[str]:
    if not 0 < len(told.holder.strip()) <= _LONGEST:
        yield "holder"
    if not all(0 < len(name) <= _LONGEST for name in told.licence_types):
        yield "licence_types"
    if not max(told.since, now) < told.until <= row.made_for:
        yield "until"
    if told.most is not None and told.most < 1:
        yield "most"


def _told(row: SealGrantRow) -> dict[str, str | int]:
    """What the journal is told of a grant; a person who holds it is a subject, never a name."""
    return {
        "grant": str(row.id),
        "holder_kind": row.holder_kind,
        "holder": row.holder,
        "licence_types": ", ".join(row.licence_types),
        "until": row.until.isoformat(),
        "most": "" if row.most is None else row.most,
    }


def _grant(row: SealGrantRow) -> Grant:
    return Grant(
        id=row.id,
        seal=row.seal,
        holder_kind=HolderKind(row.holder_kind),
        holder=row.holder,
        licence_types=tuple(row.licence_types),
        since=row.since,
        until=row.until,
        most=row.most,
        used=row.used,
        granted_by=row.granted_by,
        ended_at=row.ended_at,
    )
