"""The public list of seals: how each stood since when, signed, for whoever judges a stamp.

It names a seal by the digest of its SESeal and tells states and moments, nothing else: not whose
it is, nor who keeps it. A stamp is judged by the state at its time, so the list keeps histories. They
are compressed: a province has more than a hundred thousand seals, and every verifier fetches them all.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import starmap
from typing import Any

from keys import jose
from keys.errors import DomainError
from keys.signer import PublicKey, Signer
from seal.packing import pack, unpack
from seal.seal_states import Change, SealState, state_at

TOKEN_TYPE = "yinxin-seal-list+jwt"  # noqa: S105 - a media type
ISSUER = "urn:yinxin:seal-list"
"""`iss` of every list: who may sign one is decided by the trust list, key by key."""

_LEEWAY = 60
_LARGEST_TOKEN = 16 * 1024 * 1024
_LARGEST = 64 * 1024 * 1024
_MOST_CHANGES = 1024


class SealListWrong(DomainError):
    """The token's list is malformed: `reason` names the part."""

    code = "seal_list.wrong"


@dataclass(frozen=True, slots=True)
class SealList:
    """The histories of seals by digest, each in the order recorded.

    `uri` is the list's own address as its token says it: a reader must see that it is the list it
    asked for. From `ends_at` (aware UTC) on it tells nothing.
    """

    uri: str
    ends_at: datetime
    histories: Mapping[bytes, tuple[Change, ...]]

    def state(self, seal: bytes, at: datetime) -> SealState | None:
        """Return how the seal of this DER stood at a moment; None for one that is not listed."""
        return state_at(self.histories.get(digest_of(seal), ()), at)


def digest_of(seal: bytes) -> bytes:
    """Return the name of a seal in lists and registers: SHA-256 of its DER SESeal."""
    return hashlib.sha256(seal).digest()


def sign_seal_list(seals: SealList, signer: Signer, issued_at: datetime) -> str:
    """Return the list as a compact JWS; moments are kept to the second."""
    claims = {
        "iss": ISSUER,
        "sub": seals.uri,
        "iat": int(issued_at.timestamp()),
        "exp": int(seals.ends_at.timestamp()),
        "seals": pack(json.dumps(_told(seals.histories), separators=(",", ":")).encode()),
    }
    return jose.sign(claims, signer, TOKEN_TYPE)


def _told(histories: Mapping[bytes, tuple[Change, ...]]) -> dict[str, list[list[str | int]]]:
    return {
        digest.hex(): [[change.state, int(change.since.timestamp())] for change in history]
        for digest, history in sorted(histories.items())
    }


def read_seal_list(token: str, keys: Mapping[str, PublicKey], now: datetime) -> SealList:
    """Check a signed list and return it, whose `uri` is the token's `sub`.

    `keys` are those trusted for status lists, by kid. Raises a `keys.jose.TokenError` or
    `SealListWrong`.
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
    uri, seals = claims.get("sub"), claims.get("seals")
    if not isinstance(uri, str):
        raise SealListWrong(reason="sub")
    if not isinstance(seals, str):
        raise SealListWrong(reason="seals")
    return SealList(uri, _moment(claims["exp"]), dict(starmap(_listed, _unpacked(seals).items())))


def _unpacked(packed: str) -> dict[str, Any]:
    try:
        seals = json.loads(unpack(packed, _LARGEST))
    except (ValueError, RecursionError) as malformed:
        raise SealListWrong(reason="seals") from malformed
    if not isinstance(seals, dict):
        raise SealListWrong(reason="seals")
    return seals


def _listed(digest: str, changes: Any) -> tuple[bytes, tuple[Change, ...]]:
    if not isinstance(changes, list) or not 0 < len(changes) <= _MOST_CHANGES:
        raise SealListWrong(reason="history")
    return _digest(digest), tuple(starmap(_change, map(_pair, changes)))


def _digest(told: str) -> bytes:
    try:
        return bytes.fromhex(told)
    except ValueError as malformed:
        raise SealListWrong(reason="digest") from malformed


def _pair(told: Any) -> list[Any]:
    if not isinstance(told, list) or len(told) != len(("state", "since")):
        raise SealListWrong(reason="history")
    return told


def _change(state: Any, since: Any) -> Change:
    try:
        return Change(SealState(state), _moment(since))
    except (ValueError, TypeError) as malformed:
        raise SealListWrong(reason="state") from malformed


def _moment(seconds: Any) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, TypeError, OverflowError, OSError) as malformed:
        raise SealListWrong(reason="moment") from malformed
