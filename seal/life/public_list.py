"""What everybody may know of the seals on record: how each stood since when, from its making on.

Of our own as we recorded it, and of those of the nodes below as they told it.
"""

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seal.life.status import PUBLIC
from seal.life.tables import NodeRow, NodeSealEventRow, NodeSealRow, SealEventRow, SealRow
from seal.seal_states import Change, SealState


def mark(tx: Session) -> tuple[int, ...]:
    """Return numbers that are others after every change: our own, or told by a node, or forgotten."""
    own = tx.scalar(select(func.max(SealEventRow.number))) or 0
    told = select(func.sum(NodeRow.last), func.sum(NodeRow.forgotten))
    return (own, *(number or 0 for number in tx.execute(told).one()))


def histories(tx: Session) -> Mapping[bytes, tuple[Change, ...]]:
    """Return the history of every seal that was made, by the digest of its DER, as recorded."""
    told: dict[bytes, list[Change]] = {}
    own = (
        select(SealRow.digest, SealEventRow.state, SealEventRow.since)
        .join(SealEventRow, SealEventRow.seal == SealRow.id)
        .where(SealEventRow.state.in_(PUBLIC))
        .order_by(SealEventRow.number)
    )
    of_nodes = (
        select(NodeSealRow.digest, NodeSealEventRow.state, NodeSealEventRow.since)
        .join(NodeSealEventRow, NodeSealEventRow.esid == NodeSealRow.esid)
        .order_by(NodeSealEventRow.number)
    )
    # No seal is in both: a node tells of none of ours.
    for digest, state, since in (*tx.execute(own), *tx.execute(of_nodes)):
        if digest is not None:
            told.setdefault(digest, []).append(Change(SealState(state), since))
    return {digest: tuple(history) for digest, history in told.items()}
