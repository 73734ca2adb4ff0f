import hashlib
from typing import Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import import_key

from keys.algorithms import EDDSA, ES256, PS256, RS256, SM2_SM3, Algorithm
from keys.base64url import decode, encode
from keys.curves import P256, KeyMalformed
from keys.jwk import encryption_jwk, jwk, public_key_from_jwk, thumbprint
from keys.public_keys import KeyWeak, rsa_numbers, rsa_spki
from keys.signer import PublicKey
from keys.software_signer import PrivateMaterial, SoftwareSigner
from tests.keys.key_builders import every_algorithm, signer

others_know = pytest.mark.parametrize(
    "algorithm", [ES256, RS256, PS256, EDDSA], ids=lambda a: a.name
)
Jwk = dict[str, Any]


@every_algorithm
def test_a_key_survives_being_a_jwk(algorithm: Algorithm) -> None:
    key = signer(algorithm).public_key
    told = jwk(key)
    assert (told["kid"], told["alg"], told["use"]) == (key.kid, algorithm.jose, "sig")
    assert public_key_from_jwk(told) == key


@others_know
def test_other_libraries_read_the_same_key(algorithm: Algorithm) -> None:
    key = signer(algorithm).public_key
    read = pyjwt.PyJWK(jwk(key)).key
    assert read.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == key.spki
    key_type: Any = jwk(key)["kty"]
    members = import_key(key.spki, key_type).as_dict(private=False)
    assert members.items() <= jwk(key).items()
    assert public_key_from_jwk(members | {"alg": algorithm.jose}) == key


def test_an_rsa_key_that_does_not_say_is_for_rs256() -> None:
    told = jwk(signer(PS256).public_key)
    del told["alg"]
    assert public_key_from_jwk(told).algorithm is RS256


def key_of(scalar: int) -> PublicKey:
    return SoftwareSigner(
        PrivateMaterial(ES256, P256.pkcs8(scalar.to_bytes(32), bytes(64)))
    ).public_key


def test_a_jwk_keeps_leading_zeros() -> None:
    short = next(k for k in map(key_of, range(1, 3000)) if P256.point(k.spki)[0] == 0)
    assert len(jwk(short)["x"]) == 43
    assert public_key_from_jwk(jwk(short)) == short


# RFC 7638 §3.1 and RFC 8037 §A.3.
OF_THE_RFCS = (
    (
        {
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSo"
            "c_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0"
            "_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4"
            "vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
            "e": "AQAB",
            "alg": "RS256",
            "kid": "2011-04-29",
        },
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
    ),
    (
        {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    ),
)


@pytest.mark.parametrize(("told", "name"), OF_THE_RFCS)
def test_the_thumbprints_are_those_of_the_rfcs(told: Jwk, name: str) -> None:
    assert thumbprint(told) == name
    assert thumbprint(public_key_from_jwk({k: v for k, v in told.items() if k != "kid"})) == name


@others_know
def test_other_libraries_make_the_same_thumbprint(algorithm: Algorithm) -> None:
    key = signer(algorithm).public_key
    key_type: Any = jwk(key)["kty"]
    other = import_key(key.spki, key_type).thumbprint()
    assert thumbprint(key) == thumbprint(jwk(key)) == other


def test_an_sm2_key_has_a_thumbprint_by_the_same_rule() -> None:
    key = signer(SM2_SM3).public_key
    told = jwk(key)
    canonical = f'{{"crv":"SM2-P-256","kty":"EC","x":"{told["x"]}","y":"{told["y"]}"}}'
    assert thumbprint(key) == encode(hashlib.sha256(canonical.encode()).digest())


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"kty": "EC", "crv": "P-256", "x": "AA"},
        {"kty": "RSA", "n": "AA"},
        {"kty": "oct", "k": "AA"},
        {"kty": "OKP", "crv": "Ed25519", "x": 1},
        {"kty": "OKP", "crv": "Ed25519", "x": "\ud800"},
        {"kty": ["EC"]},
    ],
)
def test_what_is_no_public_key_has_no_thumbprint(told: Jwk) -> None:
    with pytest.raises(KeyMalformed):
        thumbprint(told)


def test_a_key_to_encrypt_to_says_so_and_passes_for_no_key_that_signs() -> None:
    key = signer(ES256).public_key
    told = encryption_jwk(key)
    assert (told["kid"], told["use"], told["crv"]) == (key.kid, "enc", "P-256")
    with pytest.raises(KeyMalformed):
        public_key_from_jwk(told)


EC_CHANGES: tuple[Jwk, ...] = (
    {"kty": "RSA"},
    {"kty": "OKP"},
    {"crv": "P-384"},
    {"crv": "SM2-P-256"},
    {"x": "AA"},
    {"x": "!"},
    {"x": 1},
    {"y": ""},
    {"y": "AA"},
    {"d": "AA"},
    {"d": None},
    {"k": "AA"},
    {"kid": "0000000000000000"},
    {"kid": 1},
    {"alg": "HS256"},
    {"alg": "none"},
    {"alg": "RS256"},
    {"alg": "SGD_SM3_SM2"},
    {"alg": None},
    {"use": "enc"},
    {"use": None},
)
RSA_CHANGES: tuple[Jwk, ...] = (
    {"kty": "EC"},
    {"kty": "oct"},
    {"n": ""},
    {"n": "AA"},
    {"e": ""},
    {"e": "AAEAAQ"},  # 65537 behind a zero octet
    {"e": "AQAB="},
    {"e": 65537},
    {"alg": "ES256"},
    {"alg": "RS512"},
    {"d": "AQAB"},
    {"p": "AQAB"},
    {"oth": []},
)
OKP_CHANGES: tuple[Jwk, ...] = (
    {"kty": "EC"},
    {"crv": "X25519"},
    {"crv": "Ed448"},
    {"x": "AA"},
    {"x": encode(bytes(32))},
    {"alg": "ES256"},
    {"alg": "Ed448"},
    {"d": "AA"},
)


@pytest.mark.parametrize(
    ("algorithm", "change"),
    [
        *((ES256, change) for change in EC_CHANGES),
        *((RS256, change) for change in RSA_CHANGES),
        *((EDDSA, change) for change in OKP_CHANGES),
        (SM2_SM3, {"crv": "P-256"}),
        (SM2_SM3, {"alg": "ES256"}),
    ],
    ids=str,
)
def test_a_jwk_that_is_not_what_it_says_is_refused(algorithm: Algorithm, change: Jwk) -> None:
    with pytest.raises(KeyMalformed):
        public_key_from_jwk(jwk(signer(algorithm).public_key) | change)


def test_of_a_strangers_words_not_more_is_told_than_fits_a_line() -> None:
    for told in ({"kty": "EC", "crv": "x" * 9999, "x": "", "y": ""}, {"crv": ["x" * 9999]}):
        with pytest.raises(KeyMalformed) as refused:
            public_key_from_jwk(told)
        assert len(str(refused.value)) < 200


def test_a_weak_key_stays_weak_as_a_jwk() -> None:
    modulus, _ = rsa_numbers(signer(RS256).public_key.spki)
    told = jwk(PublicKey("", RS256, rsa_spki(modulus, 3)))
    del told["kid"]
    with pytest.raises(KeyWeak):
        public_key_from_jwk(told)


@given(st.binary(max_size=100))
def test_bytes_survive_base64url(data: bytes) -> None:
    assert decode(encode(data)) == data


@pytest.mark.parametrize("text", ["A", "AA==", "AB", "A+A", "A/A", " AA", "AA\n", "AA=", "á"])
def test_a_second_form_of_base64url_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words are Python's own
        decode(text)
