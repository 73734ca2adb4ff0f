"""Public keys by their name: the kid is the first eight bytes of SHA-256 over the SubjectPublicKeyInfo."""

import hashlib

from keys.curves import CURVES, KeyMalformed
from keys.signer import PublicKey

KID_BYTES = 8


def public_key(spki: bytes) -> PublicKey:
    """Return the key of a DER SubjectPublicKeyInfo.

    Raises KeyMalformed when it is not a named-curve key of the algorithm table, or off its curve.
    """
    for curve in CURVES:
        if curve.owns_spki(spki):
            curve.point(spki)
            return PublicKey(kid=kid(spki), algorithm=curve.algorithm, spki=spki)
    raise KeyMalformed(curve="")


def kid(spki: bytes) -> str:
    """Return the name of a SubjectPublicKeyInfo: 16 lower-case hexadecimal digits."""
    return hashlib.sha256(spki).digest()[:KID_BYTES].hex()
