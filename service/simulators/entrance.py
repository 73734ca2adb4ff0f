"""The way into every simulated source: it may be down, it knows who calls, it answers a retry as before."""

import asyncio
import threading
from collections import OrderedDict
from typing import Any, get_args

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keys.errors import DomainError
from keys.http_signature import check_request
from service.simulators.outside import Outside, Source

_REMEMBERED = 10_000
_SOURCES = frozenset(get_args(Source))


class Entrance:
    """Middleware before the sources; pages and switches of the sandbox are not behind it."""

    def __init__(self, app: ASGIApp, outside: Outside) -> None:
        self._app = app
        self._outside = outside
        self._nonces: OrderedDict[str, None] = OrderedDict()
        self._answers: OrderedDict[tuple[str, str], tuple[bytes, Response]] = OrderedDict()
        self._lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        source = scope.get("path", "/").split("/")[1]
        if scope["type"] != "http" or scope["method"] != "POST" or source not in _SOURCES:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        body = await request.body()
        if (fault := await self._fault(source)) or (fault := self._refusal(request, body)):
            await fault(scope, receive, send)
            return
        answer = await self._answer(scope, request.headers, body)
        await answer(scope, receive, send)

    async def _fault(self, source: str) -> Response | None:
        outage = self._outside.outage_of(source)
        if outage is None:
            return None
        await asyncio.sleep(outage.seconds)
        if outage.senseless:
            return PlainTextResponse("<p>maintenance</p>")
        return PlainTextResponse(f"{source} is down", 503) if outage.down else None

    def _refusal(self, request: Request, body: bytes) -> Response | None:
        try:
            signature = check_request(
                self._outside.callers(),
                request.method,
                str(request.url),
                request.headers,
                body,
                now=self._outside.clock(),
            )
        except DomainError as refused:
            return PlainTextResponse(refused.code, 401)
        with self._lock:
            if signature.nonce in self._nonces:
                return PlainTextResponse("the signature was used before", 401)
            self._nonces[signature.nonce] = None
            _forget(self._nonces)
        return None

    async def _answer(self, scope: Scope, headers: Headers, body: bytes) -> Response:
        key = (scope["path"], headers.get("idempotency-key", ""))
        before = self._answers.get(key) if key[1] else None
        if before is not None:
            # draft-ietf-httpapi-idempotency-key-header §2.7: one key, one request.
            same = before[0] == body
            return before[1] if same else PlainTextResponse("another request had this key", 422)
        answer = await _heard(self._app, scope, body)
        if key[1]:
            self._answers[key] = (body, answer)
            _forget(self._answers)
        return answer


async def _heard(app: ASGIApp, scope: Scope, body: bytes) -> Response:
    """Run the app on a body that was read already, and return its whole answer."""
    answer, parts = Response(), [b""]

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status_code = message["status"]
            answer.raw_headers = list(message["headers"])
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    answer.body = b"".join(parts)
    return answer


def _forget(remembered: OrderedDict[Any, Any]) -> None:
    while len(remembered) > _REMEMBERED:
        remembered.popitem(last=False)
