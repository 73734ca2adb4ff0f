"""Sealed files, each put once under its own SHA-256 and never changed: in a folder or in S3.

Putting the same bytes twice is fine, so a run that was cut off may simply run again.
"""

import hashlib
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore, ObjectStore, from_url

from license_store.errors import FileClash, FileDamaged


class FileStore(Protocol):
    """Where the bytes of files live. When `put` returns, they can be had again by their digest."""

    def put(self, data: bytes) -> str:
        """Store `data` and return its SHA-256 in hex. Raises `FileClash`."""
        ...

    def get(self, digest: str) -> bytes:
        """Return the bytes with this digest. Raises `FileDamaged` if they are gone or changed."""
        ...


class ObjectFiles:
    """Files in an object store: a folder or an S3 bucket through one interface.

    `settle` is called with the place of each file put, and returns when it will outlast a power cut.
    """

    def __init__(
        self, store: ObjectStore, settle: Callable[[str], None] = lambda place: None
    ) -> None:
        self._store = store
        self._settle = settle

    def put(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        try:
            obstore.put(self._store, _place(digest), data, mode="create")
        except AlreadyExistsError:
            if self._read(digest) != data:
                raise FileClash(digest=digest) from None
        # Found there already or not: a run that died may have left it unsettled.
        self._settle(_place(digest))
        return digest

    def get(self, digest: str) -> bytes:
        data = self._read(digest)
        if hashlib.sha256(data).hexdigest() != digest:
            raise FileDamaged(digest=digest)
        return data

    def _read(self, digest: str) -> bytes:
        try:
            return bytes(obstore.get(self._store, _place(digest)).bytes())
        except FileNotFoundError:
            raise FileDamaged(digest=digest) from None


def open_files(place: str | Path) -> ObjectFiles:
    """Return the file store at `place`: a folder (made if absent) or a URL such as `s3://bucket/path`."""
    if isinstance(place, str) and "://" in place:
        return ObjectFiles(from_url(place))
    folder = Path(place)
    return ObjectFiles(LocalStore(folder, mkdir=True), settle=partial(_flush, folder))


def _flush(folder: Path, place: str) -> None:
    """Force a file to the disk, and the entries of the folders that lead to it."""
    file = folder / place
    for path in (file, file.parent, folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _place(digest: str) -> str:
    return f"{digest[:2]}/{digest}"
