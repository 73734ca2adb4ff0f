"""Signing out: asked for by the person or by a portal, confirmed where it must be, and said good-bye.

The pages decide nothing: `idp.logout` says whether to ask and where the browser goes.
"""

from starlette.responses import Response
from starlette.routing import Route

from idp import clients, logout, sessions
from idp.logout import NOBODY_ASKED, Asked, Farewell
from idp.sessions import SignOn
from service.pages.forms import go, page
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.wiring import World

_STAY = "stay"


def routes(world: World) -> list[Route]:
    """Return the routes of these pages."""
    return [
        Route("/logout", page(world, _logout), methods=["GET", "POST"]),
        Route("/signed-out", page(world, _signed_out)),
    ]


def _logout(visit: Visit) -> Response:
    provider = visit.world.provider
    uid = visit.asked("waiting")
    asked = (logout.waiting(provider, uid) if uid else None) or NOBODY_ASKED
    with provider.begin() as tx:
        session = sessions.of_cookie(tx, provider, visit.request.cookies.get(sessions.COOKIE))
        must_ask = session is not None and logout.must_ask(tx, provider, asked, session)
    if visit.posted and visit.typed("decision") == _STAY:
        return go("/")
    if must_ask and not visit.posted:
        return draw(visit, "logout.html", portal=_portal(visit, asked.client_id))
    return _leave(visit, session, asked, uid)


def _leave(visit: Visit, session: SignOn | None, asked: Asked, uid: str) -> Response:
    answer = go(logout.sign_out(visit.world.provider, session, asked, uid))
    answer.delete_cookie(sessions.COOKIE)
    return answer


def _signed_out(visit: Visit) -> Response:
    uid = visit.asked("after")
    left = (logout.farewell(visit.world.provider, uid) if uid else None) or Farewell(None, None, ())
    if visit.visitor is not None and not left.frames:
        return go("/")
    return draw(
        visit,
        "signed_out.html",
        frames=left.frames,
        tell=left.frames,
        onward=left.return_to or "",
        portal=_portal(visit, left.client_id),
    )


def _portal(visit: Visit, client_id: str | None) -> str:
    """Return the name of a client, or nothing."""
    if client_id is None:
        return ""
    with visit.world.begin() as tx:
        client = clients.find(tx, client_id)
    return "" if client is None else visit.either(client.name_zh, client.name_en)
