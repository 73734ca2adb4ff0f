"""A form read and a token told, by a plain route and by FastAPI's: what the frame around a handler costs."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Annotated
from urllib.parse import urlencode

from fastapi import FastAPI, Form
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message

from benchmarks.measuring import Measurement, compare, rate
from idp import parameters
from idp.call import Answer, told
from idp.schemas import TokenAnswer

_FORM = urlencode({"grant_type": "client_credentials", "scope": "licence.lookup"}).encode()
_TOKEN = {"access_token": "x" * 600, "token_type": "Bearer", "expires_in": 600, "scope": "read"}


def measurements() -> Iterator[Measurement]:
    """Yield one line: requests by the plain route, and how many times FastAPI's that is."""
    with asyncio.Runner() as runner:
        plain, typed = (_asking(runner, app) for app in (_plain(), _typed()))
        yield compare("a form by a plain route", plain, {"FastAPI's": rate(typed)})


def _plain() -> ASGIApp:
    async def token(request: Request) -> Response:
        sent = parameters.parse(await request.body())
        answer = await run_in_threadpool(_told, sent.get("grant_type") or "")
        return Response(answer.body, answer.status, dict(answer.headers), answer.media_type)

    return Starlette(routes=[Route("/token", token, methods=["POST"])])


def _told(grant_type: str) -> Answer:
    return told({**_TOKEN, "scope": grant_type})


def _typed() -> ASGIApp:
    app = FastAPI()

    @app.post("/token")
    def token(
        grant_type: Annotated[str, Form()], scope: Annotated[str | None, Form()] = None
    ) -> TokenAnswer:
        return TokenAnswer.model_validate(_TOKEN | {"scope": grant_type})

    return app


def _asking(runner: asyncio.Runner, app: ASGIApp) -> Callable[[], None]:
    """What sends the form to an app, without a network between."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/token",
        "raw_path": b"/token",
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "http_version": "1.1",
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
        "headers": [(b"content-type", b"application/x-www-form-urlencoded")],
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": _FORM, "more_body": False}

    async def ask() -> None:
        statuses = []

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        await app(dict(scope), receive, send)
        if statuses != [200]:
            raise RuntimeError(f"the answer was {statuses}")

    return lambda: runner.run(ask())
