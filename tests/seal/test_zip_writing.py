"""The archive an OFD is written as, read by the standard library's reader."""

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seal.zip_writing import archive

ENTRIES = {"OFD.xml": b"<ofd/>" * 400, "Doc_0/附件.xml": b"", "Doc_0/Res/a.png": b"\x89PNG"}
NAMES = st.text(alphabet="abcXYZ019/_.-证照䶮𬭎", min_size=1, max_size=40)


@settings(max_examples=40)
@given(st.dictionaries(NAMES, st.binary(max_size=3000), max_size=8))
def test_every_entry_is_read_back_in_its_order(entries: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(archive(entries))) as read:
        assert read.testzip() is None
        assert {name: read.read(name) for name in read.namelist()} == entries
        assert read.namelist() == list(entries)


def test_the_same_entries_make_the_same_bytes() -> None:
    assert archive(ENTRIES) == archive(dict(ENTRIES))


def test_no_entry_says_when_or_where_it_was_written() -> None:
    with zipfile.ZipFile(io.BytesIO(archive(ENTRIES))) as read:
        for info in read.infolist():
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert (info.create_system, info.external_attr, info.extra) == (0, 0, b"")


def test_only_names_beyond_ascii_are_marked_as_utf_8() -> None:
    with zipfile.ZipFile(io.BytesIO(archive(ENTRIES))) as read:
        flags = {info.filename: info.flag_bits for info in read.infolist()}
    assert flags == {"OFD.xml": 0, "Doc_0/附件.xml": 1 << 11, "Doc_0/Res/a.png": 0}


def test_a_large_entry_is_packed_as_well() -> None:
    large = bytes(range(256)) * 4096
    packed = archive({"large": large})
    with zipfile.ZipFile(io.BytesIO(packed)) as read:
        assert read.read("large") == large
    assert len(packed) < len(large) / 10


def test_more_entries_than_the_format_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="ZIP64"):
        archive({str(number): b"" for number in range(0x10000)})
