import json
from pathlib import Path

import pytest
from asn1crypto.core import Sequence
from hypothesis import given
from hypothesis import strategies as st

from keys.ciphertext import CiphertextRefused
from keys.sm2_cipher import from_der, split, to_der

EXAMPLE = json.loads((Path(__file__).parents[1] / "vectors" / "sm2_encrypt.json").read_text())
DER = bytes.fromhex(EXAMPLE["standard_example"]["asn1_der"])
RAWS = st.binary(min_size=97, max_size=96 + 255)


@given(RAWS)
def test_a_ciphertext_has_one_der_form(raw: bytes) -> None:
    assert from_der(to_der(raw)) == raw


@given(RAWS)
def test_another_library_reads_the_same_four_values(raw: bytes) -> None:
    read = Sequence.load(to_der(raw), strict=True)
    x, y = int.from_bytes(raw[:32]), int.from_bytes(raw[32:64])
    assert (read[0].native, read[1].native) == (x, y)
    assert (read[2].native, read[3].native) == (raw[64:96], raw[96:])


@given(st.binary(max_size=400))
def test_rubbish_is_refused(rubbish: bytes) -> None:
    with pytest.raises(CiphertextRefused):
        from_der(rubbish)


@given(place=st.integers(0, len(DER) - 1), value=st.integers(0, 255))
def test_a_changed_byte_is_refused_or_stays_a_different_ciphertext(place: int, value: int) -> None:
    changed = DER[:place] + bytes([value]) + DER[place + 1 :]
    try:
        read = from_der(changed)
    except CiphertextRefused:
        return
    assert to_der(read) == changed


@pytest.mark.parametrize(
    "second_form",
    [
        DER + b"\0",
        DER[:-1],
        b"\x30\x81" + DER[1:],
        b"\x30\x80" + DER[2:] + b"\0\0",
        b"\x30" + bytes([DER[1] + 1]) + b"\x02\x21\0" + DER[4:],
        DER.replace(b"\x02\x21\0\xe8", b"\x02\x20\xe8").replace(b"\x30\x7c", b"\x30\x7b"),
        b"\x31" + DER[1:],
        b"\x30\x7d" + DER[2:] + b"\0",
    ],
    ids=[
        "bytes after it",
        "cut short",
        "long form of a short length",
        "indefinite length",
        "a zero before X",
        "Y negative",
        "a SET",
        "a fifth value",
    ],
)
def test_a_second_form_is_refused(second_form: bytes) -> None:
    assert second_form != DER
    with pytest.raises(CiphertextRefused):
        from_der(second_form)


def test_a_ciphertext_of_nothing_is_none() -> None:
    with pytest.raises(CiphertextRefused):
        split(bytes(96))
