"""The journal: chain it, keep its heads, check that it holds."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from keys import journal, journal_heads, journal_sequencer
from service.commands.console import ground
from service.commands.terminal import Json, answer, tell, vacant, write_new

commands = typer.Typer(no_args_is_help=True, help=__doc__)

_LAST = 2**63 - 1
"""The last position there can be."""


@commands.command()
def verify(
    first: Annotated[int, typer.Option(min=1, max=_LAST, help="The first position to check.")] = 1,
    last: Annotated[
        int | None, typer.Option(min=1, max=_LAST, help="The last one; without it, the end.")
    ] = None,
    kept: Annotated[
        list[Path] | None,
        typer.Option(help="A head kept elsewhere (yinxin audit head); the chain must lead to it."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check the journal's chain and its signed heads; names the first row that is wrong."""
    tokens = [file.read_text("ascii", "replace").strip() for file in kept or ()]
    with ground() as on, on.begin() as tx:
        keys = journal_sequencer.keys(tx, on.vault)
        found = journal.verify(tx, first, last, keys)
        for token in tokens:
            journal.compare(tx, journal_heads.read(token, keys))
    told = {**asdict(found), "digest": found.digest.hex()}
    sentence = tell("audit.holds", rows=found.rows, heads=found.heads, position=found.last_position)
    answer(told, as_json, sentence)


@commands.command()
def chain(as_json: Json = False) -> None:
    """Chain and sign now what was written since the last time, without waiting for the job."""
    with ground() as on:
        head = journal_sequencer.run(on.begin, on.vault, on.clock)
    if head is None:
        answer({"position": None}, as_json, tell("audit.nothing_new"))
    else:
        answer({"position": head.position}, as_json, tell("audit.chained", position=head.position))


@commands.command()
def head(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist yet.")],
    as_json: Json = False,
) -> None:
    """Write the newest signed head to a file, to be kept where nobody who writes to the database can."""
    vacant(file)
    with ground() as on, on.begin() as tx:
        newest = journal_heads.newest(tx, journal_sequencer.keys(tx, on.vault))
    if newest is None:
        raise SystemExit(f"yinxin: {tell('audit.no_head')}")
    write_new(file, newest.token.encode())
    position = newest.head.position
    answer({"position": position}, as_json, tell("audit.kept", position=position, file=str(file)))
