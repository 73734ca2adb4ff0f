"""The seal API: the register of seals, stamping by those whom a keeper let, and the public status.

Scopes: `seal.apply`, `seal.review`, `seal.make`, `seal.record`, `seal.keep` of staff, each for the
bodies where they are appointed, and `seal.stamp` of systems and staff who hold a grant.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import FastAPI, Query, Request

from keys.access_token import Caller
from seal.life import changes_http, keeping_http, making_http, register_http, stamping_http, status
from seal.life.calling import ERROR_STATUS, problems, who_calls
from seal.life.desk import SealDesk
from seal.life.gate import Gate
from seal.life.schemas import ChangeOut, Moment, StatusOut
from seal.life.status import PublicStatus
from seal.life.steps_http import Esid
from seal.seal_states import Change

__all__ = ["ERROR_STATUS", "app", "audience"]


def audience(public_url: str) -> str:
    """Return the resource (RFC 8707) that this API is at the public address."""
    return f"{public_url}/api/seals"


def app(desk: SealDesk, gate: Gate, check_caller: Callable[[Request], Caller]) -> FastAPI:
    """Return the ASGI app. `check_caller` raises a `DomainError` for whoever shows no good token."""
    api = FastAPI(
        title="Yinxin e-seals",
        description="Apply for, make, record, keep and end e-seals; stamp with them; ask how one stands.",
        version="1",
    )
    the_caller = who_calls(check_caller)
    # Before the register, whose seals are asked for at paths like it.
    api.include_router(changes_http.router(desk))
    for part in (register_http, making_http, keeping_http, stamping_http):
        api.include_router(part.router(desk, gate, the_caller))
    _add_public(api, desk)
    return api


def _add_public(api: FastAPI, desk: SealDesk) -> None:
    @api.get(
        "/{esid}/status",
        operation_id="seal_status",
        summary="How a seal stands, or stood at a moment; for everybody",
        responses=problems(404, 422),
    )
    def get_status(
        esid: Esid,
        at: Annotated[Moment | None, Query(description="Default: now.")] = None,
    ) -> StatusOut:
        moment = at or desk.clock()
        with desk.begin() as tx:
            return _status_out(status.status_by_esid(tx, esid, moment), moment)


def _status_out(told: PublicStatus, at: datetime) -> StatusOut:
    seal = told.seal
    return StatusOut(
        esid=seal.esid,
        name=seal.name,
        kind=seal.kind,
        owner=seal.owner,
        owner_name=seal.owner_name,
        record_number=seal.record_number,
        valid_until=seal.valid_until,
        replaces=seal.replaces,
        replaced_by=seal.replaced_by,
        origin=seal.origin,
        at=at,
        then=_change_out(told.then) if told.then else None,
        now=_change_out(told.now),
        history=[_change_out(change) for change in told.history],
    )


def _change_out(change: Change) -> ChangeOut:
    return ChangeOut(state=change.state, since=change.since)
