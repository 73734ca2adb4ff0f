"""Check one signature by one public key, whatever the algorithm."""

from collections.abc import Callable, Mapping
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from keys import sm2
from keys.algorithms import EDDSA, ES256, PS256, RS256, SM2_SM3, Algorithm
from keys.curves import SM2, KeyMalformed
from keys.der_signature import SignatureMalformed, to_der
from keys.errors import DomainError
from keys.public_keys import public_key
from keys.schemes import ECDSA_SHA256, RSA_PADDINGS, SHA256
from keys.signer import PublicKey

_Check = Callable[[bytes, bytes], None]


class BadSignature(DomainError):
    """The signature is not by this key over these bytes."""

    code = "signature.bad"


def verify(key: PublicKey, message: bytes, signature: bytes) -> None:
    """Check `signature`, as a Signer gives it, over `message`; raises BadSignature, with the kid.

    EC signatures are r‖s, 64 bytes. ES256 is FIPS 186-5 with SHA-256; SM2 is GB/T 32918.2 with the
    default user id; RS256 and PS256 are RFC 8017 §8.2 and §8.1; EdDSA is RFC 8032 §5.1. Raises
    KeyMalformed for a PublicKey that `keys.public_keys.public_key` would not have made.
    """
    try:
        _check_by(key)(message, signature)
    except (InvalidSignature, SignatureMalformed):
        raise BadSignature(kid=key.kid) from None


@lru_cache(maxsize=512)
def _check_by(key: PublicKey) -> _Check:
    """Parse a key once; what it returns raises InvalidSignature or SignatureMalformed."""
    public_key(key.spki, key.algorithm)  # weak keys, other curves, second encodings
    return _CHECKS[key.algorithm](key)


def _sm2_check(key: PublicKey) -> _Check:
    point = SM2.point(key.spki)

    def check(message: bytes, signature: bytes) -> None:
        if not sm2.verify(point, message, signature):
            raise InvalidSignature

    return check


def _ecdsa_check(key: PublicKey) -> _Check:
    loaded = _loaded(key)
    if not isinstance(loaded, ec.EllipticCurvePublicKey):
        raise KeyMalformed(curve=key.algorithm.key_type)
    return lambda message, signature: loaded.verify(to_der(signature), message, ECDSA_SHA256)


def _rsa_check(key: PublicKey) -> _Check:
    loaded, scheme = _loaded(key), RSA_PADDINGS[key.algorithm]
    if not isinstance(loaded, rsa.RSAPublicKey):
        raise KeyMalformed(curve=key.algorithm.key_type)
    return lambda message, signature: loaded.verify(signature, message, scheme, SHA256)


def _eddsa_check(key: PublicKey) -> _Check:
    loaded = _loaded(key)
    if not isinstance(loaded, ed25519.Ed25519PublicKey):
        raise KeyMalformed(curve=key.algorithm.key_type)
    return lambda message, signature: loaded.verify(signature, message)


def _loaded(key: PublicKey) -> object:
    try:
        return load_der_public_key(key.spki)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyMalformed(curve=key.algorithm.key_type) from None


_CHECKS: Mapping[Algorithm, Callable[[PublicKey], _Check]] = {
    ES256: _ecdsa_check,
    SM2_SM3: _sm2_check,
    RS256: _rsa_check,
    PS256: _rsa_check,
    EDDSA: _eddsa_check,
}
