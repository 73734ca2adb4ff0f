"""The licence API as a resource: bearer and bound tokens, and a sign-in asked for anew (RFC 9470)."""

import re
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from starlette.requests import Request

from service.seed import BODIES, CLERK_DESK, CLERK_PASSWORD, REVIEWER
from service.token_check import caller_check
from tests.proving import Prover
from tests.rig import Rig

PATH = "/api/licences/lookups"
ASKED = {
    "holder": {"number_type": "001", "number": "91330105MA00000000"},
    "type_code": "x",
    "purpose": "核对",
    "case_number": "SC-1",
}


@pytest.fixture
def prover(rig: Rig) -> Prover:
    return Prover(rig.clock)


def bound_token(rig: Rig, prover: Prover) -> str:
    answer = rig.http.post(
        "/oidc/token",
        data={"grant_type": "client_credentials", "scope": "licence.lookup"},
        auth=(REVIEWER.client_id, REVIEWER.client_secret),
        headers={"DPoP": prover.proof("POST", f"{rig.address}/oidc/token")},
    )
    assert answer.json()["token_type"] == "DPoP", answer.text
    return str(answer.json()["access_token"])


def look_up(rig: Rig, headers: dict[str, str]) -> httpx2.Response:
    return rig.http.post(PATH, json=ASKED, headers=headers)


def is_let_in(answer: httpx2.Response) -> bool:
    """The caller is known and allowed; what it asked for is another matter."""
    return answer.status_code not in (401, 403, 500) or answer.json()["code"] == "lookup.no_right"


def told(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_bearer_token_opens_by_itself(rig: Rig) -> None:
    answer = look_up(rig, {"Authorization": f"bearer {rig.client_token()}"})
    assert is_let_in(answer)
    assert "dpop-nonce" not in answer.headers


def test_without_a_token_both_schemes_are_offered(rig: Rig) -> None:
    refused = look_up(rig, {"Authorization": "Basic eDp5"})
    assert told(refused) == (401, "token.missing")
    assert refused.headers["www-authenticate"] == 'Bearer, DPoP algs="ES256 PS256 EdDSA"'


def test_a_bound_token_opens_with_a_proof_for_this_very_request(rig: Rig, prover: Prover) -> None:
    token, url = bound_token(rig, prover), f"{rig.address}{PATH}"
    answer = look_up(rig, prover.headers("POST", url, token))
    assert is_let_in(answer)
    nonce = answer.headers["dpop-nonce"]
    assert is_let_in(look_up(rig, prover.headers("POST", f"{url}?x=1", token, nonce=nonce)))


@pytest.mark.parametrize(
    "changes",
    [
        {"htm": "GET"},
        {"htu": "http://localhost/oidc/token"},
        {"ath": None},
        {"ath": "x"},
        {"jti": None},
        {"iat": 0},
    ],
    ids=str,
)
def test_a_wrong_proof_is_refused_in_its_own_scheme(
    rig: Rig, prover: Prover, changes: dict[str, Any]
) -> None:
    token = bound_token(rig, prover)
    refused = look_up(rig, prover.headers("POST", f"{rig.address}{PATH}", token, **changes))
    assert told(refused) == (401, "token.proof_refused")
    challenge = refused.headers["www-authenticate"]
    assert challenge == 'DPoP error="invalid_dpop_proof", algs="ES256 PS256 EdDSA"'


def test_a_bound_token_opens_once_with_a_proof_and_never_as_a_bearer(
    rig: Rig, prover: Prover
) -> None:
    token, url = bound_token(rig, prover), f"{rig.address}{PATH}"
    headers = prover.headers("POST", url, token)
    assert is_let_in(look_up(rig, headers))
    assert told(look_up(rig, headers)) == (401, "token.proof_refused")
    as_bearer = look_up(rig, {"Authorization": f"Bearer {token}"})
    assert told(as_bearer) == (401, "token.of_another")
    assert as_bearer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    stolen = look_up(rig, Prover(rig.clock).headers("POST", url, token))
    assert told(stolen) == (401, "token.of_another")


def test_a_wrong_nonce_is_answered_with_the_right_one(rig: Rig, prover: Prover) -> None:
    token, url = bound_token(rig, prover), f"{rig.address}{PATH}"
    refused = look_up(rig, prover.headers("POST", url, token, nonce="made up"))
    assert told(refused) == (401, "token.nonce_needed")
    assert 'error="use_dpop_nonce"' in refused.headers["www-authenticate"]
    again = prover.headers("POST", url, token, nonce=refused.headers["dpop-nonce"])
    assert is_let_in(look_up(rig, again))


def test_without_the_cache_a_bearer_token_still_opens_and_a_bound_one_must_wait(
    rig: Rig, prover: Prover
) -> None:
    gone = Redis(port=1, retry=Retry(NoBackoff(), 0))
    check = caller_check(replace(rig.world.provider, redis=gone), rig.world.check_token)

    def asking(headers: dict[str, str]) -> Request:
        fields = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        return Request({"type": "http", "method": "POST", "path": PATH, "headers": fields})

    assert check(asking({"Authorization": f"Bearer {rig.client_token()}"})).scopes
    token = bound_token(rig, prover)
    with pytest.raises(RedisError):
        check(asking(prover.headers("POST", f"{rig.address}{PATH}", token)))


def test_a_missing_scope_is_told_with_its_name(rig: Rig) -> None:
    headers = {"Authorization": f"Bearer {rig.client_token()}"}
    refused = rig.http.get("/api/licences/licences/x", headers=headers)
    assert told(refused) == (403, "token.scope_missing")
    expected = 'Bearer error="insufficient_scope", scope="licence.read"'
    assert refused.headers["www-authenticate"] == expected


def test_a_clerk_at_work_since_morning_signs_in_again_to_end_a_licence(rig: Rig) -> None:
    licence = rig.issue()
    clerk = next(b.clerk for b in BODIES if b.issuer.uscc == licence["issuer"])
    browser, scope = rig.browser(), "openid licence.revoke"
    browser.authorize(CLERK_DESK, scope, clerk.username, CLERK_PASSWORD)
    rig.clock.tick(minutes=20)

    def revoke(token: str) -> httpx2.Response:
        return rig.http.post(
            f"/api/licences/licences/{licence['identifier']}/revocation",
            json={"kind": "吊销", "reason": "检查中发现安全隐患"},
            headers={"Authorization": f"Bearer {token}"},
        )

    by_sign_on = browser.authorize(CLERK_DESK, scope)
    assert not by_sign_on.asked_again
    refused = revoke(by_sign_on.access_token)
    assert told(refused) == (401, "token.sign_in_insufficient")
    challenge = refused.headers["www-authenticate"]
    assert challenge.startswith('Bearer error="insufficient_user_authentication"')
    demanded = re.search(r'max_age="(\d+)"', challenge)
    assert demanded is not None
    fresh = browser.authorize(
        CLERK_DESK, scope, clerk.username, CLERK_PASSWORD, max_age=demanded[1]
    )
    assert fresh.asked_again
    assert revoke(fresh.access_token).status_code == 200
