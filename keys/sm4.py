"""SM4 (GB/T 32907) by `cryptography`: GCM for what we write, CBC and CTR to read what others wrote."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.padding import PKCS7

from keys.ciphertext import CiphertextRefused

KEY_BYTES = 16
NONCE_BYTES = 12
TAG_BYTES = 16
_BLOCK_BITS = 128


def gcm_encrypt(key: bytes, nonce: bytes, plaintext: bytes, bound: bytes = b"") -> bytes:
    """Return ciphertext ‖ tag (RFC 8998 §2). `bound` is checked but not encrypted.

    A nonce (12 bytes) must never come twice under one key. Raises ValueError on other lengths.
    """
    _check_nonce(nonce)
    encryptor = Cipher(SM4(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(bound)
    return encryptor.update(plaintext) + encryptor.finalize() + encryptor.tag


def gcm_decrypt(key: bytes, nonce: bytes, sealed: bytes, bound: bytes = b"") -> bytes:
    """Return the plaintext of ciphertext ‖ tag. Raises CiphertextRefused when anything was changed."""
    _check_nonce(nonce)
    ciphertext, tag = sealed[:-TAG_BYTES], sealed[-TAG_BYTES:]
    if len(tag) != TAG_BYTES:
        raise CiphertextRefused
    decryptor = Cipher(SM4(key), modes.GCM(nonce, tag)).decryptor()
    decryptor.authenticate_additional_data(bound)
    try:
        return decryptor.update(ciphertext) + decryptor.finalize()
    except InvalidTag:
        raise CiphertextRefused from None


def cbc_encrypt(key: bytes, iv: bytes, plaintext: bytes) -> bytes:
    """Return the ciphertext in CBC with PKCS#7 padding; nothing in it shows a change."""
    padder = PKCS7(_BLOCK_BITS).padder()
    padded = padder.update(plaintext) + padder.finalize()
    encryptor = Cipher(SM4(key), modes.CBC(iv)).encryptor()
    return encryptor.update(padded) + encryptor.finalize()


def cbc_decrypt(key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    """Return the plaintext of CBC with PKCS#7 padding.

    Raises CiphertextRefused on a wrong padding or length. Check a signature over the ciphertext
    first: an answer to chosen ciphertexts gives the plaintext away (Vaudenay 2002).
    """
    decryptor = Cipher(SM4(key), modes.CBC(iv)).decryptor()
    unpadder = PKCS7(_BLOCK_BITS).unpadder()
    try:
        padded = decryptor.update(ciphertext) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        raise CiphertextRefused from None


def ctr(key: bytes, counter: bytes, data: bytes) -> bytes:
    """Encrypt or decrypt in CTR from the 16-byte first counter; nothing in it shows a change."""
    encryptor = Cipher(SM4(key), modes.CTR(counter)).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def _check_nonce(nonce: bytes) -> None:
    # Another length is legal GCM, but goes through GHASH and loses the guarantee of uniqueness.
    if len(nonce) != NONCE_BYTES:
        raise ValueError(f"a nonce has {NONCE_BYTES} bytes")
