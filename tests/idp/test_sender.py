"""Tokens bound to a TLS certificate (RFC 8705 §3), as the trusted proxy hands it on, or to both."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from starlette.types import ASGIApp, Receive, Scope, Send

from idp import client_certificate
from keys import base64url
from tests.certificates import self_signed
from tests.idp.test_sign_in import claims_of
from tests.idp.world import PEOPLE, World, mounted, served
from tests.proving import Prover

NUMBER = PEOPLE["张䶮"].number
OURS, THEIRS = self_signed("portal-a"), self_signed("portal-b")
X5T = "x5t#S256"
Shown = Callable[[bytes | None], str]


def showing(app: ASGIApp, certificate: bytes | None) -> ASGIApp:
    """The app behind a proxy that saw this certificate."""

    async def shown(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "state": {"client_certificate": certificate}}, receive, send)

    return shown


@contextmanager
def issuer_seeing(world: World, certificate: bytes | None) -> Iterator[str]:
    """The issuer's address as a client with this certificate reaches it."""
    with served(showing(mounted(world.provider), certificate)) as address:
        yield f"{address}/oidc"


def token(issuer: str, auth: tuple[str, str], **headers: str) -> httpx2.Response:
    form = {"grant_type": "client_credentials"}
    return httpx2.post(f"{issuer}/token", data=form, auth=auth, headers=headers)


def machine(world: World, **changed: object) -> tuple[str, str]:
    asked = {"tls_client_certificate_bound_access_tokens": True} | changed
    registered = world.machine(**asked)
    return registered.client_id, str(registered.client_secret)


def persons_token(world: World, issuer: str) -> tuple[str, str]:
    """The subject and the token of somebody signed in to a portal that has a certificate."""
    subject = world.register()
    asked = world.client(tls_client_certificate_bound_access_tokens=True)
    portal = world.portal(asked, "openid")
    answer = world.browser().authorize(portal.url(), NUMBER)
    told = portal.oauth.fetch_token(
        f"{issuer}/token", authorization_response=answer, code_verifier=portal.verifier
    )
    return subject, str(told["access_token"])


def userinfo(issuer: str, headers: dict[str, str]) -> httpx2.Response:
    return httpx2.get(f"{issuer}/userinfo", headers=headers)


def test_a_thumbprint_is_that_of_the_certificate() -> None:
    digest = x509.load_der_x509_certificate(OURS).fingerprint(SHA256())
    assert client_certificate.thumbprint(OURS) == base64url.encode(digest)


def test_a_token_is_bound_to_the_certificate_shown(world: World) -> None:
    auth = machine(world)
    with issuer_seeing(world, OURS) as issuer:
        answer = token(issuer, auth).json()
    assert answer["token_type"] == "Bearer"
    assert claims_of(world, answer["access_token"])["cnf"] == {
        X5T: client_certificate.thumbprint(OURS)
    }


def test_a_client_that_registered_for_it_must_show_one(world: World) -> None:
    refused = token(world.issuer, machine(world))
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


def test_a_client_that_did_not_gets_a_token_for_anybody(world: World) -> None:
    auth = machine(world, tls_client_certificate_bound_access_tokens=False)
    with issuer_seeing(world, OURS) as issuer:
        answer = token(issuer, auth).json()
    assert "cnf" not in claims_of(world, answer["access_token"])


def test_a_bound_token_opens_with_its_certificate_and_with_nothing_else(world: World) -> None:
    with issuer_seeing(world, OURS) as issuer:
        subject, bound = persons_token(world, issuer)
        bearer = {"Authorization": f"Bearer {bound}"}
        assert userinfo(issuer, bearer).json() == {"sub": subject}
        by_body = httpx2.post(f"{issuer}/userinfo", data={"access_token": bound})
        assert by_body.json() == {"sub": subject}
    for other in (None, THEIRS):
        with issuer_seeing(world, other) as issuer:
            refused = userinfo(issuer, bearer)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")
        assert refused.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_a_certificate_in_a_header_alone_is_not_believed_here(world: World) -> None:
    sent = f":{base64url.encode(OURS)}:"
    headers = {"Client-Cert": sent, "X-Forwarded-For": "10.0.0.1"}
    assert token(world.issuer, machine(world), **headers).status_code == 400


@pytest.mark.parametrize("spoil", [None, "proof", "certificate"])
def test_a_token_may_be_bound_to_key_and_certificate_and_then_needs_both(
    world: World, spoil: str | None
) -> None:
    prover = Prover(world.clock)
    with issuer_seeing(world, OURS) as issuer:
        asked: Any = {"tls_client_certificate_bound_access_tokens": True}
        world.register()
        portal = world.portal(world.client(**asked), "openid")
        portal.oauth.headers["DPoP"] = prover.proof("POST", f"{world.issuer}/token")
        answer = world.browser().authorize(portal.url(), NUMBER)
        told = portal.oauth.fetch_token(
            f"{issuer}/token", authorization_response=answer, code_verifier=portal.verifier
        )
    bound = str(told["access_token"])
    confirmation = claims_of(world, bound)["cnf"]
    assert confirmation == {"jkt": prover.jkt, X5T: client_certificate.thumbprint(OURS)}
    headers = prover.headers("GET", f"{world.issuer}/userinfo", bound)
    if spoil == "proof":
        headers = {"Authorization": f"Bearer {bound}"}
    with issuer_seeing(world, None if spoil == "certificate" else OURS) as issuer:
        assert userinfo(issuer, headers).status_code == (200 if spoil is None else 401)
