"""状态查询: what anybody may ask of a seal, by its number or its digest, as of any moment.

It tells whose seal it is and how it stood, and never who keeps, asked for or stopped it, or why. Of
a seal that is not made yet nothing is told; of one of a node below what that told us.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, aliased

from seal.life.errors import SealUnknown
from seal.life.tables import NodeSealEventRow, NodeSealRow, SealEventRow, SealRow
from seal.seal_states import Change, SealState
from seal.ses_reading import read_seal

PUBLIC = frozenset(
    {
        SealState.MADE,
        SealState.RECORDED,
        SealState.ISSUED,
        SealState.IN_USE,
        SealState.SUSPENDED,
        SealState.LOST,
        SealState.DESTROYED,
    }
)
"""The states that are told: a seal there is, and not the application for one."""


@dataclass(frozen=True, slots=True)
class Particulars:
    """What is public of a seal whatever its state. `origin` is the node that told it, "" our own.

    `digest` is `seal.seal_list.digest_of` its DER; `replaces` and `replaced_by` are esids, or "".
    """

    esid: str
    digest: bytes
    name: str
    kind: str
    owner: str
    owner_name: str
    record_number: str
    valid_until: datetime
    replaces: str = ""
    replaced_by: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class PublicStatus:
    """How a seal stood at a moment, and how it stands now; `then` is None before it was made."""

    seal: Particulars
    then: Change | None
    now: Change
    history: tuple[Change, ...]


def status_by_esid(tx: Session, esid: str, at: datetime) -> PublicStatus:
    """Return how the seal of this number stood at a moment (aware UTC). Raises SealUnknown."""
    return _own(tx, SealRow.esid == esid, at) or _told(tx, NodeSealRow.esid == esid, at)


def status_by_digest(tx: Session, digest: bytes, at: datetime) -> PublicStatus:
    """Return the same of the seal with this digest. Raises SealUnknown."""
    return _own(tx, SealRow.digest == digest, at) or _told(tx, NodeSealRow.digest == digest, at)


def particulars(row: SealRow, replaces: str | None, replaced_by: str | None) -> Particulars:
    """Return what is public of one of our own seals. Raises SealUnknown for one not made yet."""
    if row.esid is None or row.digest is None or row.der is None:
        raise SealUnknown()
    return Particulars(
        esid=row.esid,
        digest=row.digest,
        name=row.name,
        kind=row.kind,
        owner=row.owner,
        owner_name=row.owner_name,
        record_number=row.record_number or "",
        valid_until=read_seal(row.der).valid_until,
        replaces=replaces or "",
        replaced_by=replaced_by or "",
    )


def _own(tx: Session, which: ColumnElement[bool], at: datetime) -> PublicStatus | None:
    old = aliased(SealRow)
    query = select(SealRow, old.esid).outerjoin(old, old.id == SealRow.predecessor)
    found = tx.execute(query.where(which, SealRow.digest.is_not(None))).first()
    if found is None:
        return None
    row, replaces = found
    new = select(SealRow.esid).where(SealRow.predecessor == row.id, SealRow.digest.is_not(None))
    events = (
        select(SealEventRow.state, SealEventRow.since)
        .where(SealEventRow.seal == row.id, SealEventRow.state.in_(PUBLIC))
        .order_by(SealEventRow.number)
    )
    changes = [Change(SealState(state), since) for state, since in tx.execute(events)]
    replaced_by = tx.scalar(new.order_by(SealRow.changed_at.desc()).limit(1))
    return _status(particulars(row, replaces, replaced_by), changes, at)


def _told(tx: Session, which: ColumnElement[bool], at: datetime) -> PublicStatus:
    row = tx.scalar(select(NodeSealRow).where(which))
    if row is None:
        raise SealUnknown()
    newer = select(NodeSealRow.esid).where(NodeSealRow.replaces == row.esid)
    events = (
        select(NodeSealEventRow.state, NodeSealEventRow.since)
        .where(NodeSealEventRow.esid == row.esid)
        .order_by(NodeSealEventRow.number)
    )
    seal = Particulars(
        esid=row.esid,
        digest=row.digest,
        name=row.name,
        kind=row.kind,
        owner=row.owner,
        owner_name=row.owner_name,
        record_number=row.record_number or "",
        valid_until=row.valid_until,
        replaces=row.replaces or "",
        replaced_by=tx.scalar(newer.limit(1)) or "",
        origin=row.origin,
    )
    changes = [Change(SealState(state), since) for state, since in tx.execute(events)]
    return _status(seal, changes, at)


def _status(seal: Particulars, changes: Sequence[Change], at: datetime) -> PublicStatus:
    begun = [change for change in changes if change.since <= at]
    then = begun[-1] if begun else None
    return PublicStatus(seal, then, changes[-1], tuple(changes))
