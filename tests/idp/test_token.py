"""The token endpoint: codes, client authentication, machines, and its one dialect of errors."""

import base64
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx2
import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from idp.vocabulary import AuthMethod, GrantType
from tests.idp.test_sign_in import claims_of
from tests.idp.world import BODY, CALLBACK, PEOPLE, World, answered, heard, mounted, served

NUMBER = PEOPLE["张䶮"].number
SECRET = "a-secret-told-once"
OTHER_SECRET = "another-secret-told-once"


def post(world: World, form: dict[str, str], **more: object) -> httpx2.Response:
    response = httpx2.post(f"{world.issuer}/token", data=form, **more)  # type: ignore[arg-type]
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-type"] == "application/json"
    return response


def redemption(world: World, **client: object) -> dict[str, str]:
    """Sign a person in and return a form that redeems the code with `client_secret_post`."""
    world.register()
    known = {"client_secret": SECRET, "auth_method": AuthMethod.POST}
    portal = world.portal(world.client(**(known | client)))
    answer = answered(world.browser().authorize(portal.url(), NUMBER))
    return {
        "grant_type": "authorization_code",
        "code": answer["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": portal.verifier,
        "client_id": "portal-a",
        "client_secret": SECRET,
    }


def userinfo(world: World, token: str) -> httpx2.Response:
    return httpx2.get(f"{world.issuer}/userinfo", headers={"Authorization": f"Bearer {token}"})


def test_of_forty_parallel_uses_of_one_code_exactly_one_wins(world: World) -> None:
    form = redemption(world)
    with ThreadPoolExecutor(40) as crowd:
        answers = list(crowd.map(lambda _: post(world, form), range(40)))
    assert Counter(a.status_code for a in answers) == {200: 1, 400: 39}
    assert {a.json()["error"] for a in answers if a.status_code == 400} == {"invalid_grant"}


def test_a_code_that_comes_again_revokes_what_it_gave_and_is_logged(world: World) -> None:
    form = redemption(world)
    token = post(world, form).json()["access_token"]
    assert userinfo(world, token).status_code == 200
    with heard() as lines:
        assert post(world, form).json()["error"] == "invalid_grant"
    assert userinfo(world, token).status_code == 401
    told = [line for line in lines if "code.presented_again" in line]
    assert len(told) == 1
    assert form["code"] not in told[0]


def test_a_code_lapses_within_a_minute(world: World) -> None:
    form = redemption(world)
    (key,) = world.provider.redis.scan_iter("yinxin:idp:code:*")
    assert 0 < world.provider.redis.ttl(key) <= 60
    assert form["code"].encode() not in key, "a look into the store gives nobody a code"


@pytest.mark.parametrize(
    "changed",
    [
        {"code": "unknown"},
        {"redirect_uri": "https://portal-a.example/other"},
        {"redirect_uri": ""},
        {"code_verifier": ""},
        {"code_verifier": "x" * 43},
        {"code_verifier": "short"},
    ],
)
def test_a_code_is_bound_to_its_request(world: World, changed: dict[str, str]) -> None:
    refused = post(world, redemption(world) | changed)
    assert refused.status_code == 400
    assert refused.json()["error"] == "invalid_grant"


def test_a_code_is_bound_to_its_client(world: World) -> None:
    form = redemption(world)
    world.client(client_id="portal-b", client_secret=OTHER_SECRET, auth_method=AuthMethod.POST)
    refused = post(world, form | {"client_id": "portal-b", "client_secret": OTHER_SECRET})
    assert refused.json()["error"] == "invalid_grant"
    assert post(world, form).json()["error"] == "invalid_grant", "and it is spent"


def test_a_code_of_a_session_that_ended_gives_nothing(world: World) -> None:
    form = redemption(world)
    world.clock.tick(hours=8)
    assert post(world, form).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unauthorized_client"),
        ({"code": ""}, "invalid_request"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(
    world: World, changed: dict[str, str], error: str
) -> None:
    refused = post(world, redemption(world) | changed, headers={"Accept": "text/html"})
    assert (refused.status_code, refused.json()["error"]) == (400, error)


def test_a_repeated_parameter_is_refused(world: World) -> None:
    form = redemption(world)
    body = str(httpx2.QueryParams(form)) + "&code=another"
    typed = {"Content-Type": "application/x-www-form-urlencoded"}
    refused = httpx2.post(f"{world.issuer}/token", content=body, headers=typed)
    assert refused.json() == {
        "error": "invalid_request",
        "error_description": "code is repeated",
    }


def test_a_body_that_is_no_form_is_refused(world: World) -> None:
    refused = httpx2.post(f"{world.issuer}/token", json={"grant_type": "client_credentials"})
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


def basic(client_id: str, secret: str) -> dict[str, str]:
    joined = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {joined}"}


@pytest.mark.parametrize(
    ("form", "headers"),
    [
        ({}, basic("reviewer", "wrong")),
        ({}, basic("stranger", SECRET)),
        ({}, {"Authorization": "Basic %%%"}),
        ({}, {"Authorization": f"Bearer {SECRET}"}),
        ({}, {}),
        ({"client_id": "reviewer"}, {}),
        ({"client_id": "reviewer", "client_secret": "wrong"}, {}),
    ],
)
def test_a_client_that_does_not_prove_itself_as_registered_is_refused(
    world: World, form: dict[str, str], headers: dict[str, str]
) -> None:
    world.machine(client_secret=SECRET)
    refused = post(world, {"grant_type": "client_credentials"} | form, headers=headers)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    if headers:
        assert refused.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize("registered", [AuthMethod.BASIC, AuthMethod.POST])
def test_a_secret_may_come_in_the_header_or_in_the_body(
    world: World, registered: AuthMethod
) -> None:
    world.machine(client_secret=SECRET, auth_method=registered)
    form = {"grant_type": "client_credentials"}
    in_body = {"client_id": "reviewer", "client_secret": SECRET}
    assert post(world, form, headers=basic("reviewer", SECRET)).status_code == 200
    assert post(world, form | in_body).status_code == 200


def test_a_public_client_is_not_one_with_a_secret(world: World) -> None:
    world.client(client_id="app", auth_method=AuthMethod.NONE)
    form = {"grant_type": "authorization_code", "code": "x", "client_id": "app"}
    refused = post(world, form | {"client_secret": SECRET})
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


def test_two_proofs_at_once_are_refused(world: World) -> None:
    world.machine(client_secret=SECRET)
    form = {"grant_type": "client_credentials", "client_secret": SECRET}
    refused = post(world, form, headers=basic("reviewer", SECRET))
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


def test_a_machine_gets_a_token_that_names_its_organisation(world: World) -> None:
    world.machine(client_secret=SECRET)
    form = {"grant_type": "client_credentials", "scope": "licence.lookup"}
    token = post(world, form, headers=basic("reviewer", SECRET)).json()
    assert token["token_type"] == "Bearer"
    assert "id_token" not in token
    claims = claims_of(
        world,
        token["access_token"],
        sub="reviewer",
        client_id="reviewer",
        scope="licence.lookup",
        organisation=BODY,
        aud=f"{world.provider.public_url}/api/licences",
    )
    assert "acr" not in claims


def test_a_machine_chooses_among_its_resources_by_resource_or_by_audience(world: World) -> None:
    both = ("https://licences.example/api", "https://tax.example/api")
    world.machine(client_secret=SECRET, resources=both)
    form = {"grant_type": "client_credentials"}
    for asked, expected in (
        ({}, both[0]),
        ({"resource": both[1]}, both[1]),
        ({"audience": both[1]}, both[1]),
        ({"resource": both[0], "audience": both[1]}, list(both)),
        ({"resource": both[1], "audience": both[1]}, both[1]),
    ):
        token = post(world, form | asked, headers=basic("reviewer", SECRET)).json()
        claims_of(world, token["access_token"], aud=expected)
        assert "refresh_token" not in token


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"scope": "licence.issue"}, "invalid_scope"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": "licence.read openid"}, "invalid_scope"),
        ({"resource": "https://other.example"}, "invalid_target"),
        ({"audience": "https://other.example"}, "invalid_target"),
    ],
)
def test_a_machine_gets_no_more_than_it_registered(
    world: World, changed: dict[str, str], error: str
) -> None:
    world.machine(client_secret=SECRET)
    form = {"grant_type": "client_credentials"} | changed
    refused = post(world, form, headers=basic("reviewer", SECRET))
    assert (refused.status_code, refused.json()["error"]) == (400, error)


def test_a_secret_with_reserved_characters_travels_form_encoded(world: World) -> None:
    world.machine(client_secret="a:b+c%d e, and more")
    form = {"grant_type": "client_credentials"}
    sent = basic("reviewer", "a%3Ab%2Bc%25d+e%2C+and+more")
    assert post(world, form, headers=sent).status_code == 200


def test_a_machine_signs_nobody_in(world: World) -> None:
    world.machine(client_secret=SECRET)
    form = {"grant_type": str(GrantType.AUTHORIZATION_CODE), "code": "x"}
    refused = post(world, form, headers=basic("reviewer", SECRET))
    assert refused.json()["error"] == "unauthorized_client"


def test_a_lost_store_is_told_as_temporary(world: World) -> None:
    form = redemption(world)
    nowhere = Redis(unix_socket_path="/nowhere/valkey.sock", retry=Retry(NoBackoff(), 0))
    with served(mounted(replace(world.provider, redis=nowhere))) as url:
        refused = httpx2.post(f"{url}/oidc/token", data=form)
    assert (refused.status_code, refused.json()["error"]) == (503, "temporarily_unavailable")
    assert refused.headers["retry-after"]
