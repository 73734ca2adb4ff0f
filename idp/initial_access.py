"""Invitations to register clients: initial access tokens (RFC 7591 §3), each good for so many uses."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from idp.client_errors import InvitationWrong
from idp.fingerprint import fingerprint
from idp.provider import Provider
from idp.tables import InitialAccessTokenRow
from keys import journal

MOST_USES = 1000
LONGEST = timedelta(days=366)

_KIND = "initial-access"
_LONGEST_LABEL = 64


@dataclass(frozen=True, slots=True)
class Invitation:
    """An initial access token as it stands; `token` is told once, to whoever made it."""

    label: str
    uses_left: int
    made_at: datetime
    expires_at: datetime
    token: str | None = field(default=None, repr=False)


def invite(
    tx: Session, provider: Provider, label: str, *, uses: int, lifetime: timedelta, by: str
) -> Invitation:
    """Make an initial access token. `label` says for whom. Raises `InvitationWrong`."""
    if not _is_label(label):
        raise InvitationWrong(field="label")
    if not 0 < uses <= MOST_USES:
        raise InvitationWrong(field="uses")
    if not timedelta() < lifetime <= LONGEST:
        raise InvitationWrong(field="days")
    token, now = provider.handle(), provider.clock()
    made = Invitation(label, uses, now, now + lifetime, token)
    tx.add(
        InitialAccessTokenRow(
            fingerprint=fingerprint(provider.secret, _KIND, token),
            label=label,
            uses_left=uses,
            made_at=made.made_at,
            expires_at=made.expires_at,
        )
    )
    journal.append(
        tx,
        at=now,
        actor=by,
        action="initial_access.made",
        subject=label,
        details={"uses": str(uses)},
    )
    return made


def is_good(tx: Session, provider: Provider, token: str) -> bool:
    """Say whether a client could be registered with the token now; nothing is used up."""
    row = tx.get(InitialAccessTokenRow, fingerprint(provider.secret, _KIND, token))
    return row is not None and row.uses_left > 0 and row.expires_at > provider.clock()


def spend(tx: Session, provider: Provider, token: str) -> str | None:
    """Use the token once and return its label, or `None` when it has no use left: one atomic step."""
    return tx.scalar(
        update(InitialAccessTokenRow)
        .where(
            InitialAccessTokenRow.fingerprint == fingerprint(provider.secret, _KIND, token),
            InitialAccessTokenRow.uses_left > 0,
            InitialAccessTokenRow.expires_at > provider.clock(),
        )
        .values(uses_left=InitialAccessTokenRow.uses_left - 1)
        .returning(InitialAccessTokenRow.label)
    )


def every(tx: Session, provider: Provider) -> list[Invitation]:
    """Those that are good for something still, the oldest first."""
    query = (
        select(InitialAccessTokenRow)
        .where(
            InitialAccessTokenRow.uses_left > 0,
            InitialAccessTokenRow.expires_at > provider.clock(),
        )
        .order_by(InitialAccessTokenRow.made_at, InitialAccessTokenRow.label)
    )
    return [
        Invitation(row.label, row.uses_left, row.made_at, row.expires_at)
        for row in tx.scalars(query)
    ]


def withdraw(tx: Session, provider: Provider, label: str, *, by: str) -> int:
    """Take back all initial access tokens of this label and say how many there were."""
    if not _is_label(label):
        return 0
    gone = tx.scalars(
        delete(InitialAccessTokenRow)
        .where(InitialAccessTokenRow.label == label)
        .returning(InitialAccessTokenRow.fingerprint)
    ).all()
    if gone:
        journal.append(
            tx,
            at=provider.clock(),
            actor=by,
            action="initial_access.withdrawn",
            subject=label,
            details={"tokens": str(len(gone))},
        )
    return len(gone)


def _is_label(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_LABEL and text.isprintable() and not text.isspace()
