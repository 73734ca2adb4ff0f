"""The front door, the page for those who connect, the pages of errors, and how one likes to read."""

import re
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from service import locale
from service.pages import fonts
from service.pages.forms import go, local_path, page, set_cookie
from service.pages.rendering import LARGE, STATIC, TEXT_COOKIE, draw
from service.pages.visit import Visit
from service.problems import status_of
from service.settings import Parts
from service.wiring import World

_PARAMETER = re.compile(r"\{\w+\}")


def routes(world: World) -> list[Route | Mount]:
    """Return the routes of these pages, the static files and the web faces."""
    return [
        Route("/", page(world, _home, public=True)),
        Route("/connect", page(world, _connect, public=True)),
        Route("/problems/{code}", page(world, _problem, public=True)),
        Route("/preferences", page(world, _prefer, public=True), methods=["POST"]),
        *fonts.routes(),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]


def _home(visit: Visit) -> Response:
    # Where seals are all there is, theirs is the front page.
    whole = visit.world.settings.parts is Parts.ALL
    return draw(visit, "home.html") if whole else go("/seals")


def _connect(visit: Visit) -> Response:
    address = visit.world.address
    issuer_path = urlsplit(visit.world.provider.issuer).path
    whole = visit.world.settings.parts is Parts.ALL
    doors = (
        ("identity", f"{issuer_path}/.well-known/openid-configuration"),
        *([("licences", "/api/licences/openapi.json")] if whole else []),
        ("seals", "/api/seals/openapi.json"),
        ("verification", "/api/verification/openapi.json"),
        ("trust", "/api/verification/trust-list"),
    )
    return draw(visit, "connect.html", address=address, doors=doors)


def _problem(visit: Visit) -> Response:
    """The page an error's `type` leads to (RFC 9457 §3.1.1)."""
    code = visit.request.path_params["code"]
    known = f"error.{code}.detail" in locale.catalogue(locale.DEFAULT)
    key = f"error.{code}.detail" if known else "problem.unknown_detail"
    return draw(
        visit,
        "problem.html",
        200 if known else 404,
        code=code,
        known=known,
        # The page is about the error as such: what it was about this time is not known here.
        meaning=_PARAMETER.sub("…", visit.t(key, code=code)),
        http_status=status_of(code),
    )


def _prefer(visit: Visit) -> Response:
    """Remember language and text size, and go back to where the visitor was."""
    back = local_path(visit.typed("next"), "/")
    chosen = visit.typed("locale")
    if chosen in locale.LOCALES and ("interaction=" in back or "ui_locales=" in back):
        back = _in_language(back, chosen)
    answer = go(back)
    if chosen in locale.LOCALES:
        set_cookie(visit, answer, locale.COOKIE, chosen)
    if text := visit.typed("text"):
        set_cookie(visit, answer, TEXT_COOKIE, LARGE if text == LARGE else "normal")
    return answer


def _in_language(path: str, chosen: str) -> str:
    """Return `path` with `chosen` as its `ui_locales`: what a portal asked for would win otherwise."""
    parts = urlsplit(path)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != "ui_locales"]
    return parts._replace(query=urlencode([*query, ("ui_locales", chosen)])).geturl()
