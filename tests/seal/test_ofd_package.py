"""The container: written alike every time, read with limits."""

import io
import stat
import struct
import zipfile
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seal import ofd_package
from seal.ofd_package import NotAnOfd, read, write

OFD = b"<OFD/>"


def zipped(parts: Mapping[str, bytes], mode: int = 0) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("OFD.xml", OFD)
        for name, content in parts.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def refusal(data: bytes) -> tuple[str, str]:
    with pytest.raises(NotAnOfd) as caught:
        read(data)
    return str(caught.value.parameters["reason"]), str(caught.value.parameters["part"])


def test_what_is_written_is_read_back_in_order() -> None:
    parts = {"OFD.xml": OFD, "Doc_0/附件.json": b"{}", "Doc_0/a": b""}
    assert list(read(write(parts)).entries.items()) == list(parts.items())


def test_the_same_entries_give_the_same_bytes() -> None:
    parts = {"OFD.xml": OFD, "Doc_0/Document.xml": b"<Document/>" * 100}
    assert write(parts) == write(dict(parts))


def test_rubbish_is_no_ofd() -> None:
    assert refusal(b"") == ("zip", "")
    assert refusal(b"%PDF-1.7" + bytes(1000)) == ("zip", "")


def test_a_zip_without_ofd_xml_is_no_ofd() -> None:
    assert refusal(write({"ofd.xml": OFD})) == ("no_ofd_xml", "")


@pytest.mark.parametrize("name", ["../up", "a/../../up", "/root", "a//b", "C:/x", "a\\b", "./a"])
def test_a_name_that_could_leave_the_folder_is_refused(name: str) -> None:
    assert refusal(zipped({name: b"x"})) == ("path", name)


def test_a_symbolic_link_is_refused() -> None:
    assert refusal(zipped({"link": b"/etc/passwd"}, stat.S_IFLNK | 0o777)) == ("symlink", "link")


def test_an_encrypted_entry_is_refused() -> None:
    data = bytearray(zipped({"a": b"x"}))
    directory = data.rfind(b"PK\x01\x02")
    data[directory + 8] |= 1
    assert refusal(bytes(data)) == ("encrypted", "a")


def test_another_compression_method_is_refused() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("OFD.xml", OFD, zipfile.ZIP_BZIP2)
    assert refusal(target.getvalue()) == ("method", "OFD.xml")


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    assert refusal(zipped({"bomb": bytes(8 * 1024 * 1024)})) == ("ratio", "bomb")


def test_a_small_entry_may_be_very_repetitive() -> None:
    assert read(zipped({"a": bytes(200_000)})).entries["a"] == bytes(200_000)


def test_too_many_entries_are_refused_without_reading_the_directory() -> None:
    parts = {f"{number}": b"" for number in range(ofd_package.MAX_ENTRIES)}
    assert refusal(zipped(parts)) == ("entries", "")


def test_a_directory_that_lies_about_its_length_is_refused() -> None:
    data = bytearray(zipped({str(number): b"" for number in range(20_000)}))
    end = data.rfind(b"PK\x05\x06")
    struct.pack_into("<HH", data, end + 8, 2, 2)
    assert refusal(bytes(data)) == ("entries", "")


def test_a_file_beyond_the_limit_is_refused() -> None:
    assert refusal(bytes(ofd_package.MAX_FILE_BYTES + 1)) == ("too_large", "")


def test_a_flipped_bit_in_an_entry_names_the_entry() -> None:
    data = bytearray(write({"OFD.xml": OFD, "Doc_0/a": bytes(range(256))}))
    data[data.find(b"Doc_0/a") + 40] ^= 1
    package = read(bytes(data))
    assert package.damaged == ("Doc_0/a",)
    assert "Doc_0/a" not in package.entries


def test_a_repeated_name_is_told() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = zipped({"a": b"1"} | {"OFD.xml": b"<other/>"})
    assert read(data).repeated == ("OFD.xml",)


def test_names_that_differ_in_case_only_are_told() -> None:
    assert read(zipped({"Tpls/a": b"", "TPLS/a": b""})).clashing == ("Tpls/a", "TPLS/a")


def test_bytes_before_the_archive_are_counted() -> None:
    package = read(b"KINGGRID" + zipped({"a": b"x"}))
    assert (package.prefix, package.entries["a"]) == (8, b"x")


def test_folders_and_stored_entries_are_read() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("Doc_0/", b"")
        archive.writestr("OFD.xml", OFD, zipfile.ZIP_STORED)
    assert read(target.getvalue()).entries == {"OFD.xml": OFD}


@settings(deadline=None)
@given(cut=st.integers(min_value=0, max_value=400))
def test_a_truncated_package_is_refused(cut: int) -> None:
    data = write({"OFD.xml": OFD, "Doc_0/Document.xml": bytes(range(250))})
    with pytest.raises(NotAnOfd):
        read(data[: min(cut, len(data) - 1)])


@settings(deadline=None)
@given(at=st.integers(min_value=0, max_value=10_000), bit=st.integers(min_value=0, max_value=7))
def test_a_flipped_bit_anywhere_never_crashes(at: int, bit: int) -> None:
    parts = {"OFD.xml": OFD, "Doc_0/Document.xml": bytes(range(250)), "Doc_0/b": b"b" * 99}
    data = bytearray(write(parts))
    data[at % len(data)] ^= 1 << bit
    try:
        package = read(bytes(data))
    except NotAnOfd:
        return
    told = set(package.damaged) | set(package.entries)
    assert all(
        package.entries[name] == parts[name] for name in told & set(package.entries) & set(parts)
    )
