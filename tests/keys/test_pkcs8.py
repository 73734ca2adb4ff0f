import os
import subprocess
from collections.abc import Callable
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.algorithms import EDDSA, ES256, PS256, RS256, SM2_SM3, Algorithm
from keys.curves import P256, SM2, KeyMalformed
from keys.der import NULL, explicit, integer, octets, oid, sequence, set_of, tlv
from keys.errors import DomainError
from keys.pbes2 import KeyCipherRefused, WrongPassphrase
from keys.pkcs8 import private_material
from keys.public_keys import KeyWeak
from keys.software_signer import PrivateMaterial, SoftwareSigner
from keys.verify import verify
from tests.keys.key_builders import every_algorithm, material

PASSPHRASE = "口令 passphrase".encode()
SM2_KEY = material(SM2_SM3).pkcs8
SCALAR, POINT = SM2.scalar(SM2_KEY), SM2_KEY[-64:]

Openssl = Callable[..., bytes]


@pytest.fixture
def openssl(tmp_path: Path) -> Openssl:
    """Run an `openssl` command over the file `key`; return what it wrote to `out`."""

    def run(*command: str, key: bytes = b"") -> bytes:
        (tmp_path / "key").write_bytes(key)
        (tmp_path / "passphrase").write_bytes(PASSPHRASE)
        subprocess.run(
            ["openssl", *command, "-out", "out"], cwd=tmp_path, check=True, capture_output=True
        )
        return (tmp_path / "out").read_bytes()

    return run


def encrypted(openssl: Openssl, der: bytes, *how: str) -> bytes:
    command = ["pkcs8", "-topk8", "-inform", "DER", "-in", "key", "-passout", "file:passphrase"]
    return openssl(*command, *how, key=der)


@every_algorithm
def test_our_own_keys_come_back_as_they_are(algorithm: Algorithm) -> None:
    own = material(algorithm)
    assert private_material(own.pkcs8, algorithm=algorithm) == own


@pytest.mark.parametrize(
    ("algorithm", "made"),
    [
        (ES256, ("EC", "-pkeyopt", "ec_paramgen_curve:P-256")),
        (SM2_SM3, ("SM2",)),
        (SM2_SM3, ("EC", "-pkeyopt", "ec_paramgen_curve:SM2")),
        (RS256, ("RSA", "-pkeyopt", "rsa_keygen_bits:2048")),
        (EDDSA, ("ED25519",)),
    ],
    ids=lambda told: told.name if isinstance(told, Algorithm) else told[0],
)
@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_keys_made_by_openssl_are_read(
    algorithm: Algorithm, made: tuple[str, ...], form: str, openssl: Openssl
) -> None:
    made_key = openssl("genpkey", "-algorithm", *made)
    # Without `pkcs8` a DER key on a curve comes in an older form, of RFC 5915 alone.
    key = openssl("pkcs8", "-topk8", "-nocrypt", "-in", "key", "-outform", form, key=made_key)
    read = private_material(key)
    assert read.algorithm is algorithm
    public = openssl("pkey", "-in", "key", "-pubout", "-outform", "DER", key=key)
    signer = SoftwareSigner(read)
    assert signer.public_key.spki == public
    verify(signer.public_key, b"m", signer.sign(b"m"))


@pytest.mark.parametrize("algorithm", [ES256, SM2_SM3, RS256, EDDSA], ids=lambda a: a.name)
@pytest.mark.parametrize("form", ["PEM", "DER"])
@pytest.mark.parametrize(
    "how",
    [
        "-v2 aes-256-cbc",
        "-v2 aes-128-cbc -v2prf hmacWithSHA1",
        "-v2 aes-192-cbc -v2prf hmacWithSHA384",
        "-v2 aes-256-cbc -v2prf hmacWithSHA512 -iter 5000",
        "-v2 sm4-cbc",
        "-scrypt",
    ],
)
def test_keys_encrypted_by_openssl_open_with_their_passphrase_only(
    algorithm: Algorithm, form: str, how: str, openssl: Openssl
) -> None:
    key = encrypted(openssl, material(algorithm).pkcs8, *how.split(), "-outform", form)
    assert private_material(key, PASSPHRASE) == material(algorithm)
    for wrong in (None, b"", PASSPHRASE[:-1], PASSPHRASE + b" "):
        with pytest.raises(WrongPassphrase):
            private_material(key, wrong)


def test_no_wrong_passphrase_ever_opens_or_breaks_anything(openssl: Openssl) -> None:
    key = encrypted(openssl, SM2_KEY, "-v2", "aes-128-cbc", "-iter", "1", "-outform", "DER")
    # One in 256 leaves a good padding behind, and then something that is no key.
    for number in range(3000):
        with pytest.raises(WrongPassphrase):
            private_material(key, str(number).encode())


@pytest.mark.parametrize(
    "how",
    [
        ("-v1", "PBE-SHA1-3DES"),
        ("-v2", "des3"),
        ("-v2", "camellia-256-cbc"),
    ],
    ids=str,
)
def test_an_old_or_odd_encryption_is_named_and_refused(
    how: tuple[str, ...], openssl: Openssl
) -> None:
    key = encrypted(openssl, SM2_KEY, *how)
    with pytest.raises(KeyCipherRefused) as refused:
        private_material(key, PASSPHRASE)
    assert str(refused.value.parameters["scheme"]).startswith("1.2.840.113549.1.")


def pbes2(kdf: bytes, cipher: bytes, sealed: bytes = bytes(32)) -> bytes:
    scheme = sequence(oid("1.2.840.113549.1.5.13"), sequence(kdf, cipher))
    return sequence(scheme, octets(sealed))


def pbkdf2(rounds: int, prf: str = "1.2.840.113549.2.9") -> bytes:
    work = sequence(octets(bytes(8)), integer(rounds), sequence(oid(prf), NULL))
    return sequence(oid("1.2.840.113549.1.5.12"), work)


def pbkdf2_of(prf: bytes) -> bytes:
    work = sequence(octets(bytes(8)), integer(1), prf)
    return sequence(oid("1.2.840.113549.1.5.12"), work)


def scrypt(n: int, r: int = 8, p: int = 1) -> bytes:
    work = sequence(octets(bytes(8)), integer(n), integer(r), integer(p))
    return sequence(oid("1.3.6.1.4.1.11591.4.11"), work)


AES = sequence(oid("2.16.840.1.101.3.4.1.42"), octets(bytes(16)))


@pytest.mark.parametrize(
    ("why", "kdf"),
    [
        ("ten thousand million rounds", pbkdf2(10**10)),
        ("no rounds", pbkdf2(0)),
        ("an unknown hash", pbkdf2(2048, "1.2.840.113549.2.5")),
        ("a gigabyte", scrypt(2**20)),
        ("a number no power of two", scrypt(1000)),
        ("no work at all", scrypt(1, 0)),
        ("a hash that is no name", pbkdf2_of(sequence())),
        ("an unknown derivation", sequence(oid("1.2.3.4"), sequence(octets(b"")))),
    ],
)
def test_a_file_does_not_choose_how_long_we_work(why: str, kdf: bytes) -> None:
    with pytest.raises(KeyCipherRefused):
        private_material(pbes2(kdf, AES), PASSPHRASE)


def test_nesting_without_end_is_no_key() -> None:
    deep = b""
    while len(deep) < 60_000:
        deep = sequence(deep)
    for der in (deep, pbes2(deep, AES), sequence(deep, deep)):
        with pytest.raises((KeyMalformed, KeyCipherRefused)):
            private_material(der[:65_000], PASSPHRASE)


SEALED = pbes2(pbkdf2(1), AES)


@settings(max_examples=300, deadline=None)
@given(st.integers(min_value=0, max_value=len(SEALED) - 1), st.integers(min_value=1, max_value=255))
def test_a_changed_byte_of_an_encrypted_key_is_told_plainly(place: int, change: int) -> None:
    der = bytearray(SEALED)
    der[place] ^= change
    with pytest.raises((WrongPassphrase, KeyMalformed, KeyCipherRefused)):
        private_material(bytes(der), PASSPHRASE)


@pytest.mark.parametrize("sealed", [b"", bytes(15), bytes(33)])
def test_a_truncated_encryption_is_no_key(sealed: bytes) -> None:
    with pytest.raises(KeyMalformed):
        private_material(pbes2(pbkdf2(1), AES, sealed), PASSPHRASE)


def sm2_file(
    scalar: bytes = SCALAR,
    *,
    curve: str = "1.2.156.10197.1.301",
    inside: bytes = b"",
    point: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """A PKCS#8 file as strangers write it: without the point, with the curve told again, …"""
    told = tlv(0xA1, tlv(0x03, b"\0\4" + point)) if point else b""
    key = sequence(integer(1), octets(scalar), explicit(0, inside) if inside else b"", told)
    header = sequence(oid("1.2.840.10045.2.1"), oid(curve))
    return sequence(integer(0), header, octets(key), after)


def test_an_sm2_key_is_read_however_much_of_it_is_told() -> None:
    own = PrivateMaterial(SM2_SM3, SM2_KEY)
    note = sequence(oid("1.2.840.113549.1.9.9.20"), set_of(tlv(0x0C, b"note")))
    for der in (
        sm2_file(),
        sm2_file(point=POINT),
        sm2_file(inside=oid("1.2.156.10197.1.301")),
        sm2_file(point=POINT, inside=oid("1.2.156.10197.1.301")),
        sm2_file(after=explicit(0, note)),
    ):
        assert private_material(der) == own


def test_a_scalar_with_leading_zeros_left_out_is_the_same_number() -> None:
    short = sm2_file((7).to_bytes(1))
    whole = sm2_file((7).to_bytes(32))
    assert private_material(short) == private_material(whole)
    assert SM2.scalar(private_material(short).pkcs8) == (7).to_bytes(32)


@pytest.mark.parametrize(
    ("why", "der"),
    [
        ("zero", sm2_file(bytes(32))),
        ("the order less one", sm2_file((SM2.n - 1).to_bytes(32))),
        ("the order", sm2_file(SM2.n.to_bytes(32))),
        ("above the order", sm2_file(b"\xff" * 32)),
        ("33 bytes", sm2_file(b"\1" + SCALAR)),
        ("somebody else's point", sm2_file(point=material(SM2_SM3, 1).pkcs8[-64:])),
        ("a point off the curve", sm2_file(point=POINT[:-1] + bytes([POINT[-1] ^ 1]))),
        ("half a point", sm2_file(point=POINT[:32])),
        ("another curve inside", sm2_file(inside=P256.oid_der)),
        ("an unknown curve", sm2_file(curve="1.2.156.10197.1.302")),
        ("a curve of other size", sm2_file(curve="1.3.132.0.34")),
        ("bytes behind", sm2_file() + b"\0"),
        ("the end missing", sm2_file()[:-1]),
        ("nothing", b""),
        ("text", b"a private key"),
        ("more than any key", sm2_file() + bytes(70_000)),
    ],
)
def test_a_private_key_that_is_wrong_is_refused(why: str, der: bytes) -> None:
    with pytest.raises(KeyMalformed):
        private_material(der)


def test_a_p256_key_with_somebody_elses_point_is_refused() -> None:
    key, other = material(ES256).pkcs8, material(ES256, 1).pkcs8
    with pytest.raises(KeyMalformed):
        private_material(key[:-64] + other[-64:])


def test_a_key_is_for_the_algorithm_asked_for_or_refused() -> None:
    rsa = material(RS256).pkcs8
    assert private_material(rsa).algorithm is RS256
    assert private_material(rsa, algorithm=PS256) == PrivateMaterial(PS256, rsa)
    for wrong in (ES256, SM2_SM3, EDDSA):
        with pytest.raises(KeyMalformed):
            private_material(rsa, algorithm=wrong)
    with pytest.raises(KeyMalformed):
        private_material(SM2_KEY, algorithm=ES256)


def test_a_passphrase_that_is_not_needed_is_not_used() -> None:
    assert private_material(SM2_KEY, PASSPHRASE) == PrivateMaterial(SM2_SM3, SM2_KEY)


@pytest.mark.parametrize(
    ("algorithm", "form"),
    [(ES256, "DER"), (SM2_SM3, "DER"), (RS256, "DER"), (ES256, "PEM"), (RS256, "PEM")],
    ids=lambda told: told.name if isinstance(told, Algorithm) else told,
)
def test_a_key_in_an_older_form_is_refused(
    algorithm: Algorithm, form: str, openssl: Openssl
) -> None:
    old = openssl(
        *("pkey", "-in", "key", "-traditional", "-outform", form), key=material(algorithm).pkcs8
    )
    with pytest.raises(KeyMalformed):
        private_material(old)


def vector(*path: str) -> bytes:
    return files("cryptography_vectors").joinpath("asymmetric", *path).read_bytes()


@pytest.mark.parametrize(
    ("name", "passphrase", "algorithm"),
    [
        ("PKCS8/ec_private_key.pem", None, ES256),
        ("PKCS8/ec-consistent-curve.pem", None, ES256),
        ("PKCS8/ec_private_key_encrypted.pem", b"123456", ES256),
        ("PKCS8/ecc_private_with_rfc5915_ext.pem", None, ES256),
        ("PKCS8/rsa_pss_2048.pem", None, PS256),
        ("Ed25519/ed25519-pkcs8.der", None, EDDSA),
        ("Ed25519/ed25519-pkcs8-enc.pem", b"password", EDDSA),
    ],
)
def test_keys_of_other_makers_are_read(
    name: str, passphrase: bytes | None, algorithm: Algorithm
) -> None:
    assert private_material(vector(*name.split("/")), passphrase).algorithm is algorithm


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("ec-inconsistent-curve.pem", KeyMalformed),
        ("ec-inconsistent-curve2.pem", KeyMalformed),
        ("ec-invalid-private-scalar.pem", KeyMalformed),
        ("ec-invalid-version.pem", KeyMalformed),
        ("invalid-version.der", KeyMalformed),
        ("unknown-oid.der", KeyMalformed),
        ("unenc-dsa-pkcs8.pem", KeyMalformed),
        ("unenc-rsa-pkcs8.pub.pem", KeyMalformed),
        ("rsa_pss_2048_pub.der", KeyMalformed),
        ("wrong-pem-delimiter-rsa.pem", KeyMalformed),
        ("unenc-rsa-pkcs8.pem", KeyWeak),
        ("enc-rsa-pkcs8-pbkdf2-0iter.pem", KeyCipherRefused),
        ("rsa-rc2-cbc.pem", KeyCipherRefused),
        ("rsa-pbewithmd5anddescbc.pem", KeyCipherRefused),
        ("enc-unknown-kdf.pem", KeyCipherRefused),
    ],
)
def test_bad_keys_of_other_makers_are_refused(name: str, error: type[DomainError]) -> None:
    with pytest.raises(error):
        private_material(vector("PKCS8", name), b"password")


def test_a_pem_file_holds_one_private_key_under_its_right_label(openssl: Openssl) -> None:
    pem = openssl("pkcs8", "-topk8", "-nocrypt", "-inform", "DER", "-in", "key", key=SM2_KEY)
    assert private_material(pem).pkcs8 == SM2_KEY
    assert private_material(b"a note before\n" + pem).pkcs8 == SM2_KEY
    closed = encrypted(openssl, SM2_KEY)
    for wrong in (
        pem + pem,
        pem[:-30],
        pem.replace(b"PRIVATE", b"PUBLIC"),
        pem.replace(b"PRIVATE", b"EC PRIVATE"),
        pem.replace(b"PRIVATE", b"ENCRYPTED PRIVATE"),
        closed.replace(b"ENCRYPTED ", b""),
    ):
        with pytest.raises(KeyMalformed):
            private_material(wrong, PASSPHRASE)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([ES256, SM2_SM3, EDDSA]), st.data())
def test_a_changed_byte_gives_another_key_or_a_plain_no(
    algorithm: Algorithm, data: st.DataObject
) -> None:
    der = bytearray(material(algorithm).pkcs8)
    place = data.draw(st.integers(min_value=0, max_value=len(der) - 1))
    der[place] ^= data.draw(st.integers(min_value=1, max_value=255))
    try:
        read = private_material(bytes(der))
    except (KeyMalformed, KeyCipherRefused):
        return
    SoftwareSigner(read)


@pytest.mark.parametrize("algorithm", [ES256, SM2_SM3, EDDSA])
@pytest.mark.parametrize("change", [1, 0x80])
def test_a_changed_byte_of_the_heading_is_a_plain_no(algorithm: Algorithm, change: int) -> None:
    for place in range(24):  # among them one on which the library reports an error of its own
        der = bytearray(material(algorithm).pkcs8)
        der[place] ^= change
        with suppress(KeyMalformed, KeyCipherRefused):
            private_material(bytes(der))


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_junk_is_no_key_and_nothing_worse(data: bytes) -> None:
    with pytest.raises((KeyMalformed, KeyCipherRefused)):
        private_material(data, PASSPHRASE)


def test_neither_key_nor_passphrase_stands_in_an_error() -> None:
    secret = os.urandom(24).hex().encode()
    for der in (sm2_file(SCALAR, point=POINT[:32]), pbes2(pbkdf2(1), AES)):
        with pytest.raises(DomainError) as refused:
            private_material(der, secret)
        shown = repr(refused.value) + str(refused.value) + str(refused.value.parameters)
        assert secret.decode() not in shown
        assert SCALAR.hex() not in shown
