"""Every release of what is known of a person: to whom, where, which claims, when; never what.

Each is an event of the journal, which is for auditors, and a row that the person reads.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.provider import Provider
from idp.tables import ReleaseRow
from keys import journal

KEPT = timedelta(days=3 * 365)
"""How long the person can read a release back (PIPL art. 56 asks for three years)."""

PAGE = 50


@dataclass(frozen=True, slots=True)
class Release:
    """A client was told claims: by the ID Token or at userinfo, under which grant, and when."""

    id: int
    client_id: str
    grant_id: str
    place: str
    claims: tuple[str, ...]
    at: datetime


def record(
    tx: Session,
    provider: Provider,
    *,
    client_id: str,
    subject: str,
    grant_id: str,
    place: str,
    claims: Collection[str],
) -> None:
    """Note that a client is told these claims of a person; of nothing beyond `sub` there is no note."""
    if not claims:
        return
    now, named = provider.clock(), sorted(claims)
    tx.add(
        ReleaseRow(
            subject=subject,
            client_id=client_id,
            grant_id=grant_id,
            place=place,
            claims=named,
            at=now,
        )
    )
    journal.append(
        tx,
        at=now,
        actor=client_id,
        action="claims.released",
        subject=subject,
        details={"claims": " ".join(named), "place": place, "grant": grant_id},
    )


def of_subject(tx: Session, subject: str, *, before: int | None = None) -> list[Release]:
    """The latest `PAGE` releases about a person, the newest first; those before an id, for the next."""
    query = select(ReleaseRow).where(ReleaseRow.subject == subject)
    if before is not None:
        query = query.where(ReleaseRow.id < before)
    rows = tx.scalars(query.order_by(ReleaseRow.id.desc()).limit(PAGE))
    return [
        Release(row.id, row.client_id, row.grant_id, row.place, tuple(row.claims), row.at)
        for row in rows
    ]
