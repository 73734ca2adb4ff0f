"""Users of a city's own: import them from a signed file, and decide where they are here otherwise."""

import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from idp.nodes import conflicts, import_file, import_people, resolving
from idp.nodes.conflicts import Resolution
from idp.nodes.import_people import Outcome, Result
from keys.algorithms import ES256, Purpose
from service.commands.console import identity
from service.commands.terminal import By, Json, answer, operator, tell

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
    counts = Counter[Outcome]()
    with identity() as provider, file.open("rb") as content:
        city = import_file.read(provider, content).city
        rows = import_file.lines(content)
        with into.open("w", encoding="utf-8") as told:
            for result in import_people.take(provider, city, rows, by=by or operator()):
                told.write(json.dumps(_row(result), ensure_ascii=False) + "\n")
                counts[result.outcome] += 1
    summary = {outcome.value: counts[outcome] for outcome in Outcome}
    answer(summary, as_json, tell("users.imported", file=str(into), **summary))


@commands.command()
def sign(
    rows: Annotated[Path, typer.Argument(help="The rows: a JSON object a line, as the page says.")],
    file: Annotated[Path, typer.Argument(help="Where the file for the province goes.")],
    province: Annotated[str, typer.Option(help="The province's issuer identifier.")],
    as_json: Json = False,
) -> None:
    """Sign rows of users with this city's own key, for the province to import."""
    with identity() as provider, rows.open("rb") as content:
        lines = (line.strip() for line in content if line.strip())
        signer, now = provider.signer(Purpose.ID_TOKEN, ES256), int(provider.clock().timestamp())
        with file.open("wb") as into:
            count = import_file.write(
                lines, into, signer, city=provider.issuer, province=province, now=now
            )
    answer({"rows": count}, as_json, tell("users.signed", count=count, file=str(file)))


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
