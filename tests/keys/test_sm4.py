import json
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from gmssl import sm4 as gmssl_sm4
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import sm4
from keys.ciphertext import CiphertextRefused

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "sm4.json").read_text())
RFC8998 = VECTORS["gcm_rfc8998"]
KEYS, BLOCKS = st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16)


def unhex(vector: dict[str, Any], *names: str) -> list[bytes]:
    return [bytes.fromhex(vector[name]) for name in names]


def gmssl_ecb(key: bytes, block: bytes) -> bytes:
    cipher = gmssl_sm4.CryptSM4()
    cipher.set_key(key, gmssl_sm4.SM4_ENCRYPT)
    return bytes(cipher.crypt_ecb(block)[:16])  # the second block is padding


def test_the_standards_block_comes_out() -> None:
    key, plaintext, ciphertext = unhex(VECTORS["single_block"], "key", "plaintext", "ciphertext")
    assert sm4.ctr(key, plaintext, bytes(16)) == ciphertext  # the counter is the block
    assert gmssl_ecb(key, plaintext) == ciphertext


def test_the_standards_million_blocks_come_out() -> None:
    key, block, ciphertext = unhex(VECTORS["million_iterations"], "key", "plaintext", "ciphertext")
    encryptor = Cipher(SM4(key), modes.ECB()).encryptor()  # noqa: S305 - the standard's example
    for _ in range(1_000_000):
        block = encryptor.update(block)
    assert block == ciphertext


def test_the_example_of_rfc_8998_comes_out() -> None:
    key, nonce, bound, plaintext, ciphertext, tag = unhex(
        RFC8998, "key", "nonce", "aad", "plaintext", "ciphertext", "tag"
    )
    assert sm4.gcm_encrypt(key, nonce, plaintext, bound) == ciphertext + tag
    assert sm4.gcm_decrypt(key, nonce, ciphertext + tag, bound) == plaintext


@pytest.mark.parametrize("vector", VECTORS["generated"], ids=lambda v: len(v["plaintext"]) // 2)
def test_the_published_ciphertexts_come_out_in_every_mode(vector: dict[str, Any]) -> None:
    key, iv, plaintext, cbc, ctr = unhex(vector, "key", "iv", "plaintext", "cbc_pkcs7", "ctr")
    nonce, bound, sealed, tag = unhex(vector, "gcm_nonce", "gcm_aad", "gcm_ciphertext", "gcm_tag")
    assert sm4.cbc_encrypt(key, iv, plaintext) == cbc
    assert sm4.cbc_decrypt(key, iv, cbc) == plaintext
    assert sm4.ctr(key, iv, plaintext) == ctr
    assert sm4.gcm_encrypt(key, nonce, plaintext, bound) == sealed + tag
    assert sm4.gcm_decrypt(key, nonce, sealed + tag, bound) == plaintext


@settings(max_examples=10, deadline=None)
@given(key=KEYS, iv=BLOCKS, plaintext=st.binary(min_size=1, max_size=100))
def test_gmssl_agrees_on_cbc_and_on_blocks(key: bytes, iv: bytes, plaintext: bytes) -> None:
    cipher = gmssl_sm4.CryptSM4()
    cipher.set_key(key, gmssl_sm4.SM4_ENCRYPT)
    assert sm4.cbc_encrypt(key, iv, plaintext) == bytes(cipher.crypt_cbc(iv, plaintext))
    assert sm4.ctr(key, iv, bytes(16)) == gmssl_ecb(key, iv)


@settings(max_examples=30, deadline=None)
@given(key=KEYS, plaintext=st.binary(min_size=1, max_size=300), bound=st.binary(max_size=40))
def test_the_gmssl_wheel_agrees_on_gcm(key: bytes, plaintext: bytes, bound: bytes) -> None:
    wheel = pytest.importorskip("gmssl_pyx")
    nonce = os.urandom(12)
    ciphertext, tag = wheel.sm4_gcm_encrypt(key, nonce, bound, plaintext)
    assert sm4.gcm_encrypt(key, nonce, plaintext, bound) == ciphertext + tag


@settings(max_examples=50, deadline=None)
@given(data=st.data(), plaintext=st.binary(max_size=100))
def test_every_flipped_bit_under_gcm_is_noticed(data: st.DataObject, plaintext: bytes) -> None:
    key, nonce = os.urandom(16), os.urandom(12)
    sealed = bytearray(sm4.gcm_encrypt(key, nonce, plaintext, b"bound"))
    place = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[place // 8] ^= 1 << (place % 8)
    with pytest.raises(CiphertextRefused):
        sm4.gcm_decrypt(key, nonce, bytes(sealed), b"bound")


@pytest.mark.parametrize("length", [0, 15])
def test_less_than_a_tag_is_refused(length: int) -> None:
    with pytest.raises(CiphertextRefused):
        sm4.gcm_decrypt(bytes(16), bytes(12), bytes(length))


def test_what_is_bound_must_be_given_again() -> None:
    sealed = sm4.gcm_encrypt(bytes(16), bytes(12), b"m", b"to Hangzhou")
    with pytest.raises(CiphertextRefused):
        sm4.gcm_decrypt(bytes(16), bytes(12), sealed, b"to Zhengzhou")


@pytest.mark.parametrize("length", [0, 8, 11, 13, 16])
def test_a_nonce_of_another_length_is_a_mistake_of_the_caller(length: int) -> None:
    with pytest.raises(ValueError, match="12 bytes"):
        sm4.gcm_encrypt(bytes(16), bytes(length), b"")


@pytest.mark.parametrize("ciphertext", [b"", bytes(15), bytes(16)])
def test_a_wrong_padding_is_refused(ciphertext: bytes) -> None:
    with pytest.raises(CiphertextRefused):
        sm4.cbc_decrypt(bytes(16), bytes(16), ciphertext)
