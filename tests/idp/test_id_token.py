"""The ID Token: what it says, and that libraries nobody here wrote believe it, whatever signed it."""

import base64
import hashlib
import json
from typing import Any

import httpx2
import jwt as pyjwt
import pytest
from authlib.oidc.core import CodeIDToken
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe, jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from idp import id_tokens
from idp.errors import OAuthError
from idp.vocabulary import SubjectType
from keys import jose
from keys.algorithms import ALGORITHMS, EDDSA, ES256, PS256, RS256, SM2_SM3, Algorithm
from keys.sm3 import sm3
from tests.idp.minting import approve, mint
from tests.idp.world import World

WIDELY_KNOWN = (ES256, RS256, PS256, EDDSA)
AT_ONCE = {"iss", "sub", "aud", "exp", "iat", "auth_time", "acr", "amr", "sid", "at_hash"}


def key_set(world: World, path: str = "jwks") -> Any:
    return httpx2.get(f"{world.issuer}/{path}").json()


def id_token(world: World, *, nonce: str | None = None, **client: Any) -> tuple[str, str]:
    """An ID Token for a client so registered, and the access token beside it."""
    world.client(**client)
    minted = mint(world, approve(world, world.register(), nonce=nonce))
    assert minted.id_token is not None
    return minted.id_token, minted.access_token


@pytest.mark.parametrize("algorithm", WIDELY_KNOWN, ids=str)
def test_pyjwt_believes_it(world: World, algorithm: Algorithm) -> None:
    token, _ = id_token(world, id_token_signed_response_alg=algorithm.jose)
    kid = pyjwt.get_unverified_header(token)["kid"]
    key = pyjwt.PyJWKSet.from_dict(key_set(world))[kid]
    claims = pyjwt.decode(
        token,
        key,
        algorithms=[algorithm.jose],
        audience="portal-a",
        issuer=world.issuer,
        options={"require": sorted(AT_ONCE)},
    )
    assert set(claims) == AT_ONCE


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("algorithm", WIDELY_KNOWN, ids=str)
def test_joserfc_believes_its_signature_and_authlib_its_claims(
    world: World, algorithm: Algorithm
) -> None:
    token, access_token = id_token(world, nonce="n-1", id_token_signed_response_alg=algorithm.jose)
    keys = KeySet.import_key_set(key_set(world))
    decoded = jwt.decode(token, keys, algorithms=[algorithm.jose])
    assert decoded.header["typ"] == "JWT"
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        options={"iss": {"value": world.issuer}, "aud": {"value": "portal-a"}},
        params={"nonce": "n-1", "client_id": "portal-a", "access_token": access_token},
    )
    claims.validate(now=int(world.clock().timestamp()))


def test_with_sm2_it_is_believed_by_the_keys_of_the_other_set(world: World) -> None:
    token, access_token = id_token(world, id_token_signed_response_alg="SGD_SM3_SM2")
    header = pyjwt.get_unverified_header(token)
    assert header["alg"] == "SGD_SM3_SM2"
    (found,) = (key for key in key_set(world, "jwks/gm")["keys"] if key["kid"] == header["kid"])
    assert found["crv"] == "SM2-P-256"
    key = jose.public_key_from_jwk(found)
    claims = jose.verify(
        token,
        {key.kid: key},
        "JWT",
        issuer=world.issuer,
        audience="portal-a",
        now=world.clock(),
    )
    assert claims["at_hash"] == half(sm3(access_token.encode()))
    assert header["kid"] not in {key["kid"] for key in key_set(world)["keys"]}


def half(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def claims_in(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = pyjwt.decode(token, options={"verify_signature": False})
    return claims


def test_it_tells_who_when_how_and_nothing_that_was_not_asked_for(world: World) -> None:
    world.client()
    subject = world.register()
    approval = approve(world, subject, nonce="n-1", scopes=("openid", "profile", "phone"))
    world.clock.tick(seconds=90)
    claims = claims_in(mint(world, approval).id_token or "")
    now = int(world.clock().timestamp())
    assert set(claims) == AT_ONCE | {"nonce"}
    assert claims | {"at_hash": ""} == {
        "iss": world.issuer,
        "sub": subject,
        "aud": "portal-a",
        "iat": now,
        "exp": now + 600,
        "auth_time": now - 90,
        "acr": "urn:yinxin:level:natural:1",
        "amr": ["pwd"],
        "sid": approval.sid,
        "nonce": "n-1",
        "at_hash": "",
    }


def test_without_openid_there_is_none(world: World) -> None:
    world.client()
    assert mint(world, approve(world, world.register(), scopes=("profile",))).id_token is None


def test_claims_asked_for_singly_come_along_and_replace_none_of_ours(world: World) -> None:
    world.client()
    subject = world.register()
    asked = {"name": None, "phone_number": {"essential": True}, "sub": {"value": "x"}, "iss": None}
    claims = claims_in(mint(world, approve(world, subject, id_token=asked)).id_token or "")
    assert set(claims) == AT_ONCE | {"name", "phone_number"}
    assert claims["name"] == "张䶮"
    assert (claims["sub"], claims["iss"]) == (subject, world.issuer)


def test_a_pairwise_client_is_told_its_own_sub_everywhere(world: World) -> None:
    world.client(subject_type=SubjectType.PAIRWISE)
    subject = world.register()
    minted = mint(world, approve(world, subject))
    subs = {claims_in(token)["sub"] for token in (minted.id_token or "", minted.access_token)}
    assert len(subs) == 1
    assert subject not in subs


@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [
        (ES256, lambda data: hashlib.sha256(data).digest()),
        (EDDSA, lambda data: hashlib.sha512(data).digest()),
        (SM2_SM3, sm3),
    ],
)
def test_at_hash_is_by_the_hash_of_the_signature(algorithm: Algorithm, digest: Any) -> None:
    assert id_tokens.at_hash("an.access.token", algorithm) == half(digest(b"an.access.token"))


@given(st.text(st.characters(codec="ascii"), max_size=50))
def test_every_algorithm_has_an_at_hash_of_half_its_digest(token: str) -> None:
    sizes = {name: len(id_tokens.at_hash(token, of)) for name, of in ALGORITHMS.items()}
    assert sizes == {name: 43 if name == "EdDSA" else 22 for name in ALGORITHMS}


@pytest.mark.parametrize(
    ("alg", "enc"),
    [
        ("RSA-OAEP", None),
        ("RSA-OAEP-256", "A256GCM"),
        ("ECDH-ES", "A128GCM"),
        ("ECDH-ES+A128KW", "A128CBC-HS256"),
        ("ECDH-ES+A256KW", "A256CBC-HS512"),
    ],
)
def test_a_client_may_have_it_encrypted_so_that_only_it_can_read_it(
    world: World, alg: str, enc: str | None
) -> None:
    make = ECKey.generate_key("P-256") if alg.startswith("ECDH") else RSAKey.generate_key(2048)
    public = {**make.as_dict(private=False), "use": "enc", "kid": "mine"}
    token, _ = id_token(
        world,
        jwks={"keys": [public]},
        id_token_encrypted_response_alg=alg,
        id_token_encrypted_response_enc=enc,
    )
    opened = jwe.decrypt_compact(token, make, algorithms=[alg, enc or "A128CBC-HS256"])
    assert opened.headers()["cty"] == "JWT"
    inside = (opened.plaintext or b"").decode()
    decoded = jwt.decode(inside, KeySet.import_key_set(key_set(world)), algorithms=["ES256"])
    assert decoded.claims["aud"] == "portal-a"


def test_without_a_key_to_encrypt_to_nothing_is_told_in_the_clear(world: World) -> None:
    # The address is registered but nobody is there any more.
    world.client(
        jwks_uri="https://127.0.0.1:9/jwks", id_token_encrypted_response_alg="RSA-OAEP-256"
    )
    approval = approve(world, world.register())
    with pytest.raises(OAuthError) as refused:
        mint(world, approval)
    assert refused.value.error == "invalid_request"


@pytest.mark.parametrize(
    "unsound",
    [
        {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43},
        {"kty": "EC", "crv": "P-384", "x": "A" * 64, "y": "A" * 64},
        {
            "kty": "RSA",
            "n": base64.urlsafe_b64encode(b"\xff" * 128).decode().rstrip("="),
            "e": "AQAB",
        },
    ],
)
def test_with_an_unsound_key_to_encrypt_to_it_is_refused_and_no_fault_of_ours(
    world: World, unsound: dict[str, str]
) -> None:
    alg = "ECDH-ES" if unsound["kty"] == "EC" else "RSA-OAEP-256"
    world.client(jwks={"keys": [{**unsound, "use": "enc"}]}, id_token_encrypted_response_alg=alg)
    approval = approve(world, world.register())
    with pytest.raises(OAuthError) as refused:
        mint(world, approval)
    assert refused.value.error == "invalid_request"


def test_a_token_fits_into_a_header(world: World) -> None:
    token, _ = id_token(world, id_token_signed_response_alg="RS256")
    assert len(token) < 2048
    assert json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))["alg"] == "RS256"
