"""The command line as a whole: it lists everything, and loads no more than what was typed."""

import ast
import subprocess
import sys
from importlib import import_module

import pytest
from typer.testing import CliRunner

from service.cli import main
from service.commands import lazily

_HEAVY = ("service.wiring", "sqlalchemy", "fastapi", "redis", "idp.provider")


def test_the_help_lists_every_command_with_its_first_words() -> None:
    told = CliRunner().invoke(main, ["--help"], env={"COLUMNS": "400", "TERMINAL_WIDTH": "400"})
    lines = told.stdout.splitlines()
    for name in (*lazily.GROUPS, *lazily.SINGLE):
        (line,) = [line for line in lines if line.split()[1:2] == [name]]
        assert len(line.split()) > 5, f"{name} is not explained"


@pytest.mark.parametrize("name", [*lazily.GROUPS, *lazily.SINGLE])
def test_every_name_leads_to_commands(name: str) -> None:
    told = CliRunner().invoke(main, [name, "--help"])
    assert told.exit_code == 0, told.output


def test_groups_in_groups_are_there() -> None:
    told = CliRunner().invoke(main, ["ca", "enrol", "--help"])
    assert "break-off" in told.stdout


def test_every_module_of_commands_is_in_the_tables() -> None:
    typed = {module for modules in lazily.GROUPS.values() for module in modules}
    there = {
        path.stem
        for path in lazily.FOLDER.glob("*.py")
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "commands"
    }
    assert there == typed
    for module, function in lazily.SINGLE.values():
        assert callable(getattr(import_module(f"service.commands.{module}"), function))


@pytest.mark.parametrize(
    "words",
    [("--help",), ("ofd", "verify", "--help"), ("pdf", "verify", "--help"), ("seal", "--help")],
    ids=" ".join,
)
def test_a_command_on_files_loads_nothing_of_the_service(words: tuple[str, ...]) -> None:
    asked = (
        f"import sys; from service.cli import main; main({list(words)!r}, standalone_mode=False)"
    )
    listed = f"{asked}; print('loaded', sorted(set({_HEAVY!r}) & set(sys.modules)))"
    told = subprocess.run(
        [sys.executable, "-c", listed], capture_output=True, text=True, check=True
    )
    assert told.stdout.splitlines()[-1] == "loaded []"
