"""Offline bundles (跨网安全交换): what a verifier needs behind a one-way gap, in one signed file."""

import hashlib
import shutil
from pathlib import Path
from typing import Annotated

import typer

from keys import envelope_channel, journal, trust_publishing
from keys.algorithms import Purpose
from keys.bundle import Bundle, BundleReplayed, Part, arranged, read_bundle, write_bundle
from keys.envelope_card import read_card
from keys.errors import DomainError
from keys.trust_publishing import LIST_LASTS
from keys.trust_root import read_pinned
from keys.trust_signing import sign_trust_list
from license_store import status_publishing
from service import locale
from service.chance import real_chance
from service.commands.console import ground
from service.commands.envelope import ChannelName, SenderCard
from service.commands.terminal import By, Json, answer, language, operator, tell, vacant, write_new
from service.public_artefacts import SERVICE, revocation_lists, trust_list
from service.public_seals import PublicSeals
from service.wiring import Ground
from verification import bundle_sources, http
from verification.bundle_sources import BundleSources
from verification.document import judge_file
from verification.scan import judge_code
from verification.sources import SEAL_LIST
from verification.verifier import Verifier

commands = typer.Typer(no_args_is_help=True, help=__doc__)

Arrived = Annotated[Path, typer.Argument(help="The bundle that arrived.")]


@commands.command()
def write(
    file: Annotated[Path, typer.Argument(help="The bundle to write; it must not exist yet.")],
    channel: ChannelName,
    part: Annotated[
        list[Path] | None,
        typer.Option(help="A file to take along, by its lower-case name. Repeat it."),
    ] = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Put the trust root and every public list into the channel's next bundle."""
    vacant(file)
    others = [Part(path.name, "application/octet-stream", path.read_bytes()) for path in part or ()]
    with ground() as on:
        with on.begin() as tx:
            ours = trust_list(tx, on.vault, on.clock())
            list_signer = trust_publishing.list_signer(tx, on.vault, SERVICE, by=by or operator())
            roots = trust_publishing.published_roots(tx)
            revoked = revocation_lists(tx)
            status_lists = status_publishing.standing_tokens(tx, on.clock())
            sender = on.vault.signer(tx, Purpose.ENVELOPE_SENDER, SERVICE, by=by or operator())
        now = on.clock()
        seals = PublicSeals(on.begin, on.vault, on.clock, on.settings.address + SEAL_LIST, SERVICE)
        public = bundle_sources.parts(
            roots=roots,
            signed_list=sign_trust_list(ours, list_signer, now + LIST_LASTS),
            seal_list=seals.current().token,
            revocation_lists=revoked,
            status_lists=status_lists,
            address=on.settings.address,
        )
        all_parts = arranged((*public, *others))
        # Nothing is refused from here on: a number without a bundle is a gap to who reads the next.
        with on.begin() as tx:
            sequence = envelope_channel.next_sequence(tx, channel)
        made = write_bundle(
            all_parts, channel=channel, sequence=sequence, made_at=now, signer=sender
        )
    write_new(file, made)
    answer([{"channel": channel, "sequence": sequence, "parts": len(all_parts)}], as_json)


@commands.command()
def read(
    file: Arrived,
    folder: Annotated[Path, typer.Argument(help="The folder to make for its parts.")],
    channel: ChannelName,
    sender: SenderCard,
    accept_gap: Annotated[
        bool, typer.Option("--accept-gap", help="Go on though bundles before it are missing.")
    ] = False,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Take the parts out of a bundle that is whole, by the sender, and newer than the last one read."""
    content, signers = file.read_bytes(), read_card(sender.read_bytes()).by_kid()
    vacant(folder)
    aside = folder.with_name(f"{folder.name}.part")
    with ground() as on:
        with on.begin() as tx:
            last = envelope_channel.newest(tx, channel)
        bundle = read_bundle(content, signers, channel=channel, last=last, accept_gap=accept_gap)
        # Before its number is taken: a bundle that counts is never lost with a full disk.
        aside.mkdir(mode=0o700)
        try:
            for part in bundle.parts:
                write_new(aside / part.name, part.content)
            _take(on, bundle, hashlib.sha256(content).hexdigest(), by or operator())
        except (OSError, DomainError):
            shutil.rmtree(aside)
            raise
    aside.rename(folder)
    told = {
        "channel": bundle.channel,
        "sequence": bundle.sequence,
        "made_at": bundle.made_at,
        "parts": [part.name for part in bundle.parts],
        "missing": [str(number) for number in bundle.missing],
    }
    answer([told], as_json)


@commands.command()
def judge(
    file: Arrived,
    channel: ChannelName,
    sender: SenderCard,
    pinned: Annotated[
        Path, typer.Option("--pinned", help="The root keys, had from somebody you know.")
    ],
    code: Annotated[str, typer.Option(help="The text of a printed code.")] = "",
    licence: Annotated[
        Path | None, typer.Option("--file", help="An OFD, a PDF, or a picture of a code.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Judge a licence by a bundle and pinned root keys alone; touches no database and no network."""
    if bool(code) is (licence is not None):
        raise SystemExit(f"yinxin: {tell('bundle.one_thing')}")
    signers = read_card(sender.read_bytes()).by_kid()
    bundle = read_bundle(file.read_bytes(), signers, channel=channel, last=0, accept_gap=True)
    clock = real_chance().clock
    sources = BundleSources(bundle, read_pinned(pinned.read_bytes()), clock)
    verifier = Verifier(sources, clock, sources.address)
    verdict = judge_file(verifier, licence.read_bytes()) if licence else judge_code(verifier, code)
    told = http.told(verdict, locale.t, language())
    if as_json:
        answer(told.model_dump(mode="json"), as_json)
    else:
        answer(
            [{"check": f.check, "outcome": f.outcome, "why": f.message} for f in told.findings],
            False,
        )
        answer(None, False, told.message)


def _take(on: Ground, bundle: Bundle, digest: str, by: str) -> None:
    """Take the bundle's number, and write into the journal that it was read."""
    with on.begin() as tx:
        envelope_channel.admit(tx, bundle.channel, bundle.sequence)
        # A letter may be late; of bundles only the newest tells how things stand.
        newest = envelope_channel.newest(tx, bundle.channel)
        if newest != bundle.sequence:
            raise BundleReplayed(sequence=bundle.sequence, last=newest)
        journal.append(
            tx,
            at=on.clock(),
            actor=by,
            action="bundle.read",
            subject=bundle.channel,
            details={
                "sequence": bundle.sequence,
                "digest": digest,
                "missing": len(bundle.missing),
            },
        )
