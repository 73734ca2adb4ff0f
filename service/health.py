"""Two questions a supervisor asks: is the process alive, and may it get requests?"""

from collections.abc import Callable

import redis
from sqlalchemy import Engine, text
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from keys.sm2 import backend_name


def routes(engine: Engine, cache: redis.Redis) -> list[Route]:
    """Return `/healthz` (alive) and `/readyz` (503 until database and cache answer)."""
    checks: dict[str, Callable[[], object]] = {
        "database": lambda: _ask_database(engine),
        "cache": cache.ping,
    }

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("alive\n")

    def readyz(_request: Request) -> Response:
        found = {name: _answers(ask) for name, ask in checks.items()}
        ready = all(found.values())
        body = {"ready": ready, **found, "sm2": backend_name()}
        return JSONResponse(body, 200 if ready else 503)

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


def _ask_database(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))


def _answers(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except Exception:  # whatever is wrong, the answer is the same: not ready
        return False
    return True
