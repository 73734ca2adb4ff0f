"""Signing in by a phone: the screen shows a code and waits, the phone asks and answers.

The code stands in a cookie of the screen and in the picture; the addresses that hold it go no
further than the phone that scans it.
"""

from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from idp import clients, throttle
from idp.interaction import Details
from idp.methods import qr_sign_in
from idp.methods.qr_sign_in import Question, Screen, State
from idp.sign_in_errors import QrGone, QrNotOffered
from seal import qr
from service.pages import entering
from service.pages.approvals import sign_in_first
from service.pages.forms import go, page, set_cookie
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World

_SCREEN = "/login/qr"
_PHONE = "/my/scan"
_COOKIE = "yinxin_qr"
_DONE = ("agreed", "wrong", "refused")


def routes(world: World) -> list[Route]:
    """Return the routes of the screen, of what it asks while it waits, and of the phone."""
    return [
        Route(_SCREEN, page(world, _screen), methods=["GET", "POST"]),
        Route(f"{_SCREEN}/state", page(world, _state)),
        Route(_PHONE, page(world, _phone), methods=["GET", "POST"]),
    ]


def _screen(visit: Visit) -> Response:
    asker = entering.asker(visit)
    if visit.posted:
        return _go_on(visit, asker)
    if not visit.asked("wait"):
        return _begin(visit, asker)
    try:
        shown = qr_sign_in.screen(visit.world.provider, _code(visit), visit.browser)
    except QrGone:
        shown = Screen(State.EXPIRED)
    return _shown(visit, asker, shown)


def _begin(visit: Visit, asker: Details | None) -> Response:
    provider = visit.world.provider
    throttle.count(provider, throttle.QR_PER_ADDRESS, visit.address)
    where = entering.entry(visit, asker)
    code = qr_sign_in.begin(provider, where, asker.client_id if asker else None)
    answer = go(_with(entering.query(visit), wait="1"))
    set_cookie(visit, answer, _COOKIE, code, _SCREEN)
    return answer


def _go_on(visit: Visit, asker: Details | None) -> Response:
    """Sign in, now that the phone agreed."""
    provider = visit.world.provider
    try:
        with provider.begin() as tx:
            opened = qr_sign_in.enter(tx, provider, _code(visit), entering.entry(visit, asker))
    except QrGone as gone:
        return _shown(visit, asker, Screen(State.EXPIRED), status_of(gone.code))
    return entering.entered(visit, asker, opened)


def _shown(visit: Visit, asker: Details | None, shown: Screen, status: int = 200) -> Response:
    waits = shown.state is State.WAITING
    return draw(
        visit,
        "qr.html",
        status,
        images=[asker.logo_uri] if asker and asker.logo_uri else (),
        asker=asker,
        portal=visit.either(asker.client_name_zh, asker.client_name_en) if asker else "",
        query=entering.query(visit),
        way="qr",
        ways=entering.ways(visit, asker),
        shown=shown,
        symbol=_symbol(visit) if waits else None,
    )


def _symbol(visit: Visit) -> tuple[int, list[tuple[int, int, int]]]:
    """Return the side of the picture in modules, and its dark runs."""
    rows = qr.modules(f"{visit.world.address}{_PHONE}?{urlencode({'code': _code(visit)})}")
    return len(rows), list(qr.dark_runs(rows))


def _state(visit: Visit) -> Response:
    try:
        shown = qr_sign_in.screen(visit.world.provider, _code(visit), visit.browser)
    except QrGone:
        shown = Screen(State.EXPIRED)
    return JSONResponse({"state": shown.state})


def _phone(visit: Visit) -> Response:
    code = visit.asked("code")
    if visit.visitor is None:
        return sign_in_first(_with("", _PHONE, code=code))
    done = visit.asked("done")
    if done in _DONE:
        return draw(visit, "qr_done.html", done=done)
    provider, own = visit.world.provider, visit.visitor.sign_on
    try:
        if visit.posted:
            return go(f"{_PHONE}?done={_decided(visit, code)}")
        question = qr_sign_in.scan(provider, code, own)
    except (QrGone, QrNotOffered) as gone:
        return draw(visit, "qr_done.html", status_of(gone.code), done=gone.code)
    return draw(
        visit, "qr_question.html", question=question, portal=_portal(visit, question), code=code
    )


def _decided(visit: Visit, code: str) -> str:
    """Do what the button pressed says, and return the word for it."""
    if visit.visitor is None:
        raise QrGone
    provider, own, number = visit.world.provider, visit.visitor.sign_on, visit.typed("number")
    with provider.begin() as tx:
        if not number.isdecimal():
            qr_sign_in.refuse(tx, provider, code, own)
            return "refused"
        right = qr_sign_in.choose(tx, provider, code, own, int(number))
    return "agreed" if right else "wrong"


def _portal(visit: Visit, question: Question) -> str:
    """Return the name of the application that is signed in to, or nothing for our own pages."""
    if question.client_id is None:
        return ""
    with visit.world.begin() as tx:
        client = clients.find(tx, question.client_id)
    return visit.either(client.name_zh, client.name_en) if client else question.client_id


def _code(visit: Visit) -> str:
    return visit.request.cookies.get(_COOKIE, "")


def _with(query: str, path: str = _SCREEN, **more: str) -> str:
    return f"{path}{query}{'&' if query else '?'}{urlencode(more)}"
