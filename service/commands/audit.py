"""The journal: does the chain hold, and what stands in it."""

from dataclasses import asdict
from typing import Annotated

import typer

from keys import journal, journal_sequencer
from service.commands.console import Json, answer, ground, tell

commands = typer.Typer(no_args_is_help=True, help=__doc__)


@commands.command()
def verify(
    first: Annotated[int, typer.Option(min=1, help="The first position to check.")] = 1,
    last: Annotated[int | None, typer.Option(help="The last one; without it, the end.")] = None,
    as_json: Json = False,
) -> None:
    """Check the journal's chain and its signed heads; names the first row that is wrong."""
    with ground() as on, on.begin() as tx:
        keys = journal_sequencer.keys(tx, on.vault)
        found = journal.verify(tx, first, last, keys)
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
