"""The seal API for keepers: take a seal over, stop it and bring it back, and say who stamps with it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from keys.access_token import Caller
from keys.step_up import require_sign_in
from seal.life import (
    grants,
    handing_over,
    register,
    stopping,
)
from seal.life.desk import SealDesk
from seal.life.errors import GrantUnknown
from seal.life.gate import (
    KEEP,
    RECORD,
    STOPPING,
    Gate,
)
from seal.life.schemas import (
    EntrustingIn,
    GrantIn,
    GrantOut,
    LossIn,
    ReasonIn,
    SealWithHistoryOut,
)
from seal.life.steps_http import ERRORS, ONE, SealId, Steps

IN_PERSON = timedelta(minutes=15)
"""Who takes a seal over, or back into use, signed in no longer ago."""


def router(desk: SealDesk, gate: Gate, the_caller: Any) -> APIRouter:
    """Return the routes of the staff who keep seals."""
    api = APIRouter()
    _add_keeping(api, desk, gate, the_caller)
    _add_grants(api, desk, gate, the_caller)
    return api


def _add_keeping(api: APIRouter, desk: SealDesk, gate: Gate, the_caller: Any) -> None:
    steps = Steps(desk, gate)

    @api.post(
        f"{ONE}/acceptance",
        operation_id="accept_seal",
        summary="Take a seal over, as its keeper in person; it is in use then",
        responses=ERRORS,
    )
    def post_acceptance(seal: SealId, caller: Caller = the_caller) -> SealWithHistoryOut:
        require_sign_in(caller, max_age=IN_PERSON, now=desk.clock())

        def accept(tx: Session, by: str) -> None:
            handing_over.accept(tx, desk, handing_over.Acceptance(seal, by))

        return steps.take(caller, seal, {KEEP}, accept)

    @api.post(
        f"{ONE}/suspension",
        operation_id="suspend_seal",
        summary="Suspend a seal (停用); it stamps nothing from then on",
        responses=ERRORS,
    )
    def post_suspension(
        seal: SealId, asked: ReasonIn, caller: Caller = the_caller
    ) -> SealWithHistoryOut:
        def suspend(tx: Session, by: str) -> None:
            stopping.suspend(tx, desk, stopping.Stop(seal, by, asked.reason))

        return steps.take(caller, seal, STOPPING, suspend)

    @api.post(
        f"{ONE}/resumption",
        operation_id="resume_seal",
        summary="Bring a suspended seal back into use, as its keeper in person",
        responses=ERRORS,
    )
    def post_resumption(
        seal: SealId, asked: ReasonIn, caller: Caller = the_caller
    ) -> SealWithHistoryOut:
        require_sign_in(caller, max_age=IN_PERSON, now=desk.clock())

        def resume(tx: Session, by: str) -> None:
            stopping.resume(tx, desk, stopping.Stop(seal, by, asked.reason))

        return steps.take(caller, seal, {KEEP}, resume)

    @api.post(
        f"{ONE}/loss",
        operation_id="report_seal_lost",
        summary="Report a seal lost (挂失), since a moment; what it stamped since then does not count",
        responses=ERRORS,
    )
    def post_loss(seal: SealId, asked: LossIn, caller: Caller = the_caller) -> SealWithHistoryOut:
        def lose(tx: Session, by: str) -> None:
            stopping.report_lost(tx, desk, stopping.Loss(seal, by, asked.reason, asked.since))

        return steps.take(caller, seal, STOPPING, lose)

    @api.post(
        f"{ONE}/finding",
        operation_id="report_seal_found",
        summary="Bring a seal that was lost back into use, as its keeper in person",
        responses=ERRORS,
    )
    def post_finding(
        seal: SealId, asked: ReasonIn, caller: Caller = the_caller
    ) -> SealWithHistoryOut:
        require_sign_in(caller, max_age=IN_PERSON, now=desk.clock())

        def find(tx: Session, by: str) -> None:
            stopping.found(tx, desk, stopping.Stop(seal, by, asked.reason))

        return steps.take(caller, seal, {KEEP}, find)

    @api.post(
        f"{ONE}/keeper",
        operation_id="entrust_seal",
        summary="Give a suspended seal to another keeper",
        responses=ERRORS,
    )
    def post_keeper(
        seal: SealId, asked: EntrustingIn, caller: Caller = the_caller
    ) -> SealWithHistoryOut:
        def entrust(tx: Session, by: str) -> None:
            handing_over.entrust(
                tx, desk, handing_over.Entrusting(seal, by, asked.keeper, asked.reason)
            )

        return steps.take(caller, seal, {RECORD}, entrust)


def _add_grants(api: APIRouter, desk: SealDesk, gate: Gate, the_caller: Any) -> None:
    @api.post(
        f"{ONE}/grants",
        operation_id="grant_seal",
        summary="Let a system or a person stamp with a seal, as its keeper",
        status_code=201,
        responses=ERRORS,
    )
    def post_grant(seal: SealId, asked: GrantIn, caller: Caller = the_caller) -> GrantOut:
        with desk.begin() as tx:
            actor = gate.admit(tx, caller, frozenset({KEEP}), register.find(tx, seal).owner)
            number = grants.grant(
                tx,
                desk,
                grants.Granting(
                    seal=seal,
                    by=actor.id,
                    holder_kind=asked.holder_kind,
                    holder=asked.holder,
                    since=asked.since or desk.clock(),
                    until=asked.until,
                    licence_types=tuple(asked.licence_types),
                    most=asked.most,
                ),
            )
            granted = next(one for one in grants.grants_of(tx, seal) if one.id == number)
        return GrantOut.model_validate(granted, from_attributes=True)

    @api.delete(
        f"{ONE}/grants/{{grant}}",
        operation_id="end_seal_grant",
        summary="End a grant at once, as the seal's keeper",
        status_code=204,
        response_class=Response,
        responses=ERRORS,
    )
    def delete_grant(seal: SealId, grant: UUID, caller: Caller = the_caller) -> None:
        with desk.begin() as tx:
            actor = gate.admit(tx, caller, frozenset({KEEP}), register.find(tx, seal).owner)
            if grant not in {one.id for one in grants.grants_of(tx, seal)}:
                raise GrantUnknown()
            grants.end(tx, desk, grants.Ending(grant, actor.id))
