import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
)

from keys import sm2
from keys.algorithms import EDDSA, ES256, PS256, RS256, SM2_SM3, Algorithm
from keys.curves import KeyMalformed, curve_of
from keys.der_signature import from_der
from keys.public_keys import KeyWeak, rsa_numbers
from keys.signer import PublicKey
from keys.verify import BadSignature, verify
from tests.keys.key_builders import material, signer

on_a_curve = pytest.mark.parametrize("algorithm", [ES256, SM2_SM3], ids=lambda a: a.name)
# RFC 8032 §5.1: the order of the base point.
L = 2**252 + 27742317777372353535851937790883648493


def refused(key: PublicKey, signature: bytes, message: bytes = b"m") -> None:
    with pytest.raises(BadSignature) as wrong:
        verify(key, message, signature)
    assert wrong.value.parameters == {"kid": key.kid}


@on_a_curve
def test_r_and_s_lie_between_one_and_the_order(algorithm: Algorithm) -> None:
    key, n = signer(algorithm).public_key, curve_of(algorithm).n
    signature = signer(algorithm).sign(b"m")
    r, s = signature[:32], signature[32:]
    for out in (0, n, n + 1, 2**256 - 1):
        refused(key, out.to_bytes(32) + s)
        refused(key, r + out.to_bytes(32))
        refused(key, out.to_bytes(32) * 2)


@on_a_curve
def test_a_number_and_the_order_added_are_not_the_number_again(algorithm: Algorithm) -> None:
    key, n = signer(algorithm).public_key, curve_of(algorithm).n
    # r + n fits into 32 bytes only for one r in four thousand million: the sum is taken modulo
    # 2^256 as well, so that whatever a checker does with the overflow is asked for.
    signature = signer(algorithm).sign(b"m")
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    refused(key, ((r + n) % 2**256).to_bytes(32) + signature[32:])
    refused(key, signature[:32] + ((s + n) % 2**256).to_bytes(32))


def test_the_mirror_of_an_sm2_signature_is_no_signature() -> None:
    key, n = signer(SM2_SM3).public_key, curve_of(SM2_SM3).n
    signature = signer(SM2_SM3).sign(b"m")
    refused(key, signature[:32] + (n - int.from_bytes(signature[32:])).to_bytes(32))


@on_a_curve
def test_r_and_s_do_not_change_places(algorithm: Algorithm) -> None:
    signature = signer(algorithm).sign(b"m")
    refused(signer(algorithm).public_key, signature[32:] + signature[:32])


def test_an_sm2_signature_is_bound_to_the_default_user_id() -> None:
    scalar = curve_of(SM2_SM3).scalar(material(SM2_SM3).pkcs8)
    for user_id in (b"", b"1234567812345679"):
        refused(signer(SM2_SM3).public_key, sm2.PrivateKey(scalar).sign(b"m", user_id))


def test_an_ecdsa_signature_over_another_hash_is_refused() -> None:
    key = load_der_private_key(material(ES256).pkcs8, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    verify(signer(ES256).public_key, b"m", from_der(key.sign(b"m", ec.ECDSA(hashes.SHA256()))))
    for other in (hashes.SHA1(), hashes.SHA384()):  # noqa: S303 - refused, that is the test
        refused(signer(ES256).public_key, from_der(key.sign(b"m", ec.ECDSA(other))))


def test_the_scalar_of_an_edwards_signature_has_one_form() -> None:
    signature = signer(EDDSA).sign(b"m")
    s = int.from_bytes(signature[32:], "little")
    for again in (s + L, s + 2 * L, s | 1 << 255):
        refused(signer(EDDSA).public_key, signature[:32] + again.to_bytes(32, "little"))


def test_a_signature_larger_than_the_modulus_is_refused() -> None:
    for algorithm in (RS256, PS256):
        key = signer(algorithm).public_key
        modulus, _ = rsa_numbers(key.spki)
        value = int.from_bytes(signer(algorithm).sign(b"m")) + modulus
        refused(key, value.to_bytes(257))
        refused(key, modulus.to_bytes(256))


def test_an_rsa_signature_is_of_the_scheme_and_hash_asked_for() -> None:
    rsa_key = load_der_private_key(material(PS256).pkcs8, None)
    assert isinstance(rsa_key, rsa.RSAPrivateKey)
    sha256 = hashes.SHA256()
    for salt in (0, 20, 31, 33, padding.PSS.MAX_LENGTH):
        scheme = padding.PSS(padding.MGF1(sha256), salt)
        refused(signer(PS256).public_key, rsa_key.sign(b"m", scheme, sha256))
    mixed = padding.PSS(padding.MGF1(hashes.SHA512()), 32)
    refused(signer(PS256).public_key, rsa_key.sign(b"m", mixed, sha256))
    other = load_der_private_key(material(RS256).pkcs8, None)
    assert isinstance(other, rsa.RSAPrivateKey)
    for digest in (hashes.SHA1(), hashes.SHA512()):  # noqa: S303
        refused(signer(RS256).public_key, other.sign(b"m", padding.PKCS1v15(), digest))


@pytest.mark.parametrize("block", ["short", "tail", "type", "zero"])
def test_an_rsa_block_that_is_not_filled_as_the_standard_says_is_refused(block: str) -> None:
    key = load_der_private_key(material(RS256).pkcs8, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    numbers = key.private_numbers()
    n = numbers.public_numbers.n
    digest = hashes.Hash(hashes.SHA256())
    digest.update(b"m")
    info = bytes.fromhex("3031300d060960864801650304020105000420") + digest.finalize()
    right = b"\0\1" + b"\xff" * (253 - len(info)) + b"\0" + info
    assert pow(int.from_bytes(right), numbers.d, n).to_bytes(256) == signer(RS256).sign(b"m")
    wrong = {
        "short": b"\0\1" + b"\xff" * 8 + b"\0" + info + bytes(245 - len(info)),
        "tail": b"\0\1" + b"\xff" * (252 - len(info)) + b"\0" + info + b"\0",
        "type": b"\0\2" + right[2:],
        "zero": b"\0\1" + b"\xff" * 100 + b"\0" + right[103:],
    }[block]
    assert len(wrong) == 256
    refused(signer(RS256).public_key, pow(int.from_bytes(wrong), numbers.d, n).to_bytes(256))


@pytest.mark.parametrize("algorithm", [ES256, SM2_SM3, RS256, PS256, EDDSA], ids=lambda a: a.name)
def test_a_key_that_says_it_is_of_another_kind_checks_nothing(algorithm: Algorithm) -> None:
    for other in (ES256, SM2_SM3, RS256, EDDSA):
        spki = signer(other).public_key.spki
        if other.key_type != algorithm.key_type:
            with pytest.raises(KeyMalformed):
                verify(PublicKey("0" * 16, algorithm, spki), b"m", bytes(64))
    with pytest.raises(KeyMalformed):
        verify(PublicKey("0" * 16, algorithm, b"junk"), b"m", bytes(64))


@pytest.mark.parametrize("curve", [ec.SECP256K1(), ec.SECP384R1()], ids=lambda curve: curve.name)
def test_a_key_of_another_curve_checks_nothing(curve: ec.EllipticCurve) -> None:
    other = ec.generate_private_key(curve)
    spki = other.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    r, s = decode_dss_signature(other.sign(b"m", ec.ECDSA(hashes.SHA256())))
    signature = r.to_bytes(48)[-32:] + s.to_bytes(48)[-32:]
    with pytest.raises(KeyMalformed):
        verify(PublicKey("0" * 16, ES256, spki), b"m", signature)


def test_a_weak_key_checks_nothing_even_when_nobody_looked_at_it_before() -> None:
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 - refused, that is the test
    spki = weak.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    signature = weak.sign(b"m", padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(KeyWeak):
        verify(PublicKey("0" * 16, RS256, spki), b"m", signature)
