"""From an app to the province's app and back (I57): a public client, PKCE, a return address of its own.

The calling app opens our https address: where the province's app is installed the system opens that
(an https address it claims, RFC 8252 §7.2), elsewhere the browser. The answer goes back by the caller's
own scheme or claimed address (§7.1, §7.2); whoever else catches it lacks the verifier.
"""

import base64
import hashlib
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

from idp.vocabulary import AuthMethod
from tests.idp.test_sign_in import claims_of
from tests.idp.world import World

PHONE = "13800000001"
VERIFIER = "v" * 43
RETURNS = ["cn.gov.example.app:/signed-in", "https://app.example.cn/signed-in"]


def answered(world: World, back: str, **changed: str) -> dict[str, str]:
    """The way of a person through the province's app; the query that comes back to the caller."""
    browser = world.browser()
    query = {
        "response_type": "code",
        "client_id": "caller",
        "redirect_uri": back,
        "scope": "openid",
        "state": "s",
        "code_challenge": challenge(),
        "code_challenge_method": "S256",
    }
    told = {name: value for name, value in (query | changed).items() if value}
    url = httpx2.URL(f"{world.issuer}/authorize").copy_merge_params(told)
    location = browser.authorize(str(url), PHONE)
    assert location.startswith(f"{back}?")
    return dict(parse_qsl(urlsplit(location).query))


def challenge() -> str:
    digest = hashlib.sha256(VERIFIER.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def caller(world: World, back: str) -> None:
    world.client(
        client_id="caller",
        redirect_uris=(back,),
        auth_method=AuthMethod.NONE,
        application_type="native",
    )


def redeemed(world: World, code: str, back: str, **more: str) -> httpx2.Response:
    form = {
        "grant_type": "authorization_code",
        "client_id": "caller",
        "code": code,
        "redirect_uri": back,
    }
    return httpx2.post(f"{world.issuer}/token", data=form | more)


@pytest.mark.parametrize("back", RETURNS)
def test_an_app_gets_its_answer_back_and_redeems_it_without_a_secret(
    world: World, back: str
) -> None:
    world.register()
    caller(world, back)
    told = answered(world, back)
    assert (told["state"], told["iss"]) == ("s", world.issuer)
    answer = redeemed(world, told["code"], back, code_verifier=VERIFIER)
    assert answer.status_code == 200, answer.text
    assert claims_of(world, answer.json()["id_token"])["aud"] == "caller"


@pytest.mark.parametrize("verifier", [{}, {"code_verifier": "w" * 43}])
def test_another_app_that_catches_the_answer_gets_nothing(
    world: World, verifier: dict[str, str]
) -> None:
    world.register()
    caller(world, RETURNS[0])
    told = answered(world, RETURNS[0])
    assert redeemed(world, told["code"], RETURNS[0], **verifier).status_code == 400


def test_an_app_that_brings_no_challenge_is_sent_back_with_an_error(world: World) -> None:
    caller(world, RETURNS[0])
    told = answered(world, RETURNS[0], code_challenge="", code_challenge_method="")
    assert told["error"] == "invalid_request"
