"""Signed tokens: compact JWS (RFC 7515) and JWT (RFC 7519); the only importer of python-jose.

python-jose puts tokens together and takes them apart; signing and checking are `keys.signer` and
`keys.verify`, and everything it is lax about (unknown `crit`, loose base64, duplicate members,
absent claims, an algorithm chosen by the token) is decided here first. Only keys handed in by the
caller are used, each with the one algorithm it has.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from jose import jws
from jose.backends.base import Key
from jose.exceptions import JOSEError
from jose.jwk import register_key

from keys import base64url
from keys.algorithms import ALGORITHMS
from keys.errors import DomainError
from keys.jwk import jwk, public_key_from_jwk
from keys.signer import PublicKey, Signer
from keys.verify import BadSignature
from keys.verify import verify as verify_signature

__all__ = [
    "LARGEST_DOCUMENT",
    "LARGEST_TOKEN",
    "TokenBadSignature",
    "TokenError",
    "TokenExpired",
    "TokenMalformed",
    "TokenNotYetValid",
    "TokenUnknownKey",
    "TokenWrongAudience",
    "TokenWrongIssuer",
    "TokenWrongType",
    "jwk",
    "key_id",
    "public_key_from_jwk",
    "sign",
    "sign_bytes",
    "verify",
    "verify_bytes",
]

LARGEST_TOKEN = 8 * 1024
LARGEST_DOCUMENT = 4 * 1024 * 1024
"""Default limits, in characters, of a token with claims and of a signed document."""

_HEADER_MEMBERS = frozenset({"alg", "kid", "typ", "cty"})


class TokenError(DomainError):
    """A token is refused; the code says why."""

    code = "token"


class TokenMalformed(TokenError):
    """The text is not a token of the one form accepted here."""

    code = "token.malformed"


class TokenBadSignature(TokenError):
    """The signature is not by the key named."""

    code = "token.bad_signature"


class TokenUnknownKey(TokenError):
    """The token names a key that is not among those trusted for it."""

    code = "token.unknown_key"


class TokenWrongType(TokenError):
    """The token is of another type, or signed with another algorithm than its key's."""

    code = "token.wrong_type"


class TokenExpired(TokenError):
    """The token's end has passed."""

    code = "token.expired"


class TokenNotYetValid(TokenError):
    """The token was made, or begins, in the future."""

    code = "token.not_yet_valid"


class TokenWrongIssuer(TokenError):
    """The token is by another issuer."""

    code = "token.wrong_issuer"


class TokenWrongAudience(TokenError):
    """The token is for somebody else."""

    code = "token.wrong_audience"


def sign(claims: Mapping[str, Any], signer: Signer, typ: str) -> str:
    """Return the claims as a compact JWS with the header `typ` (`JWT`, `at+jwt`, …).

    Times in the claims are whole seconds since 1970 (RFC 7519 NumericDate).
    """
    payload = json.dumps(claims, ensure_ascii=False, separators=(",", ":")).encode()
    return _sign(payload, signer, {"typ": typ})


def verify(
    token: str,
    keys: Mapping[str, PublicKey],
    typ: str,
    *,
    issuer: str,
    audience: str | None,
    now: datetime,
    leeway: int = 0,
    largest: int = LARGEST_TOKEN,
) -> dict[str, Any]:
    """Check a token whole and return its claims.

    `keys` are the trusted keys by kid; `typ` must be the token's exactly. `iss`, `exp` and `iat`
    are required; `aud` is required when `audience` is given and forbidden when it is None.
    `leeway` is how many seconds the maker's clock may be ahead of `now`; it never stretches the
    end. Raises a TokenError.
    """
    header, payload = _verify(token, keys, largest)
    if header.get("typ") != typ:
        raise TokenWrongType(typ=header.get("typ", "")[:64])
    claims = _object(payload)
    _check_claims(claims, issuer, audience, int(now.timestamp()), leeway)
    return claims


def sign_bytes(payload: bytes, signer: Signer, content_type: str) -> str:
    """Return any bytes as a compact JWS; `content_type` becomes the header `cty` (RFC 7515 §4.1.10)."""
    return _sign(payload, signer, {"typ": "JOSE", "cty": content_type})


def verify_bytes(
    token: str,
    keys: Mapping[str, PublicKey],
    *,
    content_type: str | None = None,
    largest: int = LARGEST_DOCUMENT,
) -> bytes:
    """Check a JWS made by `sign_bytes` and return the bytes.

    `content_type` must be the header's, unless None. Raises a TokenError.
    """
    header, payload = _verify(token, keys, largest)
    if header.get("typ") != "JOSE" or content_type not in (None, header.get("cty")):
        raise TokenWrongType(typ=header.get("cty", "")[:64])
    return payload


def key_id(token: str, *, largest: int = LARGEST_DOCUMENT) -> str:
    """Return the kid a token claims to be signed with, before anything is checked.

    Use it to look up the key, never to believe the token. Raises TokenMalformed.
    """
    return str(_parse(token, largest)[0]["kid"])


class _SigningKey(Key):
    """A Signer in the shape python-jose asks for."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def sign(self, msg: bytes) -> bytes:
        return self._signer.sign(msg)


class _VerifyingKey(Key):
    """A PublicKey in the shape python-jose asks for."""

    def __init__(self, key: PublicKey) -> None:
        self._key = key

    def verify(self, msg: bytes, sig: bytes) -> bool:
        try:
            verify_signature(self._key, msg, sig)
        except BadSignature:
            return False
        return True


# python-jose signs with no algorithm it has not heard of; the keys it gets are ours, ready made.
for _algorithm in ALGORITHMS.values():
    register_key(_algorithm.jose, _VerifyingKey)


def _sign(payload: bytes, signer: Signer, header: dict[str, str]) -> str:
    key = signer.public_key
    named = header | {"kid": key.kid}
    return jws.sign(payload, _SigningKey(signer), headers=named, algorithm=key.algorithm.jose)


def _verify(
    token: str, keys: Mapping[str, PublicKey], largest: int
) -> tuple[dict[str, Any], bytes]:
    header, payload = _parse(token, largest)
    key = keys.get(header["kid"])
    if key is None:
        raise TokenUnknownKey(kid=header["kid"][:64])
    # RFC 8725 §3.1: the key says which algorithm, the token may only agree.
    if header["alg"] != key.algorithm.jose:
        raise TokenWrongType(algorithm=header["alg"][:64])
    try:
        jws.verify(token, _VerifyingKey(key), algorithms=[key.algorithm.jose])
    except JOSEError:
        raise TokenBadSignature(kid=key.kid) from None
    return header, payload


def _parse(token: str, largest: int) -> tuple[dict[str, Any], bytes]:
    """Return header and payload of a token in the one accepted form; nothing is believed yet."""
    parts = token.split(".") if len(token) <= largest else []
    if len(parts) != 3:
        raise TokenMalformed
    header_bytes, payload, _ = (_decode(part) for part in parts)
    header = _object(header_bytes)
    # RFC 7515 §4.1.11: nothing critical is understood here. A key or a link to one inside the
    # token (`jwk`, `jku`, `x5c`, `x5u`) is refused with every other stranger.
    if not header.keys() <= _HEADER_MEMBERS or not {"alg", "kid"} <= header.keys():
        raise TokenMalformed
    if not all(isinstance(value, str) for value in header.values()):
        raise TokenMalformed
    return header, payload


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data.decode(), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError):
        raise TokenMalformed from None
    if not isinstance(value, dict):
        raise TokenMalformed
    return value


def _without_duplicates(members: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    pairs = list(members)
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a member stands twice")
    return value


def _check_claims(
    claims: Mapping[str, Any], issuer: str, audience: str | None, now: int, leeway: int
) -> None:
    if claims.get("iss") != issuer:
        raise TokenWrongIssuer
    told = claims.get("aud")
    audiences = told if isinstance(told, list) else [told] if told is not None else []
    if (audience is None and audiences) or (audience is not None and audience not in audiences):
        raise TokenWrongAudience
    if now >= _time(claims, "exp"):
        raise TokenExpired
    begins = max(_time(claims, "iat"), _time(claims, "nbf") if "nbf" in claims else 0)
    if now < begins - leeway:
        raise TokenNotYetValid


def _time(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise TokenMalformed(claim=name)
    return value


def _decode(text: str) -> bytes:
    try:
        return base64url.decode(text)
    except ValueError:
        raise TokenMalformed from None
