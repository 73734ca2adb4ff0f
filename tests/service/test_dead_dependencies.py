"""A database or a cache that goes away under a serving service: told in clear words, and got over."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import httpx2
import pytest
from sqlalchemy.exc import OperationalError

from service import embedded
from service.chance import Chance, real_chance
from service.db import connect
from service.running import running
from service.seed import PORTAL_A, REVIEWER
from tests.conftest import settings_of_a_rig
from tests.rig import Citizen, Rig, TestClock, breakable
from tests.service.portals import token

# Nobody waits longer than this for the word that something is away.
_PATIENCE_SECONDS = 10
_HTML, _PROBLEM, _JSON = "text/html", "application/problem+json", "application/json"
_AUTHORIZE = "/oidc/authorize?" + urlencode(
    {
        "response_type": "code",
        "client_id": PORTAL_A.client_id,
        "redirect_uri": PORTAL_A.redirect_uri,
        "scope": "openid",
        "state": "s",
        "nonce": "n",
        "code_challenge": "x" * 43,
        "code_challenge_method": "S256",
    }
)


class Server:
    """An embedded server that can be stopped, and started again at the same address."""

    def __init__(self, run: Callable[[], AbstractContextManager[str]]) -> None:
        self._run = run
        self._stopping = ExitStack()
        self.url = ""
        self.start()

    def start(self) -> None:
        self.url = self._stopping.enter_context(self._run())

    def stop(self) -> None:
        self._stopping.close()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Be away while the block lasts."""
        self.stop()
        try:
            yield
        finally:
            self.start()


@pytest.fixture
def database_server(server_folder: Path) -> Iterator[Server]:
    folder = server_folder / "mortal"
    server = Server(partial(embedded.postgres, folder, print, durable=False))
    yield server
    server.stop()
    embedded.forget(folder)


@pytest.fixture
def cache_server(server_folder: Path) -> Iterator[Server]:
    server = Server(partial(embedded.valkey, server_folder / "mortal", print))
    yield server
    server.stop()


@pytest.fixture
def rig(database_server: Server, cache_server: Server, tmp_path: Path) -> Iterator[Rig]:
    """A rig whose servers are its own."""
    clock, crash_points = TestClock(), set[str]()
    urls = {"database_url": database_server.url, "redis_url": cache_server.url}
    chance = Chance(clock, real_chance().random)
    settings = settings_of_a_rig(tmp_path, **urls)
    with running(settings, chance, breakable(crash_points)) as world:
        rig = Rig(world, clock, crash_points)
        yield rig
        rig.close()


def expect_outage(answer: httpx2.Response, media_type: str) -> None:
    """The answer says, in its own dialect and clear words, to come again, and nothing of the inside."""
    assert answer.status_code == 503, answer.text
    assert answer.elapsed.total_seconds() < _PATIENCE_SECONDS
    assert answer.headers["Content-Type"].split(";")[0] == media_type
    assert answer.headers["Retry-After"] == "5"
    words = {
        _HTML: "<h1>服务暂不可用</h1>",
        _PROBLEM: '"code":"service.unavailable"',
        _JSON: '"error":"temporarily_unavailable"',
    }
    assert words[media_type] in answer.text
    for inside in ("psycopg", "sqlalchemy", "redis", "sock", "SELECT", "Traceback"):
        assert inside.lower() not in answer.text.lower()


def machine_token(rig: Rig) -> httpx2.Response:
    """Ask for an access token as the reviewing body, and return whatever is answered."""
    form = {"grant_type": "client_credentials", "scope": "licence.lookup"}
    client = (REVIEWER.client_id, REVIEWER.client_secret)
    return rig.http.post("/oidc/token", data=form, auth=client)


def sign_in(rig: Rig, citizen: Citizen) -> httpx2.Client:
    """Return the client of a browser that is signed in."""
    browser = rig.browser()
    browser.authorize(PORTAL_A, "openid", citizen.phone, citizen.password)
    return browser.http


def test_without_its_database_the_service_says_so_everywhere_and_then_goes_on(
    rig: Rig, database_server: Server
) -> None:
    citizen = rig.person()
    signed_in = sign_in(rig, citizen)
    licence = rig.issue()
    issuer, case = rig.application()
    rig.clerk_token(issuer)
    rig.client_token()
    with database_server.stopped():
        for path in ("/", "/v", "/connect"):
            assert signed_in.get(path).status_code == 200
        for path in ("/my/licences", "/my/account", "/logout"):
            expect_outage(signed_in.get(path), _HTML)
        # A client that is still remembered needs no database yet: the page it leads to does.
        rig.world.provider.known_clients.forget(PORTAL_A.client_id)
        expect_outage(rig.http.get(_AUTHORIZE), _HTML)
        rig.world.provider.known_clients.forget(REVIEWER.client_id)
        expect_outage(machine_token(rig), _JSON)
        expect_outage(rig.post_licence(issuer, case), _PROBLEM)
        ready = rig.http.get("/readyz")
        assert (ready.status_code, ready.json()["database"]) == (503, False)
        assert rig.http.get("/healthz").status_code == 200
    assert rig.http.get("/readyz").json()["ready"]
    assert signed_in.get("/my/licences").status_code == 200
    assert rig.http.get(_AUTHORIZE).status_code == 303
    assert machine_token(rig).status_code == 200
    assert rig.post_licence(issuer, case).status_code == 201
    assert rig.scan(licence["code"])["answer"] == "valid"
    rig.check_everything()


def test_a_code_is_never_called_valid_when_the_lists_cannot_be_had(
    rig: Rig, database_server: Server
) -> None:
    licence = rig.issue()
    with database_server.stopped():
        rig.clock.tick(days=2)
        assert rig.scan(licence["code"])["answer"] == "unknown"
        expect_trust_list = rig.http.get("/api/verification/trust-list")
        assert expect_trust_list.status_code == 503
        assert expect_trust_list.headers["Retry-After"] == "5"


def test_without_its_cache_nobody_new_signs_in_and_everything_else_goes_on(
    rig: Rig, cache_server: Server
) -> None:
    citizen = rig.person()
    signed_in = sign_in(rig, citizen)
    licence = rig.issue()
    with cache_server.stopped():
        expect_outage(rig.http.get(_AUTHORIZE), _HTML)
        expect_outage(rig.http.get("/login?interaction=begun-before"), _HTML)
        ready = rig.http.get("/readyz")
        assert (ready.status_code, ready.json()["cache"]) == (503, False)
        page = signed_in.get("/my/licences")
        assert page.status_code == 200
        assert rig.scan(licence["code"])["answer"] == "valid"
        assert rig.issue()["identifier"]
        signed_out = signed_in.post("/logout", data={"csrf": token(page.text)})
        assert signed_out.headers["Location"] == f"{rig.address}/signed-out"
    assert rig.http.get("/readyz").json()["ready"]
    assert sign_in(rig, citizen).get("/my/licences").status_code == 200


def test_a_cache_that_hangs_is_given_up_in_good_time(rig: Rig) -> None:
    process = int(rig.world.redis.info("server")["process_id"])
    os.kill(process, signal.SIGSTOP)
    try:
        expect_outage(rig.http.get(_AUTHORIZE), _HTML)
    finally:
        os.kill(process, signal.SIGCONT)
    assert rig.http.get(_AUTHORIZE).status_code == 303


def test_a_database_that_takes_the_call_and_says_nothing_is_given_up_in_good_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        engine = connect(f"postgresql+psycopg://a@127.0.0.1:{silent.getsockname()[1]}/b", 2)
        began = time.monotonic()
        with pytest.raises(OperationalError):
            engine.connect()
        assert time.monotonic() - began < _PATIENCE_SECONDS


def test_a_request_that_gets_no_connection_is_told_to_come_again(rig: Rig) -> None:
    pool = rig.world.engine.pool
    pool._timeout = 0.1  # type: ignore[attr-defined]  # not the thirty seconds of the default
    with ExitStack() as holding:
        for _ in range(rig.world.settings.database_pool):
            holding.enter_context(rig.world.engine.connect())
        expect_outage(rig.http.get(_AUTHORIZE), _HTML)
        expect_outage(machine_token(rig), _JSON)
