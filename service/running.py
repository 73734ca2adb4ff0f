"""Starts everything in order and stops it in reverse: servers, database, simulators, jobs, the web.

`serve`, the demo and the tests all run the service through here.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime

import structlog
import uvicorn
from starlette.types import ASGIApp

from keys.signer import PublicKey
from keys.sm2 import backend_name
from license_store.files import FileStore
from service import embedded, migrating
from service.app import app
from service.chance import Chance, real_chance
from service.mistakes import OperatorMistake
from service.refusals import refusals
from service.seed import seed
from service.settings import Mode, Settings
from service.simulators import registers
from service.wiring import Surroundings, World, build, refuse_sandbox_keys

_START_SECONDS = 30
_log = structlog.get_logger("yinxin")


class RefusedSettingsError(OperatorMistake):
    """Production does not start with these settings; the text names each."""


class WeakSm2Error(OperatorMistake):
    """Only gmssl could sign with SM2 here, and it is not constant-time: not in production."""


class PortTakenError(OperatorMistake):
    """Something else listens on the port."""


@contextmanager
def running(
    settings: Settings,
    chance: Chance | None = None,
    wrap_files: Callable[[FileStore], FileStore] = lambda files: files,
) -> Iterator[World]:
    """Run the service while the block lasts. Call it from the main thread.

    Raises `RefusedSettingsError`, `WeakSm2Error`, `PortTakenError`, `EmbeddedServerError`,
    `FolderInUse`, `SandboxKeysError`.
    """
    if refused := refusals(settings):
        raise RefusedSettingsError("\n".join(str(refusal) for refusal in refused))
    production = settings.mode is Mode.PRODUCTION
    if production and backend_name() == "gmssl":
        raise WeakSm2Error(
            "neither an OpenSSL with SM2 (libcrypto) nor gmssl-pyx can be loaded, and production "
            "does not sign with gmssl"
        )
    chance = chance or real_chance()
    with ExitStack() as stopping:
        listening = stopping.enter_context(_listening(settings.host, settings.port))
        port = listening.getsockname()[1]
        database_url, redis_url = _servers(settings, stopping)
        # The simulators serve before the service is built, whose keys they check requests by.
        built: list[World] = []
        simulators_url = ""
        if settings.simulators:
            simulators_url = _simulators(stopping, lambda: built[0].callers(), chance.clock)
        address = settings.model_copy(update={"port": port}).address
        around = Surroundings(database_url, redis_url, address, simulators_url)
        world = stopping.enter_context(build(settings, around, chance, wrap_files))
        built.append(world)
        migrating.upgrade(world.engine)
        refuse_sandbox_keys(world)
        if not production:
            seed(world)
        stopping.enter_context(world.tally.telling())
        if settings.worker:
            stopping.enter_context(world.queue.working())
        stopping.enter_context(_served(app(world), listening))
        _log.info("serving", address=address, mode=settings.mode.value, sm2=backend_name())
        yield world


def is_free(host: str, port: int) -> bool:
    """Whether the service could listen there now."""
    try:
        with _listening(host, port):
            return True
    except PortTakenError:
        return False


def _servers(settings: Settings, stopping: ExitStack) -> tuple[str, str]:
    """Return the URLs of PostgreSQL and Valkey, starting the embedded ones that are needed."""
    stopping.enter_context(embedded.claim(settings.var))
    durable = settings.mode is not Mode.TEST
    database_url = settings.database_url or stopping.enter_context(
        embedded.postgres(settings.var, _say, durable=durable)
    )
    redis_url = settings.redis_url or stopping.enter_context(embedded.valkey(settings.var, _say))
    return database_url, redis_url


def _simulators(
    stopping: ExitStack,
    callers: Callable[[], Mapping[str, PublicKey]],
    clock: Callable[[], datetime],
) -> str:
    listening = stopping.enter_context(_listening("127.0.0.1", 0))
    simulator = registers.create_app(registers.load_people(), callers, clock)
    stopping.enter_context(_served(simulator, listening))
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        listening = socket.create_server((host, port), backlog=1024)
    except OSError as error:
        raise PortTakenError(
            f"cannot listen on {host}:{port} ({os.strerror(error.errno or 0)}): choose another YINXIN_PORT"
        ) from error
    with listening:
        yield listening


@contextmanager
def _served(application: ASGIApp, listening: socket.socket) -> Iterator[None]:
    """Serve the app in a thread while the block lasts, and finish open requests at its end."""
    config = uvicorn.Config(
        application,
        log_config=None,
        access_log=False,
        server_header=False,
        # service.proxies believes those that the settings name, and no others.
        proxy_headers=False,
        timeout_graceful_shutdown=10,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],), name="web")
    thread.start()
    deadline = time.monotonic() + _START_SECONDS
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.005)
    try:
        if not server.started:
            raise RuntimeError("the web server did not start; see the log")
        yield
    finally:
        server.should_exit = True
        thread.join()


def _say(line: str) -> None:
    logging.getLogger("yinxin.embedded").warning(line)
