"""What an operator did wrong is told in one line by the program itself, without a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]


def _start(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Start the program, and expect it to refuse."""
    inherited = {name: value for name, value in os.environ.items() if "YINXIN" not in name}
    return subprocess.run(
        [sys.executable, "-m", *words],
        capture_output=True,
        text=True,
        cwd=_ROOT,
        env=inherited | settings,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("words", [("service", "serve"), ("service", "migrate"), ("service.demo",)])
@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"YINXIN_PROT": "80"}, "YINXIN_PROT"),
        ({"YINXIN_PORT": "eighty"}, "YINXIN_PORT"),
        ({"YINXIN_SESSION_SECRET": "short"}, "YINXIN_SESSION_SECRET"),
        ({"YINXIN_VAR": "/dev/null/var"}, "/dev/null"),
    ],
)
def test_a_wrong_setting_is_named(
    words: tuple[str, ...], settings: dict[str, str], named: str
) -> None:
    told = _start(*words, **settings)
    assert told.returncode == 1
    assert told.stderr.startswith("yinxin: ")
    assert named in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_a_database_that_does_not_answer_is_named(command: str, tmp_path: Path) -> None:
    nobody = "postgresql+psycopg://yinxin@127.0.0.1:1/yinxin"
    told = _start(
        "service", command, YINXIN_DATABASE_URL=nobody, YINXIN_VAR=str(tmp_path), YINXIN_PORT="0"
    )
    assert told.returncode == 1
    assert "yinxin: the database cannot be used" in told.stderr
    assert "Traceback" not in told.stderr


def test_an_unknown_command_and_an_unknown_option_are_told() -> None:
    for words in (("service", "dance"), ("service", "serve", "--dance"), ("service.demo", "-x")):
        told = _start(*words)
        assert told.returncode == 2
        assert words[-1] in told.stderr
