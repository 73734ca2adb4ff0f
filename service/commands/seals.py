"""E-seals in the register: list them, and what two custodians do there: make one, destroy one."""

from typing import Annotated
from uuid import UUID

import typer

from keys.algorithms import Purpose
from keys.vault import DESTROY, USE, subject
from seal.life import browsing, destroying, making, register
from seal.life.desk import SealDesk
from seal.seal_states import SealState
from service.commands.console import Custodians, agreed, ground, sitting
from service.commands.terminal import By, Json, Yes, answer, operator, sure, tell
from service.public_artefacts import SERVICE
from service.wiring import SEAL_VENDOR, Ground

commands = typer.Typer(no_args_is_help=True, help=__doc__)

SealId = Annotated[UUID, typer.Argument(help="The id of the seal in the register.")]


@commands.command("list")
def list_seals(
    state: Annotated[list[SealState] | None, typer.Option(help="Only these. Repeat it.")] = None,
    as_json: Json = False,
) -> None:
    """List the seals that were changed last."""
    with ground() as on, on.begin() as tx:
        names = ("id", "esid", "state", "name", "owner", "changed_at")
        rows = browsing.seals(tx, None, states=state or ())
        answer([{name: getattr(row, name) for name in names} for row in rows], as_json)


@commands.command()
def make(seal: SealId, custodians: Custodians = None, by: By = "", as_json: Json = False) -> None:
    """Make an approved seal; two custodians agree to the use of the seal maker's key."""
    with ground() as on:
        desk, persons = _desk(on), sitting(on, custodians)
        with on.begin() as tx:
            about = subject(Purpose.SEAL_MAKER, desk.maker)
            consent = agreed(on, tx, USE, about, persons)
            making.make(tx, desk, making.Making(seal, by or operator(), consent))
            esid = register.find(tx, seal).esid or ""
    answer({"esid": esid}, as_json, tell("seals.made", esid=esid))


@commands.command()
def destroy(
    seal: SealId,
    reason: Annotated[str, typer.Option(help="Why; it stays in the seal's history.")],
    custodians: Custodians = None,
    yes: Yes = False,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Destroy a seal and its keys for ever; two custodians agree, and are its witnesses."""
    with ground() as on:
        desk = _desk(on)
        with on.begin() as tx:
            row = register.find(tx, seal)
            esid, name = row.esid or "", row.name
        sure(tell("seals.destroy", name=name), yes)
        persons = sitting(on, custodians)
        with on.begin() as tx:
            consents = tuple(
                agreed(on, tx, DESTROY, about, persons)
                for about in destroying.subjects_of(tx, desk, seal)
            )
            wish = destroying.Destruction(seal, by or operator(), reason, consents)
            destroying.destroy(tx, desk, wish)
    answer({"destroyed": esid}, as_json, tell("seals.destroyed", esid=esid))


def _desk(on: Ground) -> SealDesk:
    """Return the desk as far as custodians need it: nothing is stamped from here."""
    return SealDesk(
        begin=on.begin,
        clock=on.clock,
        random=on.random,
        vault=on.vault,
        maker=SERVICE,
        vendor=SEAL_VENDOR,
    )
