"""Public keys read from SubjectPublicKeyInfo: the kid is the first eight bytes of SHA-256 over it.

One key has one encoding here, and so one name: named curves with uncompressed points (RFC 5480 §2),
rsaEncryption with NULL (RFC 4055 §1.2), Ed25519 (RFC 8410 §4).
"""

import hashlib
from math import gcd, prod

from asn1crypto.core import Sequence
from asn1crypto.keys import RSAPublicKey

from keys.algorithms import EDDSA, PS256, RS256, Algorithm
from keys.curves import CURVES, KeyMalformed
from keys.der import NULL, bits, integer, oid, sequence
from keys.edwards import is_sound_point
from keys.signer import PublicKey

KID_BYTES = 8
RSA_BITS_LEAST = 2048
_RSA_BITS_MOST = 8192  # beyond this a check costs milliseconds, which a stranger would pick for us

_RSA_ALGORITHM = sequence(oid("1.2.840.113549.1.1.1"), NULL)
_ED25519_HEADER = bytes.fromhex("302a300506032b6570032100")

# A modulus with a factor below 752 was not made by a key generator (CA/B Forum BR §6.1.6).
_SMALL_PRIMES = prod(n for n in range(2, 752) if all(n % d for d in range(2, int(n**0.5) + 1)))


class KeyWeak(KeyMalformed):
    """The key is well formed but can be broken, or was made by something broken."""

    code = "key.weak"


def public_key(spki: bytes, algorithm: Algorithm | None = None) -> PublicKey:
    """Return the key of a DER SubjectPublicKeyInfo.

    An RSA key is for RS256 unless told PS256; the other kinds have one algorithm each. Raises
    KeyMalformed when it is not a key of the algorithm table or not one for `algorithm`, when its
    point is not on its curve or it is encoded in a second form; KeyWeak.
    """
    possible = _algorithms(spki)
    chosen = possible[0] if algorithm is None else algorithm
    if chosen not in possible:
        raise KeyMalformed(curve=chosen.key_type)
    return PublicKey(kid=kid(spki), algorithm=chosen, spki=spki)


def kid(spki: bytes) -> str:
    """Return the name of a SubjectPublicKeyInfo: 16 lower-case hexadecimal digits."""
    return hashlib.sha256(spki).digest()[:KID_BYTES].hex()


def key_bits(spki: bytes) -> bytes:
    """Return the content of the BIT STRING, over which key identifiers go (RFC 5280 §4.2.1.2).

    Raises KeyMalformed when it has none.
    """
    try:
        contents: bytes = Sequence.load(spki, strict=True)[1].contents
    except (ValueError, TypeError, LookupError):
        raise KeyMalformed(curve="") from None
    return contents[1:]  # behind the number of unused bits


def rsa_spki(modulus: int, exponent: int) -> bytes:
    """Return the SubjectPublicKeyInfo of an RSA key; `public_key` checks it."""
    return sequence(_RSA_ALGORITHM, bits(sequence(integer(modulus), integer(exponent))))


def ed25519_spki(point: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo of an encoded Ed25519 point; `public_key` checks it."""
    return _ED25519_HEADER + point


def rsa_numbers(spki: bytes) -> tuple[int, int]:
    """Return modulus and exponent. Raises KeyMalformed when it is not an RSA key in its one form."""
    try:
        read = RSAPublicKey.load(key_bits(spki), strict=True)
        modulus, exponent = int(read["modulus"].native), int(read["public_exponent"].native)
    except (ValueError, TypeError, LookupError):
        raise KeyMalformed(curve="") from None
    if min(modulus, exponent) < 0 or rsa_spki(modulus, exponent) != spki:
        raise KeyMalformed(curve="")
    return modulus, exponent


def _algorithms(spki: bytes) -> tuple[Algorithm, ...]:
    """Check a key; return the algorithms it may be used with, the usual one first."""
    for curve in CURVES:
        if curve.owns_spki(spki):
            curve.point(spki)
            return (curve.algorithm,)
    if spki.startswith(_ED25519_HEADER):
        if not is_sound_point(spki.removeprefix(_ED25519_HEADER)):
            raise KeyMalformed(curve=EDDSA.key_type)
        return (EDDSA,)
    _check_rsa(*rsa_numbers(spki))
    return RS256, PS256


def _check_rsa(modulus: int, exponent: int) -> None:
    size = modulus.bit_length()
    if size > _RSA_BITS_MOST:
        raise KeyMalformed(curve=RS256.key_type)
    if size < RSA_BITS_LEAST:
        raise KeyWeak(kind=RS256.key_type, reason="size")
    # FIPS 186-5 §A.1.1: odd, above 2^16 and below 2^256.
    if exponent % 2 == 0 or not 2**16 < exponent < 2**256:
        raise KeyWeak(kind=RS256.key_type, reason="exponent")
    if gcd(modulus, _SMALL_PRIMES) != 1:
        raise KeyWeak(kind=RS256.key_type, reason="modulus")
