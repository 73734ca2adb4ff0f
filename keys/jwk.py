"""Public keys as JSON Web Keys (RFC 7517): EC and RSA of RFC 7518 §6, OKP of RFC 8037 §2.

SM2 keys are EC with the curve `SM2-P-256` (GM/T 0125-2022).
"""

from collections.abc import Mapping

from keys.algorithms import ALGORITHMS, EDDSA, PS256, RS256
from keys.base64url import decode, encode
from keys.curves import CURVES, FIELD_BYTES, KeyMalformed, curve_of
from keys.public_keys import ed25519_spki, key_bits, public_key, rsa_numbers, rsa_spki
from keys.signer import PublicKey

# RFC 7518 §6.2.2, §6.3.2, §6.4.1: what only a private or a shared key has.
_SECRET_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_BY_JOSE_NAME = {a.jose: a for a in ALGORITHMS.values()}


def jwk(key: PublicKey) -> dict[str, str]:
    """Return the key with its name, its one algorithm, and that it is for signatures."""
    return _members(key) | {"kid": key.kid, "alg": key.algorithm.jose, "use": "sig"}


def public_key_from_jwk(jwk: Mapping[str, object]) -> PublicKey:
    """Return the key of a JSON Web Key; its kid is computed, not believed.

    An RSA key without `alg` is for RS256. Raises KeyMalformed when it is not a sound key of a kind
    in the algorithm table, when it holds a private part or is for encryption (`use`), or when its
    `kid` or `alg` is not one the key can have; KeyWeak.
    """
    if _SECRET_MEMBERS & jwk.keys() or jwk.get("use", "sig") != "sig":
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
