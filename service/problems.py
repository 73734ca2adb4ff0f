"""Every error as problem+json (RFC 9457) in the caller's language, and each code's HTTP status.

The packages raise codes with parameters; here they get a sentence and a status. An error nobody
foresaw says nothing but the number of the request. OAuth errors are another dialect, told by `idp`.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import redis
import structlog
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

import idp.http
import license_store.http
import seal.life.http
import verification.http
from keys.errors import DomainError
from service.challenges import challenge
from service.locale import catalogue, locale_of, t

A = TypeVar("A", bound=Starlette)

MEDIA_TYPE = "application/problem+json"

_GROUND_STATUS: Mapping[str, int] = {
    "internal": 500,
    "request.invalid": 422,
    "request.failed": 400,
    "request.not_found": 404,
    "request.method_not_allowed": 405,
    "request.too_large": 413,
    "request.certificate": 400,
    "service.unavailable": 503,
    # keys has no HTTP of its own; what it refuses is refused alike everywhere.
    "token": 401,
    "token.scope_missing": 403,
    "number": 422,
    "signature": 422,
    "certificate": 422,
    # No stamp without proof of its time: whoever asks again later gets it, and it counts once.
    "time_stamp": 503,
}

STATUS: Mapping[str, int] = {
    **_GROUND_STATUS,
    **idp.http.ERROR_STATUS,
    **license_store.http.ERROR_STATUS,
    **seal.life.http.ERROR_STATUS,
    **verification.http.ERROR_STATUS,
}

_CODE_OF_STATUS: Mapping[int, str] = {
    404: "request.not_found",
    405: "request.method_not_allowed",
    413: "request.too_large",
}

# A database or cache that is away, out of connections, or not yet (no longer) able to serve.
UNAVAILABLE: tuple[type[Exception], ...] = (
    OperationalError,
    InterfaceError,
    PoolTimeout,
    redis.RedisError,
)

_log = structlog.get_logger("yinxin.problems")


def status_of(code: str) -> int:
    """Return the HTTP status of an error code: its own, else that of its longest known prefix.

    A code that no API tells of is none of the caller's doing: 500.
    """
    while code:
        if code in STATUS:
            return STATUS[code]
        code = code.rpartition(".")[0]
    return 500


def problem(
    request: Request,
    code: str,
    parameters: Mapping[str, str | int] | None = None,
    *,
    status: int | None = None,
    errors: list[dict[str, str]] | None = None,
) -> JSONResponse:
    """Return the problem+json answer for `code`; `errors` names the fields at fault."""
    locale = locale_of(request)
    status = status or status_of(code)
    body: dict[str, Any] = {
        "type": f"/problems/{code}",
        "title": t(locale, f"error.{code}.title", **(parameters or {})),
        "status": status,
        "detail": t(locale, f"error.{code}.detail", **(parameters or {})),
        "code": code,
        "request_id": request_id(request),
    }
    if errors is not None:
        body["errors"] = errors
    headers = {"Content-Language": locale, "Cache-Control": "no-store"}
    if status == 503:
        headers["Retry-After"] = "5"
    if code.startswith("token."):
        headers["WWW-Authenticate"] = challenge(request, code, parameters or {})
    return JSONResponse(body, status, headers, MEDIA_TYPE)


def request_id(request: Request) -> str:
    """Return the number the middleware gave this request."""
    return str(request.scope.get("state", {}).get("request_id", ""))


def told(request: Request, error: DomainError) -> tuple[int, str]:
    """Return the status of an error and a sentence about it, for an API that speaks a dialect of its own."""
    sentence = t(locale_of(request), f"error.{error.code}.detail", **error.parameters)
    return status_of(error.code), sentence


def install(app: A) -> A:
    """Make `app` answer every error as a problem, and return it.

    A mounted app answers its own errors, so each one needs this.
    """
    # An app that speaks another dialect (OAuth) keeps its own answers; FastAPI's defaults go.
    own = {
        k: h for k, h in app.exception_handlers.items() if not h.__module__.startswith("fastapi.")
    }
    app.exception_handlers = {**_ANSWERS, **own}
    return app


def _domain_error(request: Request, error: DomainError) -> Response:
    status = status_of(error.code)
    if status >= 500:
        # An outage is told without a traceback: it repeats with every request while it lasts.
        cause = error if status == 500 else None
        _log.error("failed", code=error.code, path=request.url.path, exc_info=cause)
    fields = list(_fields_of(error, locale_of(request)))
    return problem(request, error.code, error.parameters, errors=fields or None)


def _fields_of(error: DomainError, locale: str) -> Iterator[dict[str, str]]:
    """Yield the fields at fault of an error that carries `problems` (field, code, parameters)."""
    for fault in getattr(error, "problems", ()):
        yield {
            "field": fault.field,
            "code": fault.code,
            "detail": t(locale, f"error.{fault.code}.detail", **fault.parameters),
        }


def _invalid(request: Request, error: RequestValidationError) -> Response:
    # Where and which rule, never the value: it may be an ID number.
    locale = locale_of(request)
    errors = [
        {
            "field": ".".join(str(step) for step in fault["loc"]),
            "code": f"request.invalid.{fault['type']}",
            "detail": _fault_sentence(locale, fault["type"]),
        }
        for fault in error.errors()
    ]
    return problem(request, "request.invalid", errors=errors)


def _fault_sentence(locale: str, kind: str) -> str:
    told = catalogue(locale)
    return told.get(f"request_fault.{kind}") or told["request_fault.other"]


def of_http_exception(request: Request, error: Exception) -> Response:
    """Return the problem for what the web framework refuses; a 500 for anything else."""
    if not isinstance(error, HTTPException):
        return problem(request, "internal")
    code = _CODE_OF_STATUS.get(error.status_code, "request.failed")
    answer = problem(request, code, status=error.status_code)
    answer.headers.update(error.headers or {})
    return answer


def _unavailable(request: Request, error: Exception) -> Response:
    _log.error("unavailable", cause=type(error).__name__)
    return problem(request, "service.unavailable")


def _unforeseen(request: Request, _error: Exception) -> Response:
    # The exception goes on to the outermost middleware, which logs it.
    return problem(request, "internal")


_ANSWERS: Mapping[Any, Callable[..., Any]] = {
    DomainError: _domain_error,
    RequestValidationError: _invalid,
    HTTPException: of_http_exception,
    **dict.fromkeys(UNAVAILABLE, _unavailable),
    Exception: _unforeseen,
}
