"""One step of a seal's life over the API: who may take it is looked at, it is taken, the seal is told."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path
from sqlalchemy.orm import Session

from keys.access_token import Caller
from seal.life import register
from seal.life.calling import problems
from seal.life.desk import SealDesk
from seal.life.gate import Gate
from seal.life.schemas import EventOut, SealOut, SealWithHistoryOut
from seal.life.tables import SealRow

ERRORS = problems(401, 403, 404, 409, 422)
ONE = "/register/{seal}"

SealId = Annotated[UUID, Path(description="The id of the seal in the register.")]
Esid = Annotated[
    str,
    Path(
        max_length=64,
        pattern=r"^[\x20-\x7e]+$",
        description="The number of the seal.",
        examples=["99010000000001"],
    ),
]
Act = Callable[[Session, str], object]
"""What a step does, in a transaction, by whom."""


class Steps:
    """Takes steps at a desk, each in one transaction. No rule lives here: the use cases have them."""

    def __init__(self, desk: SealDesk, gate: Gate) -> None:
        self._desk = desk
        self._gate = gate

    def take(
        self, caller: Caller, seal: UUID, scopes: set[str] | frozenset[str], act: Act
    ) -> SealWithHistoryOut:
        """Return the seal as it stands after `act`, which one of `scopes` is needed for."""
        with self._desk.begin() as tx:
            owner = register.find(tx, seal).owner
            actor = self._gate.admit(tx, caller, frozenset(scopes), owner)
            act(tx, actor.id)
            return seal_out(tx, seal)


def seal_out(tx: Session, seal: UUID) -> SealWithHistoryOut:
    """Return what is told of a seal: its row and its history."""
    events = register.history(tx, seal)
    history = [EventOut.model_validate(event, from_attributes=True) for event in events]
    return SealWithHistoryOut.model_validate(
        {**row_out(register.find(tx, seal)), "history": history}
    )


def row_out(row: SealRow) -> dict[str, Any]:
    """Return what is told of a row under its own names; `until` is the end of the term wished."""
    names = SealOut.model_fields.keys() - {"until"}
    return {**{name: getattr(row, name) for name in names}, "until": row.made_for}
