"""The administration of sign-ons: where somebody is signed in, and an end to it.

Everything takes an access token with `session.manage`, which staff have by the role
`identity-administrator`. No rule lives here.
"""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy.orm import Session

from idp import backchannel_logout, levels, method, sessions
from idp.admin.callers import CheckCaller, name_of, problems, who_may
from idp.admin.schemas import NoticeOut, NoticesOut, SessionOut, SessionsOut
from idp.provider import Provider
from idp.sessions import Ending, SignOn
from idp.sign_in_errors import SessionUnknown
from keys.access_token import Caller

MANAGE_SESSIONS = "session.manage"
_ERRORS: Mapping[int, str] = MappingProxyType(
    {
        401: "token.missing, token.*",
        403: "token.scope_missing",
        404: "session.unknown",
        422: "request.invalid",
    }
)
_problems = partial(problems, _ERRORS)

_IDENTIFIER = "^[A-Za-z0-9_-]{1,64}$"
Sid = Annotated[str, Path(pattern=_IDENTIFIER, description="The session's identifier (`sid`).")]
Subject = Annotated[str, Query(pattern=_IDENTIFIER, description="The account's own identifier.")]


def router(provider: Provider, check_caller: CheckCaller) -> APIRouter:
    """Return the routes of this part. `check_caller` raises for whoever shows no good token."""
    routes = APIRouter()
    the_manager = who_may(check_caller, MANAGE_SESSIONS)
    _add_reading(routes, provider, the_manager)
    _add_ending(routes, provider, the_manager)
    return routes


def _add_reading(routes: APIRouter, provider: Provider, the_manager: Any) -> None:
    @routes.get(
        "/sessions",
        operation_id="list_sessions",
        summary="Where an account is signed in now",
        responses=_problems(401, 403, 422),
    )
    def get_sessions(subject: Subject, caller: Caller = the_manager) -> SessionsOut:
        with provider.begin() as tx:
            live = sessions.of_subject(tx, provider, subject)
            return SessionsOut(sessions=[_session_out(tx, one) for one in live])

    @routes.get(
        "/sessions/{sid}/logout-notices",
        operation_id="list_logout_notices",
        summary="How telling the clients of a session's end goes",
        responses=_problems(401, 403, 422),
    )
    def get_notices(sid: Sid, caller: Caller = the_manager) -> NoticesOut:
        with provider.begin() as tx:
            found = backchannel_logout.notices(tx, sid)
        return NoticesOut(notices=[NoticeOut.model_validate(one) for one in found])


def _add_ending(routes: APIRouter, provider: Provider, the_manager: Any) -> None:
    @routes.delete(
        "/sessions/{sid}",
        operation_id="end_session",
        summary="End a session; its clients are told, and what was given in it is dead",
        status_code=204,
        response_class=Response,
        responses=_problems(401, 403, 404, 422),
    )
    def delete_session(sid: Sid, caller: Caller = the_manager) -> None:
        with provider.begin() as tx:
            why = Ending.BY_ADMINISTRATOR
            if not sessions.end(tx, provider, sid, by=name_of(caller), why=why):
                raise SessionUnknown


def _session_out(tx: Session, session: SignOn) -> SessionOut:
    return SessionOut(
        sid=session.sid,
        realm=session.realm,
        acr=levels.of_number(session.realm, session.level).acr,
        amr=list(method.amr(session.methods)),
        device=session.device,
        signed_in_at=session.signed_in_at,
        seen_at=session.seen_at,
        expires_at=session.expires_at,
        clients=[told.client_id for told in sessions.told_to(tx, session.sid)],
    )
