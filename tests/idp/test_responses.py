"""How answers travel: by query and by form, plain and signed, good and bad."""

import base64
import hashlib
import html
import re
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from idp.vocabulary import ResponseMode
from tests.idp.world import CALLBACK, PEOPLE, World, answered

NUMBER = PEOPLE["张䶮"].number
SIGNED = ("jwt", "query.jwt", "form_post.jwt")
NASTY = 's-1"><script>alert(1)</script>&amp; \\ 电'


def ask(world: World, mode: str, **changed: str) -> httpx2.Response:
    """Be refused at once, in this way."""
    portal = world.portal(world.client())
    return httpx2.get(portal.url(response_mode=mode, prompt="none", **changed))


def told(response: httpx2.Response) -> dict[str, str]:
    """What the client gets, wherever it stands."""
    if response.status_code == 303:
        return answered(response.headers["location"])
    fields = re.findall(r'name="([^"]*)" value="([^"]*)"', response.text)
    return {html.unescape(name): html.unescape(value) for name, value in fields}


def within(world: World, response: httpx2.Response) -> dict[str, object]:
    """What stands in a signed answer, checked by another library."""
    members = told(response)
    assert members.keys() == {"response"}
    keys = KeySet.import_key_set(httpx2.get(f"{world.issuer}/jwks").json())
    found = jwt.decode(members["response"], keys, algorithms=["ES256", "PS256", "RS256"])
    assert found.header["kid"]
    return dict(found.claims)


def signed_in(world: World, mode: str) -> httpx2.Response:
    world.register()
    portal = world.portal(world.client())
    browser = world.browser()
    resume = browser.sign_in(
        browser.get(portal.url(response_mode=mode)).headers["location"], NUMBER
    )
    return browser.get(resume)


@pytest.mark.parametrize("mode", list(ResponseMode))
def test_an_error_travels_as_asked(world: World, mode: ResponseMode) -> None:
    response = ask(world, mode, state="s-1")
    found = within(world, response) if mode in SIGNED else told(response)
    assert found["error"] == "login_required"
    assert found["state"] == "s-1"
    assert found["iss"] == world.issuer
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("mode", list(ResponseMode))
def test_a_code_travels_as_asked(world: World, mode: ResponseMode) -> None:
    response = signed_in(world, mode)
    found = within(world, response) if mode in SIGNED else told(response)
    assert len(str(found["code"])) == 43
    assert found["iss"] == world.issuer
    assert "error" not in found


@pytest.mark.parametrize("mode", ["form_post", "form_post.jwt"])
def test_a_form_posts_itself_and_has_a_button_without_scripts(world: World, mode: str) -> None:
    page = ask(world, mode)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert f'<form method="post" action="{CALLBACK}">' in page.text
    assert '<button type="submit">' in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "form-action" not in policy


def test_the_policy_lets_exactly_the_script_of_the_form_run(world: World) -> None:
    page = ask(world, "form_post")
    (script,) = re.findall(r"<script>(.*?)</script>", page.text)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page.headers["content-security-policy"]


def test_nothing_that_was_sent_becomes_markup(world: World) -> None:
    page = ask(world, "form_post", state=NASTY)
    assert page.text.count("<script>") == 1
    assert told(page)["state"] == NASTY


@pytest.mark.parametrize("alg", ["ES256", "PS256", "RS256"])
def test_a_signed_answer_is_for_its_client_for_ten_minutes(world: World, alg: str) -> None:
    portal = world.portal(world.client(authorization_signed_response_alg=alg))
    response = httpx2.get(portal.url(response_mode="jwt", prompt="none"))
    claims = within(world, response)
    now = int(world.clock().timestamp())
    assert claims["aud"] == "portal-a"
    assert now < int(str(claims["exp"])) <= now + 600


def test_an_error_about_the_mode_itself_goes_by_the_query(world: World) -> None:
    response = ask(world, "fragment")
    assert told(response)["error"] == "invalid_request"
    assert "#" not in response.headers["location"]


def test_the_clients_own_query_is_kept(world: World) -> None:
    callback = f"{CALLBACK}?dummy1=lorem&dummy2=ipsum"
    portal = world.portal(world.client(redirect_uris=(callback,)))
    url = httpx2.URL(portal.url(prompt="none")).copy_merge_params({"redirect_uri": callback})
    location = httpx2.get(url).headers["location"]
    assert location.startswith(f"{callback}&error=login_required")
    assert dict(parse_qsl(urlsplit(location).query))["dummy1"] == "lorem"
