"""Users of a city's own: import them from a signed file, and decide where they are here otherwise."""

import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from idp.nodes import conflicts, import_file, import_people, resolving
from idp.nodes.conflicts import Resolution
from idp.nodes.import_people import Outcome, Result
from service.commands.console import By, Json, answer, identity, operator, tell

commands = typer.Typer(no_args_is_help=True, help=__doc__)


def import_users(
    file: Annotated[Path, typer.Argument(help="The city's file: a signature, then a row a line.")],
    results: Annotated[
        Path | None, typer.Option(help="Where what became of each row goes. FILE.results without.")
    ] = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Import the existing users of a city. Run it again as often as you like: no row counts twice."""
    into = results or file.with_name(f"{file.name}.results")
    with identity() as provider, file.open("rb") as content:
        city = import_file.read(provider, content).city
        rows = import_file.lines(content)
        done = list(import_people.take(provider, city, rows, by=by or operator()))
    told = (json.dumps(_row(result), ensure_ascii=False) for result in done)
    into.write_text("".join(f"{row}\n" for row in told), "utf-8")
    counts = Counter(result.outcome for result in done)
    summary = {outcome.value: counts[outcome] for outcome in Outcome}
    answer(summary, as_json, tell("users.imported", file=str(into), **summary))


@commands.command("conflicts")
def list_conflicts(as_json: Json = False) -> None:
    """List the people who came from another node, are here otherwise, and wait for a decision."""
    with identity() as provider, provider.begin() as tx:
        rows = [
            {
                "id": one.id,
                "source": one.came.source,
                "row": one.came.row,
                "came_by": one.came.by.value,
                "reason": one.came.reason,
                "subject": one.came.subject,
                "opened_at": one.opened_at,
            }
            for one in conflicts.waiting(tx)
        ]
    answer(rows, as_json)


@commands.command()
def resolve(
    conflict: Annotated[int, typer.Argument(metavar="ID", help="The conflict's number.")],
    resolution: Annotated[
        Resolution,
        typer.Argument(help="merge: the same person; retry: judge it anew; refuse: not taken."),
    ],
    by: By = "",
    as_json: Json = False,
) -> None:
    """Decide a conflict."""
    with identity() as provider, provider.begin() as tx:
        resolving.resolve(tx, provider, conflict, resolution, by=by or operator())
    told = {"id": conflict, "resolution": resolution.value}
    answer(told, as_json, tell("users.resolved", conflict=conflict, resolution=resolution.value))


def _row(result: Result) -> dict[str, str | None]:
    return {
        "id": result.row,
        "outcome": result.outcome.value,
        "reason": result.reason,
        "subject": result.subject,
    }
