"""SM2 by the OpenSSL this Python already carries, called through ctypes on EVP_PKEY.

No second copy of libcrypto: symbols are looked up through the interpreter's own `_hashlib`, then by
the library's name. Calls drop the interpreter lock; a key may be used from several threads.
"""

import ctypes
import ctypes.util
from collections.abc import Callable, Iterator
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_size_t, c_void_p
from functools import lru_cache
from importlib.util import find_spec

from keys import sm2_cipher
from keys.ciphertext import CiphertextRefused
from keys.curves import FIELD_BYTES, SM2, KeyMalformed
from keys.der_signature import from_der, to_der

_LONGEST_DER_SIGNATURE = 72
# C1 and C3 with their headers, and the lengths that grow with C2: 110 bytes at most.
_DER_CIPHERTEXT_AROUND = 128
_SPKI_BYTES = 91

# Without the public key, which OpenSSL then computes; given one, it would believe it.
_PKCS8_PREFIX = bytes.fromhex(
    f"3041020100301306072a8648ce3d0201{SM2.oid_der.hex()}042730250201010420"
)

# Name, result, arguments: section 3 of the OpenSSL 3.0 manual.
_PROTOTYPES: tuple[tuple[str, type | None, tuple[type, ...]], ...] = (
    ("d2i_AutoPrivateKey", c_void_p, (c_void_p, POINTER(c_char_p), c_long)),
    ("d2i_PUBKEY", c_void_p, (c_void_p, POINTER(c_char_p), c_long)),
    ("i2d_PUBKEY", c_int, (c_void_p, POINTER(c_char_p))),
    ("EVP_PKEY_free", None, (c_void_p,)),
    ("EVP_PKEY_CTX_new", c_void_p, (c_void_p, c_void_p)),
    ("EVP_PKEY_CTX_free", None, (c_void_p,)),
    ("EVP_PKEY_sign_init", c_int, (c_void_p,)),
    ("EVP_PKEY_sign", c_int, (c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t)),
    ("EVP_PKEY_verify_init", c_int, (c_void_p,)),
    ("EVP_PKEY_verify", c_int, (c_void_p, c_char_p, c_size_t, c_char_p, c_size_t)),
    ("EVP_PKEY_encrypt_init", c_int, (c_void_p,)),
    ("EVP_PKEY_encrypt", c_int, (c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t)),
    ("EVP_PKEY_decrypt_init", c_int, (c_void_p,)),
    ("EVP_PKEY_decrypt", c_int, (c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t)),
    ("ERR_clear_error", None, ()),
)


class OpensslBackend:
    """SM2 on one loaded libcrypto."""

    name = "openssl"

    def __init__(self, library: ctypes.CDLL) -> None:
        """Declare the functions used. Raises AttributeError when the library lacks one."""
        self._lib = library
        for name, result, arguments in _PROTOTYPES:
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
        self._public = lru_cache(maxsize=512)(self._parse_public)

    def private_key(self, scalar: bytes, random: Callable[[int], bytes]) -> "OpensslKey":
        """Load a private scalar; `random` is not used, nonces are OpenSSL's own."""
        return OpensslKey(self._lib, self._lib.d2i_AutoPrivateKey, _PKCS8_PREFIX + scalar)

    def verify(self, point: bytes, e: bytes, signature: bytes) -> bool:
        """Say whether r‖s over e is good for the public key X‖Y."""
        return self._public(point).verify(e, signature)

    def encrypt(self, point: bytes, plaintext: bytes, random: Callable[[int], bytes]) -> bytes:
        """Return C1‖C3‖C2 for the public key X‖Y; `random` is not used, the nonce is OpenSSL's own."""
        return self._public(point).encrypt(plaintext)

    def _parse_public(self, point: bytes) -> "OpensslKey":
        return OpensslKey(self._lib, self._lib.d2i_PUBKEY, SM2.spki(point))


class OpensslKey:
    """One EVP_PKEY, freed with the object."""

    def __init__(self, library: ctypes.CDLL, parse: Callable[..., int | None], der: bytes) -> None:
        """Parse `der` with the given d2i function. Raises KeyMalformed when OpenSSL refuses it."""
        self._lib = library
        self._pkey = parse(None, byref(c_char_p(der)), len(der))
        if not self._pkey:
            library.ERR_clear_error()
            raise KeyMalformed(curve=SM2.jose)
        self.point = self._read_point()

    def __del__(self) -> None:
        if getattr(self, "_pkey", None):
            self._lib.EVP_PKEY_free(self._pkey)

    def sign(self, e: bytes) -> bytes:
        """Return r‖s over the 32-byte e."""
        der = self._run("sign", e, _LONGEST_DER_SIGNATURE)
        if der is None:
            raise KeyMalformed(curve=SM2.jose)
        return from_der(der)

    def encrypt(self, plaintext: bytes) -> bytes:
        """Return C1‖C3‖C2 of up to 255 bytes."""
        der = self._run("encrypt", plaintext, len(plaintext) + _DER_CIPHERTEXT_AROUND)
        if der is None:
            raise KeyMalformed(curve=SM2.jose)
        return sm2_cipher.from_der(der)

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Return the plaintext of C1‖C3‖C2. Raises CiphertextRefused."""
        plaintext = self._run("decrypt", sm2_cipher.to_der(ciphertext), len(ciphertext))
        if plaintext is None:
            raise CiphertextRefused
        return plaintext

    def verify(self, e: bytes, signature: bytes) -> bool:
        """Say whether r‖s over the 32-byte e is good."""
        der = to_der(signature)
        context = self._lib.EVP_PKEY_CTX_new(self._pkey, None)
        try:
            good = (
                self._lib.EVP_PKEY_verify_init(context) == 1
                and self._lib.EVP_PKEY_verify(context, der, len(der), e, len(e)) == 1
            )
        finally:
            self._lib.EVP_PKEY_CTX_free(context)
        if not good:
            self._lib.ERR_clear_error()
        return bool(good)

    def _run(self, operation: str, data: bytes, room: int) -> bytes | None:
        """Return what EVP_PKEY_<operation> makes of `data`, or None when it refuses."""
        output = ctypes.create_string_buffer(room)
        length = c_size_t(room)
        begin = getattr(self._lib, f"EVP_PKEY_{operation}_init")
        finish = getattr(self._lib, f"EVP_PKEY_{operation}")
        context = self._lib.EVP_PKEY_CTX_new(self._pkey, None)
        try:
            done = (
                begin(context) == 1 and finish(context, output, byref(length), data, len(data)) == 1
            )
        finally:
            self._lib.EVP_PKEY_CTX_free(context)
        if not done:
            # The error queue is shared with the interpreter's ssl module, which would trip on ours.
            self._lib.ERR_clear_error()
            return None
        return output.raw[: length.value]

    def _read_point(self) -> bytes:
        spki = ctypes.create_string_buffer(_SPKI_BYTES)
        cursor = c_char_p(ctypes.addressof(spki))
        if self._lib.i2d_PUBKEY(self._pkey, None) != _SPKI_BYTES:
            raise KeyMalformed(curve=SM2.jose)
        self._lib.i2d_PUBKEY(self._pkey, byref(cursor))
        return spki.raw[-2 * FIELD_BYTES :]


@lru_cache(maxsize=1)
def backend() -> OpensslBackend | None:
    """Return the backend, or None where no usable libcrypto is found. It is not self-tested here."""
    for name in _library_names():
        try:
            return OpensslBackend(ctypes.CDLL(name))
        except (OSError, AttributeError):
            continue
    return None


def _library_names() -> Iterator[str]:
    # An interpreter built in one piece has no file here, and hides its OpenSSL.
    own = find_spec("_hashlib")
    if own is not None and own.has_location and own.origin:
        yield own.origin
    yield "libcrypto.so.3"
    named = ctypes.util.find_library("crypto")
    if named:
        yield named
