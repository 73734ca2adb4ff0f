"""Pushed requests: checked when they come, bound to their client, answered once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from idp.vocabulary import AuthMethod
from tests.idp.signing_client import VERIFIER, SigningClient
from tests.idp.world import CALLBACK, PEOPLE, World, answered, mounted, served
from tests.proving import Prover

NUMBER = PEOPLE["张䶮"].number
PHONE = "13800000001"
SECRET = "a-secret-told-only-this-once"
AUTH = ("portal-a", SECRET)
URN = "urn:ietf:params:oauth:request_uri:"


def register(world: World, **changed: object) -> SigningClient:
    signer = SigningClient(world, str(changed.get("client_id", "portal-a")))
    world.client(**({"client_secret": SECRET, "jwks": signer.jwks} | changed))
    return signer


def push(world: World, auth: tuple[str, str] = AUTH, **sent: Any) -> httpx2.Response:
    headers = sent.pop("headers", {})
    response = httpx2.post(f"{world.issuer}/par", data=sent, auth=auth, headers=headers)
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-type"] == "application/json"
    return response


def pushed(world: World, signer: SigningClient, **changed: Any) -> str:
    response = push(world, **signer.parameters(**changed))
    assert response.status_code == 201, response.text
    return str(response.json()["request_uri"])


def url(world: World, reference: str, **more: str) -> str:
    asked = {"client_id": "portal-a", "request_uri": reference} | more
    return str(httpx2.URL(f"{world.issuer}/authorize", params=asked))


def error(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


def test_a_pushed_request_is_opened_by_its_reference_alone(world: World) -> None:
    world.register()
    signer = register(world)
    response = push(world, **signer.parameters())
    assert response.status_code == 201
    assert response.json()["expires_in"] == 60
    reference = response.json()["request_uri"]
    assert reference.startswith(URN)
    assert len(reference) - len(URN) == 43
    answer = world.browser().authorize(url(world, reference), NUMBER)
    assert answered(answer)["state"] == "s-inside"
    assert "code" in answered(answer)


def test_what_stands_beside_the_reference_is_ignored(world: World) -> None:
    world.register()
    reference = pushed(world, register(world), state=None)
    beside = url(world, reference, state="outside", scope="licence.issue", prompt="none")
    answer = world.browser().authorize(beside, NUMBER)
    assert "code" in answered(answer)
    assert "state" not in answered(answer)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": f"{CALLBACK}/other"}, "invalid_request"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"resource": "https://other.example"}, "invalid_target"),
        ({"request_uri": f"{URN}x"}, "invalid_request"),
        ({"request": "e30.e30.e30"}, "invalid_request_object"),
        ({"id_token_hint": "e30.e30.e30"}, "invalid_request"),
        ({"authorization_details": "[{}]"}, "invalid_authorization_details"),
        ({"nonce": "n" * 2049}, "invalid_request"),
    ],
)
def test_every_check_runs_at_the_push_and_is_told_in_json(
    world: World, changed: dict[str, Any], told: str
) -> None:
    signer = register(world)
    asked = signer.parameters(**changed)
    assert error(push(world, headers={"Accept": "text/html"}, **asked)) == (400, told)


def test_a_repeated_parameter_is_refused(world: World) -> None:
    signer = register(world)
    body = str(httpx2.QueryParams(signer.parameters())) + "&state=again"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    refused = httpx2.post(f"{world.issuer}/par", content=body, headers=form, auth=AUTH)
    assert error(refused) == (400, "invalid_request")


def test_a_push_that_is_no_form_is_refused(world: World) -> None:
    signer = register(world)
    refused = httpx2.post(f"{world.issuer}/par", json=signer.parameters(), auth=AUTH)
    assert error(refused) == (400, "invalid_request")
    assert httpx2.put(f"{world.issuer}/par", auth=AUTH).status_code == 405


def test_nobody_pushes_without_proving_who_they_are(world: World) -> None:
    signer = register(world)
    assert error(push(world, ("portal-a", "wrong"), **signer.parameters())) == (
        401,
        "invalid_client",
    )
    register(world, client_id="portal-b")
    mixed = push(world, ("portal-b", SECRET), **signer.parameters())
    assert error(mixed) == (400, "invalid_request")


def test_a_reference_is_bound_to_its_client(world: World) -> None:
    reference = pushed(world, register(world))
    register(world, client_id="portal-b")
    response = httpx2.get(url(world, reference, client_id="portal-b"))
    assert response.status_code == 400
    assert response.json()["error_description"] == "authorize.request_uri"


def test_a_reference_lapses(world: World) -> None:
    reference = pushed(world, register(world))
    (key,) = world.provider.redis.scan_iter("yinxin:idp:pushed-request:*")
    assert 0 < world.provider.redis.ttl(key) <= 60
    world.provider.redis.delete(key)
    response = httpx2.get(url(world, reference))
    assert response.status_code == 400
    assert response.json()["error_description"] == "authorize.request_uri"


def test_a_reference_may_be_opened_again_until_it_is_answered(world: World) -> None:
    world.register()
    reference = pushed(world, register(world))
    browser = world.browser()
    assert "/login?" in browser.get(url(world, reference)).headers["location"]
    assert "code" in answered(browser.authorize(url(world, reference), NUMBER))
    again = browser.get(url(world, reference))
    assert again.status_code == 400
    assert again.json()["error_description"] == "authorize.request_uri"


def test_of_two_sign_ins_for_one_reference_one_is_answered(world: World) -> None:
    world.register()
    reference = pushed(world, register(world))
    browsers = [world.browser() for _ in range(2)]
    pages = [browser.get(url(world, reference)).headers["location"] for browser in browsers]
    resumed = [b.sign_in(page, NUMBER) for b, page in zip(browsers, pages, strict=True)]
    answers = [
        answered(b.get(r).headers["location"]) for b, r in zip(browsers, resumed, strict=True)
    ]
    assert "code" in answers[0]
    assert answers[1]["error"] == "invalid_request_uri"
    assert answers[1]["state"] == "s-inside"


def test_of_many_answers_at_once_to_one_reference_exactly_one_wins(world: World) -> None:
    world.register()
    signer = register(world)
    browser = world.browser()
    browser.sign_in(None, NUMBER)
    reference = pushed(world, signer)

    def open_it(_: int) -> str:
        answer = httpx2.get(url(world, reference), cookies=dict(browser.http.cookies))
        return "code" if "code=" in answer.headers.get("location", "") else "refused"

    with ThreadPoolExecutor(20) as crowd:
        assert Counter(crowd.map(open_it, range(20))) == {"code": 1, "refused": 19}


def test_a_client_that_must_push_may_do_nothing_else(world: World) -> None:
    signer = register(world, require_pushed_authorization_requests=True)
    plain = httpx2.get(f"{world.issuer}/authorize", params=signer.parameters())
    assert answered(plain.headers["location"])["error"] == "invalid_request"
    posted = httpx2.post(
        f"{world.issuer}/authorize", data=signer.parameters(), follow_redirects=False
    )
    plain = httpx2.get(posted.headers["location"])
    assert answered(plain.headers["location"])["error"] == "invalid_request"
    assert "/login?" in httpx2.get(url(world, pushed(world, signer))).headers["location"]


def test_a_signed_request_may_be_pushed(world: World) -> None:
    signer = register(
        world, require_signed_request_object=True, require_pushed_authorization_requests=True
    )
    response = push(world, client_id="portal-a", request=signer.object(), state="s-outside")
    assert response.status_code == 201
    assert "/login?" in httpx2.get(url(world, response.json()["request_uri"])).headers["location"]
    assert error(push(world, **signer.parameters())) == (400, "invalid_request")
    inner = push(world, request=signer.object(request_uri=f"{URN}x"))
    assert error(inner) == (400, "invalid_request_object")


def test_a_proof_at_the_push_binds_the_code_to_its_key(world: World) -> None:
    world.register()
    signer = register(world)
    prover, other = Prover(world.clock), Prover(world.clock)

    def proof(by: Prover, place: str) -> dict[str, str]:
        return {"DPoP": by.proof("POST", f"{world.issuer}/{place}")}

    response = push(world, headers=proof(prover, "par"), **signer.parameters())
    reference = response.json()["request_uri"]
    answer = world.browser().authorize(url(world, reference), NUMBER)
    form = {
        "grant_type": "authorization_code",
        "code": answered(answer)["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    stolen = httpx2.post(
        f"{world.issuer}/token", data=form, auth=AUTH, headers=proof(other, "token")
    )
    assert error(stolen) == (400, "invalid_grant")


def test_a_proof_that_contradicts_dpop_jkt_is_refused(world: World) -> None:
    signer = register(world)
    prover, other = Prover(world.clock), Prover(world.clock)
    asked = signer.parameters(dpop_jkt=other.jkt)

    def proof() -> dict[str, str]:
        return {"DPoP": prover.proof("POST", f"{world.issuer}/par")}

    assert error(push(world, headers=proof(), **asked)) == (400, "invalid_dpop_proof")
    agreed = signer.parameters(dpop_jkt=prover.jkt)
    assert push(world, headers=proof(), **agreed).status_code == 201
    wrong = {"DPoP": prover.proof("POST", f"{world.issuer}/token")}
    assert error(push(world, headers=wrong, **agreed)) == (400, "invalid_dpop_proof")


def test_nothing_that_was_pushed_lies_open(world: World) -> None:
    signer = register(world, auth_method=AuthMethod.POST)
    redis = world.provider.redis
    asked = signer.parameters(login_hint=PHONE, client_secret=SECRET)
    response = httpx2.post(f"{world.issuer}/par", data=asked)
    assert response.status_code == 201
    (key,) = redis.scan_iter("yinxin:idp:pushed-request:*")
    reference = response.json()["request_uri"].removeprefix(URN)
    assert reference.encode() not in key
    for secret in (PHONE, SECRET, CALLBACK):
        assert secret.encode() not in (redis.get(key) or b"")


def test_a_lost_store_is_told_as_temporary(world: World) -> None:
    signer = register(world)
    nowhere = Redis(unix_socket_path="/nowhere/valkey.sock", retry=Retry(NoBackoff(), 0))
    with served(mounted(replace(world.provider, redis=nowhere))) as base:
        refused = httpx2.post(f"{base}/oidc/par", data=signer.parameters(), auth=AUTH)
    assert error(refused) == (503, "temporarily_unavailable")
    assert refused.headers["retry-after"]
