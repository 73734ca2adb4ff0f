"""What people agreed that a client may know or do: kept per client and item, taken back at will.

An item is a scope other than `openid`, or `claim:NAME` for a claim asked for by itself (OpenID
Connect Core §5.5).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from idp import revocations
from idp.client_metadata import Consent
from idp.clients import Client
from idp.provider import Provider
from idp.tables import ConsentRow, RefreshTokenRow
from keys import journal


@dataclass(frozen=True, slots=True)
class Given:
    """All that a person agreed to for one client, and since when at the earliest."""

    client_id: str
    items: tuple[str, ...]
    since: datetime


def missing(tx: Session, client: Client, subject: str, items: Iterable[str]) -> tuple[str, ...]:
    """Of `items`, in their order, what the person has not agreed to and must be asked.

    Nothing for a client that is agreed to by policy.
    """
    asked = tuple(dict.fromkeys(items))
    if client.consent is Consent.BY_POLICY or not asked:
        return ()
    query = select(ConsentRow.item).where(
        ConsentRow.subject == subject,
        ConsentRow.client_id == client.client_id,
        ConsentRow.item.in_(asked),
        ConsentRow.revoked_at.is_(None),
    )
    agreed = set(tx.scalars(query))
    return tuple(item for item in asked if item not in agreed)


def give(
    tx: Session, provider: Provider, subject: str, client_id: str, items: Collection[str]
) -> None:
    """Remember that the person agrees to `items`. What was agreed to already keeps its date."""
    now = provider.clock()
    rows = [
        {"subject": subject, "client_id": client_id, "item": item, "given_at": now}
        for item in sorted(set(items))
    ]
    if not rows:
        return
    statement = insert(ConsentRow).values(rows)
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=["subject", "client_id", "item"],
            set_={"given_at": now, "revoked_at": None},
            where=ConsentRow.revoked_at.is_not(None),
        )
    )
    _journal(tx, provider, "consent.given", subject, client_id, sorted(set(items)))


def take_back(tx: Session, provider: Provider, subject: str, client_id: str) -> bool:
    """Take back all that the client was allowed, and end what it holds by it.

    Says whether there was anything to take back.
    """
    statement = (
        update(ConsentRow)
        .where(
            ConsentRow.subject == subject,
            ConsentRow.client_id == client_id,
            ConsentRow.revoked_at.is_(None),
        )
        .values(revoked_at=provider.clock())
        .returning(ConsentRow.item)
    )
    items = sorted(tx.scalars(statement))
    if not items:
        return False
    _end_grants(tx, provider, subject, client_id)
    _journal(tx, provider, "consent.taken_back", subject, client_id, items)
    return True


def given(tx: Session, subject: str) -> list[Given]:
    """What the person's agreement stands for now, by client."""
    query = (
        select(ConsentRow)
        .where(ConsentRow.subject == subject, ConsentRow.revoked_at.is_(None))
        .order_by(ConsentRow.client_id, ConsentRow.item)
    )
    by_client = groupby(tx.scalars(query), key=lambda row: row.client_id)
    return [_given(client_id, list(rows)) for client_id, rows in by_client]


def _end_grants(tx: Session, provider: Provider, subject: str, client_id: str) -> None:
    """Only grants with refresh tokens are on record; the access tokens of others lapse in minutes."""
    grants = (
        select(RefreshTokenRow.grant_id)
        .where(RefreshTokenRow.subject == subject, RefreshTokenRow.client_id == client_id)
        .distinct()
    )
    for grant_id in sorted(tx.scalars(grants)):
        revocations.revoke(tx, provider, revocations.grant(grant_id))


def _given(client_id: str, rows: list[ConsentRow]) -> Given:
    items = tuple(row.item for row in rows)
    return Given(client_id, items, min(row.given_at for row in rows))


def _journal(
    tx: Session,
    provider: Provider,
    action: str,
    subject: str,
    client_id: str,
    items: Collection[str],
) -> None:
    journal.append(
        tx,
        at=provider.clock(),
        actor=subject,
        action=action,
        subject=subject,
        details={"client_id": client_id, "items": " ".join(items)},
    )
