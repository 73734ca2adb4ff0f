"""What every request passes, as plain ASGI: its number, its log line, a body limit, safe headers."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.problems import problem

# A file for verification may have 20 MiB; the form around it needs a little more.
MOST_UPLOAD_BYTES = 21 * 1024 * 1024
# Everything else is text that is read whole: a case with all its fields has a few KiB.
MOST_TEXT_BYTES = 1024 * 1024


def content_security_policy(
    images: Iterable[str] = (), frames: Iterable[str] = (), ancestors: Iterable[str] = ()
) -> str:
    """Return the policy of a page that may show pictures, or frames, of these origins too.

    `ancestors` are the origins whose pages may show this one in a frame.

    No `form-action`: browsers apply it to redirects too, and signing in ends at a portal's own address.
    """
    rules = [
        "default-src 'self'",
        " ".join(("img-src 'self' data: blob:", *images)),
        "object-src 'none'",
        "base-uri 'none'",
        " ".join(("frame-ancestors", *(ancestors or ("'none'",)))),
        *([" ".join(("frame-src", *frames))] if frames else []),
    ]
    return "; ".join(rules)


CONTENT_SECURITY_POLICY = content_security_policy()

_log = structlog.get_logger("yinxin.request")


@dataclass(frozen=True, slots=True)
class Numbered:
    """Numbers each request, logs it once, and answers for what nobody caught.

    The number is in every log line of the request, in the header `X-Request-ID` and in problems.
    """

    app: ASGIApp
    new_number: Callable[[], str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        number = self.new_number()
        scope.setdefault("state", {})["request_id"] = number
        structlog.contextvars.bind_contextvars(request_id=number)
        began = time.perf_counter()
        status = 0

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = number
            await send(message)

        try:
            await self.app(scope, receive, note_status)
        except Exception:
            _log.exception("unforeseen", path=scope["path"])
            if status == 0:
                await problem(Request(scope), "internal")(scope, receive, note_status)
        finally:
            # The path only: a query may carry what a log must not keep.
            _log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                milliseconds=round((time.perf_counter() - began) * 1000, 1),
            )
            structlog.contextvars.unbind_contextvars("request_id")


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """Refuses a body that says it is, or turns out to be, larger than a text or an upload may be."""

    app: ASGIApp
    most_text: int = MOST_TEXT_BYTES
    most_upload: int = MOST_UPLOAD_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        is_upload = headers.get("Content-Type", "").startswith("multipart/form-data")
        most = self.most_upload if is_upload else self.most_text
        announced = headers.get("Content-Length", "0")
        if announced.isdecimal() and int(announced) > most:
            await problem(Request(scope), "request.too_large")(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                raise HTTPException(413)
            return message

        await self.app(scope, counted, send)


@dataclass(frozen=True, slots=True)
class SafeHeaders:
    """Adds the headers that keep a browser careful, unless the answer set its own.

    Nothing is cached unless it says so: most answers are about a person.
    """

    app: ASGIApp
    headers: Mapping[str, str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, with_headers)


@dataclass(frozen=True, slots=True)
class AddedHeaders:
    """Adds to each answer the headers that `of` works out from those of the request."""

    app: ASGIApp
    of: Callable[[Headers], Mapping[str, str]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        added = self.of(Headers(scope=scope)) if scope["type"] == "http" else {}

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(added)
            await send(message)

        await self.app(scope, receive, with_headers)


def safe_headers(over_https: bool) -> Mapping[str, str]:
    """Return the headers `SafeHeaders` adds; `over_https` tells browsers to stay with https."""
    headers = {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        # Not `no-referrer`: with it browsers send `Origin: null` from our own forms.
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
        "Cache-Control": "no-store",
    }
    if over_https:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers
