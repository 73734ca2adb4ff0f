"""Numbers on a channel: the sender counts, the receiver takes each number once (K04, K05).

The receiver keeps the newest number and a window of those before it, as RFC 4303 §3.4.3 has it, so
letters may overtake each other; what is older than the window cannot be told from a replay and is
refused. Every arrival is a row of the journal, with the reason where it is refused.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from keys import journal
from keys.envelope import Channel, Opened, open_envelope
from keys.envelope_letter import EnvelopeError, EnvelopeReplayed
from keys.opener import Opener
from keys.tables import envelope_received, envelope_sent

WINDOW = 1024
"""How many numbers, the newest among them, are told apart."""

_WINDOW_BYTES = WINDOW // 8
_ALL = (1 << WINDOW) - 1


@dataclass(frozen=True, slots=True)
class Window:
    """The newest number received, 0 before any, and which of those before it: bit n is newest - n."""

    newest: int = 0
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came in on a channel: the letter, or why it is refused.

    `digest` is SHA-256 over the envelope, in hexadecimal.
    """

    channel: str
    digest: str
    outcome: Opened | EnvelopeError

    @property
    def opened(self) -> Opened | None:
        """The letter, None when it is refused."""
        return self.outcome if isinstance(self.outcome, Opened) else None

    @property
    def refused(self) -> EnvelopeError | None:
        """Why it is refused, None for a letter."""
        return None if isinstance(self.outcome, Opened) else self.outcome

    def letter(self) -> Opened:
        """Return the letter. Raises the EnvelopeError it is refused with."""
        if not isinstance(self.outcome, Opened):
            raise self.outcome
        return self.outcome


def admit_to(window: Window, sequence: int) -> Window | None:
    """Return the window with a number in it, or None when it came before or is too old to tell."""
    ahead = sequence - window.newest
    if ahead > 0:
        # Far ahead, everything falls out of the window; no need to shift by as much.
        kept = window.seen << ahead if ahead < WINDOW else 0
        return Window(sequence, (kept | 1) & _ALL)
    if -ahead >= WINDOW or sequence < 1 or window.seen >> -ahead & 1:
        return None
    return replace(window, seen=window.seen | 1 << -ahead)


def next_sequence(tx: Session, channel: str) -> int:
    """Return the channel's next number, from 1; other senders on it wait until `tx` ends.

    Seal after the transaction: a number that is then never used is a gap, which harms nobody.
    """
    count = insert(envelope_sent).values(channel=channel, sequence=1)
    count = count.on_conflict_do_update(
        index_elements=[envelope_sent.c.channel], set_={"sequence": envelope_sent.c.sequence + 1}
    )
    return int(tx.execute(count.returning(envelope_sent.c.sequence)).scalar_one())


def admit(tx: Session, channel: str, sequence: int) -> None:
    """Take a number, once; others on the channel wait until `tx` ends. Raises EnvelopeReplayed."""
    window = admit_to(_locked_window(tx, channel), sequence)
    if window is None:
        raise EnvelopeReplayed(channel=channel, sequence=sequence)
    moved = update(envelope_received).where(envelope_received.c.channel == channel)
    tx.execute(moved.values(newest=window.newest, window=window.seen.to_bytes(_WINDOW_BYTES)))


def arrive(envelope: bytes, opener: Opener, channel: Channel, now: datetime) -> Arrival:
    """Open what came in, before any transaction; a refused envelope is an answer, not an error."""
    digest = hashlib.sha256(envelope).hexdigest()
    try:
        return Arrival(channel.name, digest, open_envelope(envelope, opener, channel, now))
    except EnvelopeError as refused:
        return Arrival(channel.name, digest, refused)


def receive(tx: Session, arrival: Arrival, now: datetime) -> Arrival:
    """Take the letter's number and write the arrival into the journal.

    Store what the letter says in the same transaction, then each letter counts exactly once. The
    answer has no letter, and `refused` says why, when this one was refused here or before.
    """
    if arrival.opened is not None:
        try:
            admit(tx, arrival.channel, arrival.opened.header.sequence)
        except EnvelopeReplayed as refused:
            _write(tx, arrival, refused, now)
            return replace(arrival, outcome=refused)
    _write(tx, arrival, arrival.refused, now)
    return arrival


def newest(tx: Session, channel: str) -> int:
    """Return the highest number taken on a channel, 0 before any."""
    query = select(envelope_received.c.newest).where(envelope_received.c.channel == channel)
    return tx.scalar(query) or 0


def _write(tx: Session, arrival: Arrival, refused: EnvelopeError | None, now: datetime) -> None:
    details: dict[str, str | int] = {"digest": arrival.digest}
    sender = "unknown"
    if arrival.opened is not None:
        sender = arrival.opened.header.sender
        details["sequence"] = arrival.opened.header.sequence
    if refused is not None:
        details["reason"] = refused.code
    journal.append(
        tx,
        at=now,
        actor=sender,
        action="envelope.refused" if refused else "envelope.received",
        subject=arrival.channel,
        details=details,
    )


def _locked_window(tx: Session, channel: str) -> Window:
    empty = insert(envelope_received).values(channel=channel, newest=0, window=bytes(_WINDOW_BYTES))
    tx.execute(empty.on_conflict_do_nothing())
    row = tx.execute(
        select(envelope_received.c.newest, envelope_received.c.window)
        .where(envelope_received.c.channel == channel)
        .with_for_update()
    ).one()
    return Window(row.newest, int.from_bytes(row.window))
