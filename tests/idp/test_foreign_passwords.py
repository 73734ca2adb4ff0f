"""Passwords as other systems kept them."""

import base64
import hashlib
from collections.abc import Callable

import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.methods.foreign_passwords import is_foreign, is_right
from keys.sm3 import sm3

PASSWORD = "correct horse 电池"
TYPED = PASSWORD.encode()
SALT = b"salt-of-a-city"


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _salted(scheme: str, digest: bytes, salt: bytes = SALT) -> str:
    return f"{{{scheme}}}{base64.b64encode(digest + salt).decode()}"


def _pbkdf2(name: str, iterations: int = 1000) -> str:
    digest = hashlib.pbkdf2_hmac(name, TYPED, b"salt", iterations)
    return f"pbkdf2_{name}${iterations}$salt${base64.b64encode(digest).decode()}"


STORED = {
    "bcrypt": bcrypt.hashpw(TYPED, bcrypt.gensalt(4)).decode(),
    "bcrypt as PHP writes it": bcrypt.hashpw(TYPED, bcrypt.gensalt(4)).decode().replace("2b", "2y"),
    "PBKDF2 with SHA-1": _pbkdf2("sha1"),
    "PBKDF2 with SHA-256": _pbkdf2("sha256"),
    "PBKDF2 with SHA-512": _pbkdf2("sha512"),
    "SHA-256, then salt": _salted("SSHA256", _sha256(TYPED + SALT)),
    "salt, then SHA-256": _salted("SHA256S", _sha256(SALT + TYPED)),
    "SM3, then salt": _salted("SSM3", sm3(TYPED + SALT)),
    "salt, then SM3": _salted("SM3S", sm3(SALT + TYPED)),
}
SCHEMES = pytest.mark.parametrize("stored", STORED.values(), ids=STORED.keys())


@SCHEMES
def test_the_right_password_opens_it_and_no_other_does(stored: str) -> None:
    assert is_foreign(stored)
    assert is_right(PASSWORD, stored)
    assert not is_right(PASSWORD + "x", stored)
    assert not is_right("", stored)


@SCHEMES
def test_a_text_cut_short_is_no_hash(stored: str) -> None:
    assert not is_foreign(stored[:-25])
    assert not is_right(PASSWORD, stored[:-25])


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "!",
        PASSWORD,
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
        "{SHA256}" + base64.b64encode(_sha256(TYPED)).decode(),
        _salted("SSHA256", _sha256(TYPED), b""),
        _salted("MD5S", _sha256(SALT + TYPED)),
        "pbkdf2_md5$1000$salt$aGFzaA==",
        "pbkdf2_sha256$0$salt$aGFzaA==",
        "pbkdf2_sha256$99999999$salt$aGFzaA==",
        "$2b$31$" + "a" * 53,
        "pbkdf2_sha1$2000000$salt$" + base64.b64encode(bytes(300)).decode(),
        "pbkdf2_sha1$1$salt$" + base64.b64encode(bytes(1)).decode(),
        "$2b$04$" + "z" * 53,
    ],
    ids=[
        "nothing",
        "no password",
        "the password itself",
        "our own",
        "no salt at all",
        "an empty salt",
        "another digest",
        "PBKDF2 of another digest",
        "no iterations",
        "iterations for a minute",
        "a cost for hours",
        "a digest of many blocks, each as dear as the first",
        "a digest that one password in 256 has",
        "a salt that bcrypt cannot read",
    ],
)
def test_anything_else_is_not_foreign_and_is_opened_by_nothing(stored: str) -> None:
    assert not is_foreign(stored)
    assert not is_right(PASSWORD, stored)
    assert not is_right("", stored)


def test_bcrypt_reads_72_bytes_as_those_who_wrote_the_hashes_did() -> None:
    long = "长" * 40
    stored = bcrypt.hashpw(long.encode()[:72], bcrypt.gensalt(4)).decode()
    assert is_right(long, stored)
    assert not is_right("短" * 40, stored)


@pytest.mark.parametrize("digest_of", [_sha256, sm3], ids=["SHA-256", "SM3"])
@given(typed=st.text(max_size=40), salt=st.binary(min_size=4, max_size=64))
def test_any_password_under_any_salt_is_found_right(
    digest_of: Callable[[bytes], bytes], typed: str, salt: bytes
) -> None:
    scheme = "SSM3" if digest_of is sm3 else "SSHA256"
    stored = _salted(scheme, digest_of(typed.encode() + salt), salt)
    assert is_right(typed, stored)
    assert not is_right(typed + "x", stored)
