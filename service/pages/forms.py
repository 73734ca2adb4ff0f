"""The edge of every page: the form is read and proven ours, cookies are set, errors become pages."""

import re
from collections.abc import Awaitable, Callable, ItemsView, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from idp import sessions
from idp.interaction import BROWSER_COOKIE, BROWSER_LASTS
from keys.errors import DomainError
from service import locale
from service.locale import locale_of
from service.pages.failure import expired_form, failure
from service.pages.visit import Visit, Visitor, visitor_of
from service.problems import UNAVAILABLE
from service.wiring import World

Page = Callable[[Visit], Response]
Known = Callable[[World, Request], Visitor | None]
Endpoint = Callable[[Request], Awaitable[Response]]
_MOST_FIELDS = 40
MORE = "/login/more"
_OWN_PAGES = re.compile(r"/(my|staff)(/|$)")
"""The pages of whoever is signed in, and not half-way."""

_log = structlog.get_logger("yinxin.pages")


def page(world: World, function: Page, *, public: bool = False) -> Endpoint:
    """Return the endpoint of a page; `function` runs in a thread and may use the database.

    A `public` page is there when the database is not: whoever visits is then nobody in particular.
    """
    known = _known_if_possible if public else visitor_of

    async def endpoint(request: Request) -> Response:
        if request.method != "POST":
            return await run_in_threadpool(_answer, world, known, function, request, FormData())
        try:
            async with request.form(max_files=1, max_fields=_MOST_FIELDS) as form:
                return await run_in_threadpool(_answer, world, known, function, request, form)
        except HTTPException as error:
            return await run_in_threadpool(failure_page, world, request, error)

    return endpoint


def failure_page(world: World, request: Request, error: Exception) -> Response:
    """Return the page for an error that no page's own function met."""
    visit = _visit(world, request, FormData())
    if isinstance(error, (DomainError, HTTPException)):
        # Any other error may be the database's own: no second look at it.
        visit = replace(visit, visitor=_known_if_possible(world, request))
    return _recognised_again(visit, failure(visit, error))


def _answer(
    world: World, known: Known, function: Page, request: Request, form: FormData
) -> Response:
    visit = _visit(world, request, form)
    try:
        visit = replace(visit, visitor=known(world, request))
        answer = _answered(visit, function)
    except Exception as error:
        answer = failure(visit, error)
    return _recognised_again(visit, answer)


def _answered(visit: Visit, function: Page) -> Response:
    if visit.posted and not visit.is_own_form:
        return expired_form(visit)
    path = visit.request.url.path
    visitor = visit.visitor
    if visitor and visitor.is_half_way and _OWN_PAGES.match(path):
        return go(f"{MORE}?{urlencode({'realm': visitor.sign_on.realm, 'next': path})}")
    return function(visit)


def _known_if_possible(world: World, request: Request) -> Visitor | None:
    try:
        return visitor_of(world, request)
    except UNAVAILABLE as away:
        _log.warning("visitor unknown", cause=type(away).__name__)
        return None


def _recognised_again(visit: Visit, answer: Response) -> Response:
    """Give a new browser the cookie that the forms of the page it gets are made for."""
    if visit.request.cookies.get(BROWSER_COOKIE) != visit.browser:
        set_cookie(visit, answer, BROWSER_COOKIE, visit.browser, lasting=BROWSER_LASTS)
    return answer


def _visit(world: World, request: Request, form: FormData) -> Visit:
    return Visit(
        world=world,
        request=request,
        locale=locale_of(request),
        browser=request.cookies.get(BROWSER_COOKIE) or world.provider.handle(),
        form=form,
    )


def set_cookie(
    visit: Visit,
    answer: Response,
    name: str,
    value: str,
    path: str = "/",
    lasting: timedelta | None = None,
) -> None:
    """Set a cookie that scripts cannot read and other sites cannot send along.

    It goes when the browser is closed, unless it is `lasting`.
    """
    over_https = visit.world.address.startswith("https://")
    age = None if lasting is None else int(lasting.total_seconds())
    answer.set_cookie(
        name, value, path=path, max_age=age, httponly=True, samesite="lax", secure=over_https
    )


def keep_session(visit: Visit, answer: Response, cookie: str) -> None:
    """Give the browser its session."""
    set_cookie(visit, answer, sessions.COOKIE, cookie)


def go(address: str) -> RedirectResponse:
    """Send the browser on with a GET."""
    return RedirectResponse(address, 303)


def in_language_of(visit: Visit, ui_locales: Sequence[str]) -> Visit:
    """Return the visit in the language a portal asked for (OpenID Connect Core §3.1.2.1).

    What the visitor chose on the page itself, which stands in its address, goes first.
    """
    if visit.asked("ui_locales"):
        return visit
    accepted = visit.request.headers.get("Accept-Language")
    chosen = visit.request.cookies.get(locale.COOKIE)
    return replace(visit, locale=locale.negotiate(" ".join(ui_locales), chosen, accepted))


def local_path(text: str, otherwise: str) -> str:
    """Return `text` if it is a path on this site, else `otherwise`: nobody is sent elsewhere.

    Browsers read a backslash as a slash and drop tabs and line ends, so neither is let through.
    """
    try:
        parts = urlsplit(text)
    except ValueError:
        return otherwise
    elsewhere = parts.scheme or parts.netloc or not text.startswith("/") or text.startswith("//")
    return otherwise if elsewhere or "\\" in text or not text.isprintable() else text


@dataclass(slots=True)
class Faults:
    """What is wrong with a form: sentences by field, in the order of the page."""

    by_field: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, sentence: str) -> None:
        """Keep the first sentence about a field; the empty name stands for the whole form."""
        self.by_field.setdefault(name, sentence)

    def of(self, name: str) -> str:
        return self.by_field.get(name, "")

    def __bool__(self) -> bool:
        return bool(self.by_field)

    def items(self) -> ItemsView[str, str]:
        return self.by_field.items()


def told(visit: Visit, error: DomainError) -> str:
    """Return the sentence of an error."""
    return visit.t(f"error.{error.code}.detail", **error.parameters)
