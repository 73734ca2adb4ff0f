"""Proxies: who is believed about the caller's address, scheme, host and certificate, and who is not."""

import asyncio
import base64
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from service.proxies import CertificateUnreadable, Proxied, read_certificate
from service.settings import Settings
from tests.certificates import self_signed

TRUSTED = Settings.model_validate({"trusted_proxies": "10.0.0.0/8, 127.0.0.1, ::1"}).proxies
DER = self_signed("portal-a")
PEM = x509.load_der_x509_certificate(DER).public_bytes(Encoding.PEM).decode()
BY_RFC_9440 = f":{base64.b64encode(DER).decode()}:"


async def mirror(scope: Scope, receive: Receive, send: Send) -> None:
    """What an app behind the proxies sees."""
    request = Request(scope)
    assert request.client is not None
    certificate = scope.get("state", {}).get("client_certificate")
    seen = {
        "address": request.client.host,
        "base": str(request.base_url),
        "certificate": certificate and certificate.hex(),
        "headers": sorted(request.headers),
    }
    await JSONResponse(seen)(scope, receive, send)


def ask(headers: dict[str, str] | list[tuple[str, str]], peer: str = "10.1.2.3") -> Any:
    async def ask() -> httpx2.Response:
        app = Proxied(mirror, TRUSTED, "Client-Cert")
        transport = httpx2.ASGITransport(app=app, client=(peer, 1234))
        async with httpx2.AsyncClient(transport=transport, base_url="http://inside") as client:
            return await client.get("/", headers=headers)

    return asyncio.run(ask())


def seen(headers: dict[str, str], peer: str = "10.1.2.3") -> Any:
    return ask(headers, peer).json()


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("203.0.113.9, 192.0.2.1", "192.0.2.1"),
        ("203.0.113.9, 192.0.2.1, 10.9.9.9", "192.0.2.1"),
        ("10.7.7.7", "10.7.7.7"),
        ("192.0.2.1:5555", "192.0.2.1"),
        ("[2001:db8::1]:5555", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("unknown", "10.1.2.3"),
        ("192.0.2.1, unknown, 10.9.9.9", "10.9.9.9"),
        ("", "10.1.2.3"),
    ],
)
def test_the_caller_is_the_nearest_that_is_no_proxy_of_ours(told: str, address: str) -> None:
    assert seen({"X-Forwarded-For": told})["address"] == address


def test_scheme_and_host_are_those_outside() -> None:
    told = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "id.example.cn"}
    assert seen(told)["base"] == "https://id.example.cn/"
    assert seen(told | {"X-Forwarded-Port": "443"})["base"] == "https://id.example.cn/"
    assert seen(told | {"X-Forwarded-Port": "8443"})["base"] == "https://id.example.cn:8443/"


@pytest.mark.parametrize("host", ["a b", "a/b", "a@b", "[::1", ""])
def test_a_host_that_is_none_is_not_believed(host: str) -> None:
    assert seen({"X-Forwarded-Host": host})["base"] == "http://inside/"


def test_an_odd_scheme_is_not_believed() -> None:
    assert seen({"X-Forwarded-Proto": "javascript"})["base"] == "http://inside/"


@pytest.mark.parametrize("value", [BY_RFC_9440, quote(PEM), quote(PEM, safe="")])
def test_a_certificate_comes_in_either_form(value: str) -> None:
    assert seen({"Client-Cert": value})["certificate"] == DER.hex()


def test_no_certificate_is_no_certificate() -> None:
    assert seen({"Client-Cert": ""})["certificate"] is None
    assert read_certificate("") is None


@pytest.mark.parametrize(
    "value",
    [
        "rubbish",
        ":",
        "::",
        ":!!!!:",
        BY_RFC_9440[:-1],
        f":{base64.b64encode(DER[:-4]).decode()}:",
        quote(PEM[:-30]),
        quote(PEM + PEM),
        quote("-----BEGIN CERTIFICATE-----"),
    ],
)
def test_a_certificate_that_cannot_be_read_is_refused(value: str) -> None:
    refused = ask({"Client-Cert": value})
    assert refused.status_code == 400
    assert refused.json()["code"] == "request.certificate"
    with pytest.raises(CertificateUnreadable):
        read_certificate(value)


def test_two_certificates_are_refused() -> None:
    assert ask([("Client-Cert", BY_RFC_9440)] * 2).status_code == 400


@pytest.mark.parametrize("peer", ["192.0.2.66", "2001:db8::66", "11.0.0.1", "testclient"])
def test_nobody_else_is_believed_and_nothing_of_it_reaches_the_apps(peer: str) -> None:
    told = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "id.example.cn",
        "X-Forwarded-Port": "1",
        "Client-Cert": BY_RFC_9440,
    }
    found = seen(told, peer)
    assert (found["address"], found["base"]) == (peer, "http://inside/")
    assert found["certificate"] is None
    assert not {name.lower() for name in told} & set(found["headers"])


def test_nobody_else_is_refused_for_a_header_that_is_not_theirs_to_send() -> None:
    assert ask({"Client-Cert": "rubbish"}, "192.0.2.66").status_code == 200
