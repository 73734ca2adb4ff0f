"""Openers in this process's memory, from the private keys of `keys.software_signer`."""

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keys import sm2
from keys.ciphertext import CiphertextRefused
from keys.curves import P256, SM2, KeyMalformed, curve_of
from keys.public_keys import public_key
from keys.signer import PublicKey
from keys.software_signer import PrivateMaterial


class SoftwareOpener:
    """An Opener whose key is parsed once and kept in memory; usable from any thread."""

    __slots__ = ("_open", "_public_key")

    def __init__(self, material: PrivateMaterial) -> None:
        """Parse an SM2 or P-256 key. Raises KeyMalformed, also for a key of another kind."""
        self._public_key, self._open = _parse(material)

    @property
    def public_key(self) -> PublicKey:
        """The public half, computed from the private one."""
        return self._public_key

    def open(self, locked: bytes) -> bytes:
        """Return the secret in C1‖C3‖C2 (SM2), or the one shared with X‖Y (P-256).

        Raises CiphertextRefused.
        """
        return self._open(locked)

    def __repr__(self) -> str:
        return f"SoftwareOpener({self._public_key.kid}, {self._public_key.algorithm.name})"


_Parsed = tuple[PublicKey, Callable[[bytes], bytes]]


def _parse(material: PrivateMaterial) -> _Parsed:
    curve = curve_of(material.algorithm)
    scalar = curve.scalar(material.pkcs8)
    if curve is SM2:
        key = sm2.PrivateKey(scalar)
        return public_key(SM2.spki(key.point)), key.decrypt
    return _parse_p256(scalar)


def _parse_p256(scalar: bytes) -> _Parsed:
    number = int.from_bytes(scalar)
    if not 1 <= number < P256.n:
        raise KeyMalformed(curve=P256.jose)
    key = ec.derive_private_key(number, ec.SECP256R1())

    def agree(point: bytes) -> bytes:
        # `cryptography` refuses a point off the curve as well; said here because all rests on it.
        if not P256.contains(point):
            raise CiphertextRefused
        ephemeral = ec.EllipticCurvePublicKey.from_encoded_point(key.curve, b"\4" + point)
        return key.exchange(ec.ECDH(), ephemeral)

    encoded = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return public_key(P256.spki(encoded[1:])), agree
