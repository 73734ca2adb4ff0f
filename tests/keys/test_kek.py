"""Key-encryption keys: each has a name that tells nothing, and what it wrapped names it."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.kek import Kek, KekMissing, KeyEncryptionKeys, Wrapped, key_encryption_keys
from keys.wrapping import Cipher, SecretUnreadable, Wrapper

OLD, NEW = b"o" * 32, b"n" * 32


@given(st.binary(max_size=200), st.sampled_from(Cipher), st.text(max_size=20))
def test_what_is_wrapped_opens_under_the_same_keys(
    secret: bytes, cipher: Cipher, belongs_to: str
) -> None:
    wrapped = key_encryption_keys(NEW, (), cipher).wrap(secret, belongs_to, os.urandom)
    assert key_encryption_keys(NEW, (), cipher).unwrap(wrapped, belongs_to) == secret


@pytest.mark.parametrize("cipher", Cipher)
def test_an_older_key_opens_what_it_wrapped_and_wraps_nothing_new(cipher: Cipher) -> None:
    wrapped = key_encryption_keys(OLD, (), cipher).wrap(b"secret", "x", os.urandom)
    both = key_encryption_keys(NEW, (OLD,))
    assert both.unwrap(wrapped, "x") == b"secret"
    assert both.wrap(b"secret", "x", os.urandom).kek == Kek(NEW).name


def test_changing_the_cipher_alone_leaves_everything_open() -> None:
    wrapped = key_encryption_keys(NEW, (), Cipher.SM4).wrap(b"secret", "x", os.urandom)
    assert key_encryption_keys(NEW).unwrap(wrapped, "x") == b"secret"
    assert wrapped.kek != Kek(NEW, Cipher.AES).name


def test_a_key_that_is_gone_is_told_by_name() -> None:
    wrapped = key_encryption_keys(OLD).wrap(b"secret", "x", os.urandom)
    with pytest.raises(KekMissing) as missing:
        key_encryption_keys(NEW).unwrap(wrapped, "x")
    assert missing.value.parameters == {"name": Kek(OLD).name}


def test_a_key_of_the_right_name_opens_only_what_is_whole_and_belongs() -> None:
    keks = key_encryption_keys(NEW)
    wrapped = keks.wrap(b"secret", "x", os.urandom)
    with pytest.raises(SecretUnreadable):
        keks.unwrap(wrapped, "y")
    with pytest.raises(SecretUnreadable):
        keks.unwrap(Wrapped(wrapped.kek, wrapped.blob[:-1]), "x")
    with pytest.raises(SecretUnreadable):
        keks.unwrap(Wrapped(Kek(NEW, Cipher.SM4).name, wrapped.blob), "x")


@pytest.mark.parametrize("cipher", Cipher)
@pytest.mark.parametrize("place", range(0, 35, 3))
def test_a_changed_byte_keeps_it_shut(cipher: Cipher, place: int) -> None:
    wrapper = Wrapper(NEW, cipher)
    blob = bytearray(wrapper.wrap(b"secret", "x", os.urandom))
    assert len(blob) == 1 + 12 + 6 + 16
    blob[place] ^= 1
    with pytest.raises(SecretUnreadable):
        wrapper.unwrap(bytes(blob), "x")


def test_keys_and_ciphers_have_names_of_their_own_that_tell_nothing() -> None:
    names = {Kek(key, cipher).name for key in (OLD, NEW) for cipher in Cipher}
    assert len(names) == 4
    keks = KeyEncryptionKeys(Kek(NEW), (Kek(OLD),))
    for shown in (repr(keks), repr(Kek(NEW)), str(keks), *names):
        assert "nnnn" not in shown
        assert NEW.hex()[:8] not in shown


@pytest.mark.parametrize("key", [b"", b"k" * 16, b"k" * 31, b"k" * 33])
@pytest.mark.parametrize("cipher", Cipher)
def test_a_key_of_another_length_is_refused(key: bytes, cipher: Cipher) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Kek(key, cipher)
