"""The edge of every page: the form is read and proven ours, cookies are set, errors become pages."""

from collections.abc import Awaitable, Callable, ItemsView
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from idp import sessions
from idp.interaction import BROWSER_COOKIE
from keys.errors import DomainError
from service.locale import locale_of
from service.pages.failure import expired_form, failure
from service.pages.visit import Visit, visitor_of
from service.wiring import World

Page = Callable[[Visit], Response]
Endpoint = Callable[[Request], Awaitable[Response]]
_MOST_FIELDS = 40


def page(world: World, function: Page) -> Endpoint:
    """Return the endpoint of a page; `function` runs in a thread and may use the database."""

    async def endpoint(request: Request) -> Response:
        if request.method != "POST":
            return await run_in_threadpool(_answer, world, function, request, FormData())
        try:
            async with request.form(max_files=1, max_fields=_MOST_FIELDS) as form:
                return await run_in_threadpool(_answer, world, function, request, form)
        except HTTPException as error:
            return await run_in_threadpool(failure_page, world, request, error)

    return endpoint


def failure_page(world: World, request: Request, error: Exception) -> Response:
    """Return the page for an error that no page's own function met."""
    visit = _visit(world, request, FormData())
    return _recognised_again(visit, failure(visit, error))


def _answer(world: World, function: Page, request: Request, form: FormData) -> Response:
    visit = _visit(world, request, form)
    try:
        visit = _visit(world, request, form, known=True)
        answer = expired_form(visit) if visit.posted and not visit.is_own_form else function(visit)
    except Exception as error:
        answer = failure(visit, error)
    return _recognised_again(visit, answer)


def _recognised_again(visit: Visit, answer: Response) -> Response:
    """Give a new browser the cookie that the forms of the page it gets are made for."""
    if visit.request.cookies.get(BROWSER_COOKIE) != visit.browser:
        set_cookie(visit, answer, BROWSER_COOKIE, visit.browser)
    return answer


def _visit(world: World, request: Request, form: FormData, *, known: bool = False) -> Visit:
    return Visit(
        world=world,
        request=request,
        locale=locale_of(request),
        browser=request.cookies.get(BROWSER_COOKIE) or world.provider.handle(),
        visitor=visitor_of(world, request) if known else None,
        form=form,
    )


def set_cookie(visit: Visit, answer: Response, name: str, value: str, path: str = "/") -> None:
    """Set a cookie that scripts cannot read and other sites cannot send along."""
    over_https = visit.world.address.startswith("https://")
    answer.set_cookie(name, value, path=path, httponly=True, samesite="lax", secure=over_https)


def keep_session(visit: Visit, answer: Response, cookie: str) -> None:
    """Give the browser its session."""
    set_cookie(visit, answer, sessions.COOKIE, cookie)


def go(address: str) -> RedirectResponse:
    """Send the browser on with a GET."""
    return RedirectResponse(address, 303)


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
