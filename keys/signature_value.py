"""A signature as a Signer gives it, and as X.509, CMS and OCSP write it.

EC signatures are r‖s here and DER there (RFC 3279 §2.2.3, GM/T 0009 §7.3); RSA (RFC 4055) and
Ed25519 (RFC 8410 §6) are the same bytes in both.
"""

from keys.algorithms import ES256, SM2_SM3, Algorithm
from keys.der_signature import from_der, to_der

_PAIRS = frozenset({ES256, SM2_SM3})


def to_x509(algorithm: Algorithm, signature: bytes) -> bytes:
    """Return the content of a signatureValue. Raises SignatureMalformed when it is no r‖s."""
    return to_der(signature) if algorithm in _PAIRS else signature


def from_x509(algorithm: Algorithm, value: bytes) -> bytes:
    """Return what `keys.verify.verify` takes. Raises SignatureMalformed when it is not minimal DER."""
    return from_der(value) if algorithm in _PAIRS else value
