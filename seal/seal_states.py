"""The states of an e-seal as a table: what may follow what (GB/T 33481-2016, 国办发〔2025〕33号).

What a seal was at a moment is told by its history, so that a stamp is judged by the state it was
made in and not by today's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType


class SealState(StrEnum):
    """Where a seal is in its life (申请、审核、制作、备案、发放、使用、停用、挂失、销毁)."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"
    MADE = "made"
    RECORDED = "recorded"
    ISSUED = "issued"
    IN_USE = "in-use"
    SUSPENDED = "suspended"
    LOST = "lost"
    DESTROYED = "destroyed"


_S = SealState

FOLLOWS: Mapping[SealState, frozenset[SealState]] = MappingProxyType(
    {
        _S.DRAFT: frozenset({_S.SUBMITTED}),
        _S.SUBMITTED: frozenset({_S.APPROVED, _S.REJECTED}),
        _S.REJECTED: frozenset({_S.SUBMITTED}),
        _S.APPROVED: frozenset({_S.MADE}),
        _S.MADE: frozenset({_S.RECORDED, _S.DESTROYED}),
        _S.RECORDED: frozenset({_S.ISSUED, _S.DESTROYED}),
        _S.ISSUED: frozenset({_S.IN_USE, _S.SUSPENDED, _S.LOST, _S.DESTROYED}),
        _S.IN_USE: frozenset({_S.SUSPENDED, _S.LOST, _S.DESTROYED}),
        _S.SUSPENDED: frozenset({_S.IN_USE, _S.LOST, _S.DESTROYED}),
        _S.LOST: frozenset({_S.IN_USE, _S.DESTROYED}),
        _S.DESTROYED: frozenset(),
    }
)
"""What may follow each state; a destroyed seal stays on record and keeps its history."""


@dataclass(frozen=True, slots=True)
class Change:
    """A seal came to `state` at `since` (aware UTC); a loss counts from a moment before its report."""

    state: SealState
    since: datetime


def state_at(history: Iterable[Change], at: datetime) -> SealState | None:
    """Return the state at a moment: that of the last change recorded which had begun by then.

    `history` is in the order recorded. None before the first change.
    """
    begun = [change.state for change in history if change.since <= at]
    return begun[-1] if begun else None
