import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.algorithms import ES256, SM2_SM3, Algorithm
from keys.curves import CURVES, P256, Curve, KeyMalformed, curve_of
from keys.public_keys import public_key
from keys.signer import Signer
from keys.software_signer import PrivateMaterial, SoftwareSigner, generate
from keys.verify import BadSignature, verify

both = pytest.mark.parametrize("algorithm", [ES256, SM2_SM3], ids=lambda a: a.name)


@both
def test_a_signature_is_good_for_its_message_and_key_only(algorithm: Algorithm) -> None:
    signer, other = SoftwareSigner(generate(algorithm)), SoftwareSigner(generate(algorithm))
    signature = signer.sign(b"licence")
    assert len(signature) == 64
    verify(signer.public_key, b"licence", signature)
    for key, message, told in (
        (signer.public_key, b"licencE", signature),
        (other.public_key, b"licence", signature),
        (signer.public_key, b"licence", signature[:-1]),
        (signer.public_key, b"licence", signature + b"\0"),
        (signer.public_key, b"licence", bytes(64)),
        (signer.public_key, b"licence", b"\xff" * 64),
        (signer.public_key, b"licence", b""),
    ):
        with pytest.raises(BadSignature):
            verify(key, message, told)


def test_a_signature_of_the_other_family_is_refused() -> None:
    ecdsa, sm2 = SoftwareSigner(generate(ES256)), SoftwareSigner(generate(SM2_SM3))
    with pytest.raises(BadSignature):
        verify(sm2.public_key, b"m", ecdsa.sign(b"m"))
    with pytest.raises(BadSignature):
        verify(ecdsa.public_key, b"m", sm2.sign(b"m"))


@both
def test_a_key_comes_back_from_its_pkcs8(algorithm: Algorithm) -> None:
    material = generate(algorithm)
    first, second = SoftwareSigner(material), SoftwareSigner(material)
    assert first.public_key == second.public_key
    verify(second.public_key, b"m", first.sign(b"m"))


@both
def test_the_same_chance_makes_the_same_key(algorithm: Algorithm) -> None:
    def chance(size: int) -> bytes:
        return bytes(range(size))

    assert generate(algorithm, chance) == generate(algorithm, chance)


@both
def test_a_key_has_the_name_its_public_half_gives_it(algorithm: Algorithm) -> None:
    key = SoftwareSigner(generate(algorithm)).public_key
    assert key.kid == hashlib.sha256(key.spki).hexdigest()[:16]
    assert public_key(key.spki) == key


@both
def test_neither_a_key_nor_its_signer_shows_the_secret(algorithm: Algorithm) -> None:
    material = generate(algorithm)
    secret = curve_of(algorithm).scalar(material.pkcs8)
    signer: Signer = SoftwareSigner(material)
    shown = repr(material) + repr(signer) + str(vars(type(material)))
    assert secret.hex() not in shown
    assert repr(secret)[2:12] not in repr(material) + repr(signer)


@both
def test_a_private_key_of_zero_or_of_the_order_is_refused(algorithm: Algorithm) -> None:
    curve = curve_of(algorithm)
    for number in (0, curve.n, 2**256 - 1):
        pkcs8 = curve.pkcs8(number.to_bytes(32), bytes(64))
        with pytest.raises(KeyMalformed):
            SoftwareSigner(PrivateMaterial(algorithm, pkcs8))


@both
def test_a_truncated_or_foreign_private_key_is_refused(algorithm: Algorithm) -> None:
    pkcs8 = generate(algorithm).pkcs8
    foreign = generate(SM2_SM3 if algorithm is ES256 else ES256).pkcs8
    for wrong in (pkcs8[:-1], pkcs8 + b"\0", b"", foreign):
        with pytest.raises(KeyMalformed):
            SoftwareSigner(PrivateMaterial(algorithm, wrong))


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
