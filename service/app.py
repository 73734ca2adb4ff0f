"""The whole service as one ASGI app: the public APIs each under its path, then the pages."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio.to_thread
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

import idp.http
import license_store.http
import verification.http
from idp.errors import DisplayedError
from keys.time_authority import TimeAuthority
from service import health, pki, problems
from service.locale import locale_of, t
from service.middleware import BodyLimit, Numbered, SafeHeaders, safe_headers
from service.pages import home, login, register, verify, wallet
from service.pages.forms import failure_page
from service.wiring import World

Handler = Callable[[Request, Exception], Any]


def app(world: World) -> ASGIApp:
    """Return the service's app."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        # A thread that answers a request holds one connection: as many of one as of the other.
        limiter = anyio.to_thread.current_default_thread_limiter()
        limiter.total_tokens = world.settings.database_pool
        yield

    oidc = idp.http.app(world.provider)
    oidc.add_exception_handler(DisplayedError, partial(failure_page, world))
    tell_client = oidc.exception_handlers[OperationalError]
    for outage in problems.UNAVAILABLE:
        oidc.add_exception_handler(outage, _drawn_on_the_way_to_sign_in(world, tell_client))
    root = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan)
    root.mount("/oidc", problems.install(oidc))
    root.mount(
        "/api/licences", problems.install(license_store.http.app(world.desk, world.check_token))
    )
    root.mount(
        "/api/verification",
        problems.install(verification.http.app(world.verifier, t, locale_of)),
    )
    root.router.routes += health.routes(world.engine, world.redis)
    root.router.routes += pki.routes(
        world.begin, world.clock, TimeAuthority(world.begin, world.vault, world.clock)
    )
    for pages in (home, login, register, wallet, verify):
        root.router.routes += pages.routes(world)
    root.add_exception_handler(HTTPException, _drawn_for_people(world))
    problems.install(root)
    over_https = world.address.startswith("https://")
    return Numbered(
        SafeHeaders(BodyLimit(root), safe_headers(over_https)), lambda: world.random(8).hex()
    )


def _drawn_on_the_way_to_sign_in(world: World, tell_client: Callable[..., Any]) -> Handler:
    """Return the handler that tells an outage to a person on a page, and to a client in OAuth's JSON."""

    def answer(request: Request, error: Exception) -> Any:
        is_person = request.url.path.startswith("/oidc/authorize")
        return failure_page(world, request, error) if is_person else tell_client(request, error)

    return answer


def _drawn_for_people(world: World) -> Handler:
    """Return the handler that tells a browser on a page, and anything else as a problem."""

    def answer(request: Request, error: Exception) -> Response:
        if "text/html" in request.headers.get("Accept", ""):
            return failure_page(world, request, error)
        return problems.of_http_exception(request, error)

    return answer
