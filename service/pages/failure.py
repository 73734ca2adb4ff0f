"""What a person sees when a page cannot be given: never a stack trace, always a way on."""

import structlog
from starlette.exceptions import HTTPException
from starlette.responses import Response

from idp.errors import DisplayedError, LogoutRefused
from keys.errors import DomainError
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.problems import UNAVAILABLE, status_of

_OF_STATUS = {404: "not_found", 405: "method"}
_log = structlog.get_logger("yinxin.pages")


def failure(visit: Visit, error: Exception) -> Response:
    """Return the page for an error."""
    match error:
        case LogoutRefused():
            return _told(visit, 400, visit.t("failure.logout"), error, "logout_text")
        case DisplayedError():
            return _told(visit, 400, visit.t("failure.authorization"), error, "authorization_text")
        case DomainError():
            title = visit.t(f"error.{error.code}.title", **error.parameters)
            return _told(visit, status_of(error.code), title, error)
        case HTTPException() if error.status_code < 500:
            name = _OF_STATUS.get(error.status_code, "title")
            text = visit.t(f"failure.{name}_text") if name != "title" else ""
            return _page(visit, error.status_code, visit.t(f"failure.{name}"), text)
        case _ if isinstance(error, UNAVAILABLE):
            _log.error("unavailable", cause=type(error).__name__)
            title = visit.t("error.service.unavailable.title")
            page = _page(visit, 503, title, visit.t("error.service.unavailable.detail"))
            page.headers["Retry-After"] = "5"
            return page
        case _:
            _log.error("unforeseen", path=visit.request.url.path, exc_info=error)
            return _page(visit, 500, visit.t("failure.server"), visit.t("failure.server_text"))


def expired_form(visit: Visit) -> Response:
    """Return the page for a form that no page of ours drew for this browser."""
    return _page(visit, 403, visit.t("failure.expired_form"), visit.t("failure.expired_form_text"))


def _told(visit: Visit, status: int, title: str, error: DomainError, advice: str = "") -> Response:
    detail = visit.t(f"error.{error.code}.detail", **error.parameters)
    return _page(
        visit,
        status,
        title,
        detail,
        advice=visit.t(f"failure.{advice}") if advice else "",
        code=error.code,
    )


def _page(
    visit: Visit, status: int, title: str, text: str, advice: str = "", code: str = ""
) -> Response:
    return draw(visit, "failure.html", status, title=title, text=text, advice=advice, code=code)
