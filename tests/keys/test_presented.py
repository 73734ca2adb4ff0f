"""Tokens that others signed: any of a client's keys, or the key within a proof."""

import json
from collections.abc import Callable
from typing import Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, import_key

from keys import jose
from keys.algorithms import ALGORITHMS, EDDSA, ES256, PS256, RS256, SM2_SM3, Algorithm
from keys.compact import (
    TokenBadSignature,
    TokenError,
    TokenMalformed,
    TokenUnknownKey,
    TokenWrongType,
)
from keys.curves import KeyMalformed
from keys.jwk import jwk, thumbprint
from keys.presented import (
    ClientKey,
    Presented,
    client_keys,
    verify_presented,
    verify_self_signed,
)
from keys.public_keys import KeyWeak
from keys.software_signer import PrivateMaterial, SoftwareSigner
from tests.keys import key_builders
from tests.keys.key_builders import every_algorithm
from tests.keys.token_builders import encode, token_of

CLAIMS = {"iss": "portal-a", "sub": "portal-a", "aud": ["https://id.example.cn"], "jti": "1"}
EVERY = tuple(algorithm.jose for algorithm in ALGORITHMS.values())
Jwk = dict[str, Any]
Check = Callable[..., Presented]

others_know = pytest.mark.parametrize(
    "algorithm", [ES256, RS256, PS256, EDDSA], ids=lambda a: a.name
)


def client_jwk(algorithm: Algorithm, number: int = 0, **changes: Any) -> Jwk:
    """A key as a client might write it: a name of its own, or, with None, without a member."""
    told = jwk(key_builders.signer(algorithm, number).public_key) | {"kid": "mine"} | changes
    return {name: value for name, value in told.items() if value is not None}


def keys_of(*told: Jwk) -> tuple[ClientKey, ...]:
    return client_keys({"keys": list(told)})


def check(token: str, *told: Jwk, **changes: Any) -> Presented:
    wanted: Any = {"algorithms": EVERY, "types": (None, "JWT")} | changes
    return verify_presented(token, keys_of(*told), **wanted)


def signed(algorithm: Algorithm, number: int = 0, **header: Any) -> str:
    """A token by that key; members of the header that are None are left out."""
    head = {"alg": algorithm.jose, "kid": "mine", "typ": "JWT"} | header
    told = {name: value for name, value in head.items() if value is not None}
    return token_of(key_builders.signer(algorithm, number), told, CLAIMS)


@every_algorithm
def test_a_clients_token_is_read(algorithm: Algorithm) -> None:
    read = check(signed(algorithm), client_jwk(algorithm))
    assert read.claims == CLAIMS
    assert read.header["kid"] == "mine"


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@others_know
def test_the_tokens_of_pyjwt_and_joserfc_are_read(algorithm: Algorithm) -> None:
    private: Any = load_der_private_key(key_builders.material(algorithm).pkcs8, None)
    key_type: Any = client_jwk(algorithm)["kty"]
    other = import_key(key_builders.material(algorithm).pkcs8, key_type)
    header = {"alg": algorithm.jose, "kid": "mine", "typ": "JWT"}
    for token in (
        pyjwt.encode(CLAIMS, private, algorithm=algorithm.jose, headers={"kid": "mine"}),
        joserfc_jwt.encode(header, CLAIMS, other, [algorithm.jose]),
    ):
        assert check(token, client_jwk(algorithm)).claims == CLAIMS


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@others_know
def test_joserfc_accepts_and_refuses_the_same_client_keys(algorithm: Algorithm) -> None:
    own, other = client_jwk(algorithm), client_jwk(algorithm, 1)
    token = jose.sign(CLAIMS, key_builders.signer(algorithm), "JWT")
    read = joserfc_jwt.decode(token, import_key(own), algorithms=[algorithm.jose])
    assert read.claims == check(token, own | {"kid": read.header["kid"]}).claims
    with pytest.raises(TokenBadSignature):
        check(token, other | {"kid": read.header["kid"]})


def test_without_a_kid_every_key_of_the_algorithm_is_tried() -> None:
    several = (client_jwk(RS256), client_jwk(ES256, 1, kid=None), client_jwk(ES256, kid=None))
    assert check(signed(ES256, kid=None), *several).claims == CLAIMS
    with pytest.raises(TokenBadSignature):
        check(signed(ES256, kid=None), *several[:2])


def test_without_a_key_for_the_algorithm_the_keys_may_be_fetched_again() -> None:
    with pytest.raises(TokenUnknownKey):
        check(signed(ES256, kid=None), client_jwk(RS256))
    with pytest.raises(TokenUnknownKey):
        check(signed(ES256))


def test_a_kid_that_no_key_has_is_an_unknown_key_even_when_another_would_do() -> None:
    for kid in (None, "theirs"):
        with pytest.raises(TokenUnknownKey):
            check(signed(ES256), client_jwk(ES256, kid=kid))


def test_a_kid_that_keys_share_leaves_the_choice_to_the_algorithm() -> None:
    sharing = [client_jwk(a, kid="mine") for a in (EDDSA, ES256, PS256)]
    assert check(signed(ES256), *sharing).claims == CLAIMS


def test_a_key_of_another_algorithm_than_the_tokens_is_never_used() -> None:
    with pytest.raises(TokenWrongType):
        check(signed(PS256), client_jwk(RS256, alg="RS256"))
    with pytest.raises(TokenWrongType):
        check(signed(ES256, alg="RS256"), client_jwk(ES256))


def test_an_rsa_key_that_does_not_say_is_for_both_schemes() -> None:
    (key,) = keys_of(client_jwk(RS256, alg=None))
    assert {one.algorithm for one in key.public_keys} == {RS256, PS256}
    material = key_builders.material(RS256)
    for algorithm in (RS256, PS256):
        signer = SoftwareSigner(PrivateMaterial(algorithm, material.pkcs8))
        token = token_of(signer, {"alg": algorithm.jose, "kid": "mine"}, CLAIMS)
        assert check(token, client_jwk(RS256, alg=None)).claims == CLAIMS
        assert check(token, client_jwk(RS256, alg=algorithm.jose)).claims == CLAIMS


@pytest.mark.parametrize("allowed", [(), ("RS256",), ("ES", "256"), "ES256"])
def test_only_an_algorithm_the_caller_allows_counts(allowed: Any) -> None:
    with pytest.raises(TokenWrongType):
        check(signed(ES256), client_jwk(ES256), algorithms=allowed)


@pytest.mark.parametrize(
    ("typ", "types"),
    [
        (None, [None]),
        ("JWT", [None, "JWT"]),
        ("jwt", ["JWT"]),
        ("application/oauth-authz-req+jwt", ["oauth-authz-req+jwt"]),
        ("OAuth-AuthZ-Req+JWT", ["oauth-authz-req+jwt", "JWT"]),
    ],
)
def test_a_type_is_compared_as_a_media_type(typ: str | None, types: list[str | None]) -> None:
    assert check(signed(ES256, typ=typ), client_jwk(ES256), types=types).claims == CLAIMS


@pytest.mark.parametrize(
    ("typ", "types"),
    [(None, ["JWT"]), ("JWT", [None]), ("at+jwt", [None, "JWT"]), ("", [None]), ("JWT", [])],
)
def test_another_type_is_refused(typ: str | None, types: list[str | None]) -> None:
    with pytest.raises(TokenWrongType):
        check(signed(ES256, typ=typ), client_jwk(ES256), types=types)


@pytest.mark.parametrize("member", [{"x5t": "AA"}, {"x5t#S256": "AA"}, {"iss": "portal-a"}])
def test_what_a_header_says_beside_the_point_is_ignored(member: Jwk) -> None:
    assert check(signed(ES256, **member), client_jwk(ES256)).claims == CLAIMS


FOR_SOMETHING_ELSE: dict[str, Jwk] = {
    "another curve": ECKey.generate_key("P-384").as_dict(private=False),
    "agreement": OKPKey.generate_key("X25519").as_dict(private=False),
    "another Edwards curve": OKPKey.generate_key("Ed448").as_dict(private=False),
    "a kind of tomorrow": {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"},
    "a kind that is no name": {"kty": ["EC"]},
    "no kind": {},
    "use enc": client_jwk(ES256, 2, use="enc"),
    "use tls": client_jwk(ES256, 2, use="tls"),
    "operations": client_jwk(ES256, 2, key_ops=["deriveKey"]),
    "operations that are no list": client_jwk(ES256, 2, key_ops="verify"),
    "alg ECDH-ES": client_jwk(ES256, 2, alg="ECDH-ES"),
    "alg RS512": client_jwk(RS256, alg="RS512"),
    "alg RSA-OAEP": client_jwk(RS256, alg="RSA-OAEP"),
    "alg that is no name": client_jwk(ES256, 2, alg=1),
}


@pytest.mark.parametrize("other", FOR_SOMETHING_ELSE.values(), ids=FOR_SOMETHING_ELSE)
def test_keys_for_others_and_for_something_else_are_left_out(other: Jwk) -> None:
    (left,) = keys_of(other, client_jwk(ES256))
    assert [key.spki for key in left.public_keys] == [key_builders.signer(ES256).public_key.spki]


def test_a_key_may_say_that_it_verifies() -> None:
    assert keys_of(client_jwk(ES256, use=None, key_ops=["verify"]))


REFUSED_SETS: dict[str, Jwk] = {
    "no keys": {},
    "keys that are no list": {"keys": {}},
    "a key that is no object": {"keys": [1]},
    "shared": {"keys": [OctKey.generate_key(256).as_dict(private=True)]},
    "shared without a value": {"keys": [{"kty": "oct"}]},
    "private": {"keys": [ECKey.generate_key("P-256").as_dict(private=True)]},
    "private on a curve of others": {"keys": [ECKey.generate_key("P-384").as_dict(private=True)]},
    "private for encryption": {"keys": [client_jwk(ES256, use="enc", d="AAAA")]},
    "a kid that is no name": {"keys": [client_jwk(ES256, kid=1)]},
    "a point off the curve": {"keys": [client_jwk(ES256, x=encode(bytes(32)))]},
    "a number for a text": {"keys": [client_jwk(ES256, y=7)]},
    "too many": {"keys": [client_jwk(ES256)] * 65},
}


@pytest.mark.parametrize("jwks", REFUSED_SETS.values(), ids=REFUSED_SETS)
def test_a_set_that_is_private_shared_or_unsound_is_refused_whole(jwks: Jwk) -> None:
    with pytest.raises(KeyMalformed):
        client_keys(jwks)


def test_a_weak_key_is_refused() -> None:
    with pytest.raises(KeyWeak):
        keys_of(client_jwk(RS256, e="Aw"))


def proof(algorithm: Algorithm = ES256, **header: Any) -> str:
    key = jwk(key_builders.signer(algorithm).public_key)
    bare = {name: value for name, value in key.items() if name not in ("kid", "alg", "use")}
    head = {"alg": algorithm.jose, "typ": "dpop+jwt", "jwk": bare} | header
    told = {name: value for name, value in head.items() if value is not None}
    return token_of(key_builders.signer(algorithm), told, {"jti": "1", "htm": "POST"})


@every_algorithm
def test_a_proof_names_the_key_that_signed_it(algorithm: Algorithm) -> None:
    claims, name = verify_self_signed(proof(algorithm), algorithms=EVERY)
    assert claims == {"jti": "1", "htm": "POST"}
    assert name == thumbprint(key_builders.signer(algorithm).public_key)


def test_a_proof_of_joserfc_is_read() -> None:
    key = ECKey.generate_key("P-256")
    header = {"alg": "ES256", "typ": "dpop+jwt", "jwk": key.as_dict(private=False)}
    token = joserfc_jwt.encode(header, {"jti": "2"}, key)
    assert verify_self_signed(token, algorithms=["ES256"]) == ({"jti": "2"}, key.thumbprint())


def test_what_the_key_says_of_itself_is_not_believed() -> None:
    key = jwk(key_builders.signer(ES256).public_key) | {"kid": "theirs", "alg": "ES384"}
    _, name = verify_self_signed(proof(jwk=key), algorithms=EVERY)
    assert name == thumbprint(key_builders.signer(ES256).public_key)


def test_a_proof_by_another_key_than_the_one_within_is_refused() -> None:
    other = jwk(key_builders.signer(ES256, 1).public_key)
    with pytest.raises(TokenBadSignature):
        verify_self_signed(proof(jwk=other), algorithms=EVERY)


@pytest.mark.parametrize(
    "header",
    [
        {"typ": None},
        {"typ": "JWT"},
        {"typ": "DPoP+JWT"},
        {"typ": "application/dpop+jwt"},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "RS256"},
    ],
)
def test_a_proof_of_another_type_or_algorithm_is_refused(header: Jwk) -> None:
    with pytest.raises(TokenWrongType):
        verify_self_signed(proof(**header), algorithms=EVERY)
    with pytest.raises(TokenWrongType):
        verify_self_signed(proof(), algorithms=["PS256"])


UNSOUND: dict[str, Any] = {
    "none": None,
    "a text": "key",
    "a list": [],
    "nothing in it": {},
    "shared": {"kty": "oct", "k": "AAAA"},
    "private": client_jwk(ES256, d="AAAA"),
    "short": client_jwk(ES256, x="AA"),
    "not a text one could write": client_jwk(ES256, x="\ud800"),
    "of another curve": client_jwk(SM2_SM3, crv="P-256"),
    "on a curve we do not know": ECKey.generate_key("P-384").as_dict(private=False),
    "for agreement": OKPKey.generate_key("X25519").as_dict(private=False),
    "weak": client_jwk(RS256, e="Aw"),
}


@pytest.mark.parametrize("within", UNSOUND.values(), ids=UNSOUND)
def test_a_proof_without_a_sound_public_key_is_refused(within: Any) -> None:
    with pytest.raises(TokenMalformed):
        verify_self_signed(proof(jwk=within), algorithms=EVERY)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_changed_character_leaves_a_clients_token_or_proof_good(data: st.DataObject) -> None:
    algorithm = data.draw(st.sampled_from(list(ALGORITHMS.values())))
    token = data.draw(st.sampled_from([signed(algorithm), proof(algorithm)]))
    place = data.draw(st.integers(min_value=0, max_value=len(token) - 1))
    character = data.draw(st.sampled_from("ABab01-_.=+/ \n").filter(lambda c: c != token[place]))
    changed = token[:place] + character + token[place + 1 :]
    with pytest.raises(TokenError):
        check(changed, client_jwk(algorithm))
    with pytest.raises(TokenError):
        verify_self_signed(changed, algorithms=EVERY)


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda b: f"{encode(b)}.e30.AA"))
def test_whatever_is_sent_is_a_token_or_an_error_of_ours(text: str) -> None:
    with pytest.raises(TokenError):
        check(text, client_jwk(ES256))


@given(
    st.dictionaries(
        st.sampled_from(["kty", "crv", "x", "y", "n", "e", "use", "alg", "kid", "d"]),
        st.sampled_from(["EC", "RSA", "OKP", "P-256", "Ed25519", "sig", "AQAB", "", None, 1, []]),
    )
)
def test_whatever_is_registered_is_a_key_or_an_error_of_ours(told: Jwk) -> None:
    try:
        keys = client_keys({"keys": [told]})
    except KeyMalformed:
        return
    assert json.dumps(told)
    assert keys == ()
