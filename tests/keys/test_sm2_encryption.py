import ctypes
import itertools
import json
import os
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from gmssl.sm2 import CryptSM2
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import sm2, sm2_cipher, sm2_gmssl, sm2_gmssl_pyx, sm2_openssl
from keys.ciphertext import CiphertextRefused
from keys.curves import SM2, KeyMalformed

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "sm2_encrypt.json").read_text())
EXAMPLE = VECTORS["standard_example"]
PUBLISHED = [EXAMPLE, *VECTORS["generated_with_fixed_k"]]
KEY, POINT, CIPHERTEXT = (bytes.fromhex(EXAMPLE[name]) for name in ("d", "public_xy", "c1c3c2_raw"))
SCALARS = st.integers(min_value=1, max_value=SM2.n - 2).map(lambda d: d.to_bytes(32))

_OFFERED = (sm2_openssl.backend(), sm2_gmssl_pyx.backend(), sm2_gmssl.backend())
BACKENDS: list[sm2.Backend] = [backend for backend in _OFFERED if backend is not None]
each = pytest.mark.parametrize("backend", BACKENDS, ids=lambda b: b.name)


def unhex(vector: dict[str, Any], *names: str) -> list[bytes]:
    return [bytes.fromhex(vector[name]) for name in names]


@each
@pytest.mark.parametrize("vector", PUBLISHED)
def test_every_backend_decrypts_the_published_ciphertexts(
    backend: sm2.Backend, vector: dict[str, Any]
) -> None:
    scalar, plaintext, raw = unhex(vector, "d", "message_hex", "c1c3c2_raw")
    assert backend.private_key(scalar, os.urandom).decrypt(raw) == plaintext


@pytest.mark.parametrize("vector", PUBLISHED)
def test_gmssl_given_the_published_nonce_makes_the_published_ciphertext(
    vector: dict[str, Any],
) -> None:
    point, plaintext, k, raw = unhex(vector, "public_xy", "message_hex", "k", "c1c3c2_raw")
    # The nonce is random mod (n-1) + 1.
    random = {40: (int.from_bytes(k) - 1).to_bytes(40)}.__getitem__
    assert sm2_gmssl.backend().encrypt(point, plaintext, random) == raw


@pytest.mark.parametrize("vector", PUBLISHED)
def test_the_published_ciphertexts_have_the_published_der(vector: dict[str, Any]) -> None:
    raw, der = unhex(vector, "c1c3c2_raw", "asn1_der")
    assert sm2_cipher.to_der(raw) == der
    assert sm2_cipher.from_der(der) == raw


@each
@pytest.mark.parametrize("vector", VECTORS["negative_same_key"], ids=lambda v: v["why"])
def test_the_standards_ciphertext_with_a_change_is_refused(
    backend: sm2.Backend, vector: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sm2, "_backend", lambda: backend)
    key = sm2.PrivateKey(KEY)
    assert key.decrypt(CIPHERTEXT) == b"encryption standard"
    with pytest.raises(CiphertextRefused):
        key.decrypt(bytes.fromhex(vector["c1c3c2_raw"]))


@settings(max_examples=6, deadline=None)
@given(scalar=SCALARS, plaintext=st.binary(min_size=2, max_size=255))
def test_what_one_backend_encrypts_the_others_decrypt(scalar: bytes, plaintext: bytes) -> None:
    for maker, opener in itertools.permutations(BACKENDS, 2):
        key = opener.private_key(scalar, os.urandom)
        assert key.decrypt(maker.encrypt(key.point, plaintext, os.urandom)) == plaintext


@settings(max_examples=20, deadline=None)
@given(place=st.integers(min_value=0, max_value=len(CIPHERTEXT) * 8 - 1))
def test_every_flipped_bit_of_a_ciphertext_is_noticed(place: int) -> None:
    flipped = bytearray(CIPHERTEXT)
    flipped[place // 8] ^= 1 << (place % 8)
    with pytest.raises(CiphertextRefused):
        sm2.PrivateKey(KEY).decrypt(bytes(flipped))


@pytest.mark.parametrize("size", [1, 16, 255])
def test_up_to_255_bytes_are_encrypted(size: int) -> None:
    plaintext = os.urandom(size)
    assert sm2.PrivateKey(KEY).decrypt(sm2.encrypt(POINT, plaintext)) == plaintext


@pytest.mark.parametrize("size", [0, 256])
def test_nothing_and_too_much_are_not_encrypted(size: int) -> None:
    with pytest.raises(ValueError, match="1 to 255"):
        sm2.encrypt(POINT, bytes(size))


def test_the_same_plaintext_never_gives_the_same_ciphertext() -> None:
    assert sm2.encrypt(POINT, b"key") != sm2.encrypt(POINT, b"key")


def test_a_point_off_the_curve_gets_nothing() -> None:
    with pytest.raises(KeyMalformed):
        sm2.encrypt(POINT[:-1] + b"\0", b"key")


@pytest.mark.parametrize("length", [0, 64, 96, 97 + 255])
def test_a_ciphertext_of_an_impossible_length_is_refused(length: int) -> None:
    with pytest.raises(CiphertextRefused):
        sm2.PrivateKey(KEY).decrypt((CIPHERTEXT * 4)[:length])


@each
def test_a_point_of_another_curve_is_refused_though_all_else_is_right(
    backend: sm2.Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sm2, "_backend", lambda: backend)
    other = (5).to_bytes(32) + (7).to_bytes(32)
    shared = bytes.fromhex(CryptSM2("", "")._kg(int.from_bytes(KEY), other.hex()))
    ciphertext = other + sm2_gmssl._check(shared, b"probe") + sm2_gmssl._mask(shared, b"probe")
    # gmssl alone would answer, and tell an attacker a little of the key each time.
    assert sm2_gmssl.GmsslKey(KEY, os.urandom).decrypt(ciphertext) == b"probe"
    with pytest.raises(CiphertextRefused):
        sm2.PrivateKey(KEY).decrypt(ciphertext)


@lru_cache
def with_a_mask_of_zeros(plaintext: bytes) -> bytes:
    """A ciphertext whose C3 is right, under the first nonce that gives a one-byte mask of zero."""
    for nonce in range(1, 3000):
        # The backend adds one (its nonce is random mod (n-1) + 1).
        random = {40: nonce.to_bytes(40)}.__getitem__
        raw = sm2_gmssl.backend().encrypt(POINT, plaintext, random)
        if raw[-1:] == plaintext:
            return raw
    raise AssertionError("no such nonce")


@each
def test_a_mask_of_zeros_is_refused(backend: sm2.Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sm2, "_backend", lambda: backend)
    plain = with_a_mask_of_zeros(b"k")
    assert plain[-1:] == b"k"
    with pytest.raises(CiphertextRefused):
        sm2.PrivateKey(KEY).decrypt(plain)


def test_a_mask_of_zeros_starts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    given = iter([with_a_mask_of_zeros(b"k"), CIPHERTEXT])

    class Twice(sm2_gmssl.GmsslBackend):
        def encrypt(self, point: bytes, plaintext: bytes, random: sm2.Random) -> bytes:
            return next(given)

    monkeypatch.setattr(sm2, "_backend", Twice)
    assert sm2.encrypt(POINT, b"k") == CIPHERTEXT


def test_a_refused_ciphertext_leaves_no_error_behind_for_the_ssl_module() -> None:
    backend = sm2_openssl.backend()
    assert backend is not None
    backend._lib.ERR_peek_error.restype = ctypes.c_ulong
    with pytest.raises(CiphertextRefused):
        backend.private_key(KEY, os.urandom).decrypt(CIPHERTEXT[:-1] + b"!")
    assert backend._lib.ERR_peek_error() == 0


def test_the_openssl_command_and_we_read_each_other(tmp_path: Path) -> None:
    (tmp_path / "key.der").write_bytes(SM2.pkcs8(KEY, POINT))
    (tmp_path / "ours").write_bytes(sm2_cipher.to_der(sm2.encrypt(POINT, b"sixteen byte key")))
    (tmp_path / "plain").write_bytes(b"sixteen byte key")

    def pkeyutl(arguments: str) -> bytes:
        command = f"openssl pkeyutl -keyform DER -inkey key.der {arguments}".split()
        return subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout

    assert pkeyutl("-decrypt -in ours") == b"sixteen byte key"
    theirs = sm2_cipher.from_der(pkeyutl("-encrypt -in plain"))
    assert sm2.PrivateKey(KEY).decrypt(theirs) == b"sixteen byte key"
