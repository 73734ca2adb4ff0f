"""Relying parties: each is its metadata, its secret's fingerprint, and when it was registered."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import delete, event, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from idp import client_rules
from idp.client_errors import ClientExists, ClientMetadataWrong, ClientNotFound
from idp.client_metadata import Consent, Metadata
from idp.fingerprint import fingerprint, matches
from idp.provider import Provider
from idp.tables import ClientRow, ConsentRow, RefreshTokenRow
from keys import journal

__all__ = ["CLIENT_ID", "SECRET", "Client", "Consent", "Registered", "Registration"]

SECRET = "client-secret"  # noqa: S105 - the name of a fingerprint
KEEPER = "client-registration"
"""The name of the fingerprint of what a client's own keeper manages it with (RFC 7592)."""

CLIENT_ID = re.compile(r"[\x21-\x7e]{1,128}")
_GIVEN_SECRET = re.compile(
    r"[\x20-\x7e]{16,256}"
)  # RFC 6749 §A.2; what we make ourselves has 256 bits
_METADATA = TypeAdapter(Metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client(Metadata):
    """A registered relying party."""

    client_id: str
    secret_fingerprint: bytes | None = field(repr=False)
    registered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration(Metadata):
    """What is asked for a new client; `client_id` and `client_secret` are made when not given."""

    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Registered:
    """The new client and its secret, told this once."""

    client_id: str
    client_secret: str | None = field(repr=False)


def registration(
    metadata: Metadata, client_id: str | None = None, client_secret: str | None = None
) -> Registration:
    """The metadata as what is asked for a new client."""
    return Registration(**_plain(metadata), client_id=client_id, client_secret=client_secret)


def find(tx: Session, client_id: str) -> Client | None:
    """The client of this identifier."""
    if not CLIENT_ID.fullmatch(client_id):
        return None
    row = tx.get(ClientRow, client_id)
    return None if row is None else client_of(row)


def known(tx: Session, provider: Provider, client_id: str) -> Client | None:
    """The client as it was at most five seconds ago: for what happens at every sign-in and token.

    A change made by this process is known as soon as it is committed, by others within that time.
    """
    return _remembered(provider, client_id) or _looked_up(tx, provider, client_id)


def named(provider: Provider, client_id: str) -> Client | None:
    """The client that `known` tells, for those who have no transaction: only a look-up opens one."""
    client = _remembered(provider, client_id)
    if client is None:
        with provider.begin() as tx:
            client = _looked_up(tx, provider, client_id)
    return client


def is_remembered(provider: Provider, client_id: str) -> bool:
    """Say whether `named` would tell the client without a look-up."""
    return _remembered(provider, client_id) is not None


def get(tx: Session, client_id: str) -> Client:
    """The client of this identifier. Raises `ClientNotFound`."""
    found = find(tx, client_id)
    if found is None:
        raise ClientNotFound
    return found


def every(tx: Session) -> list[Client]:
    """All clients, by identifier."""
    return [client_of(row) for row in tx.scalars(select(ClientRow).order_by(ClientRow.client_id))]


def register(
    tx: Session,
    provider: Provider,
    asked: Registration,
    *,
    by: str = "service",
    keeper: str | None = None,
) -> Registered:
    """Register a client. Raises `ClientMetadataWrong`, `ClientExists`.

    `keeper` is the token that its own keeper manages it with, from now on known by it alone.
    """
    client_rules.check(asked, provider)
    client_id = asked.client_id or provider.handle(12)
    if not CLIENT_ID.fullmatch(client_id):
        raise ClientMetadataWrong(field="client_id", reason="must be 1 to 128 visible characters")
    secret = _secret_for(provider, asked, asked.client_secret)
    row = {
        "client_id": client_id,
        "secret_fingerprint": secret and fingerprint(provider.secret, SECRET, secret),
        "registration_fingerprint": keeper and fingerprint(provider.secret, KEEPER, keeper),
        "metadata_": stored(asked),
        "registered_at": provider.clock(),
        "changed_at": provider.clock(),
    }
    statement = (
        insert(ClientRow).values(row).on_conflict_do_nothing().returning(ClientRow.client_id)
    )
    if tx.scalar(statement) is None:
        raise ClientExists(client_id=client_id)
    details = {"scopes": " ".join(asked.scopes)}
    _tell(tx, provider, "client.registered", client_id, by=by, details=details)
    return Registered(client_id, secret)


def change(
    tx: Session,
    provider: Provider,
    client_id: str,
    metadata: Metadata,
    *,
    by: str,
    client_secret: str | None = None,
    instead_of: Client | None = None,
) -> str | None:
    """Replace a client's metadata, and its secret by one given; return a secret made for it, if any.

    One is made when the client had none and now needs one; one that is needed no more is dropped.
    `instead_of`: only while it is that. Raises `ClientMetadataWrong`, `ClientNotFound`.
    """
    client_rules.check(metadata, provider)
    row = _locked(tx, client_id)
    if instead_of is not None and client_of(row) != instead_of:
        raise ClientMetadataWrong(field="client_id", reason="was changed meanwhile; read it again")
    before, after = row.metadata_, stored(metadata)
    made = None
    if not metadata.has_secret:
        row.secret_fingerprint = None
    elif client_secret is not None or row.secret_fingerprint is None:
        secret = _secret_for(provider, metadata, client_secret)
        row.secret_fingerprint = fingerprint(provider.secret, SECRET, secret or "")
        made = None if client_secret is not None else secret
    row.metadata_, row.changed_at = after, provider.clock()
    changed = sorted(n for n in {*before, *after} if before.get(n) != after.get(n))
    _tell(tx, provider, "client.changed", client_id, by=by, details={"members": " ".join(changed)})
    return made


def new_secret(tx: Session, provider: Provider, client_id: str, *, by: str) -> str:
    """Give a client another secret and return it, this once.

    The old one is refused from now on, by other processes when they have forgotten it (`known`).
    Raises `ClientNotFound`, and `ClientMetadataWrong` for a client without a secret.
    """
    row = _locked(tx, client_id)
    if row.secret_fingerprint is None:
        raise ClientMetadataWrong(
            field="token_endpoint_auth_method", reason="this client has no secret"
        )
    secret = provider.handle()
    row.secret_fingerprint = fingerprint(provider.secret, SECRET, secret)
    row.changed_at = provider.clock()
    _tell(tx, provider, "client.secret_changed", client_id, by=by)
    return secret


def remove(tx: Session, provider: Provider, client_id: str, *, by: str) -> bool:
    """Forget a client and say whether there was one.

    What it was allowed goes with it, so that whoever gets the identifier later begins anew; its
    access tokens die with the look-up of it.
    """
    if not CLIENT_ID.fullmatch(client_id):
        return False
    query = delete(ClientRow).where(ClientRow.client_id == client_id)
    if tx.scalar(query.returning(ClientRow.client_id)) is None:
        return False
    for held in (RefreshTokenRow, ConsentRow):
        tx.execute(delete(held).where(held.client_id == client_id))
    _tell(tx, provider, "client.removed", client_id, by=by)
    return True


def kept_by(tx: Session, provider: Provider, client_id: str, token: str) -> Client | None:
    """The client, if `token` is what its own keeper manages it with."""
    row = tx.get(ClientRow, client_id) if CLIENT_ID.fullmatch(client_id) else None
    known = row.registration_fingerprint if row is not None else None
    nobody = fingerprint(provider.secret, KEEPER, "")
    is_right = matches(provider.secret, KEEPER, token, known or nobody) and known is not None
    return client_of(row) if row is not None and is_right else None


def has_secret(provider: Provider, client: Client, secret: str) -> bool:
    """Say in constant time whether this is the client's secret."""
    known = client.secret_fingerprint
    return known is not None and matches(provider.secret, SECRET, secret, known)


def stored(metadata: Metadata) -> dict[str, Any]:
    """The JSON of the row: what differs from the defaults."""
    plain = Metadata(**_plain(metadata))
    told: dict[str, Any] = _METADATA.dump_python(plain, mode="json", exclude_defaults=True)
    return told


def client_of(row: ClientRow) -> Client:
    """The client of a row."""
    return Client(
        **_plain(_METADATA.validate_python(row.metadata_)),
        client_id=row.client_id,
        secret_fingerprint=row.secret_fingerprint,
        registered_at=row.registered_at,
    )


def _remembered(provider: Provider, client_id: str) -> Client | None:
    client: Client | None = provider.known_clients.get(client_id, provider.clock())
    return client


def _looked_up(tx: Session, provider: Provider, client_id: str) -> Client | None:
    client = find(tx, client_id)
    if client is not None:
        provider.known_clients.keep(client_id, client, provider.clock())
    return client


def _plain(metadata: Metadata) -> dict[str, Any]:
    return {f.name: getattr(metadata, f.name) for f in fields(Metadata)}


def _secret_for(provider: Provider, asked: Metadata, given: str | None) -> str | None:
    if not asked.has_secret:
        return None
    if given is not None and not _GIVEN_SECRET.fullmatch(given):
        raise ClientMetadataWrong(
            field="client_secret", reason="must be 16 to 256 characters of ASCII"
        )
    return given or provider.handle()


def _locked(tx: Session, client_id: str) -> ClientRow:
    query = select(ClientRow).where(ClientRow.client_id == client_id).with_for_update()
    row = tx.scalar(query) if CLIENT_ID.fullmatch(client_id) else None
    if row is None:
        raise ClientNotFound
    return row


def _tell(
    tx: Session,
    provider: Provider,
    action: str,
    client_id: str,
    *,
    by: str,
    details: Mapping[str, str] | None = None,
) -> None:
    """Put a change into the journal, and forget what was known of the client once it is committed."""
    event.listen(tx, "after_commit", lambda _: provider.known_clients.forget(client_id), once=True)
    journal.append(
        tx,
        at=provider.clock(),
        actor=by,
        action=action,
        subject=client_id,
        details=dict(details or {}),
    )
