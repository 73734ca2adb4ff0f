"""The trust list: hand ours out, take a neighbour's over after review, renew the root."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from keys import foreign_trust, trust_publishing, vault
from keys.algorithms import Purpose
from keys.foreign_entries import ANCHOR_PURPOSES, ISSUER_PURPOSES
from keys.foreign_trust import Foreign
from keys.trust import Anchor, TrustList
from keys.trust_publishing import LIST_LASTS, ROOT_OWNERS
from keys.trust_root import LEAST_THRESHOLD, pinned_document, read_pinned, sign_root
from keys.trust_signing import read_publication, sign_trust_list, write_publication
from service.chance import real_chance
from service.commands.console import Custodians, Person, agreed, custodian, ground, sitting
from service.commands.terminal import By, Json, Yes, answer, operator, sure, tell, vacant, write_new
from service.public_artefacts import SERVICE, trust_list
from service.wiring import Ground

commands = typer.Typer(no_args_is_help=True, help=__doc__)

_FOREIGN = sorted(purpose.value for purpose in ANCHOR_PURPOSES | ISSUER_PURPOSES)

File = Annotated[Path, typer.Argument(help="A trust list as `yinxin trust export` writes it.")]
Pinned = Annotated[
    Path, typer.Option("--pinned", help="Its root keys, had from somebody you know, not with it.")
]
Number = Annotated[int, typer.Argument(min=1, max=2**63 - 1, help="The entry's number.")]


@commands.command()
def export(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist yet.")],
    pinned: Annotated[
        Path | None, typer.Option(help="Also write our root keys there, to be handed over apart.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write our trust list with the root documents that lead to it, for a neighbour."""
    for new in filter(None, (file, pinned)):
        vacant(new)
    with ground() as on:
        with on.begin() as tx:
            ours = trust_list(tx, on.vault, on.clock())
            signer = trust_publishing.list_signer(tx, on.vault, SERVICE, by=operator())
            roots = trust_publishing.published_roots(tx)
            root_keys = trust_publishing.newest_root(tx).root_keys
        signed = sign_trust_list(ours, signer, on.clock() + LIST_LASTS)
    write_new(file, write_publication(roots, signed).encode())
    if pinned:
        write_new(pinned, pinned_document(root_keys).encode())
    answer([_summary(ours)], as_json)


@commands.command()
def check(file: File, pinned: Pinned, as_json: Json = False) -> None:
    """Check a trust list by pinned root keys, and tell what it holds; touches no database."""
    told = _read(file, pinned, real_chance().clock())
    answer([_summary(told)], as_json)


@commands.command("import")
def import_list(
    file: File,
    pinned: Pinned,
    source: Annotated[str, typer.Option(help="Whose list: a short name of the neighbour.")],
    who: Person,
    purpose: Annotated[
        list[Purpose], typer.Option(help=f"What to trust it for: {', '.join(_FOREIGN)}. Repeat it.")
    ],
    as_json: Json = False,
) -> None:
    """Put what a neighbour says of itself up for review; another custodian accepts it."""
    with ground() as on:
        told = _read(file, pinned, on.clock())
        name = custodian(on, who).name
        with on.begin() as tx:
            ours = trust_list(tx, on.vault, on.clock())
            numbers = foreign_trust.propose(
                tx, source, told, purpose, own=ours, by=name, now=on.clock()
            )
            put_up = [found for found in foreign_trust.find(tx) if found.id in numbers]
        answer([_entry(found) for found in put_up], as_json)


@commands.command("list")
def list_entries(
    state: Annotated[
        foreign_trust.State | None, typer.Option(help="Only entries in this state.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List what was taken over, or put up, from neighbours."""
    with ground() as on, on.begin() as tx:
        answer([_entry(found) for found in foreign_trust.find(tx, state)], as_json)


@commands.command()
def accept(number: Number, who: Person, as_json: Json = False) -> None:
    """Trust an entry that another custodian put up."""

    def accepted(tx: Session, on: Ground, by: str) -> Foreign:
        ours = trust_list(tx, on.vault, on.clock())
        return foreign_trust.accept(tx, number, own=ours, by=by, now=on.clock())

    _review(accepted, who, as_json)


@commands.command()
def refuse(number: Number, who: Person, as_json: Json = False) -> None:
    """Turn an entry down."""

    def refused(tx: Session, on: Ground, by: str) -> Foreign:
        return foreign_trust.refuse(tx, number, by=by, now=on.clock())

    _review(refused, who, as_json)


@commands.command()
def withdraw(
    number: Number,
    who: Person,
    at: Annotated[
        datetime | None,
        typer.Option("--from", help="From when, in UTC; now, if not told. It may be past."),
    ] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Trust nothing an entry's keys sign from a moment on; what they signed before counts on."""
    sure(tell("trust.withdraw", number=number), yes)

    def withdrawn(tx: Session, on: Ground, by: str) -> Foreign:
        now = on.clock()
        moment = at.replace(tzinfo=UTC) if at else now
        return foreign_trust.withdraw(tx, number, moment, by=by, now=now)

    _review(withdrawn, who, as_json)


@commands.command()
def root(
    owners: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            help="Whose root key signs, when not the first two do. Repeat it; a key that is to "
            "be replaced cannot sign.",
        ),
    ] = None,
    custodians: Custodians = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Sign and publish the next root document with two of our three root keys."""
    wanted = tuple(dict.fromkeys(owners or ROOT_OWNERS[:LEAST_THRESHOLD]))
    about = [(vault.USE, vault.subject(Purpose.TRUST_ROOT, owner)) for owner in wanted]
    with ground() as on:
        persons = sitting(on, custodians)
        with on.begin() as tx:
            drafted = trust_publishing.draft_root(tx, on.vault, on.clock())
            signers = [
                on.vault.signer(
                    tx,
                    Purpose.TRUST_ROOT,
                    owner,
                    by=by or operator(),
                    consent=agreed(on, tx, action, subject, persons),
                )
                for owner, (action, subject) in zip(wanted, about, strict=True)
            ]
        document = sign_root(drafted, signers)
        with on.begin() as tx:
            made = trust_publishing.store_root(tx, document, by=by or operator(), now=on.clock())
    told = {"version": made.version, "ends_at": made.ends_at, "threshold": made.root_keys.threshold}
    answer([told], as_json)


def _review(change: Callable[[Session, Ground, str], Foreign], who: str, as_json: bool) -> None:
    """Let a custodian make one change to an entry, and tell how it stands now."""
    with ground() as on:
        name = custodian(on, who).name
        with on.begin() as tx:
            changed = change(tx, on, name)
    answer([_entry(changed)], as_json)


def _read(file: Path, pinned: Path, now: datetime) -> TrustList:
    return read_publication(file.read_bytes(), read_pinned(pinned.read_bytes()), now)


def _summary(told: TrustList) -> dict[str, Any]:
    return {
        "version": told.version,
        "made_at": told.made_at,
        "authorities": len(told.anchors),
        "issuers": len(told.issuers),
        "keys": sum(len(issuer.keys) for issuer in told.issuers),
    }


def _entry(found: Foreign) -> dict[str, Any]:
    authority = isinstance(found.entry, Anchor)
    return {
        "number": found.id,
        "source": found.entry.source,
        "kind": "authority" if authority else "issuer",
        "name": found.entry.name,
        "state": found.state.value,
        "by": found.proposed_by,
        "reviewed_by": found.reviewed_by,
        "until": found.valid_until,
    }
