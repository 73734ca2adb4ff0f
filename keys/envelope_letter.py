"""The letter in an envelope: a header and the content, which one signature binds together.

The letter is one line of canonical JSON (RFC 8785), a line feed, and the content as it is. The
header names sender and receiver, so nobody passes a letter on as sent to somebody else, and the
channel with a number on it, so nobody sends it twice.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc8785

from keys.errors import DomainError

_VERSION = 1
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"
_KID = re.compile(r"[0-9a-f]{16}")
_LONGEST_NAME = 200
LARGEST_SEQUENCE = 2**53 - 1
"""What JSON carries exactly (RFC 7493 §2.2)."""


class EnvelopeError(DomainError):
    """An envelope is refused; the code says why."""

    code = "envelope"


class EnvelopeMalformed(EnvelopeError):
    """The bytes are not an envelope of either form, or its letter not a letter."""

    code = "envelope.malformed"


class EnvelopeTampered(EnvelopeError):
    """It was changed under way, or the signature in it is not by the sender it names."""

    code = "envelope.tampered"


class EnvelopeNotForUs(EnvelopeError):
    """It is encrypted to another key, or the letter in it was written to another receiver."""

    code = "envelope.not_for_us"


class EnvelopeUnknownSender(EnvelopeError):
    """It is signed by a key that is not among the channel's senders."""

    code = "envelope.unknown_sender"


class EnvelopeWrongChannel(EnvelopeError):
    """The letter belongs to another channel than the one it arrived on."""

    code = "envelope.wrong_channel"


class EnvelopeReplayed(EnvelopeError):
    """This number of the channel has arrived before, or is older than can be told."""

    code = "envelope.replayed"


class EnvelopeTooOld(EnvelopeError):
    """The letter was written longer ago than the channel allows."""

    code = "envelope.too_old"


class EnvelopeTooEarly(EnvelopeError):
    """The letter says it was written in the future."""

    code = "envelope.too_early"


@dataclass(frozen=True, slots=True)
class Header:
    """What the sender signed besides the content.

    `sender` and `receiver` are the kids of the signing and of the opening key; `sequence` counts
    from 1 on the channel; `made_at` is aware UTC in whole seconds; `content_type` a media type.
    """

    sender: str
    receiver: str
    channel: str
    sequence: int
    made_at: datetime
    content_type: str


def write_letter(header: Header, content: bytes) -> bytes:
    """Return the bytes to be signed. Raises ValueError for a header that nobody could read back."""
    _check(header)
    return rfc8785.dumps(_document(header)) + b"\n" + content


def read_letter(letter: bytes) -> tuple[Header, bytes]:
    """Return header and content. Raises EnvelopeMalformed on any other than the one form."""
    line, _, content = letter.partition(b"\n")
    try:
        header = _header(json.loads(line))
        _check(header)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise EnvelopeMalformed from None
    if write_letter(header, content) != letter:
        raise EnvelopeMalformed
    return header, content


def is_name(text: str) -> bool:
    """Say whether a channel or a content type can be called that."""
    return 0 < len(text) <= _LONGEST_NAME and text.isprintable()


def _document(header: Header) -> dict[str, Any]:
    return {
        "version": _VERSION,
        "sender": header.sender,
        "receiver": header.receiver,
        "channel": header.channel,
        "sequence": header.sequence,
        "made_at": header.made_at.astimezone(UTC).strftime(_MOMENT),
        "content_type": header.content_type,
    }


def _header(told: Any) -> Header:
    return Header(
        sender=told["sender"],
        receiver=told["receiver"],
        channel=told["channel"],
        sequence=told["sequence"],
        made_at=datetime.strptime(told["made_at"], _MOMENT).replace(tzinfo=UTC),
        content_type=told["content_type"],
    )


def _check(header: Header) -> None:
    if not (_KID.fullmatch(header.sender) and _KID.fullmatch(header.receiver)):
        raise ValueError("a kid has 16 hexadecimal digits")
    for name in (header.channel, header.content_type):
        if not is_name(name):
            raise ValueError(f"a name has 1 to {_LONGEST_NAME} printable characters")
    # A bool is an int to Python, and not to JSON.
    if type(header.sequence) is not int or not 1 <= header.sequence <= LARGEST_SEQUENCE:
        raise ValueError(f"a sequence number is 1 to {LARGEST_SEQUENCE}")
    if header.made_at.tzinfo is None:
        raise ValueError("a moment has a time zone")
