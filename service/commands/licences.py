"""The licence store's own work: bring licences that have only a PDF to OFD."""

from typing import Annotated

import typer

from license_store import reforming
from service.commands.console import world
from service.commands.terminal import Json, answer, tell

commands = typer.Typer(no_args_is_help=True, help=__doc__)


@commands.callback()
def licences() -> None:
    """Work on the licences that are there."""


@commands.command()
def reform(
    limit: Annotated[
        int, typer.Option(min=1, max=100_000, help="How many at most, the oldest first.")
    ] = 1000,
    as_json: Json = False,
) -> None:
    """Put licences without an OFD in line to get one (OFD 改造); the service makes them in turn.

    The PDF stays. Run it again as often as you like: no licence gets two.
    """
    with world() as opened, opened.begin() as tx:
        waiting = reforming.put_in_line(tx, opened.desk, limit)
    answer({"in_line": waiting}, as_json, tell("licences.reformed", count=waiting))
