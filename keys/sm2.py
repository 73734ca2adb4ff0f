"""SM2 signatures and encryption (GB/T 32918.2, .4): the checks here, the curve left to a backend.

The backend is the first of the process's own OpenSSL, gmssl-pyx and gmssl that passes the
standard's examples (GB/T 32918.5 annexes A and C); `backend_name` tells which. The first two do
their own nonces; gmssl is pure Python, not constant time, and gets nonces from us.
"""

import os
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

from keys import sm2_cipher, sm2_gmssl, sm2_gmssl_pyx, sm2_openssl
from keys.ciphertext import CiphertextRefused
from keys.curves import FIELD_BYTES, SM2, KeyMalformed
from keys.errors import DomainError
from keys.sm3 import sm3

Random = Callable[[int], bytes]

DEFAULT_ID = b"1234567812345678"
"""The user id of GM/T 0009 §10: what every certificate and seal uses unless told otherwise."""


class Sm2Unavailable(DomainError):
    """No backend passes the standard's examples: nothing SM2 can be done."""

    code = "sm2.unavailable"


class _Key(Protocol):
    """A private key held by a backend; `sign` takes e and returns r‖s.

    `decrypt` takes C1‖C3‖C2 with C1 on the curve and raises CiphertextRefused when C3 is not right.
    """

    @property
    def point(self) -> bytes: ...

    def sign(self, e: bytes) -> bytes: ...

    def decrypt(self, ciphertext: bytes) -> bytes: ...


class Backend(Protocol):
    """What a backend must do. It gets e ready made and never sees a message."""

    @property
    def name(self) -> str: ...

    def private_key(self, scalar: bytes, random: Random) -> _Key:
        """Take a scalar 1 ≤ d ≤ n-2 (checked by the caller)."""
        ...

    def verify(self, point: bytes, e: bytes, signature: bytes) -> bool:
        """Say whether r‖s over e is good. Never raises on 64-byte input."""
        ...

    def encrypt(self, point: bytes, plaintext: bytes, random: Random) -> bytes:
        """Return C1‖C3‖C2 of 1 to 255 bytes, for a point on the curve (both checked before)."""
        ...


class PrivateKey:
    """An SM2 private key ready to sign: parsed once, used many times, from any thread."""

    __slots__ = ("_key",)

    def __init__(self, scalar: bytes, random: Random = os.urandom) -> None:
        """Take the 32-byte scalar d. Raises KeyMalformed unless 1 ≤ d ≤ n-2."""
        # GB/T 32918.1 §6.1. OpenSSL would take 0 and n without a word.
        if len(scalar) != FIELD_BYTES or not 1 <= int.from_bytes(scalar) <= SM2.n - 2:
            raise KeyMalformed(curve=SM2.jose)
        self._key = _backend().private_key(scalar, random)

    @property
    def point(self) -> bytes:
        """The public key X‖Y, computed from the scalar."""
        return self._key.point

    def sign(self, message: bytes, user_id: bytes = DEFAULT_ID) -> bytes:
        """Return r‖s, 64 bytes, over `message`."""
        return self._key.sign(digest(self.point, message, user_id))

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Return the plaintext of C1‖C3‖C2 (GB/T 32918.4 §7.1). Raises CiphertextRefused."""
        c1, _, c2 = sm2_cipher.split(ciphertext)
        # A point of another, weaker curve would draw the key out answer by answer (step B1).
        if not SM2.contains(c1):
            raise CiphertextRefused
        plaintext = self._key.decrypt(ciphertext)
        if plaintext == c2:  # step B4: an all-zero mask hides nothing
            raise CiphertextRefused
        return plaintext


def verify(point: bytes, message: bytes, signature: bytes, user_id: bytes = DEFAULT_ID) -> bool:
    """Say whether `signature` (r‖s) over `message` is by the owner of the public key X‖Y.

    A point off the curve, or r or s out of 1…n-1, is a plain no.
    """
    if not SM2.contains(point) or len(signature) != 2 * FIELD_BYTES:
        return False
    r, s = int.from_bytes(signature[:FIELD_BYTES]), int.from_bytes(signature[FIELD_BYTES:])
    if not (1 <= r < SM2.n and 1 <= s < SM2.n):
        return False
    return _backend().verify(point, digest(point, message, user_id), signature)


def encrypt(point: bytes, plaintext: bytes, random: Random = os.urandom) -> bytes:
    """Return C1‖C3‖C2 of 1 to 255 bytes for the owner of X‖Y (GB/T 32918.4 §6.1): a key, as a rule.

    Raises KeyMalformed for a point off the curve, ValueError for another length. `random` feeds the
    nonces of the gmssl backend; the others make their own.
    """
    if not SM2.contains(point):
        raise KeyMalformed(curve=SM2.jose)
    if not 1 <= len(plaintext) <= sm2_cipher.LONGEST_PLAINTEXT:
        raise ValueError(f"SM2 encrypts 1 to {sm2_cipher.LONGEST_PLAINTEXT} bytes")
    while True:
        ciphertext = _backend().encrypt(point, plaintext, random)
        _, _, c2 = sm2_cipher.split(ciphertext)
        if c2 != plaintext:  # step A5: one byte in 256 meets an all-zero mask, which starts again
            return ciphertext


def digest(point: bytes, message: bytes, user_id: bytes = DEFAULT_ID) -> bytes:
    """Return e = SM3(Z ‖ message), what is signed (GB/T 32918.2 §6.1)."""
    return sm3(z(point, user_id) + message)


def z(point: bytes, user_id: bytes = DEFAULT_ID) -> bytes:
    """Return Z, the digest that binds the user id, the curve and the public key (GB/T 32918.2 §5.5)."""
    bits = (8 * len(user_id)).to_bytes(2)
    return sm3(bits + user_id + _CURVE_IN_Z + point)


def backend_name() -> str:
    """Return `openssl`, `gmssl-pyx` or `gmssl`. Raises Sm2Unavailable when none works here."""
    return _backend().name


def passes_self_test(backend: Backend) -> bool:
    """Say whether a backend reproduces the standard's examples and refuses a changed bit of them."""
    try:
        key = backend.private_key(_EXAMPLE_SCALAR, os.urandom)
        return key.point == _EXAMPLE_POINT and _signs(backend, key) and _encrypts(backend, key)
    except Exception:
        # A backend that cannot even run the examples is not there; what it raised does not matter.
        return False


def _signs(backend: Backend, key: _Key) -> bool:
    forged = bytes([_EXAMPLE_SIGNATURE[0] ^ 1]) + _EXAMPLE_SIGNATURE[1:]
    return (
        backend.verify(key.point, _EXAMPLE_E, _EXAMPLE_SIGNATURE)
        and not backend.verify(key.point, _EXAMPLE_E, forged)
        and backend.verify(key.point, _EXAMPLE_E, key.sign(_EXAMPLE_E))
    )


def _encrypts(backend: Backend, key: _Key) -> bool:
    again = backend.encrypt(key.point, _EXAMPLE_PLAINTEXT, os.urandom)
    if {key.decrypt(_EXAMPLE_CIPHERTEXT), key.decrypt(again)} != {_EXAMPLE_PLAINTEXT}:
        return False
    try:
        key.decrypt(_EXAMPLE_CIPHERTEXT[:-1] + bytes([_EXAMPLE_CIPHERTEXT[-1] ^ 1]))
    except CiphertextRefused:
        return True
    return False


@lru_cache(maxsize=1)
def _backend() -> Backend:
    for offer in (sm2_openssl.backend, sm2_gmssl_pyx.backend, sm2_gmssl.backend):
        backend = offer()
        if backend is not None and passes_self_test(backend):
            return backend
    raise Sm2Unavailable


_CURVE_IN_Z = b"".join(value.to_bytes(FIELD_BYTES) for value in (SM2.a, SM2.b, SM2.gx, SM2.gy))

# GB/T 32918.5 annex A: message "message digest", the default id.
_EXAMPLE_SCALAR = bytes.fromhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")
_EXAMPLE_POINT = bytes.fromhex(
    "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
_EXAMPLE_E = bytes.fromhex("f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640")
_EXAMPLE_SIGNATURE = bytes.fromhex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)
# GB/T 32918.5 annex C: the same key.
_EXAMPLE_PLAINTEXT = b"encryption standard"
_EXAMPLE_CIPHERTEXT = bytes.fromhex(
    "04ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73"
    "e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0"
    "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"
    "21886ca989ca9c7d58087307ca93092d651efa"
)
