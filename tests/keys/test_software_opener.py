import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from keys import sm2
from keys.algorithms import ES256, RS256, SM2_SM3, Algorithm
from keys.ciphertext import CiphertextRefused
from keys.curves import P256, SM2, Curve, KeyMalformed
from keys.software_opener import SoftwareOpener
from keys.software_signer import PrivateMaterial, SoftwareSigner, generate

both = pytest.mark.parametrize("algorithm", [ES256, SM2_SM3], ids=lambda a: a.name)


@both
def test_the_public_key_is_the_signers(algorithm: Algorithm) -> None:
    material = generate(algorithm)
    assert SoftwareOpener(material).public_key == SoftwareSigner(material).public_key


def test_an_sm2_key_opens_what_was_encrypted_to_it() -> None:
    opener = SoftwareOpener(generate(SM2_SM3))
    locked = sm2.encrypt(SM2.point(opener.public_key.spki), b"secret")
    assert opener.open(locked) == b"secret"
    with pytest.raises(CiphertextRefused):
        SoftwareOpener(generate(SM2_SM3)).open(locked)


def test_a_p256_key_shares_a_secret_with_an_ephemeral_key() -> None:
    opener = SoftwareOpener(generate(ES256))
    ephemeral = ec.generate_private_key(ec.SECP256R1())
    public = load_der_public_key(opener.public_key.spki)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    point = ephemeral.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert opener.open(point[1:]) == ephemeral.exchange(ec.ECDH(), public)


@both
@pytest.mark.parametrize("locked", [b"", bytes(64), bytes(200), b"\4" * 64, P256.gx.to_bytes(64)])
def test_what_was_never_locked_is_refused(algorithm: Algorithm, locked: bytes) -> None:
    with pytest.raises(CiphertextRefused):
        SoftwareOpener(generate(algorithm)).open(locked)


def test_a_point_of_the_other_curve_is_refused() -> None:
    point = SM2.gx.to_bytes(32) + SM2.gy.to_bytes(32)
    with pytest.raises(CiphertextRefused):
        SoftwareOpener(generate(ES256)).open(point)


@pytest.mark.parametrize("curve", [P256, SM2], ids=lambda c: c.jose)
@pytest.mark.parametrize("scalar", [bytes(32), b"\xff" * 32])
def test_a_private_key_out_of_range_is_refused(curve: Curve, scalar: bytes) -> None:
    with pytest.raises(KeyMalformed):
        SoftwareOpener(PrivateMaterial(curve.algorithm, curve.pkcs8(scalar, bytes(64))))


def test_a_key_of_another_kind_opens_nothing() -> None:
    with pytest.raises(KeyMalformed):
        SoftwareOpener(PrivateMaterial(RS256, b""))


def test_one_key_opens_from_many_threads() -> None:
    opener = SoftwareOpener(generate(SM2_SM3))
    point = SM2.point(opener.public_key.spki)

    def round_trip(_number: int) -> bool:
        secret = os.urandom(16)
        return opener.open(sm2.encrypt(point, secret)) == secret

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(round_trip, range(100)))


@both
def test_the_secret_is_not_in_the_repr(algorithm: Algorithm) -> None:
    material = generate(algorithm)
    opener = SoftwareOpener(material)
    assert repr(opener) == f"SoftwareOpener({opener.public_key.kid}, {algorithm.name})"
