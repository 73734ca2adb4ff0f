"""Private keys in this process's memory: made, read from PKCS#8, used, never shown."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from keys import sm2
from keys.algorithms import EDDSA, ES256, PS256, RS256, SM2_SM3, Algorithm
from keys.curves import FIELD_BYTES, P256, SM2, KeyMalformed, curve_of
from keys.der_signature import from_der
from keys.public_keys import RSA_BITS_LEAST, KeyWeak, ed25519_spki, public_key, rsa_spki
from keys.schemes import ECDSA_SHA256, RSA_PADDINGS, SHA256
from keys.signer import PublicKey
from keys.sm2 import Random

RSA_BITS = 3072
"""The size of a new RSA key: as strong as the two curves (NIST SP 800-57 part 1, table 2)."""

# RFC 8410 §7: the seed in an OCTET STRING in an OCTET STRING.
_ED25519_HEADER = bytes.fromhex("302e020100300506032b657004220420")


@dataclass(frozen=True, slots=True)
class PrivateMaterial:
    """A private key as DER PKCS#8. Its `repr` shows the algorithm only."""

    algorithm: Algorithm
    pkcs8: bytes = field(repr=False)


class SoftwareSigner:
    """A Signer whose key is parsed once and kept in memory; usable from any thread."""

    def __init__(self, material: PrivateMaterial, random: Random = os.urandom) -> None:
        """Parse the key. Raises KeyMalformed when it is out of range or of the wrong shape, KeyWeak.

        `random` feeds SM2 nonces on the gmssl backend; OpenSSL makes its own.
        """
        algorithm = material.algorithm
        spki, self._sign = _PARSERS[algorithm](material, random)
        self._public_key = public_key(spki, algorithm)

    @property
    def public_key(self) -> PublicKey:
        """The public half, computed from the private one."""
        return self._public_key

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`: r‖s, 64 bytes, for EC; the plain one for the others."""
        return self._sign(message)

    def __repr__(self) -> str:
        return f"SoftwareSigner({self._public_key.kid}, {self._public_key.algorithm.name})"


def generate(
    algorithm: Algorithm, random: Random = os.urandom, rsa_bits: int = RSA_BITS
) -> PrivateMaterial:
    """Make a private key. RSA primes are chosen by OpenSSL with its own randomness.

    Raises KeyWeak for RSA of less than 2048 bits.
    """
    if algorithm in RSA_PADDINGS:
        return PrivateMaterial(algorithm, _new_rsa_pkcs8(rsa_bits))
    if algorithm is EDDSA:
        return PrivateMaterial(algorithm, ed25519_pkcs8(random(FIELD_BYTES)))
    # Extra random bits (FIPS 186-5 §A.2.1). n-2 is SM2's bound (GB/T 32918.1 §6.1); ECDSA allows
    # n-1, which nobody will miss.
    number = int.from_bytes(random(FIELD_BYTES + 8)) % (curve_of(algorithm).n - 2) + 1
    return ec_material(algorithm, number)


def ec_material(algorithm: Algorithm, number: int) -> PrivateMaterial:
    """Return the key of a private scalar. Raises KeyMalformed when it is out of range."""
    curve = curve_of(algorithm)
    if not 0 < number < curve.n:
        raise KeyMalformed(curve=curve.jose)
    scalar = number.to_bytes(FIELD_BYTES)
    point = sm2.PrivateKey(scalar).point if curve is SM2 else _p256_point(_p256_key(scalar))
    return PrivateMaterial(algorithm, curve.pkcs8(scalar, point))


def ed25519_pkcs8(seed: bytes) -> bytes:
    """Return the DER PrivateKeyInfo (48 bytes) of a seed of 32 bytes."""
    return _ED25519_HEADER + seed


def rsa_pkcs8(key: rsa.RSAPrivateKey) -> bytes:
    """Return the DER PrivateKeyInfo of an RSA key."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


_Parsed = tuple[bytes, Callable[[bytes], bytes]]


def _sm2_signing(material: PrivateMaterial, random: Random) -> _Parsed:
    key = sm2.PrivateKey(SM2.scalar(material.pkcs8), random)
    return SM2.spki(key.point), key.sign


def _ecdsa_signing(material: PrivateMaterial, random: Random) -> _Parsed:
    key = _p256_key(P256.scalar(material.pkcs8))
    return P256.spki(_p256_point(key)), lambda message: from_der(key.sign(message, ECDSA_SHA256))


def _rsa_signing(material: PrivateMaterial, random: Random) -> _Parsed:
    try:
        key = load_der_private_key(material.pkcs8, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyMalformed(curve=material.algorithm.key_type) from None
    if not isinstance(key, rsa.RSAPrivateKey) or rsa_pkcs8(key) != material.pkcs8:
        raise KeyMalformed(curve=material.algorithm.key_type)
    numbers, scheme = key.public_key().public_numbers(), RSA_PADDINGS[material.algorithm]
    return rsa_spki(numbers.n, numbers.e), lambda message: key.sign(message, scheme, SHA256)


def _eddsa_signing(material: PrivateMaterial, random: Random) -> _Parsed:
    seed = material.pkcs8.removeprefix(_ED25519_HEADER)
    if len(seed) != FIELD_BYTES or not material.pkcs8.startswith(_ED25519_HEADER):
        raise KeyMalformed(curve=material.algorithm.key_type)
    key = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    return ed25519_spki(key.public_key().public_bytes_raw()), key.sign


def _p256_key(scalar: bytes) -> ec.EllipticCurvePrivateKey:
    number = int.from_bytes(scalar)
    if not 1 <= number < P256.n:
        raise KeyMalformed(curve=P256.jose)
    return ec.derive_private_key(number, ec.SECP256R1())


def _p256_point(key: ec.EllipticCurvePrivateKey) -> bytes:
    numbers = key.public_key().public_numbers()
    return numbers.x.to_bytes(FIELD_BYTES) + numbers.y.to_bytes(FIELD_BYTES)


def _new_rsa_pkcs8(bits: int) -> bytes:
    if bits < RSA_BITS_LEAST:
        raise KeyWeak(kind=RS256.key_type, reason="size")
    return rsa_pkcs8(rsa.generate_private_key(65537, bits))


_PARSERS: Mapping[Algorithm, Callable[[PrivateMaterial, Random], _Parsed]] = {
    ES256: _ecdsa_signing,
    SM2_SM3: _sm2_signing,
    RS256: _rsa_signing,
    PS256: _rsa_signing,
    EDDSA: _eddsa_signing,
}
