"""The whole service as one ASGI app: the public APIs each under its path, then the pages."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

import idp.http
import license_store.http
import verification.http
from idp.errors import DisplayedError
from idp.interaction import BROWSER_COOKIE
from service import health, problems
from service.locale import locale_of, t
from service.middleware import BodyLimit, Numbered, SafeHeaders, safe_headers
from service.pages import home, login, register, verify, wallet
from service.pages.failure import failure
from service.pages.visit import Visit
from service.wiring import World


def app(world: World) -> ASGIApp:
    """Return the service's app."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        # A thread that answers a request holds one connection: as many of one as of the other.
        limiter = anyio.to_thread.current_default_thread_limiter()
        limiter.total_tokens = world.settings.database_pool
        yield

    oidc = idp.http.app(world.provider)
    oidc.add_exception_handler(DisplayedError, _drawn(world))
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
    for pages in (home, login, register, wallet, verify):
        root.router.routes += pages.routes(world)
    root.add_exception_handler(HTTPException, _drawn_for_people(world))
    problems.install(root)
    over_https = world.address.startswith("https://")
    return Numbered(
        SafeHeaders(BodyLimit(root), safe_headers(over_https)), lambda: world.random(8).hex()
    )


def _drawn(world: World) -> Callable[[Request, Exception], Response]:
    """Return the handler that tells an error on a page."""

    def draw(request: Request, error: Exception) -> Response:
        browser = request.cookies.get(BROWSER_COOKIE, "")
        return failure(Visit(world, request, locale_of(request), browser), error)

    return draw


def _drawn_for_people(world: World) -> Callable[[Request, Exception], Response]:
    """Return the handler that tells a browser on a page, and anything else as a problem."""
    draw = _drawn(world)

    def answer(request: Request, error: Exception) -> Response:
        wants_page = "text/html" in request.headers.get("Accept", "")
        return draw(request, error) if wants_page else problems.of_http_exception(request, error)

    return answer
