"""DPoP proofs: which request they are for, when, for which token, by which kind of key."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OctKey

from keys import dpop_proof
from keys.algorithms import EDDSA, ES256, PS256, RS256, SM2_SM3, Algorithm
from keys.dpop_proof import ProofRefused, token_hash
from keys.jwk import jwk, thumbprint
from tests.keys import key_builders
from tests.keys.token_builders import token_of

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
URL = "https://id.example.cn/oidc/token"
Members = dict[str, Any]


def key_within(algorithm: Algorithm = ES256) -> Members:
    told = jwk(key_builders.signer(algorithm).public_key)
    return {name: told[name] for name in told if name not in ("kid", "alg", "use")}


def a_proof(algorithm: Algorithm = ES256, header: Members | None = None, **changes: Any) -> str:
    """A proof that is good but for the changes; None leaves a claim out."""
    claims = {"htm": "POST", "htu": URL, "iat": int(NOW.timestamp()), "jti": "one"} | changes
    told = {"typ": "dpop+jwt", "alg": algorithm.jose, "jwk": key_within(algorithm)}
    return token_of(
        key_builders.signer(algorithm),
        told | (header or {}),
        {name: value for name, value in claims.items() if value is not None},
    )


def check(proof: str, **changes: Any) -> dpop_proof.Proof:
    wanted: Members = {"method": "POST", "urls": [URL], "now": NOW} | changes
    return dpop_proof.check(proof, **wanted)


@pytest.mark.parametrize("algorithm", [ES256, PS256, EDDSA], ids=lambda a: a.name)
def test_a_proof_names_its_key_by_the_thumbprint(algorithm: Algorithm) -> None:
    found = check(a_proof(algorithm))
    assert found == dpop_proof.Proof(thumbprint(key_within(algorithm)), "one", None)


def test_a_proof_may_say_more_and_hold_a_nonce() -> None:
    more: Members = {"nonce": "n", "exp": 1, "nbf": 9_999_999_999, "anything": ["else"]}
    assert check(a_proof(**more)).nonce == "n"


@pytest.mark.parametrize("algorithm", [RS256, SM2_SM3], ids=lambda a: a.name)
def test_other_algorithms_are_refused(algorithm: Algorithm) -> None:
    with pytest.raises(ProofRefused):
        check(a_proof(algorithm))


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": "application/dpop+jwt"},
        {"alg": "none"},
        {"alg": "RS256"},
        {"alg": "PS256"},
        {"alg": "HS256"},
        {"jwk": None},
        {"jwk": {"kty": "oct", "k": "c2VjcmV0"}},
        {"jwk": {**key_within(), "d": "c2VjcmV0"}},
        {"jwk": {**key_within(), "x": "AA"}},
        {"jwk": key_within(EDDSA)},
        {"crit": ["exp"], "exp": 1},
        {"b64": False, "crit": ["b64"]},
        {"jku": "https://attacker.example/keys"},
    ],
)
def test_a_header_that_is_not_a_proofs_is_refused(header: Members) -> None:
    with pytest.raises(ProofRefused):
        check(a_proof(header=header))


def test_a_proof_signed_with_the_public_key_as_a_secret_is_refused() -> None:
    within = key_within()
    secret = OctKey.import_key(within["x"])
    header = {"typ": "dpop+jwt", "alg": "HS256", "jwk": within}
    forged = jws.serialize_compact(header, b"{}", secret, algorithms=["HS256"])
    with pytest.raises(ProofRefused, match="wrong type"):
        check(forged)


def test_a_proof_by_another_key_than_the_one_within_is_refused() -> None:
    other = ECKey.generate_key("P-256").as_dict(private=False)
    with pytest.raises(ProofRefused, match="bad signature"):
        check(a_proof(header={"jwk": other}))


@pytest.mark.parametrize(
    "changes",
    [
        {"htm": "GET"},
        {"htm": "post"},
        {"htm": None},
        {"htu": None},
        {"htu": 7},
        {"htu": "/oidc/token"},
        {"htu": "http://id.example.cn/oidc/token"},
        {"htu": "https://id.example.cn/oidc/par"},
        {"htu": "https://id.example.cn/oidc/token/"},
        {"htu": "https://id.example.cn:8443/oidc/token"},
        {"htu": "https://id.example.cn:no/oidc/token"},
        {"htu": "https://user@id.example.cn/oidc/token"},
        {"htu": "https://id.example.cn.attacker.example/oidc/token"},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"nonce": 7},
        {"iat": None},
        {"iat": True},
        {"iat": 10**400},
        {"iat": -(10**400)},
        {"iat": float("inf")},
        {"iat": "1"},
    ],
)
def test_a_claim_that_is_not_this_requests_is_refused(changes: Members) -> None:
    with pytest.raises(ProofRefused):
        check(a_proof(**changes))


@pytest.mark.parametrize(
    "htu",
    [
        f"{URL}?code=1#here",
        "HTTPS://ID.Example.CN/oidc/token",
        "https://id.example.cn:443/oidc/token",
        "https://id.example.cn/oidc/%74oken",
    ],
)
def test_one_address_may_be_spelt_in_several_ways(htu: str) -> None:
    assert check(a_proof(htu=htu)).jti == "one"


def test_an_address_without_a_path_is_that_of_the_root() -> None:
    assert check(a_proof(htu="https://id.example.cn"), urls=["https://id.example.cn/"]).jti == "one"


def test_the_address_may_have_another_name() -> None:
    alias = "https://mtls.example.cn/oidc/token"
    assert check(a_proof(htu=alias), urls=[URL, alias]).jti == "one"


def at(seconds: float) -> str:
    return a_proof(iat=NOW.timestamp() + seconds)


@pytest.mark.parametrize("seconds", [-299, -10, -0.5, 0, 0.5, 10, 60])
def test_clocks_may_differ_a_little(seconds: float) -> None:
    assert check(at(seconds)).jti == "one"


@pytest.mark.parametrize("seconds", [-3600, -300, 61, 300, 3600])
def test_a_clock_five_minutes_off_is_refused(seconds: float) -> None:
    with pytest.raises(ProofRefused, match="iat"):
        check(at(seconds))


def test_a_proof_is_remembered_as_long_as_it_could_be_in_time() -> None:
    first, last = NOW - dpop_proof.AHEAD, NOW + dpop_proof.OLDEST - timedelta(seconds=1)
    assert last - first < dpop_proof.REMEMBERED
    for moment in (first, last):
        assert check(a_proof(), now=moment).jti == "one"


def test_with_an_access_token_the_proof_is_for_that_token() -> None:
    # RFC 9449 §7.1: the `ath` of the example's token.
    token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
    assert token_hash(token) == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
    assert check(a_proof(ath=token_hash(token)), access_token=token).jti == "one"
    for ath in (None, "", token, token_hash("another")):
        with pytest.raises(ProofRefused, match="ath"):
            check(a_proof(ath=ath), access_token=token)


@given(st.text() | st.text(alphabet="eyJ.-_A1", max_size=60))
def test_whatever_is_sent_a_proof_is_refused_in_one_way(text: str) -> None:
    with pytest.raises(ProofRefused):
        check(text)


@pytest.mark.parametrize(
    "spoil", [lambda p: p + ".", lambda p: p[:-4] + "AAAA", lambda p: "x" * 9000]
)
def test_a_spoilt_proof_is_refused(spoil: Callable[[str], str]) -> None:
    with pytest.raises(ProofRefused):
        check(spoil(a_proof()))
