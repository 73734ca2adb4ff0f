"""Signed tokens of ours: compact JWS (RFC 7515) and JWT (RFC 7519); the only importer of python-jose.

python-jose puts tokens together and takes them apart; signing and checking are `keys.signer` and
`keys.verify`, and everything it is lax about (unknown `crit`, loose base64, duplicate members,
absent claims, an algorithm chosen by the token) is decided first, in `keys.compact` and here. Only
keys handed in by the caller are used, each with the one algorithm it has. Tokens that others signed
are for `keys.presented`.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any

from jose import jws
from jose.backends.base import Key
from jose.exceptions import JOSEError, JWSError
from jose.jwk import register_key

from keys.algorithms import ALGORITHMS
from keys.compact import (
    TokenBadSignature,
    TokenError,
    TokenMalformed,
    TokenUnknownKey,
    TokenWrongType,
    check_texts,
    json_object,
    parts,
    told,
)
from keys.jwk import jwk, public_key_from_jwk
from keys.signer import PublicKey, Signer
from keys.verify import BadSignature
from keys.verify import verify as verify_signature

__all__ = [
    "LARGEST_DOCUMENT",
    "LARGEST_TOKEN",
    "AnyAudience",
    "TokenBadSignature",
    "TokenError",
    "TokenExpired",
    "TokenMalformed",
    "TokenNotYetValid",
    "TokenUnknownKey",
    "TokenWrongAudience",
    "TokenWrongIssuer",
    "TokenWrongType",
    "is_signed_by",
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


class AnyAudience(Enum):
    """What the issuer itself asks for, who may read whatever it has signed (RFC 7662)."""

    ANY = "any"


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

    Times in the claims are whole seconds since 1970 (RFC 7519 NumericDate). Raises what the signer
    raises.
    """
    payload = json.dumps(claims, ensure_ascii=False, separators=(",", ":")).encode()
    return _sign(payload, signer, {"typ": typ})


def verify(
    token: str,
    keys: Mapping[str, PublicKey],
    typ: str,
    *,
    issuer: str,
    audience: str | AnyAudience | None,
    now: datetime,
    leeway: int = 0,
    largest: int = LARGEST_TOKEN,
) -> dict[str, Any]:
    """Check a token whole and return its claims.

    `keys` are the trusted keys by kid; `typ` must be the token's exactly. `iss`, `exp` and `iat`
    are required; `aud` is required when `audience` is given and forbidden when it is None; with
    `AnyAudience.ANY` it is not looked at.
    `leeway` is how many seconds the maker's clock may be ahead of `now`; it never stretches the
    end. Raises a TokenError.
    """
    header, payload = _verify(token, keys, largest)
    if header.get("typ") != typ:
        raise TokenWrongType(typ=told(header.get("typ", "")))
    claims = json_object(payload)
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
        raise TokenWrongType(typ=told(header.get("cty", "")))
    return payload


def key_id(token: str, *, largest: int = LARGEST_DOCUMENT) -> str:
    """Return the kid a token claims to be signed with, before anything is checked.

    Use it to look up the key, never to believe the token. Raises TokenMalformed.
    """
    return str(_parse(token, largest)[0]["kid"])


def is_signed_by(token: str, key: PublicKey) -> bool:
    """Say whether a compact JWS is signed by the key, with the algorithm of the key.

    Nothing else is looked at: read the token with `keys.compact` first.
    """
    try:
        jws.verify(token, _VerifyingKey(key), algorithms=[key.algorithm.jose])
    except JOSEError:
        return False
    return True


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
    try:
        return jws.sign(payload, _SigningKey(signer), headers=named, algorithm=key.algorithm.jose)
    except JWSError as wrapped:
        # What the signer raised, which python-jose hides: an outage must be told as one.
        raise wrapped.__context__ or wrapped from None


def _verify(
    token: str, keys: Mapping[str, PublicKey], largest: int
) -> tuple[dict[str, Any], bytes]:
    header, payload = _parse(token, largest)
    key = keys.get(header["kid"])
    if key is None:
        raise TokenUnknownKey(kid=told(header["kid"]))
    # RFC 8725 §3.1: the key says which algorithm, the token may only agree.
    if header["alg"] != key.algorithm.jose:
        raise TokenWrongType(algorithm=told(header["alg"]))
    if not (_is_token_signed_by if len(token) <= LARGEST_TOKEN else is_signed_by)(token, key):
        raise TokenBadSignature(kid=key.kid)
    return header, payload


# A token of ours is shown again and again, at introspection and by portals, and its signature does
# not change. Of claims nothing is remembered: they are read, and the time looked at, every time.
_is_token_signed_by = lru_cache(maxsize=4096)(is_signed_by)


def _parse(token: str, largest: int) -> tuple[dict[str, Any], bytes]:
    """Return header and payload of a token in the one accepted form; nothing is believed yet."""
    head, payload, _ = parts(token, 3, largest)
    header = json_object(head)
    # RFC 7515 §4.1.11: nothing critical is understood here. A key or a link to one inside the
    # token (`jwk`, `jku`, `x5c`, `x5u`) is refused with every other stranger.
    if not header.keys() <= _HEADER_MEMBERS or not {"alg", "kid"} <= header.keys():
        raise TokenMalformed
    check_texts(header, header)
    return header, payload


def _check_claims(
    claims: Mapping[str, Any],
    issuer: str,
    audience: str | AnyAudience | None,
    now: int,
    leeway: int,
) -> None:
    if claims.get("iss") != issuer:
        raise TokenWrongIssuer
    if audience is not AnyAudience.ANY and not _is_meant(audience, claims.get("aud")):
        raise TokenWrongAudience
    if now >= _time(claims, "exp"):
        raise TokenExpired
    begins = max(_time(claims, "iat"), _time(claims, "nbf") if "nbf" in claims else 0)
    if now < begins - leeway:
        raise TokenNotYetValid


def _is_meant(audience: str | None, aud: object) -> bool:
    """Say whether a token with this `aud` is for `audience`, or for nobody when that is None."""
    audiences = aud if isinstance(aud, list) else [aud] if aud is not None else []
    return not audiences if audience is None else audience in audiences


def _time(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise TokenMalformed(claim=name)
    return value
