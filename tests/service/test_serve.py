"""The service behind a TLS proxy: the issuer as told, addresses as forwarded, certificates as handed on."""

import base64
import hashlib
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from typer.testing import CliRunner

from idp import clients, sessions, throttle
from idp.clients import Registration
from idp.endpoints import ENDPOINTS
from idp.vocabulary import GrantType
from keys import base64url
from service import cli, running, sandbox_citizen
from service.pages import (
    account,
    approvals,
    consent,
    device,
    home,
    login,
    logout,
    register,
    verify,
    wallet,
)
from service.settings import Settings
from service.wiring import World
from tests.browser import client
from tests.certificates import self_signed
from tests.conftest import Clone, settings_of_a_rig
from tests.rig import Rig
from tests.service.test_pages import token as csrf

ISSUER = "https://id.example.cn"
Serve = Callable[..., AbstractContextManager[tuple[World, httpx2.Client]]]


@pytest.fixture
def serve(clone: Clone, seeded_template: str, redis_url: str, tmp_path: Path) -> Serve:
    """Return what runs the service with further settings and yields it with a line to it.

    `{port}` in the issuer is the port that it gets.
    """

    @contextmanager
    def served(**told: Any) -> Iterator[tuple[World, httpx2.Client]]:
        with clone(seeded_template) as url:
            port = free_port()
            told |= {"issuer": told.get("issuer", "").format(port=port)}
            settings = settings_of_a_rig(tmp_path, database_url=url, redis_url=redis_url, **told)
            bound = settings.model_copy(update={"port": port})
            with running.running(bound) as world, client(f"http://127.0.0.1:{port}") as http:
                yield world, http

    return served


def free_port() -> int:
    """A port nobody listens on: the address does not tell it here."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.mark.parametrize("path", ["", "/oidc", "/a/b"])
def test_the_issuer_is_exactly_the_one_told_and_everything_is_below_it(
    serve: Serve, path: str
) -> None:
    issuer = f"{ISSUER}{path}"
    with serve(issuer=issuer) as (world, http):
        assert world.address == ISSUER
        told = http.get(f"{path}/.well-known/openid-configuration").json()
        assert told["issuer"] == issuer
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            assert told[name].startswith(f"{issuer}/")
            assert http.get(urlsplit(told[name]).path).status_code != 404
        for page in ("/", "/login", "/register", "/v"):
            assert http.get(page).status_code == 200, page


@pytest.mark.parametrize("path", ["", "/oidc", "/a/b"])
def test_from_the_metadata_alone_every_page_and_endpoint_is_found(serve: Serve, path: str) -> None:
    issuer = f"http://127.0.0.1:{{port}}{path}"
    with serve(issuer=issuer, registration="open") as (world, http):
        told = http.get(f"{path}/.well-known/openid-configuration").json()
        for other in ("oauth-authorization-server", "openid-configuration"):
            assert http.get(f"/.well-known/{other}{path}").json() == told
        made = http.post(told["registration_endpoint"], json=PORTAL).json()
        keeper = {"Authorization": f"Bearer {made['registration_access_token']}"}
        assert http.get(made["registration_client_uri"], headers=keeper).status_code == 200
        mine = (made["client_id"], made["client_secret"])

        form = REQUEST | {"client_id": made["client_id"]}
        pushed = http.post(told["pushed_authorization_request_endpoint"], data=form, auth=mine)
        asked = {"client_id": made["client_id"], "request_uri": pushed.json()["request_uri"]}
        came = walked(http, http.get(told["authorization_endpoint"], params=asked))
        filled = {"username": sandbox_citizen.USERNAME, "password": sandbox_citizen.PASSWORD}
        came = walked(http, sent(http, came, **filled))
        came = walked(http, sent(http, came, decision="approve"))
        back = dict(parse_qsl(urlsplit(came.headers["location"]).query))
        assert back["iss"] == world.provider.issuer

        grant = {
            "grant_type": "authorization_code",
            "code": back["code"],
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        tokens = http.post(told["token_endpoint"], data=grant, auth=mine).json()
        shown = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert http.get(told["userinfo_endpoint"], headers=shown).json()["sub"]
        token = {"token": tokens["access_token"]}
        state = http.post(told["introspection_endpoint"], data=token, auth=mine).json()
        assert (state["active"], state["iss"]) == (True, world.provider.issuer)
        assert http.post(told["revocation_endpoint"], data=token, auth=mine).status_code == 200

        kiosk = told["device_authorization_endpoint"]
        codes = http.post(kiosk, data={"scope": "openid"}, auth=mine).json()
        assert http.get(codes["verification_uri_complete"]).status_code == 200

        leaving = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": CALLBACK}
        came = walked(http, http.get(told["end_session_endpoint"], params=leaving))
        assert came.headers["location"] == CALLBACK
        assert http.get(told["authorization_endpoint"]).status_code == 400


CALLBACK = "https://shop.example/callback"
VERIFIER = "v" * 43
REQUEST = {
    "response_type": "code",
    "scope": "openid profile",
    "redirect_uri": CALLBACK,
    "code_challenge": base64url.encode(hashlib.sha256(VERIFIER.encode()).digest()),
    "code_challenge_method": "S256",
}
PORTAL = {
    "client_name": "Somebody",
    "redirect_uris": [CALLBACK],
    "post_logout_redirect_uris": [CALLBACK],
    "grant_types": [GrantType.AUTHORIZATION_CODE, GrantType.DEVICE_CODE],
}


def walked(http: httpx2.Client, came: httpx2.Response) -> httpx2.Response:
    """Where a browser rests: at a page of ours, or on its way to the portal."""
    while came.is_redirect and not came.headers["location"].startswith(CALLBACK):
        came = http.get(came.headers["location"])
    assert came.is_redirect or came.status_code == 200, came.text
    return came


def sent(http: httpx2.Client, page: httpx2.Response, **fields: str) -> httpx2.Response:
    """Fill in the form of a page."""
    return http.post(str(page.url), data={"csrf": csrf(page.text), **fields})


def test_no_endpoint_takes_the_place_of_a_page_when_the_issuer_is_the_host_alone(rig: Rig) -> None:
    modules = [
        account,
        approvals,
        consent,
        device,
        home,
        login,
        logout,
        register,
        verify,
        wallet,
    ]
    pages = {route.path for module in modules for route in module.routes(rig.world)}
    assert not pages & {endpoint.path for endpoint in ENDPOINTS}
    for endpoint in ENDPOINTS:
        fixed = endpoint.path.partition("{")[0]
        if fixed != endpoint.path:
            assert not any(page.startswith(fixed) for page in pages), endpoint.path


def test_over_https_the_cookies_are_this_hosts_alone(serve: Serve) -> None:
    with serve(issuer=ISSUER) as (_, http):
        page = http.get("/login")
    assert page.headers["strict-transport-security"]
    cookies = page.headers.get_list("set-cookie")
    assert cookies
    assert all(cookie.startswith("__Host-") and "Secure" in cookie for cookie in cookies)
    assert not any(cookie.startswith(sessions.COOKIE) for cookie in cookies)


def bound_to(serve: Serve, headers: dict[str, str], **told: str) -> httpx2.Response:
    """Ask for a token as a client that must show a certificate."""
    with serve(issuer=ISSUER, **told) as (world, http):
        asked = Registration(
            name_zh="审批",
            name_en="Reviewing",
            grant_types=(GrantType.CLIENT_CREDENTIALS,),
            scopes=("licence.lookup",),
            resources=(world.licence_audience,),
            organisation="11990100MBXX90018M",
            tls_client_certificate_bound_access_tokens=True,
        )
        with world.begin() as tx:
            made = clients.register(tx, world.provider, asked)
        return http.post(
            "/token",
            data={"grant_type": "client_credentials"},
            auth=(made.client_id, str(made.client_secret)),
            headers=headers,
        )


def test_a_certificate_is_believed_from_a_trusted_proxy(serve: Serve) -> None:
    handed_on = f":{base64.b64encode(self_signed('reviewer')).decode()}:"
    by_default = bound_to(serve, {"Client-Cert": handed_on}, trusted_proxies="127.0.0.1")
    assert by_default.status_code == 200, by_default.text


def test_a_certificate_is_believed_under_the_name_that_was_set(serve: Serve) -> None:
    handed_on = f":{base64.b64encode(self_signed('reviewer')).decode()}:"
    told = {"trusted_proxies": "127.0.0.0/8", "client_certificate_header": "X-SSL-Cert"}
    assert bound_to(serve, {"X-SSL-Cert": handed_on}, **told).status_code == 200


@pytest.mark.parametrize("trusted", ["", "192.0.2.0/24"])
def test_a_certificate_is_not_believed_from_anybody_else(serve: Serve, trusted: str) -> None:
    handed_on = f":{base64.b64encode(self_signed('reviewer')).decode()}:"
    refused = bound_to(serve, {"Client-Cert": handed_on}, trusted_proxies=trusted)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


def test_tries_are_counted_by_the_address_outside(serve: Serve) -> None:
    told = {"X-Forwarded-For": "198.51.100.7, 192.0.2.1"}
    with serve(trusted_proxies="127.0.0.1") as (world, http):
        form = {"csrf": csrf(http.get("/login").text), "username": "nobody", "password": "wrong"}
        assert http.post("/login", data=form, headers=told).status_code == 401
        limit = throttle.PASSWORD_PER_ADDRESS
        assert throttle.count(world.provider, limit, "192.0.2.1") == limit.tries - 2
        assert throttle.count(world.provider, limit, "127.0.0.1") == limit.tries - 1


def test_what_is_typed_stands_in_for_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Settings] = []

    @contextmanager
    def noted(settings: Settings) -> Iterator[None]:
        started.append(settings)
        raise SystemExit
        yield

    monkeypatch.setattr("service.commands.serving.running.running", noted)
    for name, value in {
        "PORT": "1",
        "HOST": "127.0.0.9",
        "ISSUER": "",
        "TRUSTED_PROXIES": "",
    }.items():
        monkeypatch.setenv(f"YINXIN_{name}", value)
    typed = ["serve", "--issuer", ISSUER, "--port", "9443", "--trusted-proxies", "10.0.0.1"]
    CliRunner().invoke(cli.main, typed)
    (settings,) = started
    assert (settings.issuer, settings.port, settings.host) == (ISSUER, 9443, "127.0.0.9")
    assert [str(network) for network in settings.proxies] == ["10.0.0.1/32"]
