"""The protocol over HTTP, per second of the server's processor time, beside npm oidc-provider's.

The anchor is measured in alternating slices of the same run when it is installed
(`npm ci` in `benchmarks/idp/anchor`); each line's note is the median ratio to it.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from urllib.parse import parse_qs, urlencode, urlsplit

from benchmarks.idp.load import CALLBACK, Browser, Wire, basic, challenge, run
from benchmarks.idp.servers import Server, anchor, ours
from benchmarks.measuring import Measurement
from idp import passwords

Once = Callable[[], None]
Scenario = Callable[[Server, Wire], Once]

_SLICES = 3
_SECONDS = 3.0
_VERIFIER = "a-verifier-that-is-long-enough-for-any-server-to-take"
_FORM = "application/x-www-form-urlencoded"


def measurements() -> Iterator[Measurement]:
    """Yield a line for each scenario; a second is one of the server's and its stores' processors."""
    with ours() as own, anchor() as other:
        for what, scenario in SCENARIOS.items():
            yield _compared(what, scenario, own, other)
    yield _password()


def _compared(what: str, scenario: Scenario, own: Server, other: Server | None) -> Measurement:
    runs, seconds, ratios = 0, 0.0, list[float]()
    _slice(scenario, own, 1.0)
    for _ in range(_SLICES):
        before = _slice(scenario, own)
        theirs = _slice(scenario, other) if other else None
        after = _slice(scenario, own)
        own_runs, own_seconds = before[0] + after[0], before[1] + after[1]
        runs, seconds = runs + own_runs, seconds + own_seconds
        if theirs:
            ratios.append(own_runs / own_seconds / (theirs[0] / theirs[1]))
    note = f"{statistics.median(ratios):.2f} × oidc-provider" if ratios else ""
    return Measurement(what, runs, seconds, note)


def _slice(scenario: Scenario, server: Server, seconds: float = _SECONDS) -> tuple[int, float]:
    """Return how often it ran, and the processor seconds it cost the server."""
    began = server.cpu_seconds()
    runs, _ = run(server.port, lambda wire: scenario(server, wire), seconds)
    return runs, server.cpu_seconds() - began


def _discovery(server: Server, wire: Wire) -> Once:
    return lambda: _expect(wire, "GET", server.paths["discovery"], {})


def _key_set(server: Server, wire: Wire) -> Once:
    return lambda: _expect(wire, "GET", server.paths["jwks"], {})


def _machine(server: Server, wire: Wire) -> Once:
    scope = "read" if "login" in server.sign_in else "licence.lookup"
    body = urlencode({"grant_type": "client_credentials", "scope": scope}).encode()
    headers = _client(server, "machine")
    return lambda: _expect(wire, "POST", server.paths["token"], headers, body)


def _introspection(server: Server, wire: Wire) -> Once:
    headers = _client(server, "machine")
    form = {"grant_type": "client_credentials"}
    answer = wire.send("POST", server.paths["token"], headers, urlencode(form).encode())
    token = _member(answer.body, "access_token")
    body = urlencode({"token": token}).encode()

    def once() -> None:
        told = wire.send("POST", server.paths["introspection"], headers, body)
        if b'"active":true' not in told.body:
            raise RuntimeError(f"{told.status}: {told.body[:300]!r}")

    return once


def _single_sign_on(server: Server, wire: Wire) -> Once:
    browser = Browser(wire, server.sign_in)
    _walk(server, wire, browser)
    return lambda: _walk(server, wire, browser)


def _full_login(server: Server, wire: Wire) -> Once:
    return lambda: _walk(server, wire, Browser(wire, server.sign_in))


SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        "discovery": _discovery,
        "key set": _key_set,
        "client_credentials, ES256 JWT": _machine,
        "introspection": _introspection,
        "SSO (3 requests)": _single_sign_on,
        "full login": _full_login,
    }
)


def _walk(server: Server, wire: Wire, browser: Browser) -> None:
    """Authorize, exchange the code, ask userinfo."""
    asked = {
        "client_id": "portal",
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid",
        "state": "s",
        "code_challenge": challenge(_VERIFIER),
        "code_challenge_method": "S256",
    }
    url = f"http://127.0.0.1:{server.port}{server.paths['authorize']}?{urlencode(asked)}"
    code = parse_qs(urlsplit(browser.authorize(url)).query)["code"][0]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": _VERIFIER,
    }
    body = urlencode(form).encode()
    answer = wire.send("POST", server.paths["token"], _client(server, "portal"), body)
    token = _member(answer.body, "access_token")
    _expect(wire, "GET", server.paths["userinfo"], {"authorization": f"Bearer {token}"})


def _client(server: Server, name: str) -> dict[str, str]:
    return {"authorization": basic(name, server.secret), "content-type": _FORM}


def _expect(
    wire: Wire, method: str, target: str, headers: Mapping[str, str], body: bytes = b""
) -> None:
    reply = wire.send(method, target, headers, body)
    if reply.status != 200:
        raise RuntimeError(f"{reply.status}: {reply.body[:300]!r}")


def _member(body: bytes, name: str) -> str:
    try:
        return str(json.loads(body)[name])
    except (ValueError, KeyError):
        raise RuntimeError(body[:300]) from None


def _password() -> Measurement:
    """Argon2id alone, which every full login pays once."""
    began, runs = time.thread_time(), 40
    for _ in range(runs):
        passwords.is_right("a wrong password", None)
    return Measurement("of that: one argon2id check", runs, time.thread_time() - began)
