"""SM2 by GmSSL through the gmssl-pyx wheel: for interpreters whose libcrypto has no SM2.

GmSSL makes its own nonces. It holds the interpreter lock, takes plaintexts up to 255 bytes, and
prints two lines to stderr for each signature or ciphertext it refuses; what can be refused without
it (ranges, the curve) `keys.sm2` has refused before. The wheel cannot tell the public key of a
scalar: gmssl computes that, once a key, and not in constant time.
"""

from collections.abc import Callable
from importlib import import_module
from types import ModuleType

from keys import sm2_cipher
from keys.ciphertext import CiphertextRefused
from keys.der_signature import from_der, to_der
from keys.sm2_gmssl import GmsslKey


class GmsslPyxBackend:
    """SM2 in GmSSL's C."""

    name = "gmssl-pyx"

    def __init__(self, gmssl: ModuleType) -> None:
        """Take the wheel's module."""
        self._gmssl = gmssl

    def private_key(self, scalar: bytes, random: Callable[[int], bytes]) -> "GmsslPyxKey":
        """Take a private scalar; `random` is not used, nonces are GmSSL's own."""
        return GmsslPyxKey(self._gmssl, scalar)

    def verify(self, point: bytes, e: bytes, signature: bytes) -> bool:
        """Say whether r‖s over e is good for the public key X‖Y."""
        return bool(self._gmssl.sm2_verify_sm3_digest(point, e, to_der(signature)))

    def encrypt(self, point: bytes, plaintext: bytes, random: Callable[[int], bytes]) -> bytes:
        """Return C1‖C3‖C2 for the public key X‖Y; `random` is not used."""
        return sm2_cipher.from_der(self._gmssl.sm2_encrypt(point, plaintext))


class GmsslPyxKey:
    """A private scalar and its public point."""

    def __init__(self, gmssl: ModuleType, scalar: bytes) -> None:
        """Compute the public point of the scalar."""
        self._gmssl = gmssl
        self._scalar = scalar
        self.point = GmsslKey(scalar, bytes).point

    def sign(self, e: bytes) -> bytes:
        """Return r‖s over the 32-byte e."""
        # Not `sm2_sign`, which is eight times slower: it makes nonces ahead for one signature.
        return from_der(self._gmssl.sm2_sign_sm3_digest(self._scalar, e))

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Return the plaintext of C1‖C3‖C2. Raises CiphertextRefused when C3 is not right."""
        try:
            plaintext: bytes = self._gmssl.sm2_decrypt(self._scalar, sm2_cipher.to_der(ciphertext))
        except self._gmssl.GmsslInnerError:
            raise CiphertextRefused from None
        return plaintext


def backend() -> GmsslPyxBackend | None:
    """Return the backend, or None where the wheel is not installed."""
    # Looked for when asked: optional (wheels for Linux on x86-64 only), and rarely needed.
    try:
        return GmsslPyxBackend(import_module("gmssl_pyx"))
    except ImportError:
        return None
