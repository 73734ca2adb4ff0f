"""UserInfo and what clients learn by themselves."""

import json
import re

import httpx2
import pytest
from joserfc.jwk import KeySet

from idp import sessions
from tests.idp.world import PEOPLE, World

NUMBER = PEOPLE["张䶮"].number


def signed_in(world: World, scope: str = "openid profile phone") -> tuple[str, str]:
    """The subject and an access token."""
    subject = world.register()
    portal = world.portal(world.client(), scope)
    token = portal.token(world.browser().authorize(portal.url(), NUMBER))
    return subject, str(token["access_token"])


def ask(world: World, token: str) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx2.get(f"{world.issuer}/userinfo", headers=headers)


def test_claims_come_by_scope(world: World) -> None:
    subject, token = signed_in(world)
    assert ask(world, token).json() == {
        "sub": subject,
        "name": "张䶮",
        "phone_number": "+8613800000001",
        "phone_number_verified": True,
    }


def test_without_scopes_there_is_only_the_subject(world: World) -> None:
    subject, token = signed_in(world, "openid")
    assert ask(world, token).json() == {"sub": subject}


def test_the_token_may_come_by_post_in_header_or_body(world: World) -> None:
    subject, token = signed_in(world, "openid")
    url = f"{world.issuer}/userinfo"
    by_header = httpx2.post(url, headers={"Authorization": f"Bearer {token}"})
    by_body = httpx2.post(url, data={"access_token": token})
    assert by_header.json() == by_body.json() == {"sub": subject}
    twice = httpx2.post(
        url, data={"access_token": token}, headers={"Authorization": f"Bearer {token}"}
    )
    assert twice.status_code == 400


def test_a_clerk_is_told_with_the_organisation(world: World) -> None:
    subject = world.clerk()
    desk = world.portal(world.staff_client(), "openid profile licence.issue")
    token = desk.token(world.browser().authorize(desk.url(), "zhou.yuan"))
    assert ask(world, str(token["access_token"])).json() == {
        "sub": subject,
        "name": "周远",
        "preferred_username": "zhou.yuan",
        "organisation": "11990100MBXX90018M",
    }


@pytest.mark.parametrize("token", ["", "rubbish", "a.b.c"])
def test_no_token_or_a_bad_one_is_challenged(world: World, token: str) -> None:
    refused = ask(world, token)
    assert refused.status_code == 401
    expected = 'Bearer error="invalid_token"' if token else "Bearer"
    assert refused.headers["www-authenticate"] == expected
    assert refused.json()["error"] == "invalid_token"


def test_an_id_token_is_no_access_token(world: World) -> None:
    world.register()
    portal = world.portal(world.client())
    token = portal.token(world.browser().authorize(portal.url(), NUMBER))
    assert ask(world, str(token["id_token"])).status_code == 401


def test_a_machines_token_tells_nobody(world: World) -> None:
    registered = world.machine()
    auth = (registered.client_id, str(registered.client_secret))
    form = {"grant_type": "client_credentials"}
    token = httpx2.post(f"{world.issuer}/token", data=form, auth=auth).json()["access_token"]
    refused = ask(world, token)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_a_token_lapses(world: World) -> None:
    _, token = signed_in(world)
    world.clock.tick(seconds=599)
    assert ask(world, token).status_code == 200
    world.clock.tick(seconds=1)
    assert ask(world, token).status_code == 401


def test_a_token_dies_with_the_session(world: World) -> None:
    world.register()
    portal = world.portal(world.client())
    browser = world.browser()
    token = portal.token(browser.authorize(portal.url(), NUMBER))
    with world.begin() as tx:
        sessions.end(tx, world.provider, browser.cookie(sessions.COOKIE))
    assert ask(world, str(token["access_token"])).status_code == 401


def test_discovery_says_where_everything_is_and_only_what_works(world: World) -> None:
    url = f"{world.issuer}/.well-known/openid-configuration"
    found = httpx2.get(url).json()
    assert found["issuer"] == world.issuer
    assert found["response_types_supported"] == ["code"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert "urn:yinxin:level:natural:1" in found["acr_values_supported"]
    assert "urn:yinxin:level:natural:3" not in found["acr_values_supported"]
    for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"):
        assert httpx2.get(found[name]).status_code != 404


def test_the_key_set_is_public_and_cacheable(world: World) -> None:
    response = httpx2.get(f"{world.issuer}/jwks")
    keys = response.json()["keys"]
    assert len(keys) == 2
    assert all("d" not in key and key["use"] == "sig" for key in keys)
    KeySet.import_key_set(response.json())
    assert "max-age=300" in response.headers["cache-control"]


def test_the_description_of_the_endpoints_stands_alone(world: World) -> None:
    described = httpx2.get(f"{world.issuer}/openapi.json").json()
    schemas = described["components"]["schemas"]
    references = set(re.findall(r'"\$ref": ?"([^"]+)"', json.dumps(described)))
    assert references <= {f"#/components/schemas/{name}" for name in schemas}
    asked = {p["name"] for p in described["paths"]["/authorize"]["get"]["parameters"]}
    assert {"client_id", "code_challenge", "resource"} <= asked
