import ctypes
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import sm2, sm2_gmssl, sm2_gmssl_pyx, sm2_openssl
from keys.curves import SM2, KeyMalformed
from keys.der_signature import to_der

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "sm2_sign.json").read_text())
EXAMPLE = VECTORS["standard_example"]
GENERATED = VECTORS["generated_with_fixed_k"] + VECTORS["generated_edge_encodings"]
SCALARS = st.integers(min_value=1, max_value=SM2.n - 2).map(lambda d: d.to_bytes(32))


def unhex(vector: dict[str, Any], *names: str) -> list[bytes]:
    return [bytes.fromhex(vector[name]) for name in names]


def openssl() -> sm2_openssl.OpensslBackend:
    backend = sm2_openssl.backend()
    assert backend is not None
    return backend


# gmssl-pyx is optional: where its wheel does not install, two are left to compare.
_WHEEL = sm2_gmssl_pyx.backend()
BACKENDS: list[sm2.Backend] = [openssl(), *([_WHEEL] if _WHEEL else []), sm2_gmssl.backend()]
PAIRS = list(itertools.permutations(BACKENDS, 2))
each = pytest.mark.parametrize("backend", BACKENDS, ids=lambda b: b.name)


def test_openssl_is_used_where_it_is() -> None:
    assert sm2.backend_name() == "openssl"


@each
def test_every_backend_passes_the_standards_examples(backend: sm2.Backend) -> None:
    assert sm2.passes_self_test(backend)


def test_z_and_e_of_the_standard_come_out_for_every_user_id() -> None:
    (point,) = unhex(EXAMPLE, "public_xy")
    for vector in VECTORS["z_for_other_ids_same_key"]:
        user_id, z, e = unhex(vector, "id_hex", "z", "e_of_message_digest")
        assert sm2.z(point, user_id) == z
        assert sm2.digest(point, b"message digest", user_id) == e


@each
@pytest.mark.parametrize("vector", GENERATED)
def test_every_backend_accepts_the_published_signatures(
    backend: sm2.Backend, vector: dict[str, Any]
) -> None:
    point, user_id, message, e, signature = unhex(
        vector, "public_xy", "id_hex", "message_hex", "e", "signature_raw"
    )
    assert sm2.digest(point, message, user_id) == e
    assert backend.verify(point, e, signature)


def test_gmssl_given_the_published_nonce_makes_the_published_signature() -> None:
    for vector in GENERATED[:6]:
        scalar, k, e, signature = unhex(vector, "d", "k", "e", "signature_raw")
        # The nonce is random mod (n-1) + 1.
        wanted = (int.from_bytes(k) - 1).to_bytes(40)
        key = sm2_gmssl.backend().private_key(scalar, {40: wanted}.__getitem__)
        assert key.sign(e) == signature


@each
@pytest.mark.parametrize("vector", VECTORS["generated_edge_encodings"])
def test_awkward_public_keys_are_computed_right(
    backend: sm2.Backend, vector: dict[str, Any]
) -> None:
    scalar, point = unhex(vector, "d", "public_xy")
    assert backend.private_key(scalar, bytes).point == point


def raw_or_none(vector: dict[str, Any]) -> bytes | None:
    return bytes.fromhex(vector["signature_raw"]) if "signature_raw" in vector else None


@each
@pytest.mark.parametrize("vector", VECTORS["negative_same_key_and_message"], ids=lambda v: v["why"])
def test_the_standards_message_with_a_wrong_signature_is_refused(
    backend: sm2.Backend, vector: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sm2, "_backend", lambda: backend)
    (point,) = unhex(EXAMPLE, "public_xy")
    signature = raw_or_none(vector)
    assert signature is not None
    user_id = bytes.fromhex(vector.get("id_hex", EXAMPLE["id_hex"]))
    message = bytes.fromhex(vector.get("message_hex", EXAMPLE["message_hex"]))
    assert not sm2.verify(point, message, signature, user_id)


@settings(max_examples=6, deadline=None)
@given(scalar=SCALARS, message=st.binary(max_size=200), user_id=st.binary(max_size=40))
def test_what_one_backend_signs_the_others_accept(
    scalar: bytes, message: bytes, user_id: bytes
) -> None:
    for maker, checker in PAIRS:
        key = maker.private_key(scalar, os.urandom)
        e = sm2.digest(key.point, message, user_id)
        signature = key.sign(e)
        assert checker.private_key(scalar, os.urandom).point == key.point
        assert checker.verify(key.point, e, signature)
        assert not checker.verify(
            key.point, sm2.digest(key.point, message + b"!", user_id), signature
        )


@settings(max_examples=4, deadline=None)
@given(scalar=st.sampled_from([1, 2, 3, SM2.n - 3, SM2.n - 2]))
def test_the_smallest_and_largest_keys_work_on_every_backend(scalar: int) -> None:
    for maker, checker in PAIRS:
        key = maker.private_key(scalar.to_bytes(32), lambda size: b"\7" * size)
        assert checker.verify(key.point, b"e" * 32, key.sign(b"e" * 32))


@settings(max_examples=20, deadline=None)
@given(place=st.integers(min_value=0, max_value=511))
def test_every_flipped_bit_of_a_signature_is_noticed(place: int) -> None:
    point, message, r, s = unhex(EXAMPLE, "public_xy", "message_hex", "r", "s")
    flipped = bytearray(r + s)
    flipped[place // 8] ^= 1 << (place % 8)
    assert sm2.verify(point, message, r + s)
    assert not sm2.verify(point, message, bytes(flipped))


@pytest.mark.parametrize("scalar", [0, SM2.n - 1, SM2.n, 2**256 - 1])
def test_a_private_key_out_of_range_is_refused(scalar: int) -> None:
    with pytest.raises(KeyMalformed):
        sm2.PrivateKey(scalar.to_bytes(32))


def test_a_private_key_of_another_length_is_refused() -> None:
    with pytest.raises(KeyMalformed):
        sm2.PrivateKey(b"\1" * 31)


@pytest.mark.parametrize(
    "break_point", [lambda p: p[:-1] + b"\0", lambda p: bytes(64), lambda p: p[:-1]]
)
def test_a_public_key_off_the_curve_verifies_nothing(break_point: Callable[[bytes], bytes]) -> None:
    point, message, r, s = unhex(EXAMPLE, "public_xy", "message_hex", "r", "s")
    assert not sm2.verify(break_point(point), message, r + s)


def test_the_user_id_is_part_of_what_is_signed() -> None:
    key = sm2.PrivateKey(bytes.fromhex(EXAMPLE["d"]))
    signature = key.sign(b"m", b"ALICE123@YAHOO.COM")
    assert sm2.verify(key.point, b"m", signature, b"ALICE123@YAHOO.COM")
    assert not sm2.verify(key.point, b"m", signature)


class _SaysYes:
    """A backend that finds every signature good."""

    name = "yes"

    def private_key(self, scalar: bytes, random: sm2.Random) -> sm2_gmssl.GmsslKey:
        return sm2_gmssl.GmsslKey(scalar, random)

    def verify(self, point: bytes, e: bytes, signature: bytes) -> bool:
        return True

    def encrypt(self, point: bytes, plaintext: bytes, random: sm2.Random) -> bytes:
        return sm2_gmssl.backend().encrypt(point, plaintext, random)


class _TrustingKey(sm2_gmssl.GmsslKey):
    def decrypt(self, ciphertext: bytes) -> bytes:
        return bytes.fromhex(self._curve.decrypt(ciphertext).hex())


class _NeverChecksC3(sm2_gmssl.GmsslBackend):
    """What gmssl alone is: it decrypts without comparing C3."""

    def private_key(self, scalar: bytes, random: sm2.Random) -> sm2_gmssl.GmsslKey:
        key = _TrustingKey(scalar, random)
        key._curve.mode = 1
        return key


@pytest.mark.parametrize("unfit", [_SaysYes, _NeverChecksC3, lambda: None])
def test_a_backend_that_fails_the_examples_is_passed_over(
    unfit: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    sm2._backend.cache_clear()
    try:
        monkeypatch.setattr(sm2_openssl, "backend", unfit)
        if _WHEEL:
            assert sm2.backend_name() == "gmssl-pyx"
            sm2._backend.cache_clear()
        monkeypatch.setattr(sm2_gmssl_pyx, "backend", unfit)
        assert sm2.backend_name() == "gmssl"
        monkeypatch.setattr(sm2_gmssl, "backend", unfit)
        sm2._backend.cache_clear()
        with pytest.raises(sm2.Sm2Unavailable):
            sm2.backend_name()
    finally:
        sm2._backend.cache_clear()


def test_without_the_wheel_there_is_no_gmssl_pyx_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gmssl_pyx", None)
    assert sm2_gmssl_pyx.backend() is None


def test_without_any_libcrypto_there_is_no_openssl_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sm2_openssl, "_library_names", lambda: ["libno-such-crypto.so"])
    sm2_openssl.backend.cache_clear()
    try:
        assert sm2_openssl.backend() is None
    finally:
        sm2_openssl.backend.cache_clear()


def test_one_key_signs_and_verifies_from_many_threads() -> None:
    key = sm2.PrivateKey(bytes.fromhex(EXAMPLE["d"]))

    def sign_and_check(number: int) -> bool:
        message = b"%d" % number
        signature = key.sign(message)
        return sm2.verify(key.point, message, signature) and not sm2.verify(
            key.point, message + b"!", signature
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(sign_and_check, range(200)))


def test_a_refused_signature_leaves_no_error_behind_for_the_ssl_module() -> None:
    point, message, r, s = unhex(EXAMPLE, "public_xy", "message_hex", "r", "s")
    library = openssl()._lib
    library.ERR_peek_error.restype = ctypes.c_ulong
    assert not sm2.verify(point, b"another" + message, r + s)
    assert library.ERR_peek_error() == 0


def test_the_openssl_command_accepts_our_signature_with_our_user_id(tmp_path: Path) -> None:
    key = sm2.PrivateKey(bytes.fromhex(EXAMPLE["d"]))
    (tmp_path / "key.der").write_bytes(SM2.spki(key.point))
    (tmp_path / "message").write_bytes("张䶮的执照".encode())
    (tmp_path / "signature").write_bytes(to_der(key.sign("张䶮的执照".encode())))
    command = (
        "openssl pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -digest sm3 "
        "-in message -sigfile signature -pkeyopt distid:1234567812345678"
    )
    done = subprocess.run(
        command.split(), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "Signature Verified Successfully" in done.stdout, done.stderr
    (tmp_path / "message").write_bytes(b"another")
    done = subprocess.run(
        command.split(), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
