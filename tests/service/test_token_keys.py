"""Keys of tokens through their life, while the service runs: published, waited, signing, retired."""

from typing import Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from idp import client_tokens
from keys import jose, jwe
from keys.algorithms import EDDSA, ES256, PS256, RS256, SM2_SM3, Algorithm, Purpose
from keys.jose import TokenUnknownKey
from keys.rotation import POLICY
from service.token_keys import owner_of
from tests.rig import Rig

pytestmark = pytest.mark.usefixtures("new_rsa_keys")

SPANS = POLICY[Purpose.ID_TOKEN]
UNTIL_EVERYBODY_KNOWS = 75
"""Seconds: the keys are remembered for sixty, the answer made again after ten."""


def jwks(rig: Rig, path: str = "jwks") -> Any:
    return httpx2.get(f"{rig.world.provider.issuer}/{path}").json()


def published(rig: Rig, algorithm: Algorithm) -> set[str]:
    """The kids that clients see for an algorithm."""
    keys = jwks(rig, "jwks/gm" if algorithm is SM2_SM3 else "jwks")["keys"]
    ours = {
        record.public_key.kid
        for record in _records(rig, Purpose.ID_TOKEN)
        if record.owner == owner_of(algorithm)
    }
    return {key["kid"] for key in keys} & ours


def _records(rig: Rig, purpose: Purpose) -> list[Any]:
    with rig.world.begin() as tx:
        return rig.world.vault.public_keys(tx, purpose)


def token(rig: Rig, algorithm: Algorithm) -> str:
    """A signed token that lives for a year."""
    now = int(rig.clock().timestamp())
    claims = {"iss": rig.world.provider.issuer, "iat": now, "exp": now + 365 * 86_400}
    return client_tokens.signed(rig.world.provider, claims, algorithm.jose)


def rotate(rig: Rig) -> None:
    """What the job of the night does, and the while until everybody knows."""
    with rig.world.begin() as tx:
        assert not rig.world.vault.rotate(tx, by="test").failed
    rig.clock.tick(seconds=UNTIL_EVERYBODY_KNOWS)


@pytest.mark.parametrize("algorithm", [ES256, RS256, PS256, EDDSA, SM2_SM3], ids=str)
def test_a_key_is_published_waits_signs_and_is_retired_without_a_restart(
    rig: Rig, algorithm: Algorithm
) -> None:
    (first,) = published(rig, algorithm)
    old = token(rig, algorithm)
    assert jose.key_id(old) == first

    rig.clock.tick(days=(SPANS.active - SPANS.published).days)
    rotate(rig)
    both = published(rig, algorithm)
    (second,) = both - {first}
    assert jose.key_id(token(rig, algorithm)) == first, "published, not yet signing"

    rotate(rig)
    assert jose.key_id(token(rig, algorithm)) == first, "it waits, however often the job runs"

    rig.clock.tick(days=SPANS.published.days)
    rotate(rig)
    new = token(rig, algorithm)
    assert jose.key_id(new) == second
    assert published(rig, algorithm) == both, "what the first one signed is still in use"
    _believed(rig, algorithm, old)
    _believed(rig, algorithm, new)

    rig.clock.tick(days=SPANS.retiring.days)
    rotate(rig)
    assert published(rig, algorithm) == {second}
    _believed(rig, algorithm, new)
    with pytest.raises(TokenUnknownKey):
        _read(rig, old)


def _believed(rig: Rig, algorithm: Algorithm, signed: str) -> None:
    """By us, and by a client that has only the key set."""
    _read(rig, signed)
    if algorithm not in (SM2_SM3, EDDSA):
        keys = KeySet.import_key_set(jwks(rig))
        jwt.decode(signed, keys, algorithms=[algorithm.jose])


def _read(rig: Rig, signed: str) -> None:
    provider = rig.world.provider
    jose.verify(
        signed,
        provider.token_keys(),
        "JWT",
        issuer=provider.issuer,
        audience=None,
        now=rig.clock(),
    )


def test_a_key_set_kept_by_a_client_is_good_until_the_next_key_signs(rig: Rig) -> None:
    """A client that fetches the set only every two days never meets a key it does not have."""
    for _ in range(60):
        kept = {key["kid"] for key in jwks(rig)["keys"]}
        for hours in (0, 47):
            rig.clock.tick(hours=hours)
            rotate(rig)
            assert jose.key_id(token(rig, ES256)) in kept


def test_an_access_token_is_published_as_well(rig: Rig) -> None:
    kids = {key["kid"] for key in jwks(rig)["keys"]}
    assert {record.public_key.kid for record in _records(rig, Purpose.ACCESS_TOKEN)} <= kids


def test_a_signer_costs_no_query_while_it_is_remembered(rig: Rig) -> None:
    provider = rig.world.provider
    first = provider.signer(Purpose.ID_TOKEN, ES256)
    assert provider.signer(Purpose.ID_TOKEN, ES256) is first
    assert provider.token_keys() is provider.token_keys()


def test_what_is_encrypted_to_the_key_of_the_set_can_be_opened(rig: Rig) -> None:
    (recipient,) = (key for key in jwks(rig)["keys"] if key["use"] == "enc")
    locked = jwe.encrypt("hello", recipient, "ECDH-ES", "A256GCM", None)
    opener = rig.world.provider.opener(jwe.key_id(locked))
    assert opener is not None
    assert jwe.decrypt(locked, opener).payload == b"hello"
    assert rig.world.provider.opener("0" * 16) is None
