import hashlib

import pytest
from asn1crypto.core import Sequence
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.algorithms import EDDSA, ES256, PS256, RS256, SM2_SM3, Algorithm
from keys.curves import P256, KeyMalformed
from keys.der import bits, oid, sequence
from keys.edwards import is_sound_point
from keys.public_keys import (
    KeyWeak,
    ed25519_spki,
    key_bits,
    public_key,
    rsa_numbers,
    rsa_spki,
)
from tests.keys.key_builders import every_algorithm, signer

RSA = signer(RS256).public_key.spki
N, E = rsa_numbers(RSA)
EDWARDS = signer(EDDSA).public_key.spki


@every_algorithm
def test_a_key_is_read_with_the_algorithm_it_is_for(algorithm: Algorithm) -> None:
    key = signer(algorithm).public_key
    assert public_key(key.spki, algorithm) == key
    others = {ES256, SM2_SM3, RS256, PS256, EDDSA} - {algorithm}
    if algorithm in (RS256, PS256):
        others -= {RS256, PS256}
    for other in others:
        with pytest.raises(KeyMalformed):
            public_key(key.spki, other)


def test_an_rsa_key_is_for_rs256_unless_told() -> None:
    assert public_key(RSA).algorithm is RS256
    assert public_key(RSA, PS256).algorithm is PS256


@pytest.mark.parametrize("algorithm", [ES256, RS256, EDDSA], ids=lambda a: a.name)
def test_key_bits_are_what_other_libraries_make_key_identifiers_of(algorithm: Algorithm) -> None:
    spki = signer(algorithm).public_key.spki
    loaded = load_der_public_key(spki)
    assert isinstance(
        loaded, ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey
    )
    digest = x509.SubjectKeyIdentifier.from_public_key(loaded).digest
    assert hashlib.sha1(key_bits(spki)).digest() == digest  # noqa: S324 - RFC 5280's name, no secret


def test_key_bits_of_an_sm2_key_are_its_point() -> None:
    spki = signer(SM2_SM3).public_key.spki
    assert key_bits(spki) == b"\x04" + spki[-64:]


@pytest.mark.parametrize(
    "junk",
    [b"", b"\x30\x00", b"\x30\x80", b"key", bytes(91), RSA[:-1]],
    ids=["nothing", "empty", "endless", "text", "zeros", "cut"],
)
def test_junk_has_no_key_bits_and_is_no_key(junk: bytes) -> None:
    with pytest.raises(KeyMalformed):
        key_bits(junk)
    with pytest.raises(KeyMalformed):
        public_key(junk)


def test_rsa_numbers_and_bytes_are_those_of_another_library() -> None:
    other = rsa.RSAPublicNumbers(E, N).public_key()
    assert other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == rsa_spki(N, E)


@pytest.mark.parametrize(
    ("reason", "modulus", "exponent"),
    [
        ("size", N >> 1024 | 1, 65537),
        ("size", N >> 1 | 1, 65537),
        ("exponent", N, 3),
        ("exponent", N, 1),
        ("exponent", N, 65536),
        ("exponent", N, 65538),
        ("exponent", N, 2**256 + 1),
        ("modulus", N + 1, 65537),
        ("modulus", 3 * (N // 3 | 1), 65537),
        ("modulus", 751 * (N // 751 | 1), 65537),
    ],
    # The keys are made anew each time: their numbers are no names.
    ids=[
        "1024 bits",
        "2047 bits",
        "exponent 3",
        "exponent 1",
        "exponent 65536",
        "exponent 65538",
        "exponent too long",
        "even modulus",
        "multiple of 3",
        "multiple of 751",
    ],
)
def test_a_weak_rsa_key_is_refused_and_the_reason_told(
    reason: str, modulus: int, exponent: int
) -> None:
    with pytest.raises(KeyWeak) as refused:
        public_key(rsa_spki(modulus, exponent))
    assert refused.value.parameters["reason"] == reason


def test_an_rsa_key_so_large_that_checking_hurts_is_refused() -> None:
    with pytest.raises(KeyMalformed):
        public_key(rsa_spki((N << 8192) + 1, E))


def test_an_rsa_key_has_one_encoding() -> None:
    body = key_bits(RSA)
    algorithm, rest = RSA[4:19], RSA[19:]
    assert public_key(sequence(algorithm, rest)).spki == RSA
    for second in (
        sequence(sequence(oid("1.2.840.113549.1.1.1")), rest),  # no NULL
        sequence(sequence(oid("1.2.840.113549.1.1.10")), rest),  # marked for PSS only
        sequence(algorithm, bits(Sequence.load(body).dump() + b"\0")),
        sequence(algorithm, bits(b"\x30\x83\0" + body[2:])),
        RSA + b"\0",
    ):
        with pytest.raises(KeyMalformed):
            public_key(second)


def test_a_negative_modulus_is_no_key() -> None:
    minus = sequence(b"\x02\x82\x01\x00" + N.to_bytes(256), b"\x02\x03\x01\x00\x01")
    with pytest.raises(KeyMalformed):
        public_key(sequence(RSA[4:19], bits(minus)))


@pytest.mark.parametrize(
    ("why", "y"),
    [
        ("order 4", "00" * 32),
        ("order 4, the other x", "00" * 31 + "80"),
        ("the neutral point", "01" + "00" * 31),
        ("order 2", "ec" + "ff" * 30 + "7f"),
        ("order 8", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
        ("order 8 too", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
        ("p itself", "ed" + "ff" * 30 + "7f"),
        ("p and one", "ee" + "ff" * 30 + "7f"),
        ("off the curve", "02" + "00" * 31),
    ],
)
def test_an_edwards_point_that_stands_for_nobody_is_refused(why: str, y: str) -> None:
    with pytest.raises(KeyMalformed):
        public_key(ed25519_spki(bytes.fromhex(y)))


def test_a_small_edwards_key_would_have_signed_everything() -> None:
    """The reason for the check: the library itself says yes to any message."""
    neutral = bytes.fromhex("01" + "00" * 31)
    key = ed25519.Ed25519PublicKey.from_public_bytes(neutral)
    for message in (b"one", b"two"):
        key.verify(neutral + bytes(32), message)


@settings(max_examples=50)
@given(st.binary(min_size=32, max_size=32))
def test_the_edwards_keys_of_the_library_are_sound(seed: bytes) -> None:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(seed).public_key()
    assert is_sound_point(key.public_bytes_raw())


@pytest.mark.parametrize("length", [0, 31, 33])
def test_an_edwards_key_has_32_bytes(length: int) -> None:
    with pytest.raises(KeyMalformed):
        public_key(ed25519_spki(EDWARDS[-32:].ljust(40, b"\1")[:length]))


def test_a_compressed_or_foreign_curve_point_is_no_key_here() -> None:
    key = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    compressed = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    header = sequence(oid("1.2.840.10045.2.1"), P256.oid_der)
    other = ec.derive_private_key(7, ec.SECP384R1()).public_key()
    for spki in (
        sequence(header, bits(compressed)),
        other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    ):
        with pytest.raises(KeyMalformed):
            public_key(spki)


def test_a_truncated_key_is_refused() -> None:
    for spki in (RSA, EDWARDS, signer(ES256).public_key.spki, signer(SM2_SM3).public_key.spki):
        for length in (len(spki) - 1, len(spki) // 2, 27, 1):
            with pytest.raises(KeyMalformed):
                public_key(spki[:length])
