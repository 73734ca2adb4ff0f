"""Private keys in this process's memory: made, read from PKCS#8, used, never shown."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from keys import sm2
from keys.algorithms import SM2_SM3, Algorithm
from keys.curves import FIELD_BYTES, P256, KeyMalformed, curve_of
from keys.der_signature import from_der
from keys.public_keys import public_key
from keys.signer import PublicKey
from keys.sm2 import Random


@dataclass(frozen=True, slots=True)
class PrivateMaterial:
    """A private key as DER PKCS#8. Its `repr` shows the algorithm only."""

    algorithm: Algorithm
    pkcs8: bytes = field(repr=False)


class SoftwareSigner:
    """A Signer whose key is parsed once and kept in memory; usable from any thread."""

    def __init__(self, material: PrivateMaterial, random: Random = os.urandom) -> None:
        """Parse the key. Raises KeyMalformed when the scalar is out of range or the shape is wrong.

        `random` feeds SM2 nonces on the gmssl backend; OpenSSL makes its own.
        """
        scalar = curve_of(material.algorithm).scalar(material.pkcs8)
        parse = _sm2_key if material.algorithm is SM2_SM3 else _ecdsa_key
        point, self._sign = parse(scalar, random)
        self._public_key = public_key(curve_of(material.algorithm).spki(point))

    @property
    def public_key(self) -> PublicKey:
        """The public half, computed from the private one."""
        return self._public_key

    def sign(self, message: bytes) -> bytes:
        """Return r‖s, 64 bytes, over `message`."""
        return self._sign(message)

    def __repr__(self) -> str:
        return f"SoftwareSigner({self._public_key.kid}, {self._public_key.algorithm.name})"


def generate(algorithm: Algorithm, random: Random = os.urandom) -> PrivateMaterial:
    """Make a private key by extra random bits (FIPS 186-5 A.2.1): 1 ≤ d ≤ n-2."""
    curve = curve_of(algorithm)
    # n-2 is SM2's bound (GB/T 32918.1 §6.1); ECDSA allows n-1, which nobody will miss.
    number = int.from_bytes(random(FIELD_BYTES + 8)) % (curve.n - 2) + 1
    scalar = number.to_bytes(FIELD_BYTES)
    parse = _sm2_key if algorithm is SM2_SM3 else _ecdsa_key
    point, _ = parse(scalar, random)
    return PrivateMaterial(algorithm, curve.pkcs8(scalar, point))


_Parsed = tuple[bytes, Callable[[bytes], bytes]]


def _sm2_key(scalar: bytes, random: Random) -> _Parsed:
    key = sm2.PrivateKey(scalar, random)
    return key.point, key.sign


def _ecdsa_key(scalar: bytes, random: Random) -> _Parsed:
    number = int.from_bytes(scalar)
    if not 1 <= number < P256.n:
        raise KeyMalformed(curve=P256.jose)
    key = ec.derive_private_key(number, ec.SECP256R1())
    numbers = key.public_key().public_numbers()
    point = numbers.x.to_bytes(FIELD_BYTES) + numbers.y.to_bytes(FIELD_BYTES)
    return point, lambda message: from_der(key.sign(message, ec.ECDSA(hashes.SHA256())))
