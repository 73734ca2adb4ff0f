import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import import_key
from jwt.algorithms import Algorithm as PyJwtAlgorithm

from keys import jose, sm2
from keys.algorithms import ALGORITHMS, EDDSA, ES256, PS256, RS256, SM2_SM3, Algorithm
from keys.curves import SM2
from keys.key_token import TokenUnavailable
from keys.signer import PublicKey
from keys.software_signer import PrivateMaterial, SoftwareSigner, generate
from tests.keys import key_builders
from tests.keys.token_builders import encode, token_of

ISSUER, AUDIENCE = "https://id.example.cn", "https://licences.example.cn"
Claims = dict[str, Any]


@pytest.fixture
def claims(now: datetime) -> Claims:
    start = int(now.timestamp())
    return {"iss": ISSUER, "aud": AUDIENCE, "iat": start, "exp": start + 60, "name": "张䶮"}


@pytest.fixture
def verify(signer: SoftwareSigner, now: datetime) -> Callable[..., Claims]:
    def check(token: str, **changes: Any) -> Claims:
        keys = {signer.public_key.kid: signer.public_key}
        wanted: Any = {"issuer": ISSUER, "audience": AUDIENCE, "now": now} | changes
        return jose.verify(token, keys, "JWT", **wanted)

    return check


def header_of(signer: SoftwareSigner, **changes: Any) -> Claims:
    return {"alg": "ES256", "kid": signer.public_key.kid, "typ": "JWT"} | changes


def test_claims_survive_the_round(
    signer: SoftwareSigner, claims: Claims, verify: Callable[..., Claims]
) -> None:
    assert verify(jose.sign(claims, signer, "JWT")) == claims


# SM2 is in no other library: its tokens are checked by telling PyJWT what SM2 is.
others_know = pytest.mark.parametrize(
    "algorithm", [ES256, RS256, PS256, EDDSA], ids=lambda a: a.name
)


# RFC 9864 has a newer name than EdDSA, which PyJWT does not know.
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@others_know
def test_pyjwt_and_joserfc_accept_our_tokens(algorithm: Algorithm, claims: Claims) -> None:
    key = key_builders.signer(algorithm).public_key
    signed = claims | {"exp": 4102444800, "iat": 1}
    token = jose.sign(signed, key_builders.signer(algorithm), "at+jwt")
    name = algorithm.jose
    told = pyjwt.decode(
        token, pyjwt.PyJWK(jose.jwk(key)), algorithms=[name], audience=AUDIENCE, issuer=ISSUER
    )
    assert told == signed
    assert pyjwt.get_unverified_header(token) == {"alg": name, "kid": key.kid, "typ": "at+jwt"}
    read = joserfc_jwt.decode(token, import_key(dict(jose.jwk(key))), algorithms=[name])
    assert read.claims == told


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@others_know
def test_we_accept_the_tokens_of_pyjwt_and_joserfc(
    algorithm: Algorithm, claims: Claims, now: datetime
) -> None:
    public_key = key_builders.signer(algorithm).public_key
    pkcs8 = key_builders.material(algorithm).pkcs8
    private: Any = load_der_private_key(pkcs8, None)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    header = {"kid": public_key.kid, "typ": "JWT", "alg": algorithm.jose}
    key_type: Any = jose.jwk(public_key)["kty"]
    for token in (
        pyjwt.encode(claims, private, algorithm=algorithm.jose, headers=header),
        joserfc_jwt.encode(header, claims, import_key(pem, key_type), [algorithm.jose]),
    ):
        keys = {public_key.kid: public_key}
        read = jose.verify(token, keys, "JWT", issuer=ISSUER, audience=AUDIENCE, now=now)
        assert read == claims


class Sm2InPyJwt(PyJwtAlgorithm):
    """SM2 signatures for PyJWT, straight on `keys.sm2`."""

    def prepare_key(self, key: Any) -> Any:
        return key

    def sign(self, msg: bytes, key: Any) -> bytes:
        return sm2.PrivateKey(key).sign(msg)

    def verify(self, msg: bytes, key: Any, sig: bytes) -> bool:
        return sm2.verify(key, msg, sig)

    @staticmethod
    def to_jwk(key_obj: Any, as_dict: bool = False) -> Any:
        raise NotImplementedError

    @staticmethod
    def from_jwk(jwk: Any) -> Any:
        raise NotImplementedError


def test_sm2_tokens_go_to_and_fro_under_the_name_of_gm_t_0125(
    claims: Claims, now: datetime
) -> None:
    own, library = key_builders.signer(SM2_SM3), pyjwt.PyJWT()
    library._jws.register_algorithm("SGD_SM3_SM2", Sm2InPyJwt())
    scalar = SM2.scalar(key_builders.material(SM2_SM3).pkcs8)
    keys = {own.public_key.kid: own.public_key}
    token = library.encode(
        claims, scalar, algorithm="SGD_SM3_SM2", headers={"kid": own.public_key.kid}
    )
    read = jose.verify(token, keys, "JWT", issuer=ISSUER, audience=AUDIENCE, now=now)
    assert read == claims
    ours = jose.sign(claims | {"exp": 4102444800, "iat": 1}, own, "JWT")
    point = SM2.point(own.public_key.spki)
    told = library.decode(ours, point, algorithms=["SGD_SM3_SM2"], audience=AUDIENCE)
    assert told["name"] == "张䶮"


class Gone:
    """A signer whose device does not answer."""

    def __init__(self, key: PublicKey) -> None:
        self.public_key = key

    def sign(self, message: bytes) -> bytes:
        raise TokenUnavailable


def test_a_signer_that_fails_says_itself_why(signer: SoftwareSigner, claims: Claims) -> None:
    with pytest.raises(TokenUnavailable):
        jose.sign(claims, Gone(signer.public_key), "JWT")


def test_one_rsa_key_checks_only_the_scheme_it_is_for(claims: Claims, now: datetime) -> None:
    pkcs1 = key_builders.signer(RS256)
    pss = SoftwareSigner(PrivateMaterial(PS256, key_builders.material(RS256).pkcs8))
    assert pss.public_key.kid == pkcs1.public_key.kid
    for signer, other in ((pkcs1, pss), (pss, pkcs1)):
        with pytest.raises(jose.TokenWrongType):
            jose.verify(
                jose.sign(claims, signer, "JWT"),
                {other.public_key.kid: other.public_key},
                "JWT",
                issuer=ISSUER,
                audience=AUDIENCE,
                now=now,
            )


def test_a_token_ends_at_its_exp_and_not_before(
    signer: SoftwareSigner, claims: Claims, verify: Callable[..., Claims], now: datetime
) -> None:
    token = jose.sign(claims, signer, "JWT")
    verify(token, now=now + timedelta(seconds=59))
    with pytest.raises(jose.TokenExpired):
        verify(token, now=now + timedelta(seconds=60))
    # Leeway is for clocks that differ about the beginning; an end is an end.
    with pytest.raises(jose.TokenExpired):
        verify(token, now=now + timedelta(seconds=60), leeway=5)


def test_a_token_from_the_future_waits(
    signer: SoftwareSigner, claims: Claims, verify: Callable[..., Claims], now: datetime
) -> None:
    token = jose.sign(claims, signer, "JWT")
    with pytest.raises(jose.TokenNotYetValid):
        verify(token, now=now - timedelta(seconds=1))
    verify(token, now=now - timedelta(seconds=1), leeway=1)
    with pytest.raises(jose.TokenNotYetValid):
        verify(jose.sign(claims | {"nbf": claims["iat"] + 1}, signer, "JWT"))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"iss": "https://other.example.cn"}, jose.TokenWrongIssuer),
        ({"iss": None}, jose.TokenWrongIssuer),
        ({"iss": [ISSUER]}, jose.TokenWrongIssuer),
        ({"aud": "https://other.example.cn"}, jose.TokenWrongAudience),
        ({"aud": None}, jose.TokenWrongAudience),
        ({"aud": []}, jose.TokenWrongAudience),
        ({"aud": {AUDIENCE: 1}}, jose.TokenWrongAudience),
        ({"exp": None}, jose.TokenMalformed),
        ({"exp": "4102444800"}, jose.TokenMalformed),
        ({"exp": True}, jose.TokenMalformed),
        ({"exp": 1e400}, jose.TokenMalformed),
        ({"iat": None}, jose.TokenMalformed),
    ],
)
def test_a_claim_that_is_wrong_or_absent_is_refused(
    change: Claims,
    error: type[Exception],
    signer: SoftwareSigner,
    claims: Claims,
    verify: Callable[..., Claims],
) -> None:
    changed = {k: v for k, v in (claims | change).items() if v is not None}
    with pytest.raises(error):
        verify(jose.sign(changed, signer, "JWT"))


def test_one_of_several_audiences_is_enough(
    signer: SoftwareSigner, claims: Claims, verify: Callable[..., Claims]
) -> None:
    verify(jose.sign(claims | {"aud": ["https://other.example.cn", AUDIENCE]}, signer, "JWT"))


def test_a_token_for_somebody_is_refused_where_none_is_expected(
    signer: SoftwareSigner, claims: Claims, verify: Callable[..., Claims]
) -> None:
    with pytest.raises(jose.TokenWrongAudience):
        verify(jose.sign(claims, signer, "JWT"), audience=None)
    del claims["aud"]
    verify(jose.sign(claims, signer, "JWT"), audience=None)


@pytest.mark.parametrize("typ", ["at+jwt", "jwt", "", "JWT "])
def test_a_token_of_another_type_is_refused(
    typ: str, signer: SoftwareSigner, claims: Claims, verify: Callable[..., Claims]
) -> None:
    with pytest.raises(jose.TokenWrongType):
        verify(jose.sign(claims, signer, typ))


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"b64": False},
        {"jwk": {"kty": "EC"}},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"zip": "DEF"},
        {"typ": 1},
        {"kid": None},
    ],
)
def test_a_header_with_a_stranger_in_it_is_refused(
    header: Claims, signer: SoftwareSigner, claims: Claims, verify: Callable[..., Claims]
) -> None:
    with pytest.raises(jose.TokenMalformed):
        verify(token_of(signer, header_of(signer, **header), claims))


def test_a_header_or_claim_that_stands_twice_is_refused(
    signer: SoftwareSigner, claims: Claims, verify: Callable[..., Claims]
) -> None:
    kid = signer.public_key.kid
    twice = f'{{"alg":"ES256","kid":"{kid}","typ":"JWT","typ":"JWT"}}'
    with pytest.raises(jose.TokenMalformed):
        verify(token_of(signer, twice, claims))
    body = json.dumps(claims).encode()[:-1] + b',"exp":4102444800}'
    with pytest.raises(jose.TokenMalformed):
        verify(token_of(signer, header_of(signer), body))


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"1", b"null", b"{", b"\xff", b"[" * 5000, b'{"exp":NaN}', b'{"exp":-Infinity}'],
)
def test_claims_that_are_no_object_are_refused(
    body: bytes, signer: SoftwareSigner, verify: Callable[..., Claims]
) -> None:
    with pytest.raises(jose.TokenMalformed):
        verify(token_of(signer, header_of(signer), body))


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "HS256", "RS256", "ES384", "SGD_SM3_SM2", ""]
)
def test_only_the_keys_own_algorithm_counts(
    algorithm: str, signer: SoftwareSigner, claims: Claims, verify: Callable[..., Claims]
) -> None:
    with pytest.raises(jose.TokenWrongType):
        verify(token_of(signer, header_of(signer, alg=algorithm), claims))


def test_a_public_key_used_as_a_shared_secret_signs_nothing(
    signer: SoftwareSigner, claims: Claims, verify: Callable[..., Claims]
) -> None:
    spki = signer.public_key.spki
    for secret in (spki, spki[26:], spki[27:], signer.public_key.kid.encode()):
        head = encode(json.dumps(header_of(signer, alg="HS256")).encode())
        signed = f"{head}.{encode(json.dumps(claims).encode())}"
        mac = hmac.digest(secret, signed.encode(), hashlib.sha256)
        with pytest.raises(jose.TokenWrongType):
            verify(f"{signed}.{encode(mac)}")


def test_an_unsigned_token_is_refused(
    signer: SoftwareSigner, claims: Claims, verify: Callable[..., Claims]
) -> None:
    head, body, _ = jose.sign(claims, signer, "JWT").split(".")
    with pytest.raises(jose.TokenBadSignature):
        verify(f"{head}.{body}.")


def test_a_key_that_is_not_trusted_is_refused(
    claims: Claims, verify: Callable[..., Claims]
) -> None:
    stranger = SoftwareSigner(generate(ES256))
    with pytest.raises(jose.TokenUnknownKey):
        verify(jose.sign(claims, stranger, "JWT"))


def test_a_trusted_name_on_a_strangers_signature_is_refused(
    signer: SoftwareSigner, claims: Claims, verify: Callable[..., Claims]
) -> None:
    stranger = SoftwareSigner(generate(ES256))
    with pytest.raises(jose.TokenBadSignature):
        verify(token_of(stranger, header_of(signer), claims))


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_changed_character_leaves_a_token_good(data: st.DataObject) -> None:
    signer = key_builders.signer(data.draw(st.sampled_from(list(ALGORITHMS.values()))))
    now = datetime.fromisoformat("2026-11-01T08:00:00+00:00")
    start = int(now.timestamp())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "iat": start, "exp": start + 60}
    token = jose.sign(claims, signer, "JWT")
    place = data.draw(st.integers(min_value=0, max_value=len(token) - 1))
    character = data.draw(st.sampled_from("ABab01-_.=+/ \n").filter(lambda c: c != token[place]))
    changed = token[:place] + character + token[place + 1 :]
    keys = {signer.public_key.kid: signer.public_key}
    with pytest.raises(jose.TokenError):
        jose.verify(changed, keys, "JWT", issuer=ISSUER, audience=AUDIENCE, now=now)


def test_the_spare_bits_of_base64_are_not_a_second_form(
    signer: SoftwareSigner, claims: Claims, verify: Callable[..., Claims]
) -> None:
    token = jose.sign(claims, signer, "JWT")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # 64 bytes leave four spare bits in the last of 86 characters.
    neighbour = alphabet[alphabet.index(token[-1]) ^ 1]
    for changed in (token[:-1] + neighbour, token + "=", token + "==", " " + token, token + "\n"):
        with pytest.raises(jose.TokenMalformed):
            verify(changed)


@pytest.mark.parametrize("text", ["", ".", "..", "a.b", "a.b.c.d", "张.䶮.印", "e30.e30.e30"])
def test_text_that_is_no_token_is_refused(text: str, verify: Callable[..., Claims]) -> None:
    with pytest.raises(jose.TokenMalformed):
        verify(text)


def test_a_token_over_the_limit_is_not_even_read(
    signer: SoftwareSigner, claims: Claims, verify: Callable[..., Claims]
) -> None:
    token = jose.sign(claims | {"padding": "x" * 9000}, signer, "JWT")
    with pytest.raises(jose.TokenMalformed):
        verify(token)
    assert verify(token, largest=len(token))["padding"]
    with pytest.raises(jose.TokenMalformed):
        verify(token, largest=len(token) - 1)


def test_any_bytes_can_be_signed_under_their_type(signer: SoftwareSigner) -> None:
    keys = {signer.public_key.kid: signer.public_key}
    data = bytes(range(256)) * 100
    token = jose.sign_bytes(data, signer, "application/licence")
    assert jose.key_id(token) == signer.public_key.kid
    assert jose.verify_bytes(token, keys) == data
    assert jose.verify_bytes(token, keys, content_type="application/licence") == data
    with pytest.raises(jose.TokenWrongType):
        jose.verify_bytes(token, keys, content_type="application/trust-list")


def test_a_token_of_claims_is_no_signed_document_and_the_other_way_round(
    signer: SoftwareSigner, claims: Claims, verify: Callable[..., Claims]
) -> None:
    keys = {signer.public_key.kid: signer.public_key}
    with pytest.raises(jose.TokenWrongType):
        jose.verify_bytes(jose.sign(claims, signer, "JWT"), keys)
    with pytest.raises(jose.TokenWrongType):
        verify(jose.sign_bytes(json.dumps(claims).encode(), signer, "application/json"))
