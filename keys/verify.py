"""Check one signature by one public key, whatever the algorithm."""

from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from keys import sm2
from keys.algorithms import SM2_SM3
from keys.curves import SM2
from keys.der_signature import SignatureMalformed, to_der
from keys.errors import DomainError
from keys.signer import PublicKey


class BadSignature(DomainError):
    """The signature is not by this key over these bytes."""

    code = "signature.bad"


def verify(key: PublicKey, message: bytes, signature: bytes) -> None:
    """Check `signature` (r‖s, 64 bytes) over `message`; raises BadSignature, with the kid.

    ES256 is FIPS 186-5 with SHA-256; SM2 is GB/T 32918.2 with the default user id.
    """
    good = _sm2_is_good if key.algorithm is SM2_SM3 else _ecdsa_is_good
    if not good(key, message, signature):
        raise BadSignature(kid=key.kid)


def _sm2_is_good(key: PublicKey, message: bytes, signature: bytes) -> bool:
    return sm2.verify(SM2.point(key.spki), message, signature)


def _ecdsa_is_good(key: PublicKey, message: bytes, signature: bytes) -> bool:
    try:
        _ecdsa_key(key.spki).verify(to_der(signature), message, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, SignatureMalformed):
        return False
    return True


@lru_cache(maxsize=512)
def _ecdsa_key(spki: bytes) -> ec.EllipticCurvePublicKey:
    key = load_der_public_key(spki)
    assert isinstance(key, ec.EllipticCurvePublicKey)  # noqa: S101 - PublicKey says it is ES256
    return key
