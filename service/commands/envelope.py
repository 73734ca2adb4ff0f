"""Letters to another office (县 → 市): signed, encrypted to it, numbered so that none counts twice."""

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from keys import envelope_channel
from keys.algorithms import Purpose
from keys.envelope import Channel, seal_envelope
from keys.envelope_card import Card, read_card, write_card
from keys.envelope_channel import Arrival
from keys.envelope_letter import EnvelopeNotForUs, is_name
from keys.key_states import KeyRecord, State, is_published, opens
from keys.opener import Opener
from service.commands.console import ground
from service.commands.terminal import By, Json, answer, operator, tell, vacant, write_new
from service.public_artefacts import SERVICE
from service.wiring import Ground

commands = typer.Typer(no_args_is_help=True, help=__doc__)


def _name(text: str) -> str:
    if not is_name(text):
        raise typer.BadParameter(tell("envelope.no_name"))
    return text


ChannelName = Annotated[
    str,
    typer.Option(
        "--channel",
        callback=_name,
        help="The way between the two, as both call it: one direction, one sender.",
    ),
]
SenderCard = Annotated[
    Path, typer.Option("--from", help="The sender's card, had from somebody you know.")
]


@commands.command()
def card(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist yet.")],
    as_json: Json = False,
) -> None:
    """Write our public keys for the other side; hand the file over by a way of its own."""
    with ground() as on, on.begin() as tx:
        senders = [key.public_key for key in _keys(on, tx, Purpose.ENVELOPE_SENDER)]
        receivers = _keys(on, tx, Purpose.ENVELOPE_RECEIVER)
    active = next((key.public_key for key in receivers if key.state is State.ACTIVE), None)
    if active is None and not senders:
        raise SystemExit(f"yinxin: {tell('envelope.no_keys')}")
    write_new(file, write_card(Card(tuple(senders), active)).encode())
    told = {
        "senders": [key.kid for key in senders],
        "receiver": active.kid if active else None,
    }
    answer([told], as_json)


@commands.command()
def seal(
    file: Annotated[Path, typer.Argument(help="What to send.")],
    envelope: Annotated[Path, typer.Argument(help="The envelope to write.")],
    channel: ChannelName,
    to: Annotated[Path, typer.Option("--to", help="The receiver's card.")],
    content_type: Annotated[
        str, typer.Option(callback=_name, help="The media type of what is sent.")
    ] = "application/octet-stream",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Sign a file and encrypt it to the receiver, under the channel's next number."""
    content, receiver = file.read_bytes(), read_card(to.read_bytes()).receiver
    if receiver is None:
        raise SystemExit(f"yinxin: {tell('envelope.no_receiver')}")
    vacant(envelope)
    with ground() as on:
        with on.begin() as tx:
            sender = on.vault.signer(tx, Purpose.ENVELOPE_SENDER, SERVICE, by=by or operator())
            sequence = envelope_channel.next_sequence(tx, channel)
        sealed = seal_envelope(
            content,
            channel=channel,
            sequence=sequence,
            made_at=on.clock(),
            content_type=content_type,
            signer=sender,
            receiver=receiver,
            random=on.random,
        )
    write_new(envelope, sealed)
    answer([{"channel": channel, "sequence": sequence, "to": receiver.kid}], as_json)


@commands.command("open")
def open_(
    envelope: Annotated[Path, typer.Argument(help="The envelope that arrived.")],
    file: Annotated[Path, typer.Argument(help="Where to write what is in it.")],
    channel: ChannelName,
    sender: SenderCard,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Open an envelope that is whole, to us, by the sender and not received before."""
    way = Channel(channel, read_card(sender.read_bytes()).by_kid())
    sealed = envelope.read_bytes()
    vacant(file)
    aside = file.with_name(f"{file.name}.part")
    with ground() as on:
        arrival = _arrive(on, sealed, way, by or operator())
        if arrival.opened is not None:
            # Before its number is taken: a letter that counts is never lost with a full disk.
            write_new(aside, arrival.opened.content)
        with on.begin() as tx:
            counted = envelope_channel.receive(tx, arrival, on.clock())
    if arrival.opened is not None and counted.opened is None:
        aside.unlink()
    header = counted.letter().header
    aside.rename(file)
    told = {
        "channel": header.channel,
        "sequence": header.sequence,
        "from": header.sender,
        "made_at": header.made_at,
        "content_type": header.content_type,
    }
    answer([told], as_json)


def _arrive(on: Ground, sealed: bytes, way: Channel, by: str) -> Arrival:
    """Open with the key it is encrypted to: the active one, or one that is retiring."""
    with on.begin() as tx:
        openers: list[Opener] = [
            on.vault.opener(
                tx, Purpose.ENVELOPE_RECEIVER, SERVICE, by=by, kid=record.public_key.kid
            )
            for record in _keys(on, tx, Purpose.ENVELOPE_RECEIVER)
            if opens(record)
        ]
    if not openers:
        raise SystemExit(f"yinxin: {tell('envelope.no_keys')}")
    arrivals = [envelope_channel.arrive(sealed, opener, way, on.clock()) for opener in openers]
    ours = (a for a in arrivals if not isinstance(a.refused, EnvelopeNotForUs))
    return next(ours, arrivals[0])


def _keys(on: Ground, tx: Session, purpose: Purpose) -> list[KeyRecord]:
    keys = on.vault.public_keys(tx, purpose)
    return [key for key in keys if key.owner == SERVICE and is_published(key)]
