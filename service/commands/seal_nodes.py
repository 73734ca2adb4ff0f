"""Cities below: see how far their registers of seals are known here, and ask them now."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from seal.life import hearing
from seal.life.nodes_below import Standing
from service.commands.console import world
from service.commands.terminal import By, Json, Yes, answer, operator, sure, tell
from service.seal_nodes_file import SealNode

commands = typer.Typer(no_args_is_help=True, help=__doc__)


@commands.command("list")
def list_nodes(as_json: Json = False) -> None:
    """List the nodes: up to which change each is known here, when it was asked, what is wrong."""
    with world() as on:
        rows = [_row(node, on.seal_nodes.standing(node)) for node in on.seal_nodes.nodes]
    answer(rows, as_json)


@commands.command()
def ask(
    name: Annotated[str, typer.Argument(help="Its name; all of them, if not told.")] = "",
    as_json: Json = False,
) -> None:
    """Ask a node, or all, for what is new. Exit code 1 when one of them is in trouble."""
    with world() as on:
        asked = _named(on.seal_nodes.nodes, name)
        rows = [_row(node, on.seal_nodes.ask(node)) for node in asked]
    answer(rows, as_json)
    if any(row["trouble"] for row in rows):
        raise typer.Exit(1)


@commands.command()
def forget(
    address: Annotated[str, typer.Argument(help="The address that it had when it was asked.")],
    by: By = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Drop all that a node told: it is heard anew, if it is still in the file."""
    sure(tell("seal_nodes.forget", address=address), yes)
    with world() as on, on.begin() as tx:
        seals = hearing.forget(tx, on.seals, address, by or operator())
    answer({"seals": seals}, as_json, tell("seal_nodes.forgotten", seals=seals))


def _named(nodes: Sequence[SealNode], name: str) -> Sequence[SealNode]:
    found = [node for node in nodes if name in ("", node.name)]
    if name and not found:
        raise SystemExit(f"yinxin: {tell('seal_nodes.unknown', name=name)}")
    return found


def _row(node: SealNode, standing: Standing) -> dict[str, Any]:
    return {
        "name": node.name,
        "address": node.address,
        "last": standing.last,
        "newest": standing.newest,
        "heard_at": standing.heard_at,
        "asked_at": standing.asked_at,
        "trouble": standing.trouble,
    }
