"""The ZIP container of an OFD (GB/T 33190-2016 §7): written alike every time, read with suspicion.

Nothing is ever extracted to disk. Names are kept as they are in the archive, without a leading slash.
"""

import io
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from keys.errors import DomainError

MAX_FILE_BYTES = 32 * 1024 * 1024
MAX_ENTRIES = 4096
MAX_ENTRY_BYTES = 32 * 1024 * 1024
MAX_UNPACKED_BYTES = 96 * 1024 * 1024
MAX_DIRECTORY_BYTES = 1024 * 1024
# Deflate cannot do better than about 1032:1; honest XML stays below 60:1.
MAX_RATIO = 250
_RATIO_FREE_BYTES = 256 * 1024

_EPOCH = (1980, 1, 1, 0, 0, 0)
_DOS = 0
# A third faster than the default for one hundredth more bytes, on faces with their fonts.
_LEVEL = 4
_ENCRYPTED = 0x1
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_UNSOUND = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError)
_END_OF_DIRECTORY = struct.Struct("<4sHHHHIIH")


class NotAnOfd(DomainError):
    """The bytes are no OFD package, or one outside the limits.

    `reason` is a stable word (`zip`, `no_ofd_xml`, `too_large`, `entries`, `ratio`, `path`,
    `encrypted`, `symlink`, `method`, `xml`, `structure`); `part` the entry, where there is one.
    """

    code: ClassVar[str] = "file.not_an_ofd"

    def __init__(self, reason: str, part: str = "") -> None:
        super().__init__(reason=reason, part=part)


@dataclass(frozen=True, slots=True)
class Package:
    """The entries of a read package, in archive order, and what is odd about the archive.

    `damaged` names entries that cannot be unpacked (they are not in `entries`), `repeated` those
    that occur twice, `clashing` those that differ in case only; `prefix` counts bytes before
    the archive.
    """

    entries: Mapping[str, bytes]
    damaged: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    clashing: tuple[str, ...] = ()
    prefix: int = 0


def write(entries: Mapping[str, bytes]) -> bytes:
    """Return the package of `entries` in their order; same entries, same bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in entries.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = _DOS
            info.external_attr = 0
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content, compresslevel=_LEVEL)
    return target.getvalue()


def read(data: bytes) -> Package:
    """Return the entries of the OFD package `data`.

    Bytes before the archive are tolerated (real files of one vendor have them) and counted; an
    entry whose bytes were altered is named, so that a report can name it too. Raises `NotAnOfd`
    for what is no archive with an `OFD.xml`, and before unpacking for what passes the limits.
    """
    if len(data) > MAX_FILE_BYTES:
        raise NotAnOfd("too_large")
    prefix = _measure_directory(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            _check(infos)
            unpacked = {info.filename: _unpack(archive, info) for info in infos}
    except _UNSOUND as e:
        raise NotAnOfd("zip") from e
    if "OFD.xml" not in unpacked:
        raise NotAnOfd("no_ofd_xml")
    names = [info.filename for info in infos]
    return Package(
        entries={name: content for name, content in unpacked.items() if content is not None},
        damaged=tuple(name for name, content in unpacked.items() if content is None),
        repeated=_repeated(names),
        clashing=_clashing(names),
        prefix=prefix,
    )


def _measure_directory(data: bytes) -> int:
    """Return the number of bytes before the archive, having bounded its directory.

    `zipfile` reads the whole directory before anyone can say no, so its size is looked up first.
    """
    at = data.rfind(b"PK\x05\x06")
    if at < 0 or at + _END_OF_DIRECTORY.size > len(data):
        raise NotAnOfd("zip")
    _, _, _, _, entries, size, offset, _ = _END_OF_DIRECTORY.unpack_from(data, at)
    if entries > MAX_ENTRIES or size > MAX_DIRECTORY_BYTES:
        raise NotAnOfd("entries")
    if at < size + offset:
        raise NotAnOfd("zip")
    return int(at - size - offset)


def _check(infos: list[zipfile.ZipInfo]) -> None:
    if len(infos) > MAX_ENTRIES:
        raise NotAnOfd("entries")
    if sum(info.file_size for info in infos) > MAX_UNPACKED_BYTES:
        raise NotAnOfd("too_large")
    for info in infos:
        reason = _objection(info)
        if reason:
            raise NotAnOfd(reason, info.filename)


def _objection(info: zipfile.ZipInfo) -> str:
    name = info.filename
    if not _is_plain_path(name):
        return "path"
    if info.flag_bits & _ENCRYPTED:
        return "encrypted"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "symlink"
    if info.compress_type not in _METHODS:
        return "method"
    if info.file_size > MAX_ENTRY_BYTES:
        return "too_large"
    swollen = info.file_size > MAX_RATIO * max(info.compress_size, 1)
    return "ratio" if swollen and info.file_size > _RATIO_FREE_BYTES else ""


def _is_plain_path(name: str) -> bool:
    parts = name.split("/")
    return "\\" not in name and ":" not in parts[0] and not {"", ".", ".."} & set(parts)


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | None:
    # zipfile stops at the declared size and then compares the CRC, so `_check` bounds this read.
    try:
        with archive.open(info) as entry:
            return entry.read()
    except _UNSOUND:
        return None


def _repeated(names: list[str]) -> tuple[str, ...]:
    return tuple(name for name, times in Counter(names).items() if times > 1)


def _clashing(names: list[str]) -> tuple[str, ...]:
    distinct = dict.fromkeys(names)
    times = Counter(name.casefold() for name in distinct)
    return tuple(name for name in distinct if times[name.casefold()] > 1)
