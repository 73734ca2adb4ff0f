"""How every command asks and answers at a terminal: loads nothing a plain file command needs not."""

import getpass
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from keys.errors import DomainError
from service import locale

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask whether to go on.")]


def operator() -> str:
    """Return who sits at this machine, as the journal names them."""
    try:
        return f"operator:{getpass.getuser()}"
    except (KeyError, OSError):  # an account without a name, as containers have
        return f"operator:{os.getuid()}"


def _with_account(name: str) -> str:
    # Anybody can give any name; the account is what is known.
    return f"{name} ({operator()})" if name else ""


By = Annotated[
    str,
    typer.Option(
        "--by",
        callback=_with_account,
        help="Who does this, for the journal, which names this account as well.",
    ),
]


@contextmanager
def told() -> Iterator[None]:
    """End the program with the sentences of a rule that said no, in the terminal's language."""
    try:
        yield
    except DomainError as error:
        title, detail = (
            locale.t(language(), f"error.{error.code}.{part}", **error.parameters)
            for part in ("title", "detail")
        )
        refused = tell("refused", title=title, detail=detail, code=error.code)
        raise SystemExit(f"yinxin: {refused}") from None


def answer(told: Any, as_json: bool, sentence: str = "") -> None:
    """Print `told` as JSON, or the sentence, or the rows as a table with their names above."""
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2, default=str))
    elif sentence:
        typer.echo(sentence)
    else:
        _table(told)


def language() -> str:
    """Return the terminal's language."""
    return locale.of_terminal(os.environ)


def tell(key: str, **parameters: str | int) -> str:
    """Return the sentence `cli.<key>` in the terminal's language."""
    return locale.t(language(), f"cli.{key}", **parameters)


def sure(question: str, yes: bool) -> None:
    """Ask before what cannot be undone; ends the program unless the answer is yes."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise SystemExit(f"yinxin: {question}\n{tell('say_yes')}")
    typer.confirm(question, abort=True)


def passphrase(prompt: str, file: Path | None = None, *, new: bool = False) -> str:
    """Return a passphrase: the first line of `file`, or typed, twice when it is new."""
    if file is not None:
        return file.read_text("utf-8").partition("\n")[0].rstrip("\r")
    return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=new, err=True))


def vacant(file: Path) -> None:
    """End the program when there is such a file already, before anything is done."""
    if file.exists():
        raise SystemExit(f"yinxin: {tell('file_exists', file=str(file))}")


def write_new(file: Path, content: bytes) -> None:
    """Write a file that only this account can read, whole and on the disk, or not at all.

    Raises FileExistsError rather than replace one, and OSError when the disk is full.
    """
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(opened, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
    except OSError:
        file.unlink()
        raise


def _table(rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        typer.echo(tell("nothing"))
        return
    names = list(rows[0])
    cells = [names, *([_cell(row[name]) for name in names] for row in rows)]
    widths = [max(_width(row[i]) for row in cells) for i in range(len(names))]
    for row in cells:
        padded = (
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        )
        typer.echo("  ".join(padded).rstrip())


def _cell(value: Any) -> str:
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(sorted(map(str, value)))
    return "" if value is None else str(value)


def _width(text: str) -> int:
    # A Chinese character takes two columns of a terminal.
    return sum(2 if ord(character) > 0x2E7F else 1 for character in text)
