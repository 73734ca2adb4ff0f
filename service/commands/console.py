"""What the operator's commands share: the ground they stand on, and how they ask and answer."""

import getpass
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from idp.provider import Provider
from keys import two_person
from keys.custodians import Custodian, prove
from keys.errors import DomainError
from keys.two_person import Consent
from service import embedded, locale, logs, migrating, wiring
from service.settings import Settings, load
from service.wiring import Ground, Surroundings, World

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
Custodians = Annotated[
    list[str] | None,
    typer.Option(
        "--custodian",
        metavar="NAME[=FILE]",
        help="Name both custodians here if they sit together; otherwise one asks and the other "
        "agrees beforehand (yinxin keys ask, yinxin keys agree). FILE holds the passphrase, "
        "which is asked for without one.",
    ),
]
Person = Annotated[
    str, typer.Option("--custodian", metavar="NAME[=FILE]", help="The custodian who does this.")
]
PassphraseFile = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="Read the passphrase from this file instead of asking."),
]


# Nothing connects to it until it is used, and no command uses it.
_NO_REDIS = "redis://localhost"

_SITTING = timedelta(minutes=10)
"""How long custodians who sit at one terminal agree to what they came for."""


def load_settings() -> Settings:
    """Return the settings of this environment."""
    return load(os.environ)


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


@contextmanager
def ground() -> Iterator[Ground]:
    """Open the trust ground of the settings: join the running service's database, or start it."""
    settings = load_settings()
    logs.configure("warning")
    with ExitStack() as closing:
        url = settings.database_url or closing.enter_context(
            embedded.database(settings.var, _aside)
        )
        opened = closing.enter_context(wiring.ground(settings, url, wiring.real_chance()))
        migrating.upgrade(opened.engine)
        yield opened


@contextmanager
def identity() -> Iterator[Provider]:
    """Open identity as the settings have it, without the service around it: no Redis, no jobs."""
    with world() as opened:
        yield opened.provider


@contextmanager
def world() -> Iterator[World]:
    """Open everything as the settings have it, and serve nothing: jobs wait for the service."""
    settings = load_settings()
    logs.configure("warning")
    with ExitStack() as closing:
        url = settings.database_url or closing.enter_context(
            embedded.database(settings.var, _aside)
        )
        around = Surroundings(url, settings.redis_url or _NO_REDIS, settings.address, "")
        opened = closing.enter_context(wiring.build(settings, around, wiring.real_chance()))
        migrating.upgrade(opened.engine)
        yield opened


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


def custodian(on: Ground, told: str) -> Custodian:
    """Return the custodian of `NAME[=FILE]`, who gives the passphrase here or in the file.

    Raises PassphraseWrong, CustodianLocked.
    """
    name, _, file = told.partition("=")
    given = passphrase(tell("passphrase_of", name=name), Path(file) if file else None)
    return prove(on.begin, name, given, on.clock())


def sitting(on: Ground, names: Sequence[str] | None) -> tuple[Custodian, ...]:
    """Return the two custodians who sit here, or none when no names are given.

    Raises PassphraseWrong, CustodianLocked.
    """
    if names and len(names) != two_person.LEAST:
        raise SystemExit(f"yinxin: {tell('two_custodians')}")
    return tuple(custodian(on, name) for name in names or ())


def let_agree(on: Ground, tx: Any, action: str, subject: str, persons: Sequence[Custodian]) -> None:
    """Let those who sit here agree to one action; without them, two did so beforehand.

    In the transaction of the action itself, so that nothing stays agreed when it is refused. Raises
    SamePerson.
    """
    if persons:
        first, second = persons
        asked = two_person.ask(tx, action, subject, first, on.clock(), _SITTING)
        two_person.agree(tx, asked, second, on.clock())


def agreed(on: Ground, tx: Any, action: str, subject: str, persons: Sequence[Custodian]) -> Consent:
    """Return the consent to an action, spent: of those who sit here, or of two who agreed before.

    Raises SamePerson, ConsentMissing, ConsentExpired.
    """
    let_agree(on, tx, action, subject, persons)
    return two_person.spend(tx, action, subject, on.clock())


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


def _aside(line: str) -> None:
    typer.echo(line, err=True)
