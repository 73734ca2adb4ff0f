"""The ZIP container of an OFD (GB/T 33190-2016 §7): written alike every time, read with suspicion.

Nothing is ever extracted to disk. Names are kept as they are in the archive, without a leading slash.
"""

import io
import stat
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from keys.errors import DomainError
from seal import zip_layout, zip_writing

MAX_FILE_BYTES = 32 * 1024 * 1024
MAX_ENTRIES = 4096
MAX_ENTRY_BYTES = 32 * 1024 * 1024
MAX_UNPACKED_BYTES = 96 * 1024 * 1024
MAX_DIRECTORY_BYTES = 1024 * 1024
# Deflate cannot do better than about 1032:1; honest XML stays below 60:1.
MAX_RATIO = 250
_RATIO_FREE_BYTES = 256 * 1024
MAX_NAME_CHARACTERS = 1024

_ENCRYPTED = 0x1
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_UNSOUND = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError)


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
    that occur twice, `ambiguous` those two readers may read differently, `clashing` those that are
    one file where names are compared loosely; `prefix` counts bytes before the archive, `hidden`
    those in and behind it that belong to no entry, and `hides_entries` says that these, or those
    before it, look like entries themselves.
    """

    entries: Mapping[str, bytes]
    damaged: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()
    clashing: tuple[str, ...] = ()
    prefix: int = 0
    hidden: int = 0
    hides_entries: bool = False


def write(entries: Mapping[str, bytes]) -> bytes:
    """Return the package of `entries` in their order; same entries, same bytes."""
    return zip_writing.archive(entries)


def read(data: bytes) -> Package:
    """Return the entries of the OFD package `data`.

    Bytes before the archive are tolerated (real files of one vendor have them) and counted; an
    entry whose bytes were altered is named, so that a report can name it too. Raises `NotAnOfd`
    for what is no archive with an `OFD.xml`, and before unpacking for what passes the limits.
    """
    if len(data) > MAX_FILE_BYTES:
        raise NotAnOfd("too_large")
    try:
        # `zipfile` reads the whole directory before anyone can say no, so it is measured first.
        told = zip_layout.directory(data)
        if told.entries > MAX_ENTRIES or told.size > MAX_DIRECTORY_BYTES:
            raise NotAnOfd("entries")
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = archive.infolist()
            infos = [info for info in listed if not _is_folder(info)]
            _check(infos)
            laid = zip_layout.layout(data, told, listed)
        starts = zip(listed, laid.packed, strict=True)
        unpacked = {
            info.filename: _unpack(data[start : start + info.compress_size], info)
            for info, start in starts
            if not _is_folder(info)
        }
    except _UNSOUND as e:
        raise NotAnOfd("zip") from e
    if "OFD.xml" not in unpacked:
        raise NotAnOfd("no_ofd_xml")
    names = [info.filename for info in infos]
    in_folders = sum(info.compress_size for info in listed if _is_folder(info))
    return Package(
        entries={name: content for name, content in unpacked.items() if content is not None},
        damaged=tuple(name for name, content in unpacked.items() if content is None),
        repeated=_repeated(names),
        ambiguous=laid.ambiguous,
        clashing=_clashing(names),
        prefix=told.prefix,
        hidden=laid.unaccounted + told.behind + in_folders,
        hides_entries=laid.hides_entries,
    )


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
    if not _is_plain_path(name) or len(name) > MAX_NAME_CHARACTERS:
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


def _is_folder(info: zipfile.ZipInfo) -> bool:
    return info.filename.endswith("/")  # `is_dir` breaks on an empty name


def _is_plain_path(name: str) -> bool:
    parts = name.split("/")
    return "\\" not in name and ":" not in parts[0] and not {"", ".", ".."} & set(parts)


def _unpack(packed: bytes, info: zipfile.ZipInfo) -> bytes | None:
    """Return the content, None for one that is not what the directory says.

    Nothing may follow the deflated bytes: a reader that goes from the front would take it for the
    next entry. `_check` bounds what comes out.
    """
    content = packed
    if info.compress_type == zipfile.ZIP_DEFLATED:
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            content = stream.decompress(packed, info.file_size + 1)
        except zlib.error:
            return None
        if not stream.eof or stream.unused_data:
            return None
    return content if (len(content), zlib.crc32(content)) == (info.file_size, info.CRC) else None


def _repeated(names: list[str]) -> tuple[str, ...]:
    return tuple(name for name, times in Counter(names).items() if times > 1)


def _clashing(names: list[str]) -> tuple[str, ...]:
    folded = {name: _folded(name) for name in names}
    times = Counter(folded.values())
    return tuple(name for name, loose in folded.items() if times[loose] > 1)


def _folded(name: str) -> str:
    """Return the name as the loosest file system sees it: readers unpack documents into folders.

    They may ignore case, compose accents and leave out invisible characters, or cut dots and spaces
    at the end of a name, and what follows a colon.
    """
    if not name.isascii():
        composed = unicodedata.normalize("NFC", name)
        name = "".join(c for c in composed if unicodedata.category(c) != "Cf")
    return "/".join(part.partition(":")[0].rstrip(". ") for part in name.casefold().split("/"))
