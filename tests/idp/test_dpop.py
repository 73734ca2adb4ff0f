"""DPoP at the endpoints: bound tokens, proofs that count once, nonces, and every wrong proof refused."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from idp import dpop_nonce
from tests.idp.test_sign_in import claims_of
from tests.idp.world import PEOPLE, World, mounted, served
from tests.proving import Prover

NUMBER = PEOPLE["张䶮"].number
Refusal = Callable[[httpx2.Response], tuple[int, str]]


@pytest.fixture
def prover(world: World) -> Prover:
    return Prover(world.clock)


def machine(world: World, **changed: object) -> tuple[str, str]:
    registered = world.machine(**changed)
    return registered.client_id, str(registered.client_secret)


def ask(
    world: World, auth: tuple[str, str], proof: str | list[str] | None, **more: Any
) -> httpx2.Response:
    """Ask for a machine's token with this proof, or these."""
    proofs = [proof] if isinstance(proof, str) else proof or []
    return httpx2.post(
        more.pop("url", f"{world.issuer}/token"),
        data={"grant_type": "client_credentials"},
        auth=auth,
        headers=[("DPoP", one) for one in proofs],
        **more,
    )


def at_token(world: World, prover: Prover, **changes: Any) -> str:
    return prover.proof("POST", f"{world.issuer}/token", **changes)


def told(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, response.json().get("error", "")


def person(world: World, prover: Prover) -> tuple[str, str]:
    """The subject and a bound access token of somebody signed in."""
    subject = world.register()
    portal = world.portal(world.client(), "openid")
    portal.oauth.headers["DPoP"] = at_token(world, prover)
    token = portal.token(world.browser().authorize(portal.url(), NUMBER))
    assert token["token_type"] == "DPoP"
    return subject, str(token["access_token"])


def test_a_token_is_bound_to_the_key_that_was_proved(world: World, prover: Prover) -> None:
    answer = ask(world, machine(world), at_token(world, prover))
    assert answer.status_code == 200
    assert answer.json()["token_type"] == "DPoP"
    assert claims_of(world, answer.json()["access_token"])["cnf"] == {"jkt": prover.jkt}


def test_without_a_proof_it_is_bound_to_nothing(world: World) -> None:
    answer = ask(world, machine(world), None)
    assert answer.json()["token_type"] == "Bearer"
    assert "cnf" not in claims_of(world, answer.json()["access_token"])
    assert "dpop-nonce" not in answer.headers


def test_a_client_that_registered_for_it_must_prove(world: World, prover: Prover) -> None:
    auth = machine(world, dpop_bound_access_tokens=True)
    assert told(ask(world, auth, None)) == (400, "invalid_dpop_proof")
    assert ask(world, auth, at_token(world, prover)).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"htm": "GET"},
        {"htu": "https://attacker.example/token"},
        {"jti": None},
        {"iat": 0},
        {"nonce": "made up"},
    ],
    ids=str,
)
def test_a_wrong_proof_is_refused(world: World, prover: Prover, changes: dict[str, Any]) -> None:
    status, error = told(ask(world, machine(world), at_token(world, prover, **changes)))
    assert status == 400
    assert error == ("use_dpop_nonce" if "nonce" in changes else "invalid_dpop_proof")


@pytest.mark.parametrize("minutes", [-5, 5])
def test_a_clock_five_minutes_off_is_refused(world: World, prover: Prover, minutes: int) -> None:
    off = int(world.clock().timestamp()) + 60 * minutes
    answer = ask(world, machine(world), at_token(world, prover, iat=off))
    assert told(answer) == (400, "invalid_dpop_proof")


@pytest.mark.parametrize("rubbish", ["rubbish", "a.b.c", "é", "x" * 9000], ids=len)
def test_what_is_no_proof_is_refused_and_not_repeated(world: World, rubbish: str) -> None:
    answer = httpx2.post(
        f"{world.issuer}/token",
        data={"grant_type": "client_credentials"},
        auth=machine(world),
        headers=[(b"DPoP", rubbish.encode())],
    )
    assert told(answer) == (400, "invalid_dpop_proof")
    assert rubbish not in answer.text


def test_two_proofs_are_refused_even_two_good_ones(world: World, prover: Prover) -> None:
    two = [at_token(world, prover), at_token(world, prover)]
    assert told(ask(world, machine(world), two)) == (400, "invalid_dpop_proof")


def test_a_proof_counts_once(world: World, prover: Prover) -> None:
    auth, proof = machine(world), at_token(world, prover)
    assert ask(world, auth, proof).status_code == 200
    assert told(ask(world, auth, proof)) == (400, "invalid_dpop_proof")
    assert "used before" in ask(world, auth, proof).json()["error_description"]


def test_of_two_hundred_parallel_uses_of_one_proof_exactly_one_wins(
    world: World, prover: Prover
) -> None:
    auth, proof = machine(world), at_token(world, prover)
    with ThreadPoolExecutor(40) as crowd:
        answers = list(crowd.map(lambda _: ask(world, auth, proof), range(200)))
    assert Counter(map(told, answers)) == {(200, ""): 1, (400, "invalid_dpop_proof"): 199}


def test_nobody_can_spend_the_names_of_anothers_proofs(world: World, prover: Prover) -> None:
    auth = machine(world)
    assert ask(world, auth, at_token(world, prover, jti="one")).status_code == 200
    other = Prover(world.clock)
    assert ask(world, auth, at_token(world, other, jti="one")).status_code == 200


def test_the_name_of_a_proof_is_no_key_in_redis(world: World, prover: Prover) -> None:
    assert ask(world, machine(world), at_token(world, prover, jti="a-name")).status_code == 200
    keys = world.provider.redis.keys("*")
    assert keys
    assert not any(b"a-name" in key or prover.jkt.encode() in key for key in keys)


def test_a_proof_may_name_the_address_for_mutual_tls(world: World, prover: Prover) -> None:
    provider = replace(world.provider, mtls_url="https://mtls.example/oidc")
    auth = machine(world)
    with served(mounted(provider)) as address:
        url = f"{address}/oidc/token"
        for named in ("https://mtls.example/oidc/token", f"{world.issuer}/token"):
            proof = prover.proof("POST", named)
            assert ask(world, auth, proof, url=url).status_code == 200
        wrong = prover.proof("POST", "https://mtls.example/token")
        assert told(ask(world, auth, wrong, url=url)) == (400, "invalid_dpop_proof")


def test_a_nonce_is_offered_with_every_answer_to_a_proof(world: World, prover: Prover) -> None:
    auth = machine(world)
    first = ask(world, auth, at_token(world, prover)).headers["dpop-nonce"]
    assert ask(world, auth, at_token(world, prover, nonce=first)).status_code == 200
    world.clock.tick(seconds=dpop_nonce.SPAN)
    assert ask(world, auth, at_token(world, prover, nonce=first)).status_code == 200
    world.clock.tick(seconds=dpop_nonce.SPAN)
    lapsed = ask(world, auth, at_token(world, prover, nonce=first))
    assert told(lapsed) == (400, "use_dpop_nonce")
    second = lapsed.headers["dpop-nonce"]
    assert second != first
    assert ask(world, auth, at_token(world, prover, nonce=second)).status_code == 200


def test_where_a_nonce_is_required_a_client_is_told_one(world: World, prover: Prover) -> None:
    provider = replace(world.provider, dpop_nonce_required=True)
    auth = machine(world)
    with served(mounted(provider)) as address:
        url = f"{address}/oidc/token"
        refused = ask(world, auth, at_token(world, prover), url=url)
        assert told(refused) == (400, "use_dpop_nonce")
        nonce = refused.headers["dpop-nonce"]
        assert ask(world, auth, at_token(world, prover, nonce=nonce), url=url).status_code == 200


def test_nonces_are_of_one_provider(world: World) -> None:
    other = replace(world.provider, secret=b"x" * 32)
    assert not dpop_nonce.is_ours(other, dpop_nonce.current(world.provider))
    assert dpop_nonce.is_ours(world.provider, dpop_nonce.current(world.provider))
    assert not dpop_nonce.is_ours(world.provider, "é")


def test_a_nonce_for_later_is_not_known_yet(world: World) -> None:
    now = dpop_nonce.current(world.provider)
    world.clock.tick(seconds=dpop_nonce.SPAN)
    later = dpop_nonce.current(world.provider)
    world.clock.tick(seconds=-dpop_nonce.SPAN)
    assert dpop_nonce.is_ours(world.provider, now)
    assert not dpop_nonce.is_ours(world.provider, later)


def test_without_the_cache_a_proof_cannot_be_new_and_the_answer_is_come_back_later(
    world: World, prover: Prover
) -> None:
    auth = machine(world)
    gone = Redis(port=1, retry=Retry(NoBackoff(), 0))
    with served(mounted(replace(world.provider, redis=gone))) as address:
        answer = ask(world, auth, at_token(world, prover), url=f"{address}/oidc/token")
    assert told(answer) == (503, "temporarily_unavailable")
    assert answer.headers["retry-after"]
    assert ask(world, auth, at_token(world, prover)).status_code == 200


# what a bound token opens at userinfo


def userinfo(world: World, headers: dict[str, str], method: str = "GET") -> httpx2.Response:
    return httpx2.request(method, f"{world.issuer}/userinfo", headers=headers)


@pytest.mark.parametrize("scheme", ["DPoP", "dpop", "DPOP"])
def test_a_bound_token_opens_with_its_key(world: World, prover: Prover, scheme: str) -> None:
    subject, token = person(world, prover)
    headers = prover.headers("GET", f"{world.issuer}/userinfo", token)
    answer = userinfo(world, headers | {"Authorization": f"{scheme} {token}"})
    assert answer.json() == {"sub": subject}
    assert answer.headers["dpop-nonce"]


def test_a_bound_token_is_no_bearer_token(world: World, prover: Prover) -> None:
    _, token = person(world, prover)
    proof = prover.headers("GET", f"{world.issuer}/userinfo", token)["DPoP"]
    for headers in ({}, {"DPoP": proof}):
        refused = userinfo(world, headers | {"Authorization": f"Bearer {token}"})
        assert told(refused) == (401, "invalid_token")
        assert refused.headers["www-authenticate"].startswith('DPoP error="invalid_token"')
    by_body = httpx2.post(f"{world.issuer}/userinfo", data={"access_token": token})
    assert told(by_body) == (401, "invalid_token")


def test_a_bearer_token_is_no_bound_token(world: World, prover: Prover) -> None:
    world.register()
    portal = world.portal(world.client(), "openid")
    token = str(portal.token(world.browser().authorize(portal.url(), NUMBER))["access_token"])
    refused = userinfo(world, prover.headers("GET", f"{world.issuer}/userinfo", token))
    assert told(refused) == (401, "invalid_token")


def test_a_bound_token_opens_with_nothing_else(world: World, prover: Prover) -> None:
    _, token = person(world, prover)
    url, other = f"{world.issuer}/userinfo", Prover(world.clock)
    wrong = {
        "another key": other.headers("GET", url, token),
        "no proof": {"Authorization": f"DPoP {token}"},
        "no ath": prover.headers("GET", url, token, ath=None),
        "another token": prover.headers("GET", url, token, ath="x"),
        "another method": prover.headers("POST", url, token),
        "another address": prover.headers("GET", f"{world.issuer}/token", token),
    }
    for why, headers in wrong.items():
        refused = userinfo(world, headers)
        error = "invalid_token" if why == "another key" else "invalid_dpop_proof"
        assert told(refused) == (401, error), why
        challenge = refused.headers["www-authenticate"]
        assert challenge == f'DPoP error="{error}", algs="ES256 PS256 EdDSA"', why


def test_a_proof_at_userinfo_counts_once_and_its_nonce_is_checked(
    world: World, prover: Prover
) -> None:
    _, token = person(world, prover)
    url = f"{world.issuer}/userinfo"
    headers = prover.headers("GET", url, token)
    assert userinfo(world, headers).status_code == 200
    assert told(userinfo(world, headers)) == (401, "invalid_dpop_proof")
    refused = userinfo(world, prover.headers("GET", url, token, nonce="made up"))
    assert told(refused) == (401, "use_dpop_nonce")
    assert 'error="use_dpop_nonce"' in refused.headers["www-authenticate"]
    nonce = refused.headers["dpop-nonce"]
    assert userinfo(world, prover.headers("GET", url, token, nonce=nonce)).status_code == 200
