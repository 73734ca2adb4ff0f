"""Transfer, close and reopen staff accounts, each at a moment of its own.

Rights are computed from what holds at the moment, so that a change needs nothing to run to be in
force. A job ends the sign-ons then, and lets the applications know.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from idp import sessions
from idp.people_errors import AccountUnknown
from idp.provider import Provider
from idp.sessions import Ending
from idp.staff_errors import TimesWrong
from idp.staffing import appointments, postings
from idp.staffing.appointments import Post
from idp.staffing.tables import (
    AppointmentRow,
    LocalAccountRow,
    PostingRow,
    StaffChangeRow,
)
from idp.tables import StaffRow
from keys import journal
from keys.identity_numbers import uscc

JOB = "settle_staff"

BATCH = 100
"""How many changes one transaction settles."""


class Change(StrEnum):
    """What happens to an account, as the journal has it."""

    TRANSFERRED = "staff.transferred"
    CLOSED = "staff.closed"


_ENDINGS = {Change.TRANSFERRED: Ending.TRANSFERRED, Change.CLOSED: Ending.ACCOUNT_CLOSED}


@dataclass(frozen=True, slots=True)
class Transfer:
    """Another body to work for, with which roles there, from when (now) on."""

    body: str
    roles: tuple[str, ...]
    at: datetime | None = None


def transfer(tx: Session, provider: Provider, subject: str, to: Transfer, *, by: str) -> None:
    """Move somebody: all that they hold ends then, and what is given to them begins.

    Another transfer that was to come is off. Raises `AccountUnknown`, `NumberWrong` (USCC),
    `TimesWrong` (when the account has closed by then), `RoleUnknown`, `RolesExclusive`,
    `GrantsToThemselves`.
    """
    at = _moment(provider, to.at)
    row = _held(tx, provider, subject)
    if row.closed_at is not None and row.closed_at <= at:
        raise TimesWrong
    body = uscc(to.body)
    pending = postings.to_come(tx, subject, provider.clock())
    _call_off(tx, provider, subject, Change.TRANSFERRED, pending)
    appointments.end_all(tx, subject, at)
    postings.begin(tx, subject, body, at)
    row.changed_at = provider.clock()
    tx.flush()
    for role in to.roles:
        appointments.appoint(tx, provider, subject, Post(role, body, since=at), by=by)
    if row.closed_at is not None:
        _finish(tx, subject, row.closed_at)
    details = {"organisation": body, "roles": " ".join(to.roles)}
    _ask(tx, provider, subject, Change.TRANSFERRED, at, by, details)


def close(
    tx: Session, provider: Provider, subject: str, *, by: str, at: datetime | None = None
) -> None:
    """Close an account, now or at a time to come; nothing of it is good from then on.

    Another closing and a later transfer that were to come are off. Raises `AccountUnknown`.
    """
    at = _moment(provider, at)
    row = _held(tx, provider, subject)
    _call_off(tx, provider, subject, Change.CLOSED, row.closed_at)
    row.closed_at, row.changed_at = at, provider.clock()
    _finish(tx, subject, at)
    tx.flush()
    _forget(tx, subject, Change.TRANSFERRED, at)
    _ask(tx, provider, subject, Change.CLOSED, at, by, {})


def keep_open(tx: Session, provider: Provider, subject: str, *, by: str) -> None:
    """Call a closing off; what is closed already opens again where it was, and holds no role yet.

    Raises `AccountUnknown`.
    """
    now = provider.clock()
    row = _row(tx, subject)
    body, closed_at = postings.last_body(tx, subject), row.closed_at
    if body is None or closed_at is None:
        raise AccountUnknown
    if closed_at > now:
        _call_off(tx, provider, subject, Change.CLOSED, closed_at)
    else:
        postings.begin(tx, subject, body, now)
    row.closed_at, row.changed_at = None, now
    details = {"organisation": body}
    journal.append(tx, at=now, actor=by, action="staff.reopened", subject=subject, details=details)


def suspend(tx: Session, provider: Provider, subject: str, *, by: str) -> None:
    """Let nobody sign in to an account until it is resumed. Raises `AccountUnknown`."""
    now = provider.clock()
    row = _row(tx, subject)
    row.suspended_at = row.changed_at = now
    tx.flush()
    journal.append(tx, at=now, actor=by, action="staff.suspended", subject=subject, details={})
    _end_sessions(tx, provider, subject, by, Ending.ACCOUNT_SUSPENDED)


def resume(tx: Session, provider: Provider, subject: str, *, by: str) -> None:
    """Let the account be used again. Raises `AccountUnknown`."""
    now = provider.clock()
    row = _row(tx, subject)
    row.suspended_at, row.changed_at = None, now
    journal.append(tx, at=now, actor=by, action="staff.resumed", subject=subject, details={})


def remove(tx: Session, provider: Provider, subject: str, *, by: str) -> None:
    """Forget an account and end what is left of it; the journal remembers. Raises `AccountUnknown`."""
    _row(tx, subject)
    _end_sessions(tx, provider, subject, by, Ending.ACCOUNT_CLOSED)
    for table in (AppointmentRow, PostingRow, StaffChangeRow, LocalAccountRow, StaffRow):
        tx.execute(delete(table).where(table.subject == subject))
    journal.append(
        tx, at=provider.clock(), actor=by, action="staff.removed", subject=subject, details={}
    )


def settle_due(tx: Session, provider: Provider) -> int:
    """End the sign-ons of everybody whose change has come into force; say how many changes did."""
    due = StaffChangeRow.due_at <= provider.clock(), StaffChangeRow.done_at.is_(None)
    query = select(StaffChangeRow).where(*due).order_by(StaffChangeRow.id).limit(BATCH)
    rows = list(tx.scalars(query.with_for_update(skip_locked=True)))
    for row in rows:
        _settle(tx, provider, row)
    return len(rows)


def settle(provider: Provider) -> None:
    """The job: settle all that is due, so many in one transaction."""
    settled = BATCH
    while settled == BATCH:
        with provider.begin() as tx:
            settled = settle_due(tx, provider)


def _moment(provider: Provider, at: datetime | None) -> datetime:
    return max(at or provider.clock(), provider.clock())


def _held(tx: Session, provider: Provider, subject: str) -> StaffRow:
    """The row of an account that is open, held until the commit."""
    row = _row(tx, subject)
    if row.closed_at is not None and row.closed_at <= provider.clock():
        raise AccountUnknown
    return row


def _row(tx: Session, subject: str) -> StaffRow:
    """The row of an account, held until the commit."""
    row = tx.get(StaffRow, subject, with_for_update=True, populate_existing=True)
    if row is None:
        raise AccountUnknown
    return row


def _ask(
    tx: Session,
    provider: Provider,
    subject: str,
    kind: Change,
    at: datetime,
    by: str,
    details: dict[str, str],
) -> None:
    """Note the change; settle it if it is due."""
    row = StaffChangeRow(subject=subject, kind=kind, due_at=at, asked_by=by, done_at=None)
    tx.add(row)
    tx.flush()
    told = {**details, "at": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
    journal.append(tx, at=provider.clock(), actor=by, action=kind, subject=subject, details=told)
    if at <= provider.clock():
        _settle(tx, provider, row)


def _finish(tx: Session, subject: str, at: datetime) -> None:
    """Let everything of an account end at `at`."""
    appointments.end_all(tx, subject, at)
    postings.finish(tx, subject, at)


def _call_off(
    tx: Session, provider: Provider, subject: str, kind: Change, at: datetime | None
) -> None:
    """Let things go on past `at` as if the change that was to come then had never been asked for."""
    if at is None or at <= provider.clock():
        return
    appointments.go_on(tx, subject, at)
    postings.go_on(tx, subject, at)
    _forget(tx, subject, kind, at)


def _forget(tx: Session, subject: str, kind: Change, at: datetime) -> None:
    pending = StaffChangeRow.subject == subject, StaffChangeRow.done_at.is_(None)
    later = StaffChangeRow.kind == kind, StaffChangeRow.due_at >= at
    tx.execute(delete(StaffChangeRow).where(*pending, *later))


def _settle(tx: Session, provider: Provider, row: StaffChangeRow) -> None:
    row.done_at = provider.clock()
    tx.flush()
    _end_sessions(tx, provider, row.subject, row.asked_by, _ENDINGS[Change(row.kind)])


def _end_sessions(tx: Session, provider: Provider, subject: str, by: str, why: Ending) -> None:
    live = sorted(one.sid for one in sessions.of_subject(tx, provider, subject))
    for sid in live:
        sessions.end(tx, provider, sid, by=by, why=why)
