import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import ECKey

from keys import jose
from keys.algorithms import ES256, SM2_SM3
from keys.curves import P256, KeyMalformed
from keys.signer import PublicKey
from keys.software_signer import PrivateMaterial, SoftwareSigner, generate

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


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token_of(
    signer: SoftwareSigner, header: Mapping[str, Any] | str, payload: bytes | Claims
) -> str:
    """A token exactly as told, signed well."""
    head = header if isinstance(header, str) else json.dumps(header)
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    signed = f"{encode(head.encode())}.{encode(body)}"
    return f"{signed}.{encode(signer.sign(signed.encode()))}"


def header_of(signer: SoftwareSigner, **changes: Any) -> Claims:
    return {"alg": "ES256", "kid": signer.public_key.kid, "typ": "JWT"} | changes


def other_library_key(material: PrivateMaterial) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(P256.scalar(material.pkcs8)), ec.SECP256R1())


def test_claims_survive_the_round(
    signer: SoftwareSigner, claims: Claims, verify: Callable[..., Claims]
) -> None:
    assert verify(jose.sign(claims, signer, "JWT")) == claims


def test_pyjwt_and_joserfc_accept_our_tokens(signer: SoftwareSigner, claims: Claims) -> None:
    token = jose.sign(claims | {"exp": 4102444800, "iat": 1}, signer, "at+jwt")
    key = load_der_public_key(signer.public_key.spki)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    told = pyjwt.decode(token, key, algorithms=["ES256"], audience=AUDIENCE, issuer=ISSUER)
    assert told["name"] == "张䶮"
    assert pyjwt.get_unverified_header(token)["typ"] == "at+jwt"
    read = joserfc_jwt.decode(
        token, ECKey.import_key(dict(jose.jwk(signer.public_key))), algorithms=["ES256"]
    )
    assert read.claims == told


def test_we_accept_the_tokens_of_pyjwt_and_joserfc(claims: Claims, now: datetime) -> None:
    material = generate(ES256)
    public_key = SoftwareSigner(material).public_key
    private = other_library_key(material)
    numbers = private.private_numbers().private_value.to_bytes(32)
    private_jwk: dict[str, Any] = {**jose.jwk(public_key), "d": encode(numbers)}
    joserfc_key = ECKey.import_key(private_jwk)
    header = {"kid": public_key.kid, "typ": "JWT"}
    for token in (
        pyjwt.encode(claims, private, algorithm="ES256", headers=header),
        joserfc_jwt.encode(header | {"alg": "ES256"}, claims, joserfc_key),
    ):
        keys = {public_key.kid: public_key}
        read = jose.verify(token, keys, "JWT", issuer=ISSUER, audience=AUDIENCE, now=now)
        assert read == claims


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


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"null", b"{", b"\xff", b"[" * 5000])
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


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_changed_character_leaves_a_token_good(data: st.DataObject) -> None:
    now = datetime.fromisoformat("2026-11-01T08:00:00+00:00")
    start = int(now.timestamp())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "iat": start, "exp": start + 60}
    token = jose.sign(claims, FIXED, "JWT")
    place = data.draw(st.integers(min_value=0, max_value=len(token) - 1))
    character = data.draw(st.sampled_from("ABab01-_.=+/ \n").filter(lambda c: c != token[place]))
    changed = token[:place] + character + token[place + 1 :]
    keys = {FIXED.public_key.kid: FIXED.public_key}
    with pytest.raises(jose.TokenError):
        jose.verify(changed, keys, "JWT", issuer=ISSUER, audience=AUDIENCE, now=now)


FIXED = SoftwareSigner(generate(ES256))


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


@pytest.mark.parametrize("algorithm", [ES256, SM2_SM3], ids=lambda a: a.name)
def test_a_key_survives_being_a_jwk(algorithm: Any) -> None:
    key = SoftwareSigner(generate(algorithm)).public_key
    assert jose.public_key_from_jwk(jose.jwk(key)) == key


def key_of(scalar: int) -> PublicKey:
    return SoftwareSigner(
        PrivateMaterial(ES256, P256.pkcs8(scalar.to_bytes(32), bytes(64)))
    ).public_key


def test_a_jwk_keeps_leading_zeros() -> None:
    short = next(k for k in map(key_of, range(1, 3000)) if P256.point(k.spki)[0] == 0)
    assert len(jose.jwk(short)["x"]) == 43
    assert jose.public_key_from_jwk(jose.jwk(short)) == short


@pytest.mark.parametrize(
    "change",
    [
        {"kty": "RSA"},
        {"crv": "P-384"},
        {"crv": "SM2-P-256"},
        {"x": "AA"},
        {"x": "!"},
        {"y": ""},
        {"d": "AA"},
        {"kid": "0000000000000000"},
        {"alg": "HS256"},
    ],
)
def test_a_jwk_that_is_not_what_it_says_is_refused(change: Claims, signer: SoftwareSigner) -> None:
    with pytest.raises(KeyMalformed):
        jose.public_key_from_jwk(jose.jwk(signer.public_key) | change)
