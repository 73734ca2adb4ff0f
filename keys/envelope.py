"""Envelopes for what travels between offices (K04, K05): signed, then encrypted to the receiver.

Encrypted last, so that nobody else sees who signed; the letter inside names the receiver, so that
the receiver cannot pass it on as written to somebody else. Over a channel, letters carry numbers:
see `keys.envelope_channel`. TLS goes around all of it.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from keys import envelope_gm, envelope_jose
from keys.algorithms import ES256, SM2_SM3
from keys.envelope_letter import (
    EnvelopeError,
    EnvelopeMalformed,
    EnvelopeNotForUs,
    EnvelopeTampered,
    EnvelopeTooEarly,
    EnvelopeTooOld,
    EnvelopeWrongChannel,
    Header,
    read_letter,
    write_letter,
)
from keys.opener import Opener
from keys.signer import PublicKey, Signer

LARGEST_ENVELOPE = 64 * 1024 * 1024
"""In bytes: all of it is in memory while it is opened."""

_CLOCKS_APART = timedelta(minutes=5)

_SEAL = {SM2_SM3: envelope_gm.seal, ES256: envelope_jose.seal}
# By the first byte: of a DER SEQUENCE, and of a JSON object in base64url.
_UNSEAL = {b"0": envelope_gm.unseal, b"e": envelope_jose.unseal}

Random = Callable[[int], bytes]


class EnvelopeKeysUnlike(EnvelopeError):
    """Sender and receiver have keys of different families, or of one that cannot be encrypted to."""

    code = "envelope.keys_unlike"


@dataclass(frozen=True, slots=True)
class Channel:
    """A way from some senders to us: its name, their keys by kid, and how old a letter may be."""

    name: str
    senders: Mapping[str, PublicKey]
    oldest: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Opened:
    """A letter that is by a sender of the channel, to us, unchanged."""

    header: Header
    content: bytes


def seal_envelope(
    content: bytes,
    *,
    channel: str,
    sequence: int,
    made_at: datetime,
    content_type: str,
    signer: Signer,
    receiver: PublicKey,
    random: Random = os.urandom,
) -> bytes:
    """Return `content` signed and then encrypted to `receiver`.

    SM2 keys make the form of GB/T 35275 (DER), P-256 keys a JWS in a JWE (ASCII). `sequence` is
    from `keys.envelope_channel.next_sequence`. Raises EnvelopeKeysUnlike, and ValueError for a
    header that nobody could read.
    """
    sender = signer.public_key
    seal = _SEAL.get(receiver.algorithm)
    if seal is None or sender.algorithm is not receiver.algorithm:
        raise EnvelopeKeysUnlike(sender=sender.algorithm.name, receiver=receiver.algorithm.name)
    header = Header(sender.kid, receiver.kid, channel, sequence, made_at, content_type)
    return seal(write_letter(header, content), signer, receiver, random)


def open_envelope(envelope: bytes, opener: Opener, channel: Channel, now: datetime) -> Opened:
    """Return the letter, checked but for its number. Raises an EnvelopeError.

    Whether the number came before is for `keys.envelope_channel.receive` to say.
    """
    unseal = _UNSEAL.get(envelope[:1])
    if unseal is None or len(envelope) > LARGEST_ENVELOPE:
        raise EnvelopeMalformed
    signed_by, letter = unseal(envelope, opener, channel.senders)
    header, content = read_letter(letter)
    if header.sender != signed_by:
        raise EnvelopeTampered
    if header.receiver != opener.public_key.kid:
        raise EnvelopeNotForUs
    if header.channel != channel.name:
        raise EnvelopeWrongChannel(channel=header.channel)
    if header.made_at < now - channel.oldest:
        raise EnvelopeTooOld
    if header.made_at > now + _CLOCKS_APART:
        raise EnvelopeTooEarly
    return Opened(header, content)
