import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.der_signature import SignatureMalformed, from_der, to_der

NUMBERS = st.integers(min_value=1, max_value=2**256 - 1)
ONE_AND_TWO = bytes.fromhex("3006020101020102")


def raw(r: int, s: int) -> bytes:
    return r.to_bytes(32) + s.to_bytes(32)


@given(NUMBERS, NUMBERS)
def test_every_signature_survives_the_two_forms(r: int, s: int) -> None:
    assert from_der(to_der(raw(r, s))) == raw(r, s)


def test_a_high_bit_gets_a_zero_octet_and_leading_zeros_go() -> None:
    assert to_der(raw(0x80, 1)).hex() == "300702020080020101"
    assert from_der(bytes.fromhex("300702020080020101")) == raw(0x80, 1)


@pytest.mark.parametrize(
    ("why", "der"),
    [
        ("a padded integer", "300702020001020102"),
        ("a negative integer", "3006020181020102"),
        ("zero", "3006020100020102"),
        ("a long-form length", "308106020101020102"),
        ("another tag", "3106020101020102"),
        ("an integer of another tag", "3006040101020102"),
        ("the second of another tag", "3006020101040102"),
        ("bytes behind", "300602010102010200"),
        ("bytes behind, counted in", "300702010102010200"),
        ("a length that runs over", "3006020101020202"),
        ("a first length that runs over", "3006027f01020102"),
        ("the end missing", "30060201010201"),
        ("nothing", ""),
        ("33 octets of magnitude", "3027022201" + "00" * 33 + "020101"),
    ],
)
def test_a_second_form_of_a_signature_is_refused(why: str, der: str) -> None:
    with pytest.raises(SignatureMalformed):
        from_der(bytes.fromhex(der))


@given(st.binary(max_size=80))
def test_bytes_are_a_signature_only_when_they_encode_back_the_same(data: bytes) -> None:
    try:
        decoded = from_der(data)
    except SignatureMalformed:
        return
    assert to_der(decoded) == data


@given(st.integers(min_value=0, max_value=7), st.integers(min_value=0, max_value=255))
def test_changing_any_byte_changes_the_signature_or_breaks_it(place: int, value: int) -> None:
    changed = bytearray(ONE_AND_TWO)
    changed[place] = value
    try:
        assert (from_der(bytes(changed)) == raw(1, 2)) == (bytes(changed) == ONE_AND_TWO)
    except SignatureMalformed:
        assert bytes(changed) != ONE_AND_TWO


@pytest.mark.parametrize("length", [0, 63, 65])
def test_a_raw_signature_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(SignatureMalformed):
        to_der(b"\1" * length)
