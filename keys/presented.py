"""Tokens that others signed: clients' assertions and request objects, and proofs by a key within.

The forms are laxer than ours (`kid` and `typ` may be absent, members we do not know are ignored),
the rules are not: the caller says which algorithms and types, a key says what it can check, and a
token never brings or fetches a key, except where the key within is what it proves (RFC 9449). What
the claims must be is each protocol's own matter.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from keys.compact import (
    TokenBadSignature,
    TokenMalformed,
    TokenUnknownKey,
    TokenWrongType,
    json_object,
    parts,
    strangers_header,
    told,
)
from keys.curves import KeyMalformed
from keys.jose import LARGEST_TOKEN, is_signed_by
from keys.jwk import is_secret, key_set, possible_keys, required_members, thumbprint
from keys.signer import PublicKey

# Extensions we do not understand (RFC 7515 §4.1.11, RFC 7797 §3), and keys or the way to them, which
# whoever made the token chose (RFC 8725 §3.10). A certificate's fingerprint (`x5t`) is neither.
_REFUSED = frozenset({"crit", "b64", "zip", "jwk", "jku", "x5u", "x5c"})

# What we can check with; other kinds in a client's set are for other servers (RFC 7517 §5).
_CURVES = {"EC": ("P-256", "SM2-P-256"), "OKP": ("Ed25519",)}


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A key of a client's JWK Set, once for each algorithm it may be used with.

    `kid` is the name the client gave it, None without one.
    """

    kid: str | None
    public_keys: tuple[PublicKey, ...]


@dataclass(frozen=True, slots=True)
class Presented:
    """What stands in a token whose signature is good."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]


def client_keys(jwks: Mapping[str, object]) -> tuple[ClientKey, ...]:
    """Return the keys of a client's JWK Set (RFC 7517 §5) that check signatures.

    Keys of kinds, curves or algorithms we do not know are left out, and so are those that are for
    something else (`use`, `key_ops`). A key without `alg` is for each algorithm it can have: an RSA
    key for RS256 and PS256. Raises KeyMalformed when any key of the set is private or shared, or one
    that is left in is not sound; KeyWeak.
    """
    found = (ClientKey(_kid(key), _checking(key)) for key in key_set(jwks))
    return tuple(key for key in found if key.public_keys)


def verify_presented(
    token: str,
    keys: Sequence[ClientKey],
    *,
    algorithms: Collection[str],
    types: Collection[str | None],
    largest: int = LARGEST_TOKEN,
) -> Presented:
    """Check the form and the signature of a client's token, and return what stands in it.

    `algorithms` are the `alg` names allowed; `types` the allowed `typ`, None for an absent one,
    compared as media types (RFC 7515 §4.1.9). Raises a TokenError: TokenUnknownKey when no key has
    the token's `kid`, or none without a `kid` its algorithm, so that the caller may fetch the keys
    again, once.
    """
    header, payload = _take_apart(token, _REFUSED, largest)
    _check_algorithm(header, algorithms)
    if _media_type(header.get("typ")) not in map(_media_type, types):
        raise TokenWrongType(typ=told(header.get("typ", "")))
    if not any(is_signed_by(token, key) for key in _possible(header, keys)):
        raise TokenBadSignature(kid=told(header.get("kid", "")))
    return Presented(header, json_object(payload))


def verify_self_signed(
    token: str,
    *,
    typ: str = "dpop+jwt",
    algorithms: Collection[str],
    largest: int = LARGEST_TOKEN,
) -> tuple[Mapping[str, Any], str]:
    """Check a token signed by the key in its header `jwk`; return its claims and the thumbprint.

    Of the checks of a DPoP proof (RFC 9449 §4.3) this makes those of form and signature, 2 to 7. The
    thumbprint is RFC 7638's, by SHA-256. Raises a TokenError.
    """
    header, payload = _take_apart(token, _REFUSED - {"jwk"}, largest)
    _check_algorithm(header, algorithms)
    if header.get("typ") != typ:
        raise TokenWrongType(typ=told(header.get("typ", "")))
    keys, name = _key_within(header.get("jwk"))
    key = next((key for key in keys if key.algorithm.jose == header["alg"]), None)
    if key is None:
        raise TokenWrongType(algorithm=told(header["alg"]))
    if not is_signed_by(token, key):
        raise TokenBadSignature(kid=key.kid)
    return json_object(payload), name


def _take_apart(token: str, refused: frozenset[str], largest: int) -> tuple[dict[str, Any], bytes]:
    head, payload, _ = parts(token, 3, largest)
    return strangers_header(head, refused), payload


def _check_algorithm(header: Mapping[str, Any], algorithms: Collection[str]) -> None:
    # A text is a collection too, in which "S256" would be found.
    if header["alg"] not in frozenset(algorithms):
        raise TokenWrongType(algorithm=told(header["alg"]))


def _possible(header: Mapping[str, Any], keys: Sequence[ClientKey]) -> tuple[PublicKey, ...]:
    """Return the keys that may have signed: those of the `kid` when it tells one, else all.

    Several may share a `kid` (RFC 7517 §4.5).
    """
    named = tuple(key for key in keys if header.get("kid") in (None, key.kid))
    able = tuple(
        one for key in named for one in key.public_keys if one.algorithm.jose == header["alg"]
    )
    if not named or ("kid" not in header and not able):
        raise TokenUnknownKey(kid=told(header.get("kid", "")))
    if not able:
        raise TokenWrongType(algorithm=told(header["alg"]))
    return able


def _media_type(typ: str | None) -> str | None:
    """Return a `typ` without regard to case and without `application/` (RFC 7515 §4.1.9)."""
    return None if typ is None else typ.lower().removeprefix("application/")


def _checking(jwk: Mapping[str, object]) -> tuple[PublicKey, ...]:
    """Return a client's key for each algorithm it may check, none when it is for something else."""
    if jwk.get("use", "sig") != "sig" or not _may_verify(jwk.get("key_ops")):
        return ()
    if jwk.get("kty") != "RSA" and jwk.get("crv") not in _CURVES.get(str(jwk.get("kty")), ()):
        return ()
    keys, _ = _known(tuple(required_members(jwk).items()))
    return tuple(key for key in keys if jwk.get("alg", key.algorithm.jose) == key.algorithm.jose)


def _may_verify(operations: object) -> bool:
    return operations is None or (isinstance(operations, list) and "verify" in operations)


def _kid(jwk: Mapping[str, object]) -> str | None:
    kid = jwk.get("kid")
    return kid if isinstance(kid, str) else None


def _key_within(jwk: object) -> tuple[tuple[PublicKey, ...], str]:
    """Return the keys and the thumbprint of the header member `jwk`."""
    if not isinstance(jwk, dict) or is_secret(jwk):
        raise TokenMalformed
    try:
        return _known(tuple(required_members(jwk).items()))
    except KeyMalformed:
        raise TokenMalformed from None


# One client proves possession of one key many times over; reading it costs more than its signature.
@lru_cache(maxsize=4096)
def _known(members: tuple[tuple[str, str], ...]) -> tuple[tuple[PublicKey, ...], str]:
    keys = possible_keys(dict(members))
    return keys, thumbprint(keys[0])
