"""SM2 by the pure-Python `gmssl` package: the fallback, and the second opinion in the tests.

gmssl 3.2.2 draws nonces from a predictable generator, mangles keys that start with 04, decrypts
without comparing C3 and fails loudly on odd points; so the nonce and e come from us, the key goes
round its constructor, C3 is compared here, and the callers in `keys.sm2` check ranges and the
curve. It is not constant time.
"""

from collections.abc import Callable
from hmac import compare_digest

from gmssl.sm2 import CryptSM2
from gmssl.sm3 import sm3_hash, sm3_kdf

from keys.ciphertext import CiphertextRefused
from keys.curves import FIELD_BYTES, SM2
from keys.sm2_cipher import split

# FIPS 186-5 A.3.1: 64 bits more than the order, so the reduction leaves no bias worth naming.
_NONCE_BYTES = FIELD_BYTES + 8


class GmsslBackend:
    """SM2 in Python integers."""

    name = "gmssl"

    def private_key(self, scalar: bytes, random: Callable[[int], bytes]) -> "GmsslKey":
        """Take a private scalar; nonces come from `random`."""
        return GmsslKey(scalar, random)

    def verify(self, point: bytes, e: bytes, signature: bytes) -> bool:
        """Say whether r‖s over e is good for the public key X‖Y."""
        try:
            return bool(_curve_for(point).verify(signature.hex(), e))
        except (TypeError, ValueError):
            # It meets the point at infinity with None where coordinates should be.
            return False

    def encrypt(self, point: bytes, plaintext: bytes, random: Callable[[int], bytes]) -> bytes:
        """Return C1‖C3‖C2 for the public key X‖Y (GB/T 32918.4 §6.1); the nonce is from `random`."""
        nonce, curve = _nonce(random), _curve_for(point)
        c1 = bytes.fromhex(curve._kg(nonce, curve.ecc_table["g"]))
        shared = bytes.fromhex(curve._kg(nonce, point.hex()))
        return c1 + _check(shared, plaintext) + _mask(shared, plaintext)


class GmsslKey:
    """A private scalar and its public point."""

    def __init__(self, scalar: bytes, random: Callable[[int], bytes]) -> None:
        """Compute the public point of the scalar."""
        self._curve = CryptSM2(scalar.hex(), "")
        self._random = random
        self._scalar = int.from_bytes(scalar)
        self.point = bytes.fromhex(self._curve._kg(self._scalar, self._curve.ecc_table["g"]))

    def sign(self, e: bytes) -> bytes:
        """Return r‖s over the 32-byte e."""
        signature = None
        while signature is None:  # GB/T 32918.2 §6.1 A5, A6: r = 0, r + k = n or s = 0 start again
            signature = self._curve.sign(e, f"{_nonce(self._random):064x}")
        return bytes.fromhex(signature)

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Return the plaintext of C1‖C3‖C2. Raises CiphertextRefused when C3 is not right."""
        c1, c3, c2 = split(ciphertext)
        shared = bytes.fromhex(self._curve._kg(self._scalar, c1.hex()))
        plaintext = _mask(shared, c2)
        if not compare_digest(_check(shared, plaintext), c3):
            raise CiphertextRefused
        return plaintext


def backend() -> GmsslBackend:
    """Return the backend."""
    return GmsslBackend()


def _curve_for(point: bytes) -> CryptSM2:
    # Not through the constructor: its lstrip("04") eats every leading 0 and 4 of X.
    curve = CryptSM2("", "")
    curve.public_key = point.hex()
    return curve


def _nonce(random: Callable[[int], bytes]) -> int:
    return int.from_bytes(random(_NONCE_BYTES)) % (SM2.n - 1) + 1


def _mask(shared: bytes, text: bytes) -> bytes:
    """Exclusive-or with KDF(x2‖y2): both C2 of a plaintext and the plaintext of C2."""
    stream = bytes.fromhex(sm3_kdf(shared.hex().encode(), len(text)))
    return bytes(a ^ b for a, b in zip(stream, text, strict=True))


def _check(shared: bytes, plaintext: bytes) -> bytes:
    """Return C3 = SM3(x2 ‖ M ‖ y2)."""
    x2, y2 = shared[:FIELD_BYTES], shared[FIELD_BYTES:]
    return bytes.fromhex(sm3_hash(list(x2 + plaintext + y2)))
