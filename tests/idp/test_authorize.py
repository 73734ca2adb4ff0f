"""The authorization endpoint: where its errors go."""

import httpx2
import pytest

from tests.idp.world import CALLBACK, World, answered


def ask(world: World, **changed: str) -> httpx2.Response:
    portal = world.portal(world.client())
    url = httpx2.URL(portal.url(state="s-1")).copy_merge_params(changed)
    return httpx2.get(url)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"client_id": "stranger"}, "authorize.client_unknown"),
        ({"client_id": "door\x00"}, "authorize.client_missing"),
        ({"redirect_uri": "https://evil.example/"}, "authorize.redirect_uri_unregistered"),
    ],
)
def test_an_untrusted_redirect_is_displayed_and_never_followed(
    world: World, changed: dict[str, str], code: str
) -> None:
    response = ask(world, **changed)
    assert response.status_code == 400
    assert "location" not in response.headers
    assert response.json()["error_description"] == code


def test_a_later_error_goes_to_the_client_with_state_and_issuer(world: World) -> None:
    response = ask(world, response_type="token")
    assert response.status_code == 303
    location = response.headers["location"]
    assert location.startswith(f"{CALLBACK}?")
    told = answered(location)
    assert told["error"] == "unsupported_response_type"
    assert told["state"] == "s-1"
    assert told["iss"] == world.issuer


def test_a_repeated_state_is_not_given_back(world: World) -> None:
    url = world.portal(world.client()).url(state="s-1") + "&state=s-2"
    told = answered(httpx2.get(url).headers["location"])
    assert told["error"] == "invalid_request"
    assert "state" not in told


def test_an_unknown_parameter_is_ignored(world: World) -> None:
    assert "/login?" in ask(world, favourite_colour="vermilion").headers["location"]


@pytest.mark.parametrize("query", ["scope=%FF", "scope=" + "x" * 20_000])
def test_what_cannot_be_read_is_displayed(world: World, query: str) -> None:
    response = httpx2.get(f"{world.issuer}/authorize?{query}")
    assert response.status_code == 400
    assert response.json()["error_description"] == "authorize.unreadable"


def test_a_body_that_is_no_form_is_displayed(world: World) -> None:
    response = httpx2.post(f"{world.issuer}/authorize", json={"client_id": "portal-a"})
    assert response.status_code == 400


def test_nothing_here_is_cached(world: World) -> None:
    assert ask(world).headers["cache-control"] == "no-store"
