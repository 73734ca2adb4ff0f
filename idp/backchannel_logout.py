"""Clients are told of the end of a sign-on from server to server (Back-Channel Logout 1.0).

A notice is written in the transaction that ends the sign-on, and told by a background job. A client
that does not take it is asked again by the job queue, each time later and with a fresh token, up to
`MOST_ATTEMPTS` times; how it went is kept with the notice.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp import clients, logout_token
from idp.clients import Client
from idp.errors import OAuthError
from idp.outgoing import OutgoingFailed
from idp.provider import Provider
from idp.tables import LogoutNoticeRow
from keys import journal

JOB = "tell_logout"
MOST_ATTEMPTS = 12

WAITING = "waiting"
TOLD = "told"
WITHDRAWN = "withdrawn"
"""The client is gone, or no longer wants to be told."""

WITHOUT_KEYS = "keys"
"""The token must be encrypted, and the client's keys cannot be had."""

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_SETTLED = (TOLD, WITHDRAWN)


class LogoutNotTold(Exception):
    """A client did not take a notice this time; the queue tries again."""


@dataclass(frozen=True, slots=True)
class Notice:
    """How the telling of one client goes.

    `outcome` is `waiting`, `told`, `withdrawn`, `keys`, `status NNN` (what the client answered) or
    the `outgoing.Fault` that kept us from it.
    """

    client_id: str
    outcome: str
    attempts: int
    asked_at: datetime
    tried_at: datetime | None


def announce(tx: Session, provider: Provider, sid: str, client_id: str, sub: str) -> None:
    """Put a notice for a client in line, if it takes any; `sub` is the person as it knows them."""
    client = clients.find(tx, client_id)
    if client is None or client.backchannel_logout_uri is None:
        return
    row = LogoutNoticeRow(
        sid=sid,
        client_id=client_id,
        told=sub,
        asked_at=provider.clock(),
        attempts=0,
        outcome=WAITING,
    )
    tx.add(row)
    tx.flush()
    provider.defer(tx, JOB, {"notice": str(row.id)})


def tell(provider: Provider, notice: str) -> None:
    """Tell the client of a notice; the job `JOB`. Raises `LogoutNotTold` to be called again.

    Run twice it tells twice, which a client takes for once.
    """
    with provider.begin() as tx:
        row = tx.get(LogoutNoticeRow, int(notice))
        if row is None or row.outcome in _SETTLED or row.attempts >= MOST_ATTEMPTS:
            return
        client = clients.find(tx, row.client_id)
        sid, sub, client_id = row.sid, row.told, row.client_id
    outcome = WITHDRAWN if client is None else _told(provider, client, sid, sub)
    with provider.begin() as tx:
        attempts = _note(tx, provider, int(notice), outcome)
        if outcome not in _SETTLED and attempts >= MOST_ATTEMPTS:
            _give_up(tx, provider, sid, client_id, outcome)
            return
    if outcome not in _SETTLED:
        raise LogoutNotTold(outcome)


def notices(tx: Session, sid: str) -> list[Notice]:
    """How telling the clients of an ended session goes, by client."""
    query = select(LogoutNoticeRow).where(LogoutNoticeRow.sid == sid)
    return [
        Notice(row.client_id, row.outcome, row.attempts, row.asked_at, row.tried_at)
        for row in tx.scalars(query.order_by(LogoutNoticeRow.client_id))
    ]


def _told(provider: Provider, client: Client, sid: str, sub: str) -> str:
    """Send the token (§2.5) and return the outcome; a redirect is an answer like any other."""
    if client.backchannel_logout_uri is None:
        return WITHDRAWN
    try:
        form = urlencode({"logout_token": logout_token.make(provider, client, sid, sub)})
        status = provider.outgoing.post(client.backchannel_logout_uri, form.encode(), _FORM)
    except OAuthError:
        return WITHOUT_KEYS
    except OutgoingFailed as failed:
        return failed.reason.value
    # §2.8: 200; some frameworks answer 204.
    return TOLD if 200 <= status < 300 else f"status {status}"


def _note(tx: Session, provider: Provider, notice: int, outcome: str) -> int:
    statement = (
        update(LogoutNoticeRow)
        .where(LogoutNoticeRow.id == notice)
        .values(attempts=LogoutNoticeRow.attempts + 1, outcome=outcome, tried_at=provider.clock())
        .returning(LogoutNoticeRow.attempts)
    )
    return tx.scalars(statement).one()


def _give_up(tx: Session, provider: Provider, sid: str, client_id: str, outcome: str) -> None:
    journal.append(
        tx,
        at=provider.clock(),
        actor="idp",
        action="logout.given_up",
        subject=sid,
        details={"client_id": client_id, "outcome": outcome},
    )
