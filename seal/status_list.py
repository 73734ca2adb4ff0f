"""The published status of licences, two bits each, and the signed token that carries it.

Token Status List (draft-ietf-oauth-status-list): §4 the compressed list, §5.1 the JWT form,
§7.1 the status types. Nobody who fetches a list says which licence they ask about.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum
from typing import Any

from keys import jose
from keys.errors import DomainError
from keys.signer import PublicKey, Signer
from seal.packing import pack, unpack

BITS = 2
MOST_ENTRIES = 1 << 20
TOKEN_TYPE = "statuslist+jwt"  # noqa: S105 - a media type
ISSUER = "urn:yinxin:status-list"
"""`iss` of every token: who may sign a list is decided by the trust list, key by key."""

_PER_BYTE = 8 // BITS
_LARGEST_TOKEN = 1024 * 1024
# Seconds: a list just published must not fail because the reader's clock is a little behind.
_LEEWAY = 60


class StatusListWrong(DomainError):
    """The token's list is malformed, or not of two bits."""

    code = "status_list.wrong"


class Status(IntEnum):
    """What a list says of a licence. 3 is ours to define (§7.1): replaced by a newer licence."""

    VALID = 0
    INVALID = 1
    SUSPENDED = 2
    SUPERSEDED = 3


class StatusList:
    """The statuses of `size` licences by index, all valid at first.

    `uri` is the list's own address as its token says it, "" for a list not read from a token: a
    reader must see that it is the list it asked for.
    """

    def __init__(self, size: int, uri: str = "") -> None:
        """Make a list. Raises ValueError unless `size` is a multiple of 4 within `MOST_ENTRIES`."""
        if not 0 < size <= MOST_ENTRIES or size % _PER_BYTE:
            raise ValueError(f"a status list of {size} entries")
        self.size = size
        self.uri = uri
        self._packed = bytearray(size // _PER_BYTE)

    def get(self, index: int) -> Status:
        """Return the status at `index`. Raises IndexError beyond the list."""
        byte, shift = self._place(index)
        return Status(self._packed[byte] >> shift & 3)

    def set(self, index: int, status: Status) -> None:
        """Set the status at `index`. Raises IndexError beyond the list."""
        byte, shift = self._place(index)
        self._packed[byte] = self._packed[byte] & ~(3 << shift) | status << shift

    def encode(self) -> str:
        """Return the list compressed (zlib) and in base64url without padding (§4.1, §4.2)."""
        return pack(bytes(self._packed))

    @classmethod
    def decode(cls, text: str, uri: str = "") -> "StatusList":
        """Return the list that `encode` wrote. Raises `StatusListWrong`; unpacks 256 KiB at most."""
        packed = _unpacked(text)
        if not 0 < len(packed) * _PER_BYTE <= MOST_ENTRIES:
            raise StatusListWrong(reason="size")
        statuses = cls(len(packed) * _PER_BYTE, uri)
        statuses._packed[:] = packed
        return statuses

    def _place(self, index: int) -> tuple[int, int]:
        if not 0 <= index < self.size:
            raise IndexError(index)
        # §4.1: the first status of a byte is in its lowest bits.
        return index // _PER_BYTE, index % _PER_BYTE * BITS


def _unpacked(text: str) -> bytes:
    try:
        return unpack(text, MOST_ENTRIES // _PER_BYTE)
    except ValueError as malformed:
        raise StatusListWrong(reason=str(malformed)) from malformed


def sign_status_list(
    statuses: StatusList, uri: str, signer: Signer, issued_at: datetime, expires_at: datetime
) -> str:
    """Return the Status List Token of `statuses`, a JWT for the list at `uri` (§5.1)."""
    claims = {
        "iss": ISSUER,
        "sub": uri,
        "iat": int(issued_at.timestamp()),
        "exp": int(expires_at.timestamp()),
        "status_list": {"bits": BITS, "lst": statuses.encode()},
    }
    return jose.sign(claims, signer, TOKEN_TYPE)


def read_status_list(token: str, keys: Mapping[str, PublicKey], now: datetime) -> StatusList:
    """Check a Status List Token and return its list, whose `uri` is the token's `sub`.

    `keys` are those trusted for status lists, by kid. Raises a `keys.jose.TokenError` or
    `StatusListWrong`.
    """
    claims = jose.verify(
        token,
        keys,
        TOKEN_TYPE,
        issuer=ISSUER,
        audience=None,
        now=now,
        leeway=_LEEWAY,
        largest=_LARGEST_TOKEN,
    )
    told = claims.get("status_list")
    if not isinstance(told, dict) or told.get("bits") != BITS:
        raise StatusListWrong(reason="bits")
    return StatusList.decode(_text(told, "lst"), _text(claims, "sub"))


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        raise StatusListWrong(reason=name)
    return value
