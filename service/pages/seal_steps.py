"""The steps of a seal's life as buttons of a page, and to whom each is offered.

A step is offered to whom it may be; whether it is allowed is decided by `seal.life` alone, when it
is taken (`service.pages.seal_taking`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy.orm import Session

from seal.life import (
    remaking,
)
from seal.life.gate import APPLY, KEEP, MAKE, RECORD, REVIEW, STOPPING, Reach
from seal.life.grants import HolderKind
from seal.life.remaking import TAKEN_OVER
from seal.life.stamping import Actor
from seal.life.tables import SealRow
from seal.seal_states import FOLLOWS, SealState
from service.pages.counter import clerk_of
from service.pages.visit import Visit

_S = SealState


@dataclass(frozen=True, slots=True)
class Step:
    """To whom a step is offered: with one of these scopes, in these states; `own` and `other` name
    who of the seal's people it is for, or is not for.
    """

    scopes: frozenset[str]
    states: frozenset[SealState]
    own: str = ""
    other: str = ""

    def is_for(self, me: str, row: SealRow, reaches: Mapping[str, Reach]) -> bool:
        return (
            row.state in self.states
            and any(reaches[scope].covers(row.owner) for scope in self.scopes)
            and (not self.own or getattr(row, self.own) == me)
            and (not self.other or getattr(row, self.other) != me)
        )


def _before(state: SealState) -> frozenset[SealState]:
    return frozenset(one for one, after in FOLLOWS.items() if state in after)


def only(scope: str) -> frozenset[str]:
    """Return the scope as those of a step."""
    return frozenset({scope})


STEPS: Mapping[str, Step] = MappingProxyType(
    {
        "submit": Step(only(APPLY), _before(_S.SUBMITTED), own="applied_by"),
        "review": Step(only(REVIEW), frozenset({_S.SUBMITTED}), other="applied_by"),
        "make": Step(only(MAKE), _before(_S.MADE)),
        "record": Step(only(RECORD), _before(_S.RECORDED)),
        "issue": Step(only(RECORD), _before(_S.ISSUED), other="keeper"),
        "accept": Step(only(KEEP), frozenset({_S.ISSUED}), own="keeper"),
        "grant": Step(only(KEEP), frozenset({_S.IN_USE}), own="keeper"),
        "resume": Step(only(KEEP), frozenset({_S.SUSPENDED}), own="keeper"),
        "found": Step(only(KEEP), frozenset({_S.LOST}), own="keeper"),
        "suspend": Step(STOPPING, _before(_S.SUSPENDED)),
        "lose": Step(STOPPING, _before(_S.LOST)),
        "entrust": Step(only(RECORD), frozenset({_S.SUSPENDED})),
        "destroy": Step(only(RECORD), _before(_S.DESTROYED)),
        "remake": Step(
            only(APPLY), frozenset({_S.ISSUED, _S.IN_USE, _S.SUSPENDED, _S.LOST, _S.DESTROYED})
        ),
    }
)
_BACK = frozenset({"resume", "found"})
WAITING = ("submit", "review", "make", "record", "issue", "accept", "resume", "found")
"""The steps without which a seal does not go on: whoever may take one finds it in the list."""


def offered(tx: Session, me: str, row: SealRow, reaches: Mapping[str, Reach]) -> set[str]:
    """Return the steps offered: no other seal is applied for in the place of one that was remade,
    and none is brought back whose place another took.
    """
    steps = {name for name, step in STEPS.items() if step.is_for(me, row, reaches)}
    if not steps & {"remake", *_BACK}:
        return steps
    new = remaking.successor(tx, row)
    if new is None:
        return steps
    return steps - {"remake"} - (_BACK if new.state in TAKEN_OVER else frozenset())


def reach(tx: Session, visit: Visit, scopes: frozenset[str]) -> Reach:
    """Return the bodies for which the visitor may use one of these scopes now."""
    return visit.world.seal_gate.reach(tx, Actor(HolderKind.PERSON, clerk_of(visit)), scopes)


def reaches_of(tx: Session, visit: Visit) -> Mapping[str, Reach]:
    """Return the same of each scope of staff."""
    return {scope: reach(tx, visit, only(scope)) for scope in (APPLY, REVIEW, MAKE, RECORD, KEEP)}
