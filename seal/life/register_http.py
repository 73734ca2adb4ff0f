"""The seal API's register, to be looked at by those whose bodies it is."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from keys.access_token import Caller
from seal.life import (
    browsing,
    grants,
    register,
    usage,
)
from seal.life.calling import problems
from seal.life.desk import SealDesk
from seal.life.gate import (
    READING,
    Gate,
    Reach,
    allowed,
)
from seal.life.schemas import (
    GrantOut,
    GrantsOut,
    SealOut,
    SealsOut,
    SealWithHistoryOut,
    UsageOut,
    UseOut,
)
from seal.life.steps_http import ONE, SealId, row_out, seal_out
from seal.seal_states import SealState


def router(desk: SealDesk, gate: Gate, the_caller: Any) -> APIRouter:
    """Return the routes of whoever looks."""
    api = APIRouter()

    @api.get(
        "/register",
        operation_id="list_seals",
        summary="The seals of the bodies one works for, the last changed first",
        responses=problems(401, 403, 422),
    )
    def get_seals(
        state: Annotated[list[SealState] | None, Query()] = None,
        after: Annotated[
            str, Query(pattern=browsing.MARK_FORM, description="`next` of the last page.")
        ] = "",
        limit: Annotated[int, Query(ge=1, le=browsing.MOST)] = browsing.MOST,
        caller: Caller = the_caller,
    ) -> SealsOut:
        scopes = allowed(caller, READING)
        with desk.begin() as tx:
            reach = gate.reach(tx, gate.actor(tx, caller), scopes)
            rows = browsing.seals(
                tx,
                _bodies(reach),
                states=state or (),
                after=browsing.read_mark(after),
                limit=limit,
            )
            more = browsing.mark_of(rows[-1]) if len(rows) == limit else None
            return SealsOut(seals=[SealOut.model_validate(row_out(row)) for row in rows], next=more)

    @api.get(
        ONE,
        operation_id="get_seal",
        summary="A seal of the register, with its history",
        responses=problems(401, 403, 404, 422),
    )
    def get_seal(seal: SealId, caller: Caller = the_caller) -> SealWithHistoryOut:
        with desk.begin() as tx:
            gate.admit(tx, caller, READING, register.find(tx, seal).owner)
            return seal_out(tx, seal)

    @api.get(
        f"{ONE}/picture",
        operation_id="get_seal_picture",
        summary="The picture of a seal",
        response_class=Response,
        responses={
            200: {"description": "A PNG.", "content": {"image/png": {}}},
            **problems(401, 403, 404, 422),
        },
    )
    def get_picture(seal: SealId, caller: Caller = the_caller) -> Response:
        with desk.begin() as tx:
            row = register.find(tx, seal)
            gate.admit(tx, caller, READING, row.owner)
            return Response(row.picture_png, media_type="image/png")

    @api.get(
        f"{ONE}/usage",
        operation_id="get_seal_usage",
        summary="Every stamp of a seal, and how many there are",
        responses=problems(401, 403, 404, 422),
    )
    def get_usage(
        seal: SealId,
        before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
        limit: Annotated[int, Query(ge=1, le=usage.MOST)] = 100,
        caller: Caller = the_caller,
    ) -> UsageOut:
        with desk.begin() as tx:
            gate.admit(tx, caller, READING, register.find(tx, seal).owner)
            counts = usage.counts(tx, seal)
            uses = usage.log(tx, seal, before=before, limit=limit)
        return UsageOut(
            total=counts.total,
            by_form=dict(counts.by_form),
            by_licence_type=dict(counts.by_licence_type),
            last_at=counts.last_at,
            uses=[
                UseOut(
                    number=use.number,
                    at=use.at,
                    by=use.by,
                    grant=use.grant,
                    form=use.form,
                    licence_type=use.licence_type,
                    reference=use.reference,
                    digest=use.digest.hex(),
                )
                for use in uses
            ],
        )

    @api.get(
        f"{ONE}/grants",
        operation_id="list_seal_grants",
        summary="Who may stamp with a seal, and who might",
        responses=problems(401, 403, 404, 422),
    )
    def get_grants(seal: SealId, caller: Caller = the_caller) -> GrantsOut:
        with desk.begin() as tx:
            gate.admit(tx, caller, READING, register.find(tx, seal).owner)
            found = grants.grants_of(tx, seal)
        return GrantsOut(
            grants=[GrantOut.model_validate(one, from_attributes=True) for one in found]
        )

    return api


def _bodies(reach: Reach) -> frozenset[str] | None:
    return None if reach.everywhere else reach.bodies
