"""What the operator's commands stand on: settings, database and vault, and the custodians who agree."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from idp.provider import Provider
from keys import two_person
from keys.custodians import Custodian, prove
from keys.two_person import Consent
from service import embedded, logs, migrating, wiring
from service.chance import real_chance
from service.commands.terminal import passphrase, tell
from service.settings import Settings, load
from service.wiring import Ground, Surroundings, World

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
def ground() -> Iterator[Ground]:
    """Open the trust ground of the settings: join the running service's database, or start it."""
    settings = load_settings()
    logs.configure("warning")
    with ExitStack() as closing:
        url = settings.database_url or closing.enter_context(
            embedded.database(settings.var, _aside)
        )
        opened = closing.enter_context(wiring.ground(settings, url, real_chance()))
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
        opened = closing.enter_context(wiring.build(settings, around, real_chance()))
        migrating.upgrade(opened.engine)
        yield opened


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


def _aside(line: str) -> None:
    typer.echo(line, err=True)
