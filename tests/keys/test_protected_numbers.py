import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.protected_numbers import NumberProtector
from keys.wrapping import SecretUnreadable, Wrapper

NUMBER = "13060218800104004X"
PROTECTOR = NumberProtector(b"i" * 32, b"s" * 32)


def test_a_sealed_number_opens_and_is_sealed_differently_each_time() -> None:
    first, second = PROTECTOR.seal(NUMBER, os.urandom), PROTECTOR.seal(NUMBER, os.urandom)
    assert first != second
    assert PROTECTOR.open(first) == PROTECTOR.open(second) == NUMBER
    assert NUMBER.encode() not in first


def test_the_index_is_the_same_for_the_same_number_of_the_same_kind() -> None:
    index = PROTECTOR.index("resident_id", NUMBER)
    assert index == NumberProtector(b"i" * 32, b"t" * 32).index("resident_id", NUMBER)
    assert len(index) == 32
    others = (
        PROTECTOR.index("phone", NUMBER),
        PROTECTOR.index("resident_id", NUMBER[:-1] + "1"),
        PROTECTOR.index("resident_id" + NUMBER[0], NUMBER[1:]),
        NumberProtector(b"j" * 32, b"s" * 32).index("resident_id", NUMBER),
    )
    assert index not in others


@given(st.integers(0, 46), st.integers(1, 255))
def test_a_changed_byte_keeps_the_number_shut(place: int, change: int) -> None:
    blob = bytearray(PROTECTOR.seal(NUMBER, os.urandom))
    blob[place] ^= change
    with pytest.raises(SecretUnreadable):
        PROTECTOR.open(bytes(blob))


def test_every_shortened_blob_stays_shut() -> None:
    blob = PROTECTOR.seal(NUMBER, os.urandom)
    for length in range(len(blob)):
        with pytest.raises(SecretUnreadable):
            PROTECTOR.open(blob[:length])


def test_another_key_opens_nothing() -> None:
    with pytest.raises(SecretUnreadable):
        NumberProtector(b"i" * 32, b"t" * 32).open(PROTECTOR.seal(NUMBER, os.urandom))


def test_a_secret_of_one_owner_is_not_another_owners() -> None:
    wrapper = Wrapper(b"k" * 32)
    blob = wrapper.wrap(b"secret", "owner 1", os.urandom)
    assert wrapper.unwrap(blob, "owner 1") == b"secret"
    with pytest.raises(SecretUnreadable):
        wrapper.unwrap(blob, "owner 2")


@pytest.mark.parametrize(
    ("index_key", "seal_key"),
    [(b"i" * 31, b"s" * 32), (b"i" * 32, b"s" * 16), (b"", b""), (b"i" * 32, b"i" * 32)],
)
def test_short_or_equal_keys_are_refused(index_key: bytes, seal_key: bytes) -> None:
    with pytest.raises(ValueError, match="32"):
        NumberProtector(index_key, seal_key)


def test_a_protector_shows_no_key() -> None:
    assert "iiii" not in repr(PROTECTOR)
    assert "ssss" not in repr(PROTECTOR)
