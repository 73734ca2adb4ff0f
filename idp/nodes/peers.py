"""The other nodes: the province of a city, the cities of a province, and the keys they sign with.

A city's user store that is no node of ours is a peer as well: what it hands over is signed by a key
it told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from idp import algorithms_offered, artifacts, outbox
from idp.artifacts import Kind
from idp.node_errors import PeerExists, PeerUnknown, PeerWrong
from idp.outgoing import OutgoingFailed
from idp.provider import Provider
from idp.tables import PeerRow
from keys import compact, journal
from keys.curves import KeyMalformed
from keys.jose import LARGEST_TOKEN, TokenUnknownKey
from keys.presented import ClientKey, Presented, client_keys, verify_presented

_KEY_SET = TypeAdapter(dict[str, Any])
_FETCHED = Kind("peer-keys", _KEY_SET, timedelta(minutes=5))
_ASKED = Kind("peer-keys-asked", TypeAdapter(bool), timedelta(seconds=30))
_LONGEST = 200


class Place(StrEnum):
    """Where a peer stands: people come from above, and go below."""

    ABOVE = "above"
    BELOW = outbox.BELOW


@dataclass(frozen=True, slots=True)
class Peer:
    """A node, by its issuer identifier.

    `keys` is its JWK Set, or empty when it is fetched from `keys_url`. People are pushed to
    `events_url`, if there is one.
    """

    issuer: str
    name: str
    place: Place
    keys: Mapping[str, Any] = field(default_factory=dict)
    keys_url: str | None = None
    events_url: str | None = None


class PeerKeysUnavailable(Exception):
    """A peer's keys cannot be fetched, or what is there are not keys."""


def add(tx: Session, provider: Provider, peer: Peer, *, by: str) -> None:
    """Know a peer from now on; a city with an `events_url` is told of everybody there is.

    Raises `PeerWrong`, `PeerExists`.
    """
    _check(peer)
    row = {
        "issuer": peer.issuer,
        "name": peer.name,
        "place": peer.place,
        "keys": dict(peer.keys),
        "keys_url": peer.keys_url,
        "events_url": peer.events_url,
        "since": provider.clock(),
    }
    statement = insert(PeerRow).values(row).on_conflict_do_nothing().returning(PeerRow.issuer)
    if tx.scalar(statement) is None:
        raise PeerExists
    journal.append(
        tx,
        at=provider.clock(),
        actor=by,
        action="peer.added",
        subject=peer.issuer,
        details={"name": peer.name, "place": peer.place},
    )
    if peer.place is Place.BELOW and peer.events_url is not None:
        outbox.note_everybody(tx, provider, peer.issuer)


def find(tx: Session, issuer: object) -> Peer | None:
    """The peer of an issuer identifier."""
    row = tx.get(PeerRow, issuer) if isinstance(issuer, str) else None
    return None if row is None else _peer(row)


def get(tx: Session, issuer: str) -> Peer:
    """The same. Raises `PeerUnknown`."""
    found = find(tx, issuer)
    if found is None:
        raise PeerUnknown
    return found


def every(tx: Session) -> list[Peer]:
    """All peers, by name."""
    return [_peer(row) for row in tx.scalars(select(PeerRow).order_by(PeerRow.name))]


def claimed_issuer(token: str) -> object:
    """Who a token says it is by, before anything is checked. Raises `TokenMalformed`."""
    _, payload, _ = compact.parts(token, 3, len(token))
    return compact.json_object(payload).get("iss")


def verified(
    provider: Provider, peer: Peer, token: str, typ: str, *, largest: int = LARGEST_TOKEN
) -> Presented:
    """Check that a peer signed a token of this `typ`; what it says is for the caller to judge.

    Call it outside any transaction: it may fetch the peer's keys, once more for a key that is not
    among them. Raises `TokenError`, `PeerKeysUnavailable`.
    """
    allowed = frozenset(algorithms_offered.BY_CLIENTS)

    def by(*, again: bool) -> Presented:
        keys = _keys(provider, peer, again=again)
        return verify_presented(token, keys, algorithms=allowed, types=(typ,), largest=largest)

    try:
        return by(again=False)
    except TokenUnknownKey:
        if peer.keys_url is None:
            raise
        return by(again=True)


def _keys(provider: Provider, peer: Peer, *, again: bool) -> tuple[ClientKey, ...]:
    try:
        return client_keys(_key_set(provider, peer, again=again))
    except (OutgoingFailed, ValidationError, KeyMalformed):
        raise PeerKeysUnavailable(peer.issuer) from None


def _key_set(provider: Provider, peer: Peer, *, again: bool) -> Mapping[str, Any]:
    if peer.keys_url is None:
        return peer.keys
    kept = artifacts.get(provider, _FETCHED, peer.keys_url)
    if kept is not None and not (again and _may_ask(provider, peer.keys_url)):
        return kept
    body = provider.node.line.get(
        peer.keys_url, accept="application/jwk-set+json, application/json"
    )
    found = _KEY_SET.validate_json(body)
    artifacts.keep(provider, _FETCHED, peer.keys_url, found)
    return found


def _may_ask(provider: Provider, url: str) -> bool:
    """Say whether nobody asked again within the last half minute, and note that somebody did."""
    return artifacts.is_first(provider, _ASKED, url, True, _ASKED.lifetime)


def _check(peer: Peer) -> None:
    if not 0 < len(peer.name) <= _LONGEST:
        raise PeerWrong(field="name")
    urls = {"issuer": peer.issuer, "keys_url": peer.keys_url, "events_url": peer.events_url}
    for field_name, url in urls.items():
        if url is not None and not _is_url(url):
            raise PeerWrong(field=field_name)
    if bool(peer.keys) == (peer.keys_url is not None):
        raise PeerWrong(field="keys")
    try:
        if peer.keys and not client_keys(peer.keys):
            raise PeerWrong(field="keys")
    except KeyMalformed:
        raise PeerWrong(field="keys") from None


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    good = parts.scheme in ("https", "http") and bool(parts.hostname) and not parts.fragment
    return good and len(url) <= _LONGEST and url.isascii()


def _peer(row: PeerRow) -> Peer:
    return Peer(row.issuer, row.name, Place(row.place), row.keys, row.keys_url, row.events_url)
