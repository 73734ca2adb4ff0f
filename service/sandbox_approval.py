"""Answers in a person's place, for test tools that have no hands: sandboxes only.

`POST /sandbox/ciba?token={auth_req_id}&type=allow|deny`, with a sign-on of the person's own at the
level their password reaches. Production has no such address, and the journal says who decided.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from idp import deciding, pending, sessions
from idp.method import Method
from idp.methods import sign_in
from idp.provider import Provider
from idp.sessions import SignOn
from idp.sign_in_errors import ApprovalGone
from idp.vocabulary import Realm
from service import problems
from service.settings import Mode
from service.wiring import World

BY = "sandbox"
_METHODS = (Method.PASSWORD,)

_DECISIONS: Mapping[str, Callable[..., None]] = MappingProxyType(
    {"allow": deciding.approve, "deny": deciding.deny}
)


def routes(world: World) -> list[Route]:
    """Return the route; none in production."""
    if world.settings.mode is Mode.PRODUCTION:
        return []

    async def endpoint(request: Request) -> Response:
        asked = request.query_params
        token, kind = asked.get("token", ""), asked.get("type", "")
        if kind not in _DECISIONS:
            return problems.problem(request, "request.invalid")
        await run_in_threadpool(_decide, world.provider, token, kind)
        return Response(status_code=204, headers={"Cache-Control": "no-store"})

    return [Route("/sandbox/ciba", endpoint, methods=["POST"])]


def _decide(provider: Provider, token: str, kind: str) -> None:
    """Raises `ApprovalGone` and the other errors of `deciding`."""
    uid = pending.uid_of(token)
    asked = pending.awaiting(provider, uid)
    if asked.subject is None:
        raise ApprovalGone
    with provider.begin() as tx:
        sign_on = _sign_on(tx, provider, asked.realm, asked.subject)
        _DECISIONS[kind](tx, provider, uid, sign_on, by=BY)


def _sign_on(tx: Session, provider: Provider, realm: Realm, subject: str) -> SignOn:
    opened = sessions.open_session(
        tx,
        provider,
        realm,
        subject,
        _METHODS,
        level=sign_in.level(tx, provider, realm, subject, _METHODS),
        device=BY,
    )
    return opened.session
