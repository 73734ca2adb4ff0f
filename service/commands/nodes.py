"""Other nodes: know them, see how far a city is behind, and find what it missed."""

import json
from pathlib import Path
from typing import Annotated

import typer

from idp import outbox
from idp.nodes import peers, reconcile
from idp.nodes.peers import Peer, Place
from keys.jwk import jwk
from service.commands.console import identity
from service.commands.terminal import By, Json, answer, operator, tell

commands = typer.Typer(no_args_is_help=True, help=__doc__)

Issuer = Annotated[str, typer.Argument(help="Its issuer identifier.")]


@commands.command()
def add(
    issuer: Issuer,
    name: Annotated[str, typer.Argument(help="Its name.")],
    place: Annotated[Place, typer.Argument(help="above: our province; below: a city of ours.")],
    keys_url: Annotated[str, typer.Option(help="Where its public keys are.")] = "",
    keys_file: Annotated[Path | None, typer.Option(help="A file with its JWK Set instead.")] = None,
    events_url: Annotated[str, typer.Option(help="Where a city is told of people.")] = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Know another node from now on. A city with --events-url is told of everybody there is."""
    keys = json.loads(keys_file.read_text("utf-8")) if keys_file else {}
    peer = Peer(issuer, name, place, keys, keys_url or None, events_url or None)
    with identity() as provider, provider.begin() as tx:
        peers.add(tx, provider, peer, by=by or operator())
    answer({"added": issuer}, as_json, tell("nodes.added", name=name))


@commands.command("list")
def list_nodes(as_json: Json = False) -> None:
    """List the other nodes; for a city, for how many people it is behind and since when."""
    with identity() as provider, provider.begin() as tx:
        behind = {one.city: one for one in outbox.lag(tx)}
        rows = [
            {
                "issuer": peer.issuer,
                "name": peer.name,
                "place": peer.place.value,
                "behind": behind[peer.issuer].people if peer.issuer in behind else "",
                "since": behind[peer.issuer].since if peer.issuer in behind else "",
                "outcome": behind[peer.issuer].outcome if peer.issuer in behind else "",
            }
            for peer in peers.every(tx)
        ]
    answer(rows, as_json)


@commands.command("keys")
def own_keys() -> None:
    """Print this node's public keys as a JWK Set, for a node that cannot fetch them (--keys-file)."""
    with identity() as provider:
        keys = [jwk(key) for key in provider.token_keys().values()]
    answer({"keys": keys}, as_json=True)


@commands.command("reconcile")
def reconcile_city(issuer: Issuer, as_json: Json = False) -> None:
    """Compare what a city took with what it has; what it missed is told again."""
    with identity() as provider:
        missed = reconcile.reconcile(provider, issuer)
    answer({"missed": missed}, as_json, tell("nodes.reconciled", missed=missed))
