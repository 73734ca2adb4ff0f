"""A client under FAPI 2.0, from its pushed request to its refresh token, and everything it may not do."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import httpx2
import pytest
from joserfc import jwt

from idp import fapi2, grant_code
from idp.vocabulary import AuthMethod, GrantType
from tests.idp.signing_client import VERIFIER, SigningClient
from tests.idp.test_sign_in import claims_of
from tests.idp.world import CALLBACK, PEOPLE, World, answered
from tests.proving import Prover

NUMBER = PEOPLE["张䶮"].number
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PROFILE: Mapping[str, Any] = {
    "auth_method": AuthMethod.PRIVATE_KEY_JWT,
    "grant_types": (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN),
    "require_pushed_authorization_requests": True,
    "dpop_bound_access_tokens": True,
}


@dataclass
class Bank:
    """A client under the profile, with a key for its signatures and one for its tokens."""

    world: World
    signer: SigningClient
    prover: Prover

    def assertion(self, alg: str = "ES256", **changed: Any) -> dict[str, str]:
        """What it proves itself with; the header's alg is that of the key."""
        now = int(self.world.clock().timestamp())
        claims: dict[str, Any] = {
            "iss": self.signer.client_id,
            "sub": self.signer.client_id,
            "aud": self.world.issuer,
            "iat": now,
            "nbf": now,
            "exp": now + 60,
            "jti": secrets.token_hex(8),
        }
        key = self.signer.keys[alg]
        header = {"alg": alg, "kid": key.kid}
        token = jwt.encode(header, claims | changed, key, algorithms=[alg])
        return {"client_assertion_type": ASSERTION, "client_assertion": token}

    def post(
        self, path: str, form: dict[str, Any], prover: Prover | None, **assertion: Any
    ) -> httpx2.Response:
        url = f"{self.world.issuer}{path}"
        headers = {} if prover is None else {"DPoP": prover.proof("POST", url)}
        proof = self.assertion(**assertion)
        return httpx2.post(url, data={**form, **proof}, headers=headers)

    def push(self, **changed: Any) -> httpx2.Response:
        asked = {"scope": "openid", "nonce": "n" * 64} | changed
        return self.post("/par", self.signer.parameters(**asked), None)

    def code(self, **changed: Any) -> str:
        pushed = self.push(**changed)
        assert pushed.status_code == 201, pushed.text
        query = {"client_id": self.signer.client_id, "request_uri": pushed.json()["request_uri"]}
        url = str(httpx2.URL(f"{self.world.issuer}/authorize", params=query))
        answer = answered(self.world.browser().authorize(url, NUMBER))
        assert answer["iss"] == self.world.issuer
        return answer["code"]

    def redeem(self, code: str, prover: Prover | None, **assertion: Any) -> httpx2.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        return self.post("/token", form, prover, **assertion)

    def refresh(self, token: str, prover: Prover | None) -> httpx2.Response:
        form = {"grant_type": "refresh_token", "refresh_token": token}
        return self.post("/token", form, prover)


@pytest.fixture
def bank(world: World) -> Bank:
    signer = SigningClient(world)
    world.client(jwks=signer.jwks, **PROFILE)
    world.register()
    return Bank(world, signer, Prover(world.clock))


def error(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


def test_the_whole_way_from_a_pushed_request_to_a_refreshed_token(bank: Bank) -> None:
    world, prover = bank.world, bank.prover
    tokens = bank.redeem(bank.code(), prover).json()
    assert tokens["token_type"] == "DPoP"
    assert claims_of(world, tokens["access_token"])["cnf"] == {"jkt": prover.jkt}
    assert claims_of(world, tokens["id_token"])["nonce"] == "n" * 64
    url = f"{world.issuer}/userinfo"
    opened = httpx2.get(url, headers=prover.headers("GET", url, tokens["access_token"]))
    assert opened.status_code == 200

    # A confidential client's refresh token is its own by its authentication: any key will do.
    other = Prover(world.clock)
    again = bank.refresh(tokens["refresh_token"], other)
    assert again.status_code == 200, again.text
    assert claims_of(world, again.json()["access_token"])["cnf"] == {"jkt": other.jkt}
    assert again.json().get("refresh_token", tokens["refresh_token"]) == tokens["refresh_token"]
    world.clock.tick(minutes=5)
    assert bank.refresh(tokens["refresh_token"], other).status_code == 200


def test_tokens_are_bound_or_not_given(bank: Bank) -> None:
    assert error(bank.redeem(bank.code(), None)) == (400, "invalid_dpop_proof")
    tokens = bank.redeem(bank.code(), bank.prover).json()
    assert error(bank.refresh(tokens["refresh_token"], None)) == (400, "invalid_dpop_proof")


def test_a_code_bound_to_a_key_is_redeemed_with_that_key(bank: Bank) -> None:
    theirs = Prover(bank.world.clock)
    code = bank.code(dpop_jkt=bank.prover.jkt)
    assert error(bank.redeem(code, theirs)) == (400, "invalid_grant")
    assert bank.redeem(bank.code(dpop_jkt=theirs.jkt), theirs).status_code == 200


def test_a_proof_at_the_pushed_request_binds_the_code_as_well(bank: Bank) -> None:
    asked = bank.signer.parameters(scope="openid")
    pushed = bank.post("/par", asked, bank.prover).json()
    query = {"client_id": bank.signer.client_id, "request_uri": pushed["request_uri"]}
    url = str(httpx2.URL(f"{bank.world.issuer}/authorize", params=query))
    code = answered(bank.world.browser().authorize(url, NUMBER))["code"]
    assert error(bank.redeem(code, Prover(bank.world.clock))) == (400, "invalid_grant")
    contradicted = asked | {"dpop_jkt": Prover(bank.world.clock).jkt}
    assert error(bank.post("/par", contradicted, bank.prover)) == (400, "invalid_dpop_proof")


def test_a_code_lapses_after_a_minute(bank: Bank) -> None:
    assert grant_code.CODE.lifetime.total_seconds() <= 60
    code = bank.code()
    # Redis counts real seconds: here the minute is over because the code is made to lapse.
    bank.world.provider.redis.delete(grant_code.CODE.key(code))
    assert error(bank.redeem(code, bank.prover)) == (400, "invalid_grant")


def test_a_request_that_was_not_pushed_is_refused(bank: Bank) -> None:
    asked = bank.signer.parameters(scope="openid")
    url = str(httpx2.URL(f"{bank.world.issuer}/authorize", params=asked))
    answer = answered(bank.world.browser().get(url).headers["location"])
    assert answer["error"] == "invalid_request"


@pytest.mark.parametrize(
    "changed",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"redirect_uri": None},
        {"redirect_uri": "https://attacker.example/callback"},
    ],
    ids=str,
)
def test_a_loose_request_is_refused_where_it_is_pushed(bank: Bank, changed: dict[str, Any]) -> None:
    assert error(bank.push(**changed)) == (400, "invalid_request")


@pytest.mark.parametrize("kind", ["array", "token endpoint", "par", "RS256", "ahead", "lapsed"])
def test_a_loose_assertion_is_refused(bank: Bank, kind: str) -> None:
    issuer, now = bank.world.issuer, int(bank.world.clock().timestamp())
    loose: dict[str, dict[str, Any]] = {
        "array": {"aud": [issuer]},
        "token endpoint": {"aud": f"{issuer}/token"},
        "par": {"aud": f"{issuer}/par"},
        "RS256": {"alg": "RS256"},
        "ahead": {"iat": now + 61, "nbf": now + 61, "exp": now + 120},
        "lapsed": {"exp": now - 300},
    }
    refused = bank.redeem(bank.code(), bank.prover, **loose[kind])
    assert error(refused) == (401, "invalid_client")


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("alg", ["PS256", "EdDSA"])
def test_an_assertion_by_the_other_algorithms_of_the_profile_is_taken(bank: Bank, alg: str) -> None:
    now = int(bank.world.clock().timestamp())
    ahead = {"iat": now + 8, "nbf": now + 8, "exp": now + 68}
    assert bank.redeem(bank.code(), bank.prover, alg=alg, **ahead).status_code == 200


@pytest.mark.parametrize("rule", fapi2.RULES, ids=lambda rule: rule.demand)
def test_every_demand_is_seen_to_where_the_table_says(rule: fapi2.Rule) -> None:
    module, _, name = rule.seen_to_by.partition(".")
    assert hasattr(import_module(f"idp.{module}"), name)


def test_no_demand_stands_twice() -> None:
    assert len({rule.demand for rule in fapi2.RULES}) == len(fapi2.RULES)
