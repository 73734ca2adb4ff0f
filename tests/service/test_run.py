"""The one door: `./run`, from anywhere, and a plain word when something is missing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]


def _run(
    script: Path, *words: str, path: str = "/usr/bin:/bin"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(script), *words],
        capture_output=True,
        text=True,
        cwd="/",
        env={"PATH": path},
        check=False,
        timeout=60,
    )


@pytest.fixture
def clone_without_python(tmp_path: Path) -> tuple[Path, str]:
    """A fresh clone's script in a folder with a space, and a PATH whose every Python is too old."""
    folder = tmp_path / "a clone"
    folder.mkdir()
    shutil.copy(_ROOT / "run", folder)
    (folder / "requirements.txt").touch()
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("python3", *(f"python3.{minor}" for minor in range(11, 15))):
        old = programs / name
        old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2"\nexit 1\n')
        old.chmod(0o755)
    return folder / "run", f"{programs}:/usr/bin:/bin"


def test_help_names_every_command() -> None:
    told = _run(_ROOT / "run", "help")
    assert told.returncode == 0
    for word in ("demo", "serve", "test", "check", "bench", "openapi", "screenshots"):
        assert f"./run {word}" in told.stdout


def test_a_word_it_does_not_know_is_told_and_fails() -> None:
    told = _run(_ROOT / "run", "dance")
    assert told.returncode == 2
    assert "./run dance" in told.stderr


def test_an_old_python_is_named(clone_without_python: tuple[Path, str]) -> None:
    script, path = clone_without_python
    told = _run(script, "serve", path=path)
    assert told.returncode == 1
    assert "needs Python 3.11" in told.stderr
    assert "Python 3.9.2" in told.stderr
    assert not (script.parent / ".venv" / "stamp").exists()


def test_the_script_is_executable_and_short() -> None:
    assert os.access(_ROOT / "run", os.X_OK)
    assert len((_ROOT / "run").read_text("utf-8").splitlines()) < 120
