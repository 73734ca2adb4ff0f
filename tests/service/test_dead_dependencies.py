"""A database or a cache that goes away under a serving service: told in clear words, and got over."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path

import httpx2
import pytest
from redis import Redis

from service import embedded
from service.running import running
from service.seed import CLERK_DESK, PORTAL_A, REVIEWER
from service.wiring import Chance, real_chance
from tests.browser import Browser
from tests.conftest import settings_of_a_rig
from tests.rig import Rig, TestClock, breakable

_PATIENCE_SECONDS = 15
_AUTHORIZE = (
    "/oidc/authorize?response_type=code&scope=openid&nonce=n&state=s&code_challenge_method=S256"
    f"&code_challenge={'x' * 43}&client_id={PORTAL_A.client_id}&redirect_uri={PORTAL_A.redirect_uri}"
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


@pytest.fixture
def database_server(server_folder: Path) -> Iterator[Server]:
    folder = server_folder / "mortal"
    folder.mkdir(mode=0o755)
    server = Server(partial(embedded.postgres, folder, print, durable=False))
    yield server
    server.stop()
    embedded.forget(folder)
    for left in sorted(folder.rglob("*"), reverse=True):
        left.rmdir() if left.is_dir() else left.unlink()
    folder.rmdir()


@pytest.fixture
def cache_server(server_folder: Path) -> Iterator[Server]:
    folder = server_folder / "mortal-cache"
    server = Server(partial(embedded.valkey, folder, print))
    yield server
    server.stop()


@pytest.fixture
def mortal(database_server: Server, cache_server: Server, tmp_path: Path) -> Iterator[Rig]:
    """A rig whose servers are its own."""
    clock, crash_points = TestClock(), set[str]()
    settings = settings_of_a_rig(
        tmp_path, database_url=database_server.url, redis_url=cache_server.url
    )
    chance = Chance(clock, real_chance().random)
    with running(settings, chance, breakable(crash_points)) as world:
        rig = Rig(world, clock, crash_points)
        yield rig
        rig.close()


def test_probe(mortal: Rig, database_server: Server, cache_server: Server) -> None:
    citizen = mortal.person()
    browser = mortal.browser()
    browser.authorize(PORTAL_A, "openid profile", citizen.phone, citizen.password)
    issuer, case = mortal.application()
    licence = mortal.issue()
    tok = mortal.clerk_token(issuer)
    def probe(what):
        print("=====", what)
        def ask(method, path, http=mortal.http, **kw):
            began = time.monotonic()
            try:
                a = http.request(method, path, **kw)
                print(f"{time.monotonic()-began:5.1f}s", method, path[:40], a.status_code, a.headers.get("content-type"), a.headers.get("retry-after"), a.text[:90].replace("\n", " ") if "json" in a.headers.get("content-type", "") else a.headers.get("location"))
                return a
            except Exception as e:
                print(f"{time.monotonic()-began:5.1f}s", method, path[:40], "EXC", repr(e))
        for p in ("/", "/v", "/healthz", "/readyz", "/my/licences", "/login", "/static/style.css"):
            ask("GET", p, http=browser.http)
        ask("GET", _AUTHORIZE, headers={"Accept": "text/html"})
        ask("GET", "/login?interaction=abc")
        ask("GET", "/oidc/jwks")
        ask("GET", "/oidc/authorize/abc", headers={"Accept": "text/html"})
        ask("POST", "/oidc/token", data={"grant_type": "client_credentials", "scope": "licence.lookup"}, auth=(REVIEWER.client_id, REVIEWER.client_secret))
        ask("GET", f"/api/licences/licences/{licence['identifier']}", headers={"Authorization": f"Bearer {tok}"})
        ask("POST", "/api/licences/licences", json=case, headers={"Authorization": f"Bearer {tok}"})
        ask("POST", "/api/verification/codes", json={"code": licence["code"]})
        ask("GET", "/api/verification/trust-list")
        ask("GET", "/api/verification/status-lists/1")
        page = mortal.browser().http
        p = page.get("/login")
        import re
        m = re.search(r'name="csrf" value="([0-9a-f]+)"', p.text)
        if m:
            ask("POST", "/login", http=page, data={"csrf": m[1], "username": citizen.phone, "password": citizen.password})
            ask("POST", "/v", http=page, data={"csrf": m[1], "code": licence["code"]})
    if 0: probe("x")
    database_server.stop(); probe("no database")
    mortal.clock.tick(minutes=3); probe("no database, later")
    database_server.start(); probe("database back")
    cache_server.stop(); probe("no cache")
    cache_server.start(); probe("cache back")
    with Redis.from_url(cache_server.url) as r:
        pid = r.info("server")["process_id"]
    return
    os.kill(pid, signal.SIGSTOP)
    try:
        probe("cache hangs")
    finally:
        os.kill(pid, signal.SIGCONT)
    probe("cache back")
