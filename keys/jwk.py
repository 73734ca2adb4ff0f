"""Public keys as JSON Web Keys (RFC 7517): EC and RSA of RFC 7518 §6, OKP of RFC 8037 §2.

SM2 keys are EC with the curve `SM2-P-256` (GM/T 0125-2022). A key that names itself goes by its
thumbprint (RFC 7638).
"""

import hashlib
import json
from collections.abc import Mapping

from keys.algorithms import ALGORITHMS, EDDSA, PS256, RS256
from keys.base64url import decode, encode
from keys.curves import CURVES, FIELD_BYTES, KeyMalformed, curve_of
from keys.public_keys import ed25519_spki, key_bits, public_key, rsa_numbers, rsa_spki
from keys.signer import PublicKey

# RFC 7518 §6.2.2, §6.3.2, §6.4.1: what only a private or a shared key has.
_SECRET_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_BY_JOSE_NAME = {a.jose: a for a in ALGORITHMS.values()}

# RFC 7638 §3.2, RFC 8037 §2: what makes the key, and nothing about it.
_REQUIRED = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}

_MOST_KEYS = 64
"""How many keys a set may hold: each may have to be tried on a token that names none."""


def jwk(key: PublicKey) -> dict[str, str]:
    """Return the key with its name, its one algorithm, and that it is for signatures."""
    return _members(key) | {"kid": key.kid, "alg": key.algorithm.jose, "use": "sig"}


def encryption_jwk(key: PublicKey) -> dict[str, str]:
    """Return the key with its name, and that it is for encrypting to (`use` enc)."""
    return _members(key) | {"kid": key.kid, "use": "enc"}


def thumbprint(key: Mapping[str, object] | PublicKey) -> str:
    """Return the SHA-256 thumbprint of a key (RFC 7638 §3), 43 characters of base64url.

    A JWK may be of any EC, OKP or RSA kind; whether it is sound is not looked at. Raises KeyMalformed
    when one of the members that make the key is absent.
    """
    members = _members(key) if isinstance(key, PublicKey) else required_members(key)
    # RFC 7638 §3.3: in the order of their names, without white space.
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":"))
    return encode(hashlib.sha256(canonical.encode()).digest())


def required_members(jwk: Mapping[str, object]) -> dict[str, str]:
    """Return the members that make the key, by name (RFC 7638 §3.2), as they are told.

    Raises KeyMalformed.
    """
    names = _REQUIRED.get(str(jwk.get("kty")), ())
    members = {name: value for name in names if isinstance(value := jwk.get(name), str)}
    if not names or len(members) != len(names) or not all(map(str.isascii, members.values())):
        raise KeyMalformed(curve=_curve_told(jwk))
    return members


def possible_keys(members: Mapping[str, str]) -> tuple[PublicKey, ...]:
    """Return the key of `required_members`, once for each algorithm it can have.

    Raises KeyMalformed when it is not a sound key of a kind in the algorithm table; KeyWeak.
    """
    key = public_key(_spki(members))
    kind = key.algorithm.key_type
    return tuple(
        PublicKey(key.kid, algorithm, key.spki)
        for algorithm in ALGORITHMS.values()
        if algorithm.key_type == kind
    )


def key_set(jwks: Mapping[str, object]) -> tuple[Mapping[str, object], ...]:
    """Return the JWKs of somebody's JWK Set (RFC 7517 §5); whether each is sound is not looked at.

    Raises KeyMalformed when it is not a set of at most 64 JWKs, or any of them is shared or holds a
    private part: whoever sends that out must be told, not served.
    """
    keys = jwks.get("keys")
    if not isinstance(keys, list) or len(keys) > _MOST_KEYS:
        raise KeyMalformed(curve="")
    for key in keys:
        if not isinstance(key, dict) or is_secret(key):
            raise KeyMalformed(curve="")
        if not isinstance(key.get("kid", ""), str):
            raise KeyMalformed(curve=_curve_told(key))
    return tuple(keys)


def is_secret(jwk: Mapping[str, object]) -> bool:
    """Say whether a JWK is a shared key or holds a private part."""
    return jwk.get("kty") == "oct" or bool(_SECRET_MEMBERS & jwk.keys())


def public_key_from_jwk(jwk: Mapping[str, object]) -> PublicKey:
    """Return the key of a JSON Web Key; its kid is computed, not believed.

    An RSA key without `alg` is for RS256. Raises KeyMalformed when it is not a sound key of a kind
    in the algorithm table, when it holds a private part or is for encryption (`use`), or when its
    `kid` or `alg` is not one the key can have; KeyWeak.
    """
    if is_secret(jwk) or jwk.get("use", "sig") != "sig":
        raise KeyMalformed(curve=_curve_told(jwk))
    key = public_key(_spki(jwk), _BY_JOSE_NAME.get(str(jwk.get("alg", ""))))
    if key.kid != jwk.get("kid", key.kid) or key.algorithm.jose != jwk.get(
        "alg", key.algorithm.jose
    ):
        raise KeyMalformed(curve=key.algorithm.key_type)
    return key


def _members(key: PublicKey) -> dict[str, str]:
    if key.algorithm in (RS256, PS256):
        modulus, exponent = rsa_numbers(key.spki)
        return {"kty": "RSA", "n": _unsigned(modulus), "e": _unsigned(exponent)}
    if key.algorithm is EDDSA:
        return {"kty": "OKP", "crv": EDDSA.key_type, "x": encode(key_bits(key.spki))}
    curve = curve_of(key.algorithm)
    point = curve.point(key.spki)
    x, y = encode(point[:FIELD_BYTES]), encode(point[FIELD_BYTES:])
    return {"kty": "EC", "crv": curve.jose, "x": x, "y": y}


def _spki(jwk: Mapping[str, object]) -> bytes:
    match jwk:
        case {"kty": "EC", "crv": crv, "x": str(x), "y": str(y)}:
            curve = next((c for c in CURVES if c.jose == crv), None)
            # RFC 7518 §6.2.1.2: full size, leading zeros kept.
            if curve is None or len(_decode(x)) != FIELD_BYTES:
                raise KeyMalformed(curve=_curve_told(jwk))
            return curve.spki(_decode(x) + _decode(y))
        case {"kty": "OKP", "crv": "Ed25519", "x": str(x)}:
            return ed25519_spki(_decode(x))
        case {"kty": "RSA", "n": str(n), "e": str(e)}:
            return rsa_spki(_number(n), _number(e))
    raise KeyMalformed(curve=_curve_told(jwk))


def _curve_told(jwk: Mapping[str, object]) -> str:
    return str(jwk.get("crv", ""))[:64]


def _unsigned(number: int) -> str:
    return encode(number.to_bytes((number.bit_length() + 7) // 8))


def _number(text: str) -> int:
    data = _decode(text)
    if not data or not data[0]:  # RFC 7518 §2, Base64urlUInt: as few octets as possible
        raise KeyMalformed(curve=RS256.key_type)
    return int.from_bytes(data)


def _decode(text: str) -> bytes:
    try:
        return decode(text)
    except ValueError:
        raise KeyMalformed(curve="") from None
