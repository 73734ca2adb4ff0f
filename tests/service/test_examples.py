"""The pages in docs/examples say what is typed and what comes back: typed again, it still does."""

import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from keys.errors import DomainError
from service.cli import main
from service.commands.terminal import told

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PAGES = ["seal.md", "ofd.md", "pdf.md"]
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LEFT_OUT = "…"


@dataclass(frozen=True)
class Typed:
    """A command of a page, and the answer it shows."""

    command: str
    answer: str


def typed(page: str) -> Iterator[Typed]:
    for block in _BLOCK.findall((EXAMPLES / page).read_text("utf-8")):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, answer = part.partition("\n")
            yield Typed(command, answer)


def run(command: str) -> tuple[str, int]:
    """Type a command in this process; return what is printed and the exit code."""
    program, *words = shlex.split(command)
    assert program == "yinxin"
    result = CliRunner().invoke(main, words, env={"LANG": "en", "LC_ALL": None})
    if isinstance(result.exception, DomainError):
        with pytest.raises(SystemExit) as ended, told():
            raise result.exception
        return f"{result.output}{ended.value}\n", 1
    return result.output, result.exit_code


def looks_like(answer: str) -> re.Pattern[str]:
    parts = [re.escape(part) for part in answer.split(f"{_LEFT_OUT}\n")]
    return re.compile("(?:.*\n)*".join(parts))


@pytest.mark.parametrize("page", PAGES)
def test_what_the_examples_show_is_what_happens(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(EXAMPLES / "food_permit.json", tmp_path)
    code = 0
    for step in typed(page):
        if step.command == "echo $?":
            assert step.answer == f"{code}\n"
            code = 0
            continue
        assert code == 0, f"the page hides that a command before {step.command} failed"
        output, code = run(step.command)
        assert looks_like(step.answer).fullmatch(output), f"{step.command}\n{output}"


def test_every_page_is_run_and_listed() -> None:
    pages = {path.name for path in EXAMPLES.glob("*.md")} - {"README.md"}
    assert pages == set(PAGES)
    listed = (EXAMPLES / "README.md").read_text("utf-8")
    assert all(f"({page})" in listed for page in pages)
