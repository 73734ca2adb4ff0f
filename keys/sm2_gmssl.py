"""SM2 by the pure-Python `gmssl` package: the fallback, and the second opinion in the tests.

gmssl 3.2.2 draws nonces from a predictable generator, mangles keys that start with 04 and fails
loudly on odd points; so the nonce and e come from us, the key goes round its constructor, and the
callers in `keys.sm2` check ranges and the curve. It is not constant time.
"""

from collections.abc import Callable

from gmssl.sm2 import CryptSM2

from keys.curves import FIELD_BYTES, SM2

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


class GmsslKey:
    """A private scalar and its public point."""

    def __init__(self, scalar: bytes, random: Callable[[int], bytes]) -> None:
        """Compute the public point of the scalar."""
        self._curve = CryptSM2(scalar.hex(), "")
        self._random = random
        generator = self._curve.ecc_table["g"]
        self.point = bytes.fromhex(self._curve._kg(int.from_bytes(scalar), generator))

    def sign(self, e: bytes) -> bytes:
        """Return r‖s over the 32-byte e."""
        signature = None
        while signature is None:  # GB/T 32918.2 §6.1 A5, A6: r = 0, r + k = n or s = 0 start again
            signature = self._curve.sign(e, f"{self._nonce():064x}")
        return bytes.fromhex(signature)

    def _nonce(self) -> int:
        return int.from_bytes(self._random(_NONCE_BYTES)) % (SM2.n - 1) + 1


def backend() -> GmsslBackend:
    """Return the backend."""
    return GmsslBackend()


def _curve_for(point: bytes) -> CryptSM2:
    # Not through the constructor: its lstrip("04") eats every leading 0 and 4 of X.
    curve = CryptSM2("", "")
    curve.public_key = point.hex()
    return curve
