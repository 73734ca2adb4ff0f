"""Whom a client means by an ID Token it was given: alone, and at the authorization endpoint."""

import base64
import json

import pytest

from idp import id_token_hint
from idp.clients import Client, find
from idp.id_token_hint import HintRefused
from idp.vocabulary import SubjectType
from keys import jose
from keys.algorithms import ES256, Purpose
from keys.software_signer import SoftwareSigner, generate
from tests.idp.world import PEOPLE, Portal, World, answered

NUMBER = PEOPLE["张䶮"].number
OTHER = PEOPLE["欧阳静姝"].number


def token(world: World, portal: Portal, who: str = NUMBER) -> str:
    """The ID Token of somebody who signs in at the portal."""
    return str(portal.token(world.browser().authorize(portal.url(), who))["id_token"])


def client(world: World, client_id: str = "portal-a") -> Client:
    with world.begin() as tx:
        found = find(tx, client_id)
    assert found is not None
    return found


@pytest.mark.parametrize("subject_type", list(SubjectType))
@pytest.mark.parametrize("alg", ["ES256", "RS256", "PS256"])
def test_a_token_of_ours_tells_whom_it_is_about_even_when_it_has_expired(
    world: World, subject_type: SubjectType, alg: str
) -> None:
    subject = world.register()
    portal = world.portal(world.client(subject_type=subject_type, id_token_signed_response_alg=alg))
    hint = token(world, portal)
    world.clock.tick(days=30)
    assert id_token_hint.subject(world.provider, client(world), hint) == subject


def test_a_token_of_another_client_is_no_hint_of_this_one(world: World) -> None:
    world.register()
    hint = token(world, world.portal(world.client(client_id="portal-b")))
    world.client()
    with pytest.raises(HintRefused):
        id_token_hint.subject(world.provider, client(world), hint)


def test_what_is_no_id_token_of_ours_is_refused(world: World) -> None:
    world.register()
    portal = world.portal(world.client())
    given = portal.token(world.browser().authorize(portal.url(), NUMBER))
    head, payload, signature = str(given["id_token"]).split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    ours = world.provider.signer(Purpose.ID_TOKEN, ES256)
    wrong = [
        "",
        "hint",
        f"{none}.{payload}.",
        f"{head}.{payload}.{signature[::-1]}",
        str(given["access_token"]),
        jose.sign(claims, SoftwareSigner(generate(ES256)), "JWT"),
        jose.sign(claims | {"iss": "https://other.example"}, ours, "JWT"),
        jose.sign(claims | {"events": {}}, ours, "JWT"),
        jose.sign(claims | {"aud": None}, ours, "JWT"),
        jose.sign(claims | {"sub": 7}, ours, "JWT"),
        jose.sign(claims | {"padding": "x" * 9000}, ours, "JWT"),
    ]
    for hint in wrong:
        with pytest.raises(HintRefused):
            id_token_hint.subject(world.provider, client(world), hint)


def test_the_person_meant_is_answered_for_in_silence(world: World) -> None:
    world.register()
    portal = world.portal(world.client())
    browser = world.browser()
    hint = str(portal.token(browser.authorize(portal.url(), NUMBER))["id_token"])
    silent = browser.get(portal.url(prompt="none", id_token_hint=hint)).headers["location"]
    assert "code" in answered(silent)


def test_somebody_else_must_sign_in_as_the_one_meant(world: World) -> None:
    world.register()
    world.register("欧阳静姝", "13800000002")
    portal = world.portal(world.client())
    hint = token(world, portal, NUMBER)
    browser = world.browser()
    browser.authorize(portal.url(), OTHER)
    silent = browser.get(portal.url(prompt="none", id_token_hint=hint)).headers["location"]
    assert answered(silent)["error"] == "login_required"
    page = browser.get(portal.url(id_token_hint=hint)).headers["location"]
    assert "/login?" in page
    wrong = browser.get(browser.sign_in(page, OTHER)).headers["location"]
    assert answered(wrong)["error"] == "login_required", "and no page again and again"
    page = browser.get(portal.url(id_token_hint=hint)).headers["location"]
    right = browser.get(browser.sign_in(page, NUMBER)).headers["location"]
    assert "code" in answered(right)


def test_a_sub_asked_for_means_the_same(world: World) -> None:
    subject = world.register()
    world.register("欧阳静姝", "13800000002")
    portal = world.portal(world.client())
    browser = world.browser()
    browser.authorize(portal.url(), OTHER)

    def ask(sub: str) -> str:
        claims = json.dumps({"id_token": {"sub": {"value": sub}}})
        return str(browser.get(portal.url(claims=claims, prompt="none")).headers["location"])

    assert answered(ask(subject))["error"] == "login_required"
    browser.authorize(portal.url(prompt="login"), NUMBER)
    assert "code" in answered(ask(subject))


@pytest.mark.parametrize("hint", ["hint", "e30.e30.e30", "x" * 8193])
def test_a_hint_that_is_none_is_told_to_the_client(world: World, hint: str) -> None:
    portal = world.portal(world.client())
    refused = answered(world.browser().get(portal.url(id_token_hint=hint)).headers["location"])
    assert refused["error"] == "invalid_request"
