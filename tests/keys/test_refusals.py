"""The table of refusals: what libraries have let through, refused by each way a token comes in.

Every row is a known way to have a token believed that should not be; each is tried on our own
tokens (`keys.jose`), on clients' (`keys.presented`), on proofs by a key within, and, where it
concerns encryption, on `keys.jwe`.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)
from joserfc import jwe as joserfc_jwe
from joserfc.jwk import ECKey, OctKey, RSAKey, import_key

from keys import jose, jwe
from keys.algorithms import ES256, RS256
from keys.compact import (
    TokenError,
    TokenMalformed,
    TokenUnreadable,
    TokenWrongType,
)
from keys.jose import TokenWrongAudience
from keys.jwk import encryption_jwk, jwk
from keys.presented import client_keys, verify_presented, verify_self_signed
from keys.software_opener import SoftwareOpener
from tests.keys import key_builders
from tests.keys.token_builders import encode, token_of

NOW = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
ISSUER, AUDIENCE = "https://id.example.cn", "https://licences.example.cn"
SIGNER = key_builders.signer(ES256)
KEY = SIGNER.public_key
BARE = {name: value for name, value in jwk(KEY).items() if name in ("kty", "crv", "x", "y")}
CLAIMS = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "iat": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 60,
}
HEADER = {"alg": "ES256", "kid": KEY.kid, "typ": "dpop+jwt"}
Token = Callable[[Mapping[str, Any]], str]
Read = Callable[[str], object]


def read_ours(token: str) -> object:
    keys = {KEY.kid: KEY}
    return jose.verify(token, keys, "dpop+jwt", issuer=ISSUER, audience=AUDIENCE, now=NOW)


def read_a_clients(token: str) -> object:
    keys = client_keys({"keys": [jwk(KEY)]})
    return verify_presented(token, keys, algorithms=["ES256"], types=["dpop+jwt"])


def read_a_proof(token: str) -> object:
    return verify_self_signed(token, algorithms=["ES256"])


# Each way in, and the header a good token has there.
WAYS: dict[str, tuple[Read, dict[str, Any]]] = {
    "ours": (read_ours, HEADER),
    "a client's": (read_a_clients, HEADER),
    "a proof": (read_a_proof, HEADER | {"jwk": BARE}),
}
every_way = pytest.mark.parametrize(("read", "header"), WAYS.values(), ids=WAYS)


def with_header(**changes: Any) -> Token:
    """A well signed token whose header says something more, or else."""
    return lambda header: token_of(SIGNER, {**header, **changes}, CLAIMS)


def with_mac(secret: bytes) -> Token:
    """A token of HS256 whose shared secret is something public."""

    def made(header: Mapping[str, Any]) -> str:
        head = encode(json.dumps({**header, "alg": "HS256"}).encode())
        signed = f"{head}.{encode(json.dumps(CLAIMS).encode())}"
        return f"{signed}.{encode(hmac.digest(secret, signed.encode(), hashlib.sha256))}"

    return made


def public_form(encoding: Encoding, form: PublicFormat) -> bytes:
    loaded: Any = load_der_public_key(KEY.spki)
    data: bytes = loaded.public_bytes(encoding, form)
    return data


def written_twice(header: Mapping[str, Any]) -> str:
    twice = json.dumps(header)[:-1] + ', "alg": "ES256"}'
    return token_of(SIGNER, twice, CLAIMS)


def claimed_twice(header: Mapping[str, Any]) -> str:
    body = json.dumps(CLAIMS)[:-1] + ', "exp": 4102444800}'
    return token_of(SIGNER, header, body.encode())


def with_spare_bits(header: Mapping[str, Any]) -> str:
    """A signature of 64 bytes leaves four bits of its last character unused."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    token = token_of(SIGNER, header, CLAIMS)
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


def after(ending: str) -> Token:
    return lambda header: token_of(SIGNER, header, CLAIMS) + ending


def unencoded(header: Mapping[str, Any]) -> str:
    """A payload as it is (RFC 7797), rightly signed."""
    head = encode(json.dumps({**header, "b64": False, "crit": ["b64"]}).encode())
    signed = f"{head}.claims"
    return f"{signed}.{encode(SIGNER.sign(signed.encode()))}"


def without_signature(header: Mapping[str, Any]) -> str:
    return token_of(SIGNER, {**header, "alg": "none"}, CLAIMS).rpartition(".")[0] + "."


def oversized(header: Mapping[str, Any]) -> str:
    return token_of(SIGNER, header, CLAIMS | {"padding": "x" * jose.LARGEST_TOKEN})


def without_alg(header: Mapping[str, Any]) -> str:
    return token_of(SIGNER, {name: header[name] for name in header if name != "alg"}, CLAIMS)


REFUSED: dict[str, tuple[Token, type[TokenError]]] = {
    "an extension that is critical": (with_header(crit=["exp"]), TokenMalformed),
    "critical, but there is none": (with_header(crit=[]), TokenMalformed),
    "critical, though known": (with_header(crit=["typ"]), TokenMalformed),
    "an unencoded payload": (unencoded, TokenMalformed),
    "b64 true": (with_header(b64=True), TokenMalformed),
    "compressed": (with_header(zip="DEF"), TokenMalformed),
    "where to fetch the key": (with_header(jku="https://evil.example/keys"), TokenMalformed),
    "where to fetch the certificate": (with_header(x5u="https://evil.example"), TokenMalformed),
    "a certificate": (with_header(x5c=["AAAA"]), TokenMalformed),
    "no algorithm": (without_alg, TokenMalformed),
    "an algorithm that is no name": (with_header(alg=["ES256"]), TokenMalformed),
    "none": (without_signature, TokenWrongType),
    "none, well signed": (with_header(alg="none"), TokenWrongType),
    "nOnE": (with_header(alg="nOnE"), TokenWrongType),
    "another algorithm": (with_header(alg="RS256"), TokenWrongType),
    "HS256 with the PEM": (
        with_mac(public_form(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)),
        TokenWrongType,
    ),
    "HS256 with the DER": (with_mac(KEY.spki), TokenWrongType),
    "HS256 with the point": (
        with_mac(public_form(Encoding.X962, PublicFormat.UncompressedPoint)),
        TokenWrongType,
    ),
    "HS256 with the OpenSSH form": (
        with_mac(public_form(Encoding.OpenSSH, PublicFormat.OpenSSH)),
        TokenWrongType,
    ),
    "HS256 with the JWK": (with_mac(json.dumps(BARE).encode()), TokenWrongType),
    "HS256 with nothing": (with_mac(b""), TokenWrongType),
    "a header member twice": (written_twice, TokenMalformed),
    "a claim twice": (claimed_twice, TokenMalformed),
    "spare bits": (with_spare_bits, TokenMalformed),
    "padding": (after("=="), TokenMalformed),
    "a line feed": (after("\n"), TokenMalformed),
    "a fourth part": (after(".AAAA"), TokenMalformed),
    "too long": (oversized, TokenMalformed),
}


@every_way
def test_without_the_change_the_token_is_good(read: Read, header: dict[str, Any]) -> None:
    assert read(token_of(SIGNER, header, CLAIMS))


@every_way
@pytest.mark.parametrize(("token", "error"), REFUSED.values(), ids=REFUSED)
def test_the_table_of_refusals(
    token: Token, error: type[TokenError], read: Read, header: dict[str, Any]
) -> None:
    with pytest.raises(error) as refused:
        read(token(header))
    assert type(refused.value) is error


@pytest.mark.parametrize("read", [read_ours, read_a_clients])
def test_a_key_within_a_token_is_refused_where_the_keys_are_known(read: Read) -> None:
    with pytest.raises(TokenMalformed):
        read(token_of(SIGNER, HEADER | {"jwk": BARE}, CLAIMS))


def test_no_algorithms_are_not_every_algorithm() -> None:
    token = token_of(SIGNER, HEADER | {"jwk": BARE}, CLAIMS)
    with pytest.raises(TokenWrongType):
        verify_self_signed(token, algorithms=[])
    keys = client_keys({"keys": [jwk(KEY)]})
    with pytest.raises(TokenWrongType):
        verify_presented(token_of(SIGNER, HEADER, CLAIMS), keys, algorithms=[], types=["dpop+jwt"])


def test_an_audience_that_is_absent_is_not_the_one_that_was_asked_for() -> None:
    nobodys = {name: value for name, value in CLAIMS.items() if name != "aud"}
    with pytest.raises(TokenWrongAudience):
        read_ours(token_of(SIGNER, HEADER, nobodys))


# What is encrypted to us.

OPENER = SoftwareOpener(key_builders.material(ES256))
OURS = encryption_jwk(OPENER.public_key)
Encrypted = Callable[[], str]


def made_by_joserfc(header: dict[str, Any], to: Any, payload: bytes = b"{}") -> str:
    """An encrypted token by a library that knows more than we do."""
    names = [header[name] for name in ("alg", "enc", "zip") if name in header]
    return joserfc_jwe.encrypt_compact(header, payload, to, algorithms=names)


def reheaded(**changes: Any) -> str:
    """A good encrypted token under a header that was changed."""
    _, *rest = jwe.encrypt("{}", OURS, "ECDH-ES", "A256GCM", None).split(".")
    header = {"alg": "ECDH-ES", "enc": "A256GCM", "epk": BARE} | changes
    told = {name: value for name, value in header.items() if value is not None}
    return ".".join((encode(json.dumps(told).encode()), *rest))


def zip_bomb() -> str:
    header = {"alg": "ECDH-ES", "enc": "A256GCM", "zip": "DEF"}
    token = made_by_joserfc(header, import_key({**BARE}), bytes(20_000_000))
    assert len(token) < jwe.LARGEST_ENCRYPTED
    return token


def too_long() -> str:
    return jwe.encrypt("x" * jwe.LARGEST_ENCRYPTED, OURS, "ECDH-ES", "A256GCM", None)


def with_pkcs1() -> str:
    header = {"alg": "RSA1_5", "enc": "A128CBC-HS256"}
    with pytest.warns(match="RSA1_5"):
        return made_by_joserfc(header, RSAKey.import_key(key_builders.material(RS256).pkcs8))


def with_a_shared_key() -> str:
    return made_by_joserfc({"alg": "dir", "enc": "A256GCM"}, OctKey.generate_key(256))


def to_an_rsa_key() -> str:
    header = {"alg": "RSA-OAEP", "enc": "A256GCM"}
    return made_by_joserfc(header, RSAKey.import_key(key_builders.material(RS256).pkcs8))


def to_another_key() -> str:
    header = {"alg": "ECDH-ES", "enc": "A256GCM"}
    return made_by_joserfc(header, ECKey.generate_key("P-256"))


def with_a_short_tag() -> str:
    token = jwe.encrypt("{}", OURS, "ECDH-ES", "A256GCM", None)
    return token[:-6]  # 12 of 16 bytes


REFUSED_ENCRYPTED: dict[str, tuple[Encrypted, type[TokenError]]] = {
    "a zip bomb": (zip_bomb, TokenMalformed),
    "compressed at all": (lambda: reheaded(zip="DEF"), TokenMalformed),
    "an extension that is critical": (lambda: reheaded(crit=["exp"]), TokenMalformed),
    "too long": (too_long, TokenMalformed),
    "RSA1_5": (with_pkcs1, TokenWrongType),
    "dir": (with_a_shared_key, TokenWrongType),
    "RSA, of which we have no key": (to_an_rsa_key, TokenWrongType),
    "none": (lambda: reheaded(alg="none"), TokenWrongType),
    "PBES2": (lambda: reheaded(alg="PBES2-HS256+A128KW", p2c=10**9), TokenWrongType),
    "another content encryption": (lambda: reheaded(enc="A192GCM"), TokenWrongType),
    "no content encryption": (lambda: reheaded(enc=None), TokenWrongType),
    "no ephemeral key": (lambda: reheaded(epk=None), TokenMalformed),
    "an ephemeral key off the curve": (
        lambda: reheaded(epk=BARE | {"x": encode(bytes(32))}),
        TokenMalformed,
    ),
    "an ephemeral key on another curve": (
        lambda: reheaded(epk=ECKey.generate_key("P-384").as_dict(private=False)),
        TokenMalformed,
    ),
    "an ephemeral key of SM2's": (
        lambda: reheaded(epk=BARE | {"crv": "SM2-P-256"}),
        TokenMalformed,
    ),
    "a private ephemeral key": (lambda: reheaded(epk=BARE | {"d": "AAAA"}), TokenMalformed),
    "an ephemeral key that is no key": (lambda: reheaded(epk="AAAA"), TokenMalformed),
    "parties that are no names": (lambda: reheaded(apu=1), TokenMalformed),
    "a key of the sender's": (lambda: reheaded(jwk=BARE), TokenMalformed),
    "three parts": (lambda: "e30.e30.AAAA", TokenMalformed),
    "another ephemeral key": (lambda: reheaded(), TokenUnreadable),
    "to another key": (to_another_key, TokenUnreadable),
    "a short tag": (with_a_short_tag, TokenUnreadable),
}


@pytest.mark.parametrize(("token", "error"), REFUSED_ENCRYPTED.values(), ids=REFUSED_ENCRYPTED)
def test_the_table_of_refusals_of_what_is_encrypted(
    token: Encrypted, error: type[TokenError]
) -> None:
    with pytest.raises(error) as refused:
        jwe.decrypt(token(), OPENER)
    assert type(refused.value) is error
