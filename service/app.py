"""The whole service as one ASGI app: the public APIs each under its path, then the pages."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp

import idp.admin.http
import idp.http
import idp.scim.http
import license_store.http
import seal.life.http
import verification.http
from idp import dpop
from service import health, pki, problems, sandbox_approval
from service.bound_sessions import BoundSessions
from service.host_cookies import HostCookies
from service.locale import locale_of, t
from service.middleware import AddedHeaders, BodyLimit, Numbered, SafeHeaders, safe_headers
from service.pages import (
    account,
    approvals,
    cas,
    certificate,
    consent,
    context,
    counter,
    counter_helper,
    device,
    embedding,
    entities,
    entity_certificate,
    helpers,
    home,
    level,
    live,
    local_account,
    login,
    login_sms,
    logout,
    more,
    my_codes,
    passkeys,
    qr,
    reconfirmation,
    records,
    recover,
    register,
    seal_application,
    seal_status,
    seals,
    security,
    security_phone,
    security_totp,
    staff,
    upstream,
    verify,
    wallet,
)
from service.pages.forms import failure_page
from service.proxies import Proxied
from service.settings import Parts
from service.wiring import World

Handler = Callable[[Request, Exception], Any]

_PAGES = (
    home,
    login,
    more,
    security,
    security_phone,
    security_totp,
    consent,
    logout,
    account,
    device,
    verify,
    passkeys,
    certificate,
    upstream,
    cas,
    reconfirmation,
    local_account,
    seal_application,
    seals,
    seal_status,
    staff,
)
_PAGES_OF_CITIZENS = (
    login_sms,
    recover,
    records,
    approvals,
    register,
    wallet,
    qr,
    my_codes,
    embedding,
    live,
    level,
    counter,
    counter_helper,
    entity_certificate,
    entities,
    helpers,
    context,
)
"""Theirs, and those at which staff serve them."""


def app(world: World) -> ASGIApp:
    """Return the service's app."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        # A thread that answers a request holds one connection: as many of one as of the other.
        limiter = anyio.to_thread.current_default_thread_limiter()
        limiter.total_tokens = world.settings.database_pool
        yield

    root = Starlette(routes=_routes(world), lifespan=lifespan)
    root.add_exception_handler(HTTPException, _drawn_for_people(world))
    problems.install(root)
    over_https = world.address.startswith("https://")
    bound = BoundSessions(root)
    named = HostCookies(bound) if over_https else bound
    careful = SafeHeaders(BodyLimit(named), safe_headers(over_https))
    settings = world.settings
    known = Proxied(careful, settings.proxies, settings.client_certificate_header)
    return Numbered(known, lambda: world.random(8).hex())


def _routes(world: World) -> list[BaseRoute]:
    """Return every route, the protocol's first: they are looked through in order, at each request."""
    prefix = urlsplit(world.provider.issuer).path
    found: list[BaseRoute] = [
        *idp.http.routes(world.provider, partial(failure_page, world), prefix),
        *idp.http.well_known_routes(world.provider),
    ]
    whole = world.settings.parts is Parts.ALL
    identity = idp.admin.http.app(world.provider, world.check_manager)
    seals = seal.life.http.app(world.seals, world.seal_gate, world.check_sealer)
    apis = [("/api/seals", seals), ("/api/identity", identity)]
    if whole:
        apis.append(("/api/licences", license_store.http.app(world.desk, world.check_caller)))
    for path, api in apis:
        nonces = partial(dpop.headers, world.provider)
        found.append(Mount(path, AddedHeaders(problems.install(api), nonces)))
    found += idp.scim.http.routes(world.provider, world.check_manager, problems.told)
    judging = verification.http.app(world.verifier, t, locale_of)
    found.append(Mount("/api/verification", problems.install(judging)))
    found += health.routes(world.engine, world.redis)
    found += pki.routes(world.begin, world.clock, world.time_authority)
    for pages in (*_PAGES, *_PAGES_OF_CITIZENS) if whole else _PAGES:
        found += pages.routes(world)
    return [*found, *sandbox_approval.routes(world)] if whole else found


def _drawn_for_people(world: World) -> Handler:
    """Return the handler that tells a browser on a page, and anything else as a problem."""

    def answer(request: Request, error: Exception) -> Response:
        if "text/html" in request.headers.get("Accept", ""):
            return failure_page(world, request, error)
        return problems.of_http_exception(request, error)

    return answer
