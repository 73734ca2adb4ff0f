"""The seal API's way into use: applied for, reviewed, made, recorded, handed out; and the way out of it."""

from typing import Any

from fastapi import APIRouter
from sqlalchemy.orm import Session

from keys.access_token import Caller
from keys.algorithms import Purpose
from keys.vault import DESTROY, USE, subject
from seal.life import (
    application,
    destroying,
    handing_over,
    making,
    recording,
    register,
    remaking,
    review,
)
from seal.life.calling import problems
from seal.life.desk import SealDesk
from seal.life.gate import (
    APPLY,
    MAKE,
    RECORD,
    REVIEW,
    Gate,
)
from seal.life.schemas import (
    ApplicationIn,
    ReasonIn,
    RemakingIn,
    SealWithHistoryOut,
)
from seal.life.steps_http import ERRORS, ONE, SealId, Steps, seal_out


def router(desk: SealDesk, gate: Gate, the_caller: Any) -> APIRouter:
    """Return the routes of the staff who bring seals about."""
    api = APIRouter()
    _add_applying(api, desk, gate, the_caller)
    _add_making(api, desk, gate, the_caller)
    return api


def _add_applying(api: APIRouter, desk: SealDesk, gate: Gate, the_caller: Any) -> None:
    steps = Steps(desk, gate)

    @api.post(
        "/register",
        operation_id="apply_for_seal",
        summary="Write an application for a seal (申请); it is handed in by another step",
        status_code=201,
        responses=problems(401, 403, 422),
    )
    def post_application(asked: ApplicationIn, caller: Caller = the_caller) -> SealWithHistoryOut:
        with desk.begin() as tx:
            actor = gate.admit(tx, caller, frozenset({APPLY}), asked.owner.strip())
            return seal_out(tx, application.draft(tx, desk, _draft(asked, actor.id)))

    @api.put(ONE, operation_id="amend_application", summary="Write it anew", responses=ERRORS)
    def put_application(
        seal: SealId, asked: ApplicationIn, caller: Caller = the_caller
    ) -> SealWithHistoryOut:
        def amend(tx: Session, by: str) -> None:
            # For the body it was for, and for the one it is for now.
            gate.admit(tx, caller, frozenset({APPLY}), asked.owner.strip())
            application.amend(tx, desk, application.Amendment(seal, _draft(asked, by)))

        return steps.take(caller, seal, {APPLY}, amend)

    @api.post(
        f"{ONE}/submission",
        operation_id="submit_application",
        summary="Hand it in",
        responses=ERRORS,
    )
    def post_submission(seal: SealId, caller: Caller = the_caller) -> SealWithHistoryOut:
        def submit(tx: Session, by: str) -> None:
            application.submit(tx, desk, application.Submission(seal, by))

        return steps.take(caller, seal, {APPLY}, submit)

    @api.post(
        f"{ONE}/approval",
        operation_id="approve_seal",
        summary="Approve it (审核); the seal gets its number",
        responses=ERRORS,
    )
    def post_approval(
        seal: SealId, asked: ReasonIn, caller: Caller = the_caller
    ) -> SealWithHistoryOut:
        def approve(tx: Session, by: str) -> None:
            review.approve(tx, desk, review.Review(seal, by, asked.reason))

        return steps.take(caller, seal, {REVIEW}, approve)

    @api.post(f"{ONE}/rejection", operation_id="reject_seal", summary="Reject it", responses=ERRORS)
    def post_rejection(
        seal: SealId, asked: ReasonIn, caller: Caller = the_caller
    ) -> SealWithHistoryOut:
        def reject(tx: Session, by: str) -> None:
            review.reject(tx, desk, review.Review(seal, by, asked.reason))

        return steps.take(caller, seal, {REVIEW}, reject)

    @api.post(
        f"{ONE}/successor",
        operation_id="remake_seal",
        summary="Apply for another seal in the place of one (重新制作)",
        status_code=201,
        responses=ERRORS,
    )
    def post_successor(
        seal: SealId, asked: RemakingIn, caller: Caller = the_caller
    ) -> SealWithHistoryOut:
        with desk.begin() as tx:
            actor = gate.admit(tx, caller, frozenset({APPLY}), register.find(tx, seal).owner)
            wish = remaking.Remaking(
                predecessor=seal,
                by=actor.id,
                until=asked.until,
                owner_name=asked.owner_name,
                name=asked.name,
                keeper=asked.keeper,
                picture_png=asked.picture_png,
                picture_ofd=asked.picture_ofd,
            )
            return seal_out(tx, remaking.remake(tx, desk, wish))


def _add_making(api: APIRouter, desk: SealDesk, gate: Gate, the_caller: Any) -> None:
    steps = Steps(desk, gate)

    @api.post(
        f"{ONE}/making",
        operation_id="make_seal",
        summary="Make an approved seal (制作); two custodians agreed to that before",
        responses=ERRORS,
    )
    def post_making(seal: SealId, caller: Caller = the_caller) -> SealWithHistoryOut:
        def make(tx: Session, by: str) -> None:
            consent = gate.consent(tx, USE, subject(Purpose.SEAL_MAKER, desk.maker))
            making.make(tx, desk, making.Making(seal, by, consent))

        return steps.take(caller, seal, {MAKE}, make)

    @api.post(
        f"{ONE}/record",
        operation_id="record_seal",
        summary="Record a made seal (备案)",
        responses=ERRORS,
    )
    def post_record(seal: SealId, caller: Caller = the_caller) -> SealWithHistoryOut:
        def record(tx: Session, by: str) -> None:
            recording.record(tx, desk, recording.Recording(seal, by))

        return steps.take(caller, seal, {RECORD}, record)

    @api.post(
        f"{ONE}/issue",
        operation_id="issue_seal",
        summary="Hand a recorded seal to its keeper (发放)",
        responses=ERRORS,
    )
    def post_issue(seal: SealId, caller: Caller = the_caller) -> SealWithHistoryOut:
        def issue(tx: Session, by: str) -> None:
            handing_over.issue(tx, desk, handing_over.HandOver(seal, by))

        return steps.take(caller, seal, {RECORD}, issue)

    @api.post(
        f"{ONE}/destruction",
        operation_id="destroy_seal",
        summary="Destroy a seal (销毁); two custodians agreed to that for each of its keys",
        responses=ERRORS,
    )
    def post_destruction(
        seal: SealId, asked: ReasonIn, caller: Caller = the_caller
    ) -> SealWithHistoryOut:
        def destroy(tx: Session, by: str) -> None:
            consents = tuple(
                gate.consent(tx, DESTROY, about) for about in destroying.subjects_of(tx, desk, seal)
            )
            destroying.destroy(tx, desk, destroying.Destruction(seal, by, asked.reason, consents))

        return steps.take(caller, seal, {RECORD}, destroy)


def _draft(asked: ApplicationIn, by: str) -> application.Draft:
    return application.Draft(
        owner=asked.owner,
        owner_name=asked.owner_name,
        name=asked.name,
        kind=asked.kind,
        legal_basis=asked.legal_basis,
        keeper=asked.keeper,
        picture_png=asked.picture_png,
        picture_ofd=asked.picture_ofd,
        width=asked.width,
        height=asked.height,
        until=asked.until,
        by=by,
    )
