"""What signs and what verifies, without saying where the private key lives: safe for anyone to import."""

from dataclasses import dataclass
from typing import Protocol

from keys.algorithms import Algorithm


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key and the name it is known by.

    `spki` is the DER SubjectPublicKeyInfo (RFC 5280 §4.1.2.7); check a signature with
    `keys.verify.verify`.
    """

    kid: str
    algorithm: Algorithm
    spki: bytes


class Signer(Protocol):
    """A private key that can be used but not seen."""

    @property
    def public_key(self) -> PublicKey: ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`, hashed inside (for SM2, with Z of the default user id).

        It is r‖s, 64 bytes, for EC keys, and the plain signature for RSA and Ed25519.
        """
        ...
