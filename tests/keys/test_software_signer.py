import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.algorithms import EDDSA, ES256, PS256, RS256, SM2_SM3, Algorithm
from keys.curves import CURVES, P256, Curve, KeyMalformed, curve_of
from keys.public_keys import KeyWeak, public_key, rsa_numbers
from keys.signature_value import from_x509, to_x509
from keys.signer import Signer
from keys.software_signer import PrivateMaterial, SoftwareSigner, generate
from keys.verify import BadSignature, verify
from tests.keys.key_builders import every_algorithm, material, signer

on_a_curve = pytest.mark.parametrize("algorithm", [ES256, SM2_SM3], ids=lambda a: a.name)
LENGTHS = {ES256: 64, SM2_SM3: 64, EDDSA: 64, RS256: 256, PS256: 256}


@every_algorithm
def test_a_signature_is_good_for_its_message_and_key_only(algorithm: Algorithm) -> None:
    own, other = signer(algorithm), signer(algorithm, 1)
    signature = own.sign(b"licence")
    assert len(signature) == LENGTHS[algorithm]
    verify(own.public_key, b"licence", signature)
    for key, message, told in (
        (own.public_key, b"licencE", signature),
        (other.public_key, b"licence", signature),
        (own.public_key, b"licence", signature[:-1]),
        (own.public_key, b"licence", signature + b"\0"),
        (own.public_key, b"licence", b"\0" + signature),
        (own.public_key, b"licence", bytes(len(signature))),
        (own.public_key, b"licence", b"\xff" * len(signature)),
        (own.public_key, b"licence", b""),
    ):
        with pytest.raises(BadSignature):
            verify(key, message, told)


@every_algorithm
def test_a_signature_of_another_algorithm_is_refused(algorithm: Algorithm) -> None:
    for other in LENGTHS.keys() - {algorithm}:
        with pytest.raises(BadSignature):
            verify(signer(algorithm).public_key, b"m", signer(other).sign(b"m"))


def test_one_rsa_key_is_two_keys_that_do_not_answer_for_each_other() -> None:
    pkcs1, pss = material(RS256), PrivateMaterial(PS256, material(RS256).pkcs8)
    signature = SoftwareSigner(pss).sign(b"m")
    verify(SoftwareSigner(pss).public_key, b"m", signature)
    with pytest.raises(BadSignature):
        verify(SoftwareSigner(pkcs1).public_key, b"m", signature)


@every_algorithm
def test_a_key_comes_back_from_its_pkcs8(algorithm: Algorithm) -> None:
    first, second = (SoftwareSigner(material(algorithm)) for _ in range(2))
    assert first.public_key == second.public_key
    verify(second.public_key, b"m", first.sign(b"m"))


@pytest.mark.parametrize("algorithm", [ES256, SM2_SM3, EDDSA], ids=lambda a: a.name)
def test_the_same_chance_makes_the_same_key(algorithm: Algorithm) -> None:
    def chance(size: int) -> bytes:
        return bytes(range(size))

    assert generate(algorithm, chance) == generate(algorithm, chance)


@every_algorithm
def test_a_key_has_the_name_its_public_half_gives_it(algorithm: Algorithm) -> None:
    key = signer(algorithm).public_key
    assert key.kid == hashlib.sha256(key.spki).hexdigest()[:16]
    assert public_key(key.spki, algorithm) == key


@every_algorithm
def test_neither_a_key_nor_its_signer_shows_the_secret(algorithm: Algorithm) -> None:
    own = material(algorithm)
    holder: Signer = SoftwareSigner(own)
    shown = repr(own) + repr(holder) + str(own) + str(holder)
    for start in range(0, len(own.pkcs8) - 8, 8):
        part = own.pkcs8[start : start + 8]
        assert part.hex() not in shown
        assert repr(part)[2:-1] not in shown


@on_a_curve
def test_a_private_key_of_zero_or_of_the_order_is_refused(algorithm: Algorithm) -> None:
    curve = curve_of(algorithm)
    for number in (0, curve.n, 2**256 - 1):
        pkcs8 = curve.pkcs8(number.to_bytes(32), bytes(64))
        with pytest.raises(KeyMalformed):
            SoftwareSigner(PrivateMaterial(algorithm, pkcs8))


@every_algorithm
def test_a_truncated_or_foreign_private_key_is_refused(algorithm: Algorithm) -> None:
    pkcs8 = material(algorithm).pkcs8
    foreign = material(SM2_SM3 if algorithm is ES256 else ES256).pkcs8
    for wrong in (pkcs8[:-1], pkcs8[1:], pkcs8[: len(pkcs8) // 2], pkcs8 + b"\0", b"", foreign):
        with pytest.raises(KeyMalformed):
            SoftwareSigner(PrivateMaterial(algorithm, wrong))


def test_an_rsa_key_that_does_not_add_up_is_refused() -> None:
    pkcs8 = bytearray(material(RS256).pkcs8)
    for place in (300, 600, 900, len(pkcs8) - 1):  # the exponents, the primes, the coefficient
        changed = bytearray(pkcs8)
        changed[place] ^= 4
        with pytest.raises(KeyMalformed):
            SoftwareSigner(PrivateMaterial(RS256, bytes(changed)))


def test_no_weak_rsa_key_is_made_or_taken() -> None:
    for bits in (1024, 2047):
        with pytest.raises(KeyWeak):
            generate(RS256, rsa_bits=bits)
    small = rsa.generate_private_key(65537, 1024)  # noqa: S505 - the point of the test
    pkcs8 = small.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(KeyWeak):
        SoftwareSigner(PrivateMaterial(RS256, pkcs8))


def test_an_rsa_key_is_as_strong_as_the_curves_unless_told() -> None:
    modulus, exponent = rsa_numbers(SoftwareSigner(generate(RS256)).public_key.spki)
    assert (modulus.bit_length(), exponent) == (3072, 65537)


_OPENSSL: dict[Algorithm, tuple[str, ...]] = {
    ES256: ("-rawin", "-digest", "sha256"),
    SM2_SM3: ("-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678"),
    RS256: ("-rawin", "-digest", "sha256"),
    PS256: (
        *("-rawin", "-digest", "sha256"),
        *("-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", "rsa_pss_saltlen:32"),
    ),
    EDDSA: ("-rawin",),
}


@pytest.fixture
def openssl(tmp_path: Path) -> Callable[..., bytes]:
    """`openssl pkeyutl` over files: signs, or checks and raises."""

    def run(
        algorithm: Algorithm, verb: str, key: bytes, message: bytes, value: bytes = b""
    ) -> bytes:
        for name, data in {"key": key, "message": message, "value": value}.items():
            (tmp_path / name).write_bytes(data)
        command = ["openssl", "pkeyutl", f"-{verb}", "-inkey", "key", "-keyform", "DER"]
        command += ["-in", "message", *_OPENSSL[algorithm]]
        command += ["-sigfile", "value", "-pubin"] if verb == "verify" else ["-out", "value"]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
        return (tmp_path / "value").read_bytes()

    return run


@every_algorithm
def test_openssl_accepts_our_signatures_and_we_accept_its(
    algorithm: Algorithm, openssl: Callable[..., bytes]
) -> None:
    own, key = signer(algorithm), signer(algorithm).public_key
    for message in (b"m", b"licence" * 100, os.urandom(33)):
        openssl(algorithm, "verify", key.spki, message, to_x509(algorithm, own.sign(message)))
        value = openssl(algorithm, "sign", material(algorithm).pkcs8, message)
        verify(key, message, from_x509(algorithm, value))
        forged = to_x509(algorithm, own.sign(message + b"x"))
        with pytest.raises(subprocess.CalledProcessError):
            openssl(algorithm, "verify", key.spki, message, forged)


@settings(max_examples=30)
@given(st.integers(min_value=0, max_value=90), st.integers(min_value=1, max_value=255))
def test_a_changed_public_key_is_refused_or_is_another_key(place: int, change: int) -> None:
    spki = P256.spki(P256.gx.to_bytes(32) + P256.gy.to_bytes(32))
    changed = bytearray(spki)
    changed[place] ^= change
    # A point with one changed byte is off the curve: x fixes y but for its sign.
    with pytest.raises(KeyMalformed):
        public_key(bytes(changed))


@pytest.mark.parametrize("curve", CURVES, ids=lambda c: c.jose)
def test_a_point_has_one_name(curve: Curve) -> None:
    assert curve.contains(curve.gx.to_bytes(32) + curve.gy.to_bytes(32))
    assert not curve.contains(bytes(64))
    x, y = next(point for x in range(1, 99) if (point := point_at(curve, x)))
    assert curve.contains(x.to_bytes(32) + y.to_bytes(32))
    # x + p is the same number in the field, and fits into 32 bytes too.
    assert not curve.contains((x + curve.p).to_bytes(32) + y.to_bytes(32))


def point_at(curve: Curve, x: int) -> tuple[int, int] | None:
    """A point of the curve with that x; p ≡ 3 (mod 4), so a root is a power."""
    square = (x * x * x + curve.a * x + curve.b) % curve.p
    y = pow(square, (curve.p + 1) // 4, curve.p)
    return (x, y) if y * y % curve.p == square else None
