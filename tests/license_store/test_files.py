"""The file store: put once, never changed, found damaged when it is."""

import hashlib
import os
from pathlib import Path
from threading import Thread

import pytest

from license_store.errors import FileClash, FileDamaged
from license_store.files import open_files


def stored_at(folder: Path, digest: str) -> Path:
    return folder / digest[:2] / digest


def test_what_was_put_is_had_again_by_its_digest(tmp_path: Path) -> None:
    files = open_files(tmp_path)
    digest = files.put(b"sealed")
    assert digest == hashlib.sha256(b"sealed").hexdigest()
    assert open_files(tmp_path.as_uri()).get(digest) == b"sealed"


def test_the_same_bytes_twice_are_one_file(tmp_path: Path) -> None:
    files = open_files(tmp_path)
    assert files.put(b"sealed") == files.put(b"sealed")


def test_other_bytes_in_the_place_are_an_error_and_stay(tmp_path: Path) -> None:
    files = open_files(tmp_path)
    digest = files.put(b"sealed")
    stored_at(tmp_path, digest).write_bytes(b"altered")
    with pytest.raises(FileClash):
        files.put(b"sealed")
    assert stored_at(tmp_path, digest).read_bytes() == b"altered"


def test_an_altered_file_is_not_handed_out(tmp_path: Path) -> None:
    files = open_files(tmp_path)
    digest = files.put(b"sealed")
    stored_at(tmp_path, digest).write_bytes(b"altered")
    with pytest.raises(FileDamaged):
        files.get(digest)


def test_a_lost_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileDamaged) as lost:
        open_files(tmp_path).get("0" * 64)
    assert lost.value.parameters == {"digest": "0" * 64}


def test_many_at_once_put_one_file(tmp_path: Path) -> None:
    files = open_files(tmp_path)
    digests: list[str] = []
    threads = [Thread(target=lambda: digests.append(files.put(b"x" * 10_000))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(digests) == 8
    assert len(set(digests)) == 1
    assert files.get(digests[0]) == b"x" * 10_000


def test_a_file_is_forced_to_the_disk_before_put_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forced: list[int] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        forced.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    digest = open_files(tmp_path).put(b"sealed")
    place = stored_at(tmp_path, digest)
    assert forced == [path.stat().st_ino for path in (place, place.parent, tmp_path)]
