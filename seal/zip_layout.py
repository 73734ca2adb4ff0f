"""Where things lie in a ZIP archive (APPNOTE 6.3.10), and what its readers could disagree about.

One reader goes by the directory at the end, another from each local header to the next: bytes that
belong to no entry, and headers that contradict the directory, let the two read different files.
"""

import struct
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_END = struct.Struct("<4sHHHHIIH")
_END_MARK = b"PK\x05\x06"
_BIG_LOCATOR = b"PK\x06\x07"
_BIG_LOCATOR_BYTES = 20
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_LOCAL_MARK = b"PK\x03\x04"
_DESCRIPTOR = struct.Struct("<III")
_DESCRIPTOR_MARK = b"PK\x07\x08"
_SIZES_FOLLOW = 0x08
# Some writers give the sizes in the extra field (§4.5.3) though they would fit: id, length, sizes.
_BIG = 0xFFFFFFFF
_BIG_SIZES = struct.Struct("<HHQQ")
_BIG_HEADING = (1, 16)
# Info-ZIP's Unicode path (§4.6.9): another name for the entry, which some readers go by.
_FIELD = struct.Struct("<HH")
_UNICODE_PATH = 0x7075
_UNICODE_PATH_HEAD = 5
_UTF8_NAME = 0x800


class LayoutWrong(ValueError):
    """The bytes are no archive, or one whose entries lie over each other."""


@dataclass(frozen=True, slots=True)
class Directory:
    """The directory as its end record tells: how many `entries`, its `size`, where it starts.

    `prefix` is the number of bytes before the archive, `behind` of those after the end record.
    """

    entries: int
    size: int
    start: int
    prefix: int
    behind: int


@dataclass(frozen=True, slots=True)
class Layout:
    """What the entries leave over, and where each of them lies.

    `unaccounted` counts the bytes before the directory that belong to none; `ambiguous` are the
    entries whose two headers differ; `hides_entries` says that bytes of no entry, or of a folder, look
    like entries, which whoever reads from the front would take for such. `packed` is where the
    packed bytes of each entry start, in the order given.
    """

    unaccounted: int
    ambiguous: tuple[str, ...]
    hides_entries: bool
    packed: tuple[int, ...]


def directory(data: bytes) -> Directory:
    """Return where the directory is. Raises `LayoutWrong`, for ZIP64 as well: no OFD needs it."""
    at = data.rfind(_END_MARK)
    if at < 0 or at + _END.size > len(data):
        raise LayoutWrong("end")
    _, _, _, _, entries, size, offset, _ = _END.unpack_from(data, at)
    is_big = data.startswith(_BIG_LOCATOR, max(at - _BIG_LOCATOR_BYTES, 0))
    if is_big or at < size + offset:
        raise LayoutWrong("directory")
    prefix = at - size - offset
    return Directory(entries, size, at - size, prefix, len(data) - at - _END.size)


def layout(data: bytes, told: Directory, infos: Iterable[zipfile.ZipInfo]) -> Layout:
    """Return how the entries lie. Raises `LayoutWrong` when one lies over another."""
    at, unaccounted, hides_entries = told.prefix, 0, _LOCAL_MARK in data[: told.prefix]
    ambiguous, packed = [], {}
    listed = list(infos)
    for number, info in sorted(enumerate(listed), key=lambda pair: pair[1].header_offset):
        if info.header_offset < at:
            raise LayoutWrong("overlap")
        unaccounted += info.header_offset - at
        hides_entries |= _LOCAL_MARK in data[at : info.header_offset]
        try:
            packed[number], at, agrees = _entry(data, info)
        except struct.error as e:
            raise LayoutWrong("header") from e
        if info.filename.endswith("/"):
            hides_entries |= _LOCAL_MARK in data[packed[number] : at]
        if not agrees:
            ambiguous.append(info.filename)
    if at > told.start:
        raise LayoutWrong("overlap")
    return Layout(
        unaccounted + told.start - at,
        tuple(ambiguous),
        hides_entries or _LOCAL_MARK in data[at : told.start],
        tuple(packed[number] for number in range(len(listed))),
    )


def _entry(data: bytes, info: zipfile.ZipInfo) -> tuple[int, int, bool]:
    """Return where the entry's packed bytes start and where it ends, and whether both headers agree."""
    mark, _, flags, method, _, _, crc, packed, size, name, extra = _LOCAL.unpack_from(
        data, info.header_offset
    )
    name_at = info.header_offset + _LOCAL.size
    start = name_at + name + extra
    end = start + info.compress_size
    named = _is_named(info, flags, data[name_at : name_at + name], data[name_at + name : start])
    if size == packed == _BIG and extra >= _BIG_SIZES.size:
        *heading, size, packed = _BIG_SIZES.unpack_from(data, start - extra)
        mark = mark if tuple(heading) == _BIG_HEADING else b""
    if flags & _SIZES_FOLLOW:
        end += len(_DESCRIPTOR_MARK) * data.startswith(_DESCRIPTOR_MARK, end)
        crc, packed, size = _DESCRIPTOR.unpack_from(data, end)
        end += _DESCRIPTOR.size
    told = info.CRC, info.compress_size, info.file_size, info.compress_type
    return start, end, named and mark == _LOCAL_MARK and told == (crc, packed, size, method)


def _is_named(info: zipfile.ZipInfo, flags: int, name: bytes, extra: bytes) -> bool:
    """Say whether all that names the entry gives it one name: two headers, and the extra fields of each."""
    own = info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8_NAME else "cp437")
    # `zipfile` cuts a name at its first NUL.
    return (
        info.filename == info.orig_filename
        and name == own
        and (own.isascii() or not (flags ^ info.flag_bits) & _UTF8_NAME)
        and all(other == own for field in (extra, info.extra) for other in _other_names(field))
    )


def _other_names(extra: bytes) -> Iterator[bytes]:
    at = 0
    while at + _FIELD.size <= len(extra):
        kind, length = _FIELD.unpack_from(extra, at)
        at += _FIELD.size
        if kind == _UNICODE_PATH:
            yield extra[at + _UNICODE_PATH_HEAD : at + length]
        at += length
