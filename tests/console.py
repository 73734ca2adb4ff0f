"""The command line in a test: one operator's terminal on one database."""

import json
import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from keys.errors import DomainError
from service.cli import main

_PASSPHRASES = {"wen": "seven herons over a still lake", "lin": "nine cranes by the old bridge"}


@dataclass(frozen=True, slots=True)
class Console:
    """Runs `yinxin` in this process, on the settings of `environment` and nobody else's."""

    environment: Mapping[str, str]
    folder: Path

    def __call__(self, line: str, *words: str | Path) -> Any:
        """Run a command that must succeed, and return its answer; `words` follow the line."""
        result = self._run(line, *words, "--json")
        assert result.exit_code == 0, f"{line}: {result.output} {result.exception!r}"
        return json.loads(result.stdout)

    def says(self, line: str, *words: str | Path) -> str:
        """Run a command that must succeed, and return what it prints for people."""
        result = self._run(line, *words)
        assert result.exit_code == 0, f"{line}: {result.output} {result.exception!r}"
        return result.stdout

    def refused(self, line: str, *words: str | Path) -> str:
        """Run a command that must be refused, and return the code, or the line it ends with."""
        result = self._run(line, *words)
        assert result.exit_code != 0, f"{line} was not refused: {result.output}"
        error = result.exception
        return error.code if isinstance(error, DomainError) else f"{result.output}{error}"

    def custodians(self) -> None:
        """Make the two custodians, Wen and Lin."""
        for name, passphrase in _PASSPHRASES.items():
            self._passphrase_file(name).write_text(passphrase, "utf-8")
            self.says(f"keys add-custodian {name} --passphrase-file", self._passphrase_file(name))

    def one(self, name: str) -> tuple[str, str]:
        """Return the words that name a custodian who types the passphrase."""
        return "--custodian", f"{name}={self._passphrase_file(name)}"

    @property
    def both(self) -> tuple[str, ...]:
        """The words that name both custodians."""
        return (*self.one("wen"), *self.one("lin"))

    def _passphrase_file(self, name: str) -> Path:
        return self.folder / f"{name}.txt"

    def _run(self, line: str, *words: str | Path) -> Result:
        others = {name: None for name in os.environ if name.startswith(("YINXIN_", "LC_", "LANG"))}
        told = [*shlex.split(line), *map(str, words)]
        return CliRunner().invoke(main, told, env={**others, **self.environment})


Province = Callable[[str], Console]
"""Gives a place of that name its console, on an empty database of its own."""
