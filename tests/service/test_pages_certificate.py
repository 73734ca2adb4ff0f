"""Signing in by a certificate over the pages, as a proxy hands it on; and that the session keeps to it."""

import base64
import re
from collections.abc import Iterator
from dataclasses import replace

import httpx2
import pytest

from idp import sessions
from idp.client_certificate import thumbprint
from keys import certificate_issuing
from keys.algorithms import ES256
from keys.certificate_names import Subject
from keys.certificate_profiles import PERSON, STAFF, Profile
from keys.signature_value import to_x509
from service.app import app
from service.seed import BODIES
from tests.browser import client
from tests.certificates import self_signed
from tests.idp.world import served
from tests.keys import key_builders
from tests.rig import Rig
from tests.service.portals import token

AUTHORITY = "sandbox-staff-ca-p256"
LOGIN = "/login/certificate"


@pytest.fixture
def proxied(rig: Rig) -> Iterator[httpx2.Client]:
    """A browser before the service, which believes its proxy about certificates."""
    trusting = rig.world.settings.model_copy(update={"trusted_proxies": "127.0.0.1"})
    with served(app(replace(rig.world, settings=trusting))) as address:
        http = client(address)
        yield http
        http.close()


def certificate(rig: Rig, subject: Subject, profile: Profile, key: int = 1) -> bytes:
    public = key_builders.signer(ES256, key).public_key
    world = rig.world
    with world.begin() as tx:
        record = certificate_issuing.issue(
            tx, world.vault, AUTHORITY, profile, subject, public, by="test"
        )
    return record.der


def shown(der: bytes) -> dict[str, str]:
    return {"Client-Cert": f":{base64.b64encode(der).decode()}:"}


def of_clerk(rig: Rig) -> bytes:
    body = BODIES[0]
    about = Subject(body.clerk.name, body.issuer.name, body.issuer.uscc, number=body.clerk.username)
    return certificate(rig, about, STAFF)


def press(http: httpx2.Client, path: str, headers: dict[str, str], **typed: str) -> httpx2.Response:
    page = http.get(path, headers=headers)
    return http.post(path, data={"csrf": token(page.text), **typed}, headers=headers)


def test_a_clerk_at_a_terminal_signs_in_by_certificate_and_keeps_to_it(
    rig: Rig, proxied: httpx2.Client
) -> None:
    by = shown(of_clerk(rig))
    answer = press(proxied, f"{LOGIN}?realm=staff&next=/my/account", by)
    assert answer.status_code == 303, answer.text
    assert proxied.get("/my/account", headers=by).status_code == 200
    other = shown(of_clerk(rig))
    for elsewhere in ({}, other, shown(self_signed("stranger"))):
        away = proxied.get("/my/account", headers=elsewhere)
        assert "/login" in away.headers["Location"], "with another certificate it is nobody's"
    assert proxied.get("/my/account", headers=by).status_code == 200


def test_nobody_writes_a_certificate_beside_their_own_cookie(
    rig: Rig, proxied: httpx2.Client
) -> None:
    der = of_clerk(rig)
    press(proxied, f"{LOGIN}?realm=staff", shown(der))
    cookie = next(c.value for c in proxied.cookies.jar if c.name == sessions.COOKIE)
    forged = {"Cookie": f"{sessions.COOKIE}={cookie}~{thumbprint(der)}"}
    proxied.cookies.clear()
    assert "/login" in proxied.get("/my/account", headers=forged).headers["Location"]


def test_a_citizen_signs_our_text_where_no_proxy_asks_for_certificates(rig: Rig) -> None:
    citizen, http = rig.person(), rig.browser().http
    der = certificate(rig, Subject(citizen.name, number=citizen.subject), PERSON)
    page = http.get(LOGIN).text
    (text,) = re.findall(r"<textarea[^>]*readonly>([^<]*)</textarea>", page)
    (nonce,) = re.findall(r'name="nonce" value="([^"]*)"', page)
    value = to_x509(ES256, key_builders.signer(ES256, 1).sign(text.encode()))
    form = {
        "csrf": token(page),
        "nonce": nonce,
        "certificate": base64.b64encode(der).decode(),
        "signature": base64.b64encode(value).decode(),
    }
    answer = http.post(LOGIN, data=form)
    assert answer.headers["Location"] == "/my/licences", answer.text
    assert http.get("/my/account").status_code == 200
    assert http.post(LOGIN, data=form).status_code == 401, "a text is signed once"


def test_a_certificate_of_nobody_here_is_told_so_without_naming_anybody(
    rig: Rig, proxied: httpx2.Client
) -> None:
    der = certificate(rig, Subject("无此人", number="nobody"), PERSON)
    answer = press(proxied, LOGIN, shown(der))
    assert answer.status_code == 403
    assert "没有与证书对应的账号" not in answer.text
    assert "不一致" in answer.text
    assert "无此人" not in answer.text


def test_a_strangers_certificate_is_refused(proxied: httpx2.Client) -> None:
    answer = press(proxied, LOGIN, shown(self_signed("stranger")))
    assert answer.status_code == 403


def test_what_was_left_empty_is_named(rig: Rig) -> None:
    http = rig.browser().http
    http.headers["Accept-Language"] = "en"
    nonce = re.findall(r'name="nonce" value="([^"]+)"', http.get(LOGIN).text)[0]
    answer = press(http, LOGIN, {}, nonce=nonce)
    assert answer.status_code == 422
    for field in ("certificate", "signature"):
        assert f'id="{field}-wrong"' in answer.text
