"""The addresses that old systems know from CAS: sign in, sign out, is this ticket good?

Nothing is decided here: `idp.cas` makes an authorization request of it, and a ticket of the answer.
"""

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from idp import cas, cas_answers
from idp.cas import Invalid, Start, Validated
from service.pages.forms import go, page
from service.pages.visit import Visit
from service.wiring import World

_XML = "text/xml; charset=utf-8"
_JSON = "application/json"

Validation = Callable[[World, Request], Response]


def routes(world: World) -> list[Route]:
    """Return the routes; none where no old system is registered."""
    if not world.provider.cas_services:
        return []
    validations: dict[str, Validation] = {
        "/cas/validate": _plain,
        "/cas/serviceValidate": partial(_told, attributes=False),
        "/cas/p3/serviceValidate": partial(_told, attributes=True),
    }
    return [
        Route("/cas/login", page(world, _login)),
        Route("/cas/granted", page(world, _granted)),
        Route("/cas/logout", page(world, _logout)),
        *(Route(path, _in_thread(world, each)) for path, each in validations.items()),
    ]


def _login(visit: Visit) -> Response:
    start = Start(
        service=visit.asked("service"),
        browser=visit.browser,
        renew=bool(visit.asked("renew")),
        gateway=bool(visit.asked("gateway")),
    )
    return go(cas.begin(visit.world.provider, start))


def _granted(visit: Visit) -> Response:
    told = (visit.asked("state"), visit.asked("code"), visit.asked("error"))
    return go(cas.finish(visit.world.provider, *told, visit.browser))


def _logout(visit: Visit) -> Response:
    service = visit.asked("service") or visit.asked("url")
    return go(cas.end_url(visit.world.provider, service))


def _in_thread(world: World, validation: Validation) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await run_in_threadpool(validation, world, request)

    return answer


def _plain(world: World, request: Request) -> Response:
    try:
        return PlainTextResponse(cas_answers.plain(_validated(world, request)))
    except Invalid:
        return PlainTextResponse(cas_answers.plain(None))


def _told(world: World, request: Request, *, attributes: bool) -> Response:
    as_json = request.query_params.get("format", "").upper() == "JSON"
    kind = _JSON if as_json else _XML
    try:
        validated = _validated(world, request)
    except Invalid as wrong:
        failure = cas_answers.json_failure if as_json else cas_answers.xml_failure
        return Response(failure(wrong.code), media_type=kind)
    success = cas_answers.json_success if as_json else cas_answers.xml_success
    return Response(success(validated, attributes=attributes), media_type=kind)


def _validated(world: World, request: Request) -> Validated:
    asked = request.query_params
    return cas.validate(
        world.provider,
        asked.get("ticket", ""),
        asked.get("service", ""),
        renew=bool(asked.get("renew")),
    )
