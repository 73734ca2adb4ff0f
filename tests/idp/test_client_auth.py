"""How clients prove themselves: secrets, assertions, certificates; and everything that proves nothing."""

import base64
import datetime
import hmac
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote_plus

import httpx2
import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisGone
from redis.retry import Retry
from sqlalchemy import Engine, QueuePool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from idp import client_auth, client_keys, clients, parameters
from idp.call import Call
from idp.client_assertion import TYPE
from idp.client_keys import KeysUnavailable
from idp.clients import Client
from idp.errors import OAuthError
from idp.outgoing import Outgoing
from idp.vocabulary import AuthMethod, OAuthCode
from keys import base64url, jwk
from keys.algorithms import SM2_SM3
from keys.jose import sign
from keys.public_keys import public_key
from keys.software_signer import SoftwareSigner, generate
from tests.idp.world import World, heard, served

SECRET = "a-secret-told-once"
EC_KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
ED_KEY = ed25519.Ed25519PrivateKey.generate()

Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def jwk_of(key: Private, kid: str) -> dict[str, str]:
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    told = jwk.jwk(public_key(spki))
    return {name: told[name] for name in told if name != "alg"} | {"kid": kid}


JWKS = {"keys": [jwk_of(EC_KEY, "one"), jwk_of(RSA_KEY, "two"), jwk_of(ED_KEY, "three")]}


def call(world: World, headers: Mapping[str, str] | None = None, **form: str) -> Call:
    return Call(
        "POST",
        f"{world.issuer}/token",
        parameters.gather(form.items()),
        headers or {},
    )


def authenticated(world: World, asked: Call) -> str:
    """The identifier of the client that proved itself."""
    return client_auth.authenticate(world.provider, asked).client_id


def refusal(world: World, asked: Call) -> OAuthError:
    with pytest.raises(OAuthError) as error:
        authenticated(world, asked)
    return error.value


def refused(world: World, asked: Call) -> OAuthCode:
    return refusal(world, asked).error


def registered(world: World, client_id: str = "portal-a") -> Client:
    with world.begin() as tx:
        return clients.get(tx, client_id)


def basic(client_id: str, secret: str) -> dict[str, str]:
    told = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return {"authorization": f"Basic {base64.b64encode(told.encode()).decode()}"}


# --- secrets


@pytest.mark.parametrize("method", [AuthMethod.BASIC, AuthMethod.POST])
def test_a_secret_is_taken_from_the_header_or_the_body(world: World, method: AuthMethod) -> None:
    world.client(client_secret=SECRET, auth_method=method)
    for asked in (
        call(world, basic("portal-a", SECRET)),
        call(world, basic("portal-a", SECRET), client_id="portal-a"),
        call(world, client_id="portal-a", client_secret=SECRET),
    ):
        assert authenticated(world, asked) == "portal-a"


def test_a_secret_of_odd_characters_comes_through_the_header(world: World) -> None:
    secret = "100% +odd:/?&=ü secret".replace("ü", "u")
    world.client(client_secret=secret)
    assert authenticated(world, call(world, basic("portal-a", secret)))


def test_every_wrong_proof_gets_the_same_answer(world: World) -> None:
    world.client(client_secret=SECRET)
    world.client(client_id="phone-app", auth_method=AuthMethod.NONE)
    answers = {
        (error.error, error.description, error.status)
        for error in (
            refusal(world, call(world, client_id="portal-a", client_secret="not the one told")),
            refusal(world, call(world, client_id="nobody", client_secret=SECRET)),
            refusal(world, call(world, client_id="no\x00body", client_secret=SECRET)),
            refusal(world, call(world, client_id="portal-a")),
            refusal(world, call(world, client_id="nobody")),
            refusal(world, call(world, client_id="phone-app", client_secret=SECRET)),
            refusal(world, call(world, client_id="phone-app", client_secret="")),
        )
    }
    assert answers == {(OAuthCode.INVALID_CLIENT, "client authentication failed", 401)}


def test_a_public_client_only_names_itself(world: World) -> None:
    world.client(client_id="phone-app", auth_method=AuthMethod.NONE)
    assert authenticated(world, call(world, client_id="phone-app")) == "phone-app"


@pytest.mark.parametrize(
    ("headers", "form"),
    [
        (basic("portal-a", SECRET), {"client_secret": SECRET}),
        (basic("portal-a", SECRET), {"client_assertion": "a.b.c", "client_assertion_type": TYPE}),
        ({}, {"client_id": "portal-a", "client_secret": SECRET, "client_assertion": "a.b.c"}),
        (basic("portal-a", SECRET), {"client_id": "portal-b"}),
    ],
)
def test_two_proofs_at_once_are_no_proof(
    world: World, headers: dict[str, str], form: dict[str, str]
) -> None:
    world.client(client_secret=SECRET)
    assert refused(world, call(world, headers, **form)) is OAuthCode.INVALID_REQUEST


def test_a_repeated_proof_is_refused_and_does_not_make_a_client_public(world: World) -> None:
    world.client(client_id="phone-app", auth_method=AuthMethod.NONE)
    twice = [("client_id", "phone-app"), ("client_secret", "a"), ("client_secret", "b")]
    asked = replace(call(world), sent=parameters.gather(twice))
    assert refused(world, asked) is OAuthCode.INVALID_REQUEST


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !", "Basic bm9jb2xvbg==", "Bearer token", "Basic /w==", ""]
)
def test_a_header_that_is_not_basic_is_challenged(world: World, header: str) -> None:
    error = refusal(world, call(world, {"authorization": header}))
    assert (error.status, error.challenge) == (401, 'Basic realm="yinxin"')


def test_nobody_at_all_is_refused(world: World) -> None:
    error = refusal(world, call(world))
    assert (error.error, error.status) == (OAuthCode.INVALID_CLIENT, 401)


# --- assertions


def keyed(world: World, client_id: str = "portal-a", **changed: Any) -> None:
    world.client(
        **{
            "client_id": client_id,
            "auth_method": AuthMethod.PRIVATE_KEY_JWT,
            "jwks": JWKS,
            **changed,
        }
    )


def fapi(world: World, **changed: Any) -> None:
    keyed(
        world,
        require_pushed_authorization_requests=True,
        dpop_bound_access_tokens=True,
        **changed,
    )


def claims(world: World, **changed: Any) -> dict[str, Any]:
    now = int(world.clock().timestamp())
    told = {
        "iss": "portal-a",
        "sub": "portal-a",
        "aud": world.issuer,
        "exp": now + 60,
        "iat": now,
        "jti": world.provider.handle(),
    } | changed
    return {name: value for name, value in told.items() if value is not None}


def asserted(
    world: World,
    told: dict[str, Any],
    key: Any = EC_KEY,
    algorithm: str = "ES256",
    kid: str | None = "one",
    form: Mapping[str, str] | None = None,
) -> Call:
    headers = {} if kid is None else {"kid": kid}
    token = jwt.encode(told, key, algorithm, headers)
    sent = {"client_assertion": token, "client_assertion_type": TYPE, **(form or {})}
    return call(world, None, **sent)


SIGNING = [
    (EC_KEY, "ES256", "one"),
    (RSA_KEY, "PS256", "two"),
    (RSA_KEY, "RS256", "two"),
    (ED_KEY, "EdDSA", "three"),
    (EC_KEY, "ES256", None),
]


@pytest.mark.parametrize(("key", "algorithm", "kid"), SIGNING)
def test_an_assertion_by_a_registered_key_proves_the_client(
    world: World, key: Private, algorithm: str, kid: str | None
) -> None:
    keyed(world)
    asked = asserted(world, claims(world), key, algorithm, kid)
    assert authenticated(world, asked) == "portal-a"


def test_an_sm2_assertion_proves_a_client_that_has_such_a_key(world: World) -> None:
    signer = SoftwareSigner(generate(SM2_SM3))
    keyed(world, jwks={"keys": [jwk.jwk(signer.public_key)]})
    token = sign(claims(world), signer, "JWT")
    asked = call(world, client_assertion=token, client_assertion_type=TYPE)
    assert authenticated(world, asked)


def test_an_ordinary_client_may_name_the_issuer_or_the_endpoint_it_calls(world: World) -> None:
    keyed(world)
    for audience in (
        world.issuer,
        f"{world.issuer}/token",
        [f"{world.issuer}/token"],
        ["https://elsewhere.example", world.issuer],
        f"{world.issuer}/bc-authorize",
    ):
        asked = asserted(world, claims(world, aud=audience))
        assert authenticated(world, replace(asked, url=f"{world.issuer}/bc-authorize"))


def test_with_a_name_for_certificates_its_endpoints_may_be_named_too(world: World) -> None:
    keyed(world)
    provider = replace(world.provider, mtls_url="https://mtls.example/oidc")
    for audience in ("https://mtls.example/oidc/token", "https://mtls.example/oidc/par"):
        asked = replace(asserted(world, claims(world, aud=audience)), url=f"{world.issuer}/par")
        found = client_auth.authenticate(provider, asked)
        assert found.client_id == "portal-a"
        assert refused(world, asserted(world, claims(world, aud=audience)))


def test_a_fapi_client_names_the_issuer_as_a_text_and_nothing_else(world: World) -> None:
    fapi(world)
    assert authenticated(world, asserted(world, claims(world)))
    for audience in ([world.issuer], f"{world.issuer}/token", f"{world.issuer}/par"):
        assert refused(world, asserted(world, claims(world, aud=audience)))


def test_a_fapi_client_does_not_sign_with_rs256(world: World) -> None:
    fapi(world)
    assert refused(world, asserted(world, claims(world), RSA_KEY, "RS256", "two"))
    assert authenticated(world, asserted(world, claims(world), RSA_KEY, "PS256", "two"))


def test_a_client_signs_with_the_algorithm_it_registered(world: World) -> None:
    keyed(world, auth_signing_alg="PS256")
    assert refused(world, asserted(world, claims(world)))
    assert authenticated(world, asserted(world, claims(world), RSA_KEY, "PS256", "two"))


@pytest.mark.parametrize("seconds", [0, 8, 25])
def test_a_clock_a_little_ahead_is_no_fault(world: World, seconds: int) -> None:
    fapi(world)
    moment = int(world.clock().timestamp()) + seconds
    assert authenticated(world, asserted(world, claims(world, iat=moment, nbf=moment)))


def at(seconds: float) -> Callable[[World], float]:
    return lambda world: int(world.clock().timestamp()) + seconds


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "portal-b"},
        {"iss": None},
        {"sub": None},
        {"sub": ["portal-a"]},
        {"aud": None},
        {"aud": []},
        {"aud": "https://elsewhere.example"},
        {"aud": {"a": 1}},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": at(-300)},
        {"exp": at(3700)},
        {"exp": 10**30},
        {"iat": at(61)},
        {"nbf": at(61)},
        {"nbf": at(300)},
        {"iat": "now"},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "j" * 513},
    ],
)
def test_an_assertion_with_a_wrong_claim_proves_nothing(
    world: World, wrong: dict[str, Any]
) -> None:
    keyed(world)
    told = {n: v(world) if callable(v) else v for n, v in wrong.items()}
    error = refusal(world, asserted(world, claims(world, **told)))
    assert (error.error, error.status) == (OAuthCode.INVALID_CLIENT, 401)
    assert error.description == "client authentication failed"


def test_clocks_five_minutes_apart_are_too_far_apart(world: World) -> None:
    keyed(world)
    asked = asserted(world, claims(world))
    world.clock.tick(minutes=5)
    assert refused(world, asked)
    world.clock.tick(minutes=-10)
    assert refused(world, asked)


def test_an_assertion_is_good_once(world: World) -> None:
    keyed(world)
    asked = asserted(world, claims(world))
    assert authenticated(world, asked)
    assert refused(world, asked)


def test_of_many_parallel_uses_of_one_assertion_exactly_one_wins(world: World) -> None:
    keyed(world)
    asked = asserted(world, claims(world))

    def use(_: int) -> str:
        try:
            return authenticated(world, asked)
        except OAuthError as error:
            return error.error

    with ThreadPoolExecutor(20) as crowd:
        outcomes = Counter(crowd.map(use, range(40)))
    assert outcomes == {"portal-a": 1, "invalid_client": 39}


def test_another_clients_jti_is_its_own(world: World) -> None:
    keyed(world)
    keyed(world, "portal-b")
    told = claims(world)
    assert authenticated(world, asserted(world, told))
    theirs = told | {"iss": "portal-b", "sub": "portal-b"}
    assert authenticated(world, asserted(world, theirs)) == "portal-b"


def test_a_jti_is_not_used_up_by_who_cannot_sign(world: World) -> None:
    keyed(world)
    told = claims(world)
    assert refused(world, asserted(world, told, OTHER_KEY))
    assert authenticated(world, asserted(world, told))


def test_a_jti_stays_used_for_as_long_as_the_assertion_could_come_again(world: World) -> None:
    keyed(world)
    expires = int(world.clock().timestamp()) + 3600
    assert authenticated(world, asserted(world, claims(world, exp=expires, jti="once")))
    remembered = [
        world.provider.redis.ttl(key)
        for key in world.provider.redis.scan_iter("yinxin:idp:client-assertion:*")
    ]
    assert max(map(int, remembered)) >= 3600


def test_mixed_up_clients_are_refused(world: World) -> None:
    keyed(world)
    keyed(world, "portal-b", jwks={"keys": [jwk_of(OTHER_KEY, "one")]})
    theirs = claims(world, iss="portal-b", sub="portal-b")
    assert refused(world, asserted(world, theirs))
    assert refused(world, asserted(world, claims(world), form={"client_id": "portal-b"}))
    assert refused(world, asserted(world, claims(world, sub="portal-b", iss="portal-a")))
    assert authenticated(world, asserted(world, claims(world), form={"client_id": "portal-a"}))


def test_a_client_with_keys_cannot_come_with_less(world: World) -> None:
    keyed(world)
    assert refused(world, call(world, client_id="portal-a"))
    assert refused(world, call(world, client_id="portal-a", client_secret=SECRET))


def test_a_client_with_a_secret_cannot_come_with_an_assertion(world: World) -> None:
    world.client(client_secret=SECRET, jwks=JWKS)
    assert refused(world, asserted(world, claims(world)))


def shared_key_token(header: dict[str, str], told: dict[str, Any], key: bytes) -> str:
    """A token with an HMAC, which no library would make with a public key."""
    signed = ".".join(base64url.encode(json.dumps(part).encode()) for part in (header, told))
    return f"{signed}.{base64url.encode(hmac.digest(key, signed.encode(), 'sha256'))}"


def test_an_assertion_by_a_shared_or_no_key_proves_nothing(world: World) -> None:
    keyed(world)
    told = claims(world)
    assert refused(world, asserted(world, told, "", "none"))
    public = EC_KEY.public_key()
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for shared in (point, spki, pem, SECRET.encode()):
        token = shared_key_token({"alg": "HS256", "kid": "one"}, told, shared)
        assert refused(world, call(world, client_assertion=token, client_assertion_type=TYPE))
    assert authenticated(world, asserted(world, told))


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"], "exp": 1},
        {"b64": False, "crit": ["b64"]},
        {"jwk": jwk_of(OTHER_KEY, "one")},
        {"jku": "https://elsewhere.example/keys"},
        {"typ": "at+jwt"},
    ],
    ids=lambda header: next(iter(header)),
)
def test_a_header_that_is_not_understood_is_not_believed(
    world: World, header: dict[str, Any]
) -> None:
    keyed(world)
    token = jwt.encode(claims(world), EC_KEY, "ES256", {"kid": "one", **header})
    assert refused(world, call(world, client_assertion=token, client_assertion_type=TYPE))


@pytest.mark.parametrize("assertion", ["", "a.b.c", "x" * 9000, "e30.e30.e30", "é.é.é"])
def test_what_is_no_token_is_refused(world: World, assertion: str) -> None:
    keyed(world)
    form = {"client_assertion": assertion, "client_assertion_type": TYPE, "client_id": "portal-a"}
    error = refusal(world, call(world, None, **{name: text for name, text in form.items() if text}))
    assert error.error is OAuthCode.INVALID_CLIENT


@pytest.mark.parametrize("kind", [None, "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"])
def test_the_type_of_an_assertion_is_told(world: World, kind: str | None) -> None:
    keyed(world)
    form = {"client_assertion": jwt.encode(claims(world), EC_KEY, "ES256", {"kid": "one"})}
    if kind is not None:
        form["client_assertion_type"] = kind
    assert refused(world, call(world, None, **form)) is OAuthCode.INVALID_CLIENT


def test_an_identifier_with_half_a_character_is_one_like_others(world: World) -> None:
    keyed(world)
    asked = asserted(world, claims(world, jti="\ud800"))
    assert authenticated(world, asked)
    assert refused(world, asked)


def test_without_redis_no_assertion_is_believed(world: World) -> None:
    keyed(world)
    nowhere = Redis("127.0.0.1", 9, retry=Retry(NoBackoff(), 0))
    provider = replace(world.provider, redis=nowhere)
    with pytest.raises(RedisGone):
        client_auth.authenticate(provider, asserted(world, claims(world)))


def test_a_log_line_says_why_and_repeats_nothing(world: World) -> None:
    keyed(world)
    with heard() as lines:
        refused(world, asserted(world, claims(world, jti="j-of-the-client"), OTHER_KEY))
        refused(world, call(world, client_id="portal-a", client_secret=SECRET))
    told = "\n".join(lines)
    assert "token.bad_signature" in told
    assert SECRET not in told
    assert "j-of-the-client" not in told


# --- keys that are fetched


class KeyHouse:
    """Where a client's keys are: what is there, and how often somebody asked.

    `meanwhile` is called while somebody waits for the answer.
    """

    def __init__(self) -> None:
        self.keys: Any = JWKS
        self.status = 200
        self.asked = 0
        self.meanwhile: Callable[[], None] = lambda: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        self.meanwhile()
        answer: Response = JSONResponse(self.keys, self.status)
        if isinstance(self.keys, str):
            answer = PlainTextResponse(self.keys)
        await answer(Request(scope).scope, receive, send)


@contextmanager
def at_home(world: World, **changed: Any) -> Iterator[KeyHouse]:
    """A client whose keys are at a URL of this machine."""
    house = KeyHouse()
    with served(house) as url:
        keyed(world, jwks=None, jwks_uri=f"{url}/keys", **changed)
        yield house


def test_fetched_keys_are_remembered(world: World) -> None:
    with at_home(world) as house:
        for _ in range(3):
            assert authenticated(world, asserted(world, claims(world)))
        assert house.asked == 1


@pytest.mark.parametrize("path", ["/token", "/introspect", "/revoke", "/par", "/bc-authorize"])
def test_no_transaction_is_open_while_keys_are_fetched(
    world: World, identity_engine: Engine, path: str
) -> None:
    # The pool is let go, so that each connection which is in use is counted anew.
    identity_engine.dispose()
    pool, held = identity_engine.pool, []
    assert isinstance(pool, QueuePool)
    with at_home(world) as house:
        house.meanwhile = lambda: held.append(pool.checkedout())
        asked = asserted(world, claims(world))
        httpx2.post(f"{world.issuer}{path}", data=dict(asked.sent.single))
    assert held == [0]


def test_a_key_that_is_not_known_is_looked_for_once(world: World) -> None:
    with at_home(world) as house:
        assert authenticated(world, asserted(world, claims(world)))
        house.keys = {"keys": [jwk_of(OTHER_KEY, "new")]}
        assert authenticated(world, asserted(world, claims(world), OTHER_KEY, kid="new"))
        assert house.asked == 2
        for kid in ("newer", "newest"):
            assert refused(world, asserted(world, claims(world), OTHER_KEY, kid=kid))
        assert house.asked == 2


def test_a_wrong_signature_by_a_known_key_fetches_nothing(world: World) -> None:
    with at_home(world) as house:
        for _ in range(2):
            assert refused(world, asserted(world, claims(world), OTHER_KEY))
        assert house.asked == 1


@pytest.mark.parametrize(
    "wrong",
    [
        "no json",
        "[]",
        '{"keys": 7}',
        '{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}',
        "x" * 70_000,
        "moved away",
    ],
    ids=lambda text: text[:20],
)
def test_keys_that_are_none_prove_nobody_and_are_not_asked_for_again_and_again(
    world: World, wrong: str
) -> None:
    with at_home(world) as house:
        house.keys = wrong
        for _ in range(3):
            assert refused(world, asserted(world, claims(world)))
        assert house.asked <= 2


def test_keys_that_cannot_be_had_are_a_refusal(world: World) -> None:
    with at_home(world) as house:
        house.status = 500
        assert refused(world, asserted(world, claims(world))) is OAuthCode.INVALID_CLIENT
        house.status = 200
        assert refused(world, asserted(world, claims(world))), "asked a moment ago"
        assert house.asked == 1


def test_keys_at_a_private_address_are_not_fetched(world: World) -> None:
    keyed(world, jwks=None, jwks_uri="https://keys.example/jwks")
    inward = replace(world.provider, outgoing=Outgoing(resolve=lambda host, port: ["10.0.0.1"]))
    with pytest.raises(KeysUnavailable):
        client_keys.verification_keys(inward, registered(world))


def test_a_key_to_encrypt_to_is_one_for_that(world: World) -> None:
    with at_home(world) as house:
        house.keys = {"keys": [jwk_of(RSA_KEY, "sig"), {**jwk_of(RSA_KEY, "enc"), "use": "enc"}]}
        client = registered(world)
        found = client_keys.encryption_key(world.provider, client, "RSA-OAEP-256")
        assert found["kid"] == "enc"
        with pytest.raises(KeysUnavailable):
            client_keys.encryption_key(world.provider, client, "ECDH-ES")


# --- certificates

NAME = x509.Name(
    [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "示例市, 政务服务局"),
        x509.NameAttribute(NameOID.COMMON_NAME, "portal-a"),
    ]
)
URI, EMAIL = "spiffe://example/portal-a", "portal@example.cn"
IP = "203.0.113.7"


def certificate(key: Any = EC_KEY, name: x509.Name = NAME, *, bare: bool = False) -> bytes:
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
    )
    if not bare:
        told = [
            x509.DNSName("Portal-A.example"),
            x509.UniformResourceIdentifier(URI),
            x509.RFC822Name(EMAIL),
            x509.IPAddress(ip_address(IP)),
        ]
        built = built.add_extension(x509.SubjectAlternativeName(told), critical=False)
    return built.sign(key, SHA256()).public_bytes(Encoding.DER)


def shown(world: World, der: bytes | None) -> Call:
    return replace(call(world, client_id="portal-a"), certificate=der)


@pytest.mark.parametrize(
    ("member", "told", "wrong"),
    [
        ("tls_client_auth_subject_dn", NAME.rfc4514_string(), "CN=portal-b,C=CN"),
        (
            "tls_client_auth_subject_dn",
            "2.5.4.3=portal-a,O=示例市\\, 政务服务局,C=CN",
            "CN=portal-a",
        ),
        ("tls_client_auth_san_dns", "portal-a.example", "portal-b.example"),
        ("tls_client_auth_san_uri", URI, "spiffe://example/portal-b"),
        ("tls_client_auth_san_ip", IP, "203.0.113.8"),
        ("tls_client_auth_san_email", EMAIL, "other@example.cn"),
    ],
)
def test_a_certificate_proves_whom_it_names(
    world: World, member: str, told: str, wrong: str
) -> None:
    world.client(auth_method=AuthMethod.TLS, tls_client_auth={member: told})
    assert authenticated(world, shown(world, certificate()))
    assert refused(world, shown(world, None))
    assert refused(world, shown(world, b"no certificate"))
    world.client(client_id="other", auth_method=AuthMethod.TLS, tls_client_auth={member: wrong})
    other = replace(call(world, client_id="other"), certificate=certificate())
    assert refused(world, other) is OAuthCode.INVALID_CLIENT


def test_a_certificate_without_alternative_names_names_none(world: World) -> None:
    told = {"tls_client_auth_san_dns": "portal-a.example"}
    world.client(auth_method=AuthMethod.TLS, tls_client_auth=told)
    assert refused(world, shown(world, certificate(bare=True)))


def test_a_self_signed_certificate_proves_who_registered_its_key(world: World) -> None:
    world.client(auth_method=AuthMethod.SELF_SIGNED_TLS, jwks=JWKS)
    assert authenticated(world, shown(world, certificate(EC_KEY)))
    assert authenticated(world, shown(world, certificate(RSA_KEY, x509.Name([]))))
    for wrong in (certificate(OTHER_KEY), None, b"no certificate"):
        assert refused(world, shown(world, wrong))


def test_a_new_self_signed_certificate_is_looked_for_where_the_keys_are(world: World) -> None:
    with at_home(world, auth_method=AuthMethod.SELF_SIGNED_TLS) as house:
        assert authenticated(world, shown(world, certificate(EC_KEY)))
        house.keys = {"keys": [jwk_of(OTHER_KEY, "new")]}
        assert authenticated(world, shown(world, certificate(OTHER_KEY)))
        assert house.asked == 2


def test_a_certificate_and_a_secret_are_not_both_shown(world: World) -> None:
    world.client(auth_method=AuthMethod.SELF_SIGNED_TLS, jwks=JWKS)
    asked = call(world, client_id="portal-a", client_secret=SECRET)
    assert refused(world, replace(asked, certificate=certificate(EC_KEY)))


def test_a_certificate_makes_nobody_of_a_client_that_registered_another_way(world: World) -> None:
    world.client(client_secret=SECRET)
    assert refused(world, shown(world, certificate()))
