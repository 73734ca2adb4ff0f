"""What the nodes below told of their seals is kept: in order, each change once (S04).

Whoever told of a seal first is who tells of it. A page comes from `flow.read_page`.
"""

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from keys import journal
from seal.life.desk import SealDesk
from seal.life.errors import RegisterNewsWrong
from seal.life.flow import Page, Told
from seal.life.status import Particulars
from seal.life.tables import NodeRow, NodeSealEventRow, NodeSealRow, SealRow


def last_heard(tx: Session, origin: str) -> int:
    """Return the number of the last change applied of a node; 0 before the first."""
    return tx.scalar(select(NodeRow.last).where(NodeRow.origin == origin)) or 0


def apply(tx: Session, desk: SealDesk, origin: str, page: Page) -> int:
    """Apply what is new in a page of the node `origin`, and return how many changes that was.

    Raises RegisterNewsWrong when something before it is missing (`gap`), what the node told before
    is no longer what it has (`rewritten`), or a seal is already told by somebody else (`taken`).
    """
    tx.execute(insert(NodeRow).values(origin=origin, last=0).on_conflict_do_nothing())
    node = tx.scalars(
        select(NodeRow)
        .where(NodeRow.origin == origin)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if page.after > node.last:
        raise RegisterNewsWrong(reason="gap")
    if page.after == node.last > 0 and not _was_told(tx, origin, page.before):
        raise RegisterNewsWrong(reason="rewritten")
    new = [change for change in page.changes if change.number > node.last]
    for change in new:
        _apply(tx, origin, change)
    if new:
        node.last = new[-1].number
        tx.flush()
        details = {"changes": len(new), "last": node.last}
        journal.append(
            tx,
            at=desk.clock(),
            actor=origin,
            action="seal.register_heard",
            subject=origin,
            details=details,
        )
    return len(new)


def forget(tx: Session, desk: SealDesk, origin: str, by: str) -> int:
    """Drop all that a node told, to hear it anew or never again; return how many seals that was."""
    for rows in (NodeSealEventRow, NodeSealRow):
        dropped = tx.execute(delete(rows).where(rows.origin == origin).returning(rows.esid)).all()
    node = update(NodeRow).where(NodeRow.origin == origin)
    tx.execute(node.values(last=0, newest=0, forgotten=NodeRow.forgotten + 1))
    journal.append(
        tx,
        at=desk.clock(),
        actor=by,
        action="seal.register_forgotten",
        subject=origin,
        details={"seals": len(dropped)},
    )
    return len(dropped)


def _was_told(tx: Session, origin: str, change: Told | None) -> bool:
    """Is this change kept as the node told it?"""
    kept = change and tx.get(NodeSealEventRow, (origin, change.number))
    return bool(
        change
        and kept
        and (kept.esid, kept.at, kept.since, kept.state)
        == (change.seal.esid, change.at, change.since, change.state)
    )


def _apply(tx: Session, origin: str, change: Told) -> None:
    seal = change.seal
    values = {
        "origin": origin,
        "digest": seal.digest,
        "name": seal.name,
        "kind": seal.kind,
        "owner": seal.owner,
        "owner_name": seal.owner_name,
        "record_number": seal.record_number or None,
        "valid_until": seal.valid_until,
        "replaces": seal.replaces or None,
    }
    # Its own seal and no other: whoever told of a number first is who tells of it.
    same = (NodeSealRow.origin == origin) & (NodeSealRow.digest == seal.digest)
    entered = (
        insert(NodeSealRow)
        .values(esid=seal.esid, **values)
        .on_conflict_do_update(index_elements=["esid"], set_=values, where=same)
        .returning(NodeSealRow.esid)
    )
    if _is_known_otherwise(tx, seal) or tx.scalar(entered) is None:
        raise RegisterNewsWrong(reason="taken")
    tx.add(
        NodeSealEventRow(
            origin=origin,
            number=change.number,
            esid=seal.esid,
            at=change.at,
            since=change.since,
            state=change.state,
        )
    )
    tx.flush()


def _is_known_otherwise(tx: Session, seal: Particulars) -> bool:
    """Is the number or the seal one of ours, or the seal known under another number?"""
    ours = select(SealRow.id).where((SealRow.esid == seal.esid) | (SealRow.digest == seal.digest))
    other = select(NodeSealRow.esid).where(
        NodeSealRow.digest == seal.digest, NodeSealRow.esid != seal.esid
    )
    return tx.scalar(select(ours.exists() | other.exists())) is True
