"""What two readers of one archive could see differently is found before either is asked."""

import io
import struct
import zipfile
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal.ofd_package import NotAnOfd, Package, read, write
from tests.seal.ofd_builders import plain_ofd, stamped_ofd
from tests.seal.ofd_judging import judge, troubles

PARTS = {"OFD.xml": b"<OFD/>", "Doc_0/a": b"first", "Doc_0/b": b"second"}
END, DIRECTORY, LOCAL = b"PK\x05\x06", b"PK\x01\x02", b"PK\x03\x04"


def shifted(data: bytes, by: int) -> bytes:
    """Move the directory's start in the end record by as many bytes as were put before it."""
    end = data.rfind(END)
    (offset,) = struct.unpack_from("<I", data, end + 16)
    return data[: end + 16] + struct.pack("<I", offset + by) + data[end + 20 :]


def hiding(secret: bytes) -> bytes:
    """An archive with bytes between its last entry and its directory."""
    data = write(PARTS)
    at = data.index(DIRECTORY)
    return shifted(data[:at] + secret + data[at:], len(secret))


def streamed() -> bytes:
    """An archive as written to a pipe: sizes follow each entry."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.data += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in PARTS.items():
            archive.writestr(name, content)
    return pipe.data


def big() -> bytes:
    """An archive with the sizes in extra fields, as some writers always do."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in PARTS.items():
            with archive.open(name, "w", force_zip64=True) as entry:
                entry.write(content)
    return target.getvalue()


@pytest.mark.parametrize("data", [write(PARTS), streamed(), big()], ids=["ours", "pipe", "zip64"])
def test_honest_archives_hide_nothing(data: bytes) -> None:
    assert read(data) == Package(PARTS)


def test_bytes_between_the_entries_are_counted() -> None:
    package = read(hiding(b"a second licence"))
    assert (package.hidden, package.entries) == (16, PARTS)


def test_an_entry_the_directory_does_not_name_is_hidden() -> None:
    extra = write({"Doc_0/c": b"third"})
    secret = extra[: extra.index(DIRECTORY)]
    assert read(hiding(secret)).hidden == len(secret)


def test_bytes_behind_the_archive_are_counted() -> None:
    assert read(write(PARTS) + b"tail").hidden == 4


def test_hidden_bytes_are_remarked_in_the_report() -> None:
    assert troubles(judge(stamped_ofd() + b"tail")) == {("warning", "ofd.package.hidden_bytes", "")}


def test_what_lies_in_a_folders_entry_is_hidden() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("OFD.xml", b"<OFD/>")
        archive.writestr("Doc_0/", b"secret")
    assert read(target.getvalue()).hidden == 6


def test_an_entry_without_a_name_is_refused() -> None:
    data = bytearray(write({"OFD.xml": b"<OFD/>", "a": b""}))
    for mark, length in ((LOCAL, 26), (DIRECTORY, 28)):
        data[data.rindex(mark) + length] = 0
    with pytest.raises(NotAnOfd):
        read(bytes(data))


@pytest.mark.parametrize("at", [8, 14, 18, 22], ids=["method", "crc", "packed", "size"])
def test_a_local_header_that_contradicts_the_directory_is_named(at: int) -> None:
    data = bytearray(write(PARTS))
    start = data.index(b"Doc_0/a") - 30
    data[start + at] ^= 1
    assert read(bytes(data)).ambiguous == ("Doc_0/a",)


def test_two_tellings_of_one_entry_fail() -> None:
    data = bytearray(stamped_ofd())
    data[data.index(b"OFD.xml") - 30 + 22] ^= 1
    assert ("failed", "ofd.package.ambiguous", "OFD.xml") in troubles(judge(bytes(data)))


def test_entries_over_each_other_are_refused() -> None:
    data = bytearray(write(PARTS))
    first = data.index(DIRECTORY)
    second = data.index(DIRECTORY, first + 4)
    third = data.index(DIRECTORY, second + 4)
    data[third + 42 : third + 46] = data[second + 42 : second + 46]
    with pytest.raises(NotAnOfd):
        read(bytes(data))


def test_a_second_larger_directory_is_not_looked_for() -> None:
    data = write(PARTS)
    end = data.rfind(END)
    locator = b"PK\x06\x07" + bytes(16)
    with pytest.raises(NotAnOfd):
        read(data[:end] + locator + data[end:])


def renamed(data: bytes, old: bytes, new: bytes, which: int) -> bytes:
    """Change a name in the local headers (0) or in the directory (1) only."""
    split = data.index(DIRECTORY)
    halves = [data[:split], data[split:]]
    halves[which] = halves[which].replace(old, new)
    return b"".join(halves)


@pytest.mark.parametrize("which", [0, 1])
def test_an_entry_with_two_names_is_named(which: int) -> None:
    (name,) = read(renamed(write(PARTS), b"Doc_0/a", b"Doc_0/c", which)).ambiguous
    assert name == ("Doc_0/a", "Doc_0/c")[which]


def test_a_folder_that_is_a_file_from_the_front_is_named() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("OFD.xml", b"<OFD/>")
        archive.writestr("Doc_0/", b"")
    assert read(renamed(target.getvalue(), b"Doc_0/", b"Doc_0x", 0)).ambiguous == ("Doc_0/",)


def with_unicode_path(name: bytes) -> bytes:
    """An archive whose second entry has one more name in an extra field (§4.6.9)."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("OFD.xml", b"<OFD/>")
        entry = zipfile.ZipInfo("Doc_0/a")
        field = b"\1" + struct.pack("<I", zlib.crc32(b"Doc_0/a")) + name
        entry.extra = struct.pack("<HH", 0x7075, len(field)) + field
        archive.writestr(entry, b"first")
    return target.getvalue()


def test_another_name_in_an_extra_field_is_told() -> None:
    """Some readers go by it, and would find this entry in place of that one."""
    assert read(with_unicode_path(b"Doc_0/b")).ambiguous == ("Doc_0/a",)
    assert read(with_unicode_path(b"Doc_0/a")).ambiguous == ()


def test_a_name_that_ends_at_a_nul_for_some_is_told() -> None:
    data = write({"OFD.xml": b"<OFD/>", "Doc_0/a?b": b"x"}).replace(b"Doc_0/a?b", b"Doc_0/a\0b")
    assert read(data).ambiguous == ("Doc_0/a",)


def test_bytes_behind_the_end_of_a_deflated_stream_spoil_the_entry() -> None:
    """Whoever reads from the front finds the next entry there."""
    content, secret = b"<OFD/>", write({"OFD.xml": b"<OFD>another</OFD>"})
    stream = zlib.compressobj(wbits=-15)
    packed = stream.compress(content) + stream.flush()
    for behind in (b"", secret):
        sizes = struct.pack("<III", zlib.crc32(content), len(packed + behind), len(content))
        shared = bytes([20, 0, 0, 0, 8, 0]) + bytes(4) + sizes + struct.pack("<HH", 7, 0)
        local = LOCAL + shared + b"OFD.xml" + packed + behind
        listed = DIRECTORY + bytes([20, 0]) + shared + bytes(14) + b"OFD.xml"
        end = struct.pack("<4sHHHHIIH", END, 0, 0, 1, 1, len(listed), len(local), 0)
        package = read(local + listed + end)
        assert (package.damaged, package.entries) == (
            (("OFD.xml",), {}) if behind else ((), {"OFD.xml": content})
        )


@pytest.mark.parametrize("data", [write(PARTS) + write(PARTS), hiding(write({"Doc_0/c": b"x"}))])
def test_bytes_that_look_like_entries_are_told(data: bytes) -> None:
    assert read(data).hides_entries


def test_a_document_before_the_document_fails() -> None:
    """Whoever reads from the front shows the first, whoever reads from the end the second."""
    assert troubles(judge(plain_ofd() + stamped_ofd())) == {
        ("failed", "ofd.package.hidden_entries", ""),
        ("warning", "ofd.package.prefix", ""),
    }


def test_an_endless_name_is_refused() -> None:
    with pytest.raises(NotAnOfd):
        read(write({"OFD.xml": b"<OFD/>", "a" * 2000: b""}))


@given(at=st.integers(0, 400), value=st.binary(min_size=1, max_size=4))
def test_no_header_crashes_the_reader(at: int, value: bytes) -> None:
    data = bytearray(write(PARTS))
    at %= len(data)
    data[at : at + len(value)] = value
    with suppress(NotAnOfd):
        read(bytes(data))
