"""Who holds which role where, and when: rights are computed from the appointments of the moment.

An appointment is at a body, and reaches all that stand below it unless it says otherwise.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from idp.people_errors import AccountUnknown
from idp.provider import Provider
from idp.staff_errors import AppointmentUnknown, GrantsToThemselves, TimesWrong
from idp.staffing import bodies, roles
from idp.staffing.roles import ROLE_SCOPES, Term
from idp.staffing.tables import AppointmentRow
from idp.tables import StaffRow
from keys import journal
from keys.identity_numbers import uscc


@dataclass(frozen=True, slots=True)
class Post:
    """A role to hold: at which body, below it too or not, from when (now) and until when."""

    role: str
    body: str
    below: bool = True
    since: datetime | None = None
    until: datetime | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Appointment:
    """A role that somebody holds, held or will hold; `group` is what it came by, if any."""

    id: int
    subject: str
    role: str
    body: str
    below: bool
    since: datetime
    until: datetime | None
    group: str | None

    @property
    def scopes(self) -> frozenset[str]:
        """What it allows where it reaches."""
        return ROLE_SCOPES[self.role]

    def is_live(self, now: datetime) -> bool:
        """Has it begun, and not ended?"""
        return self.since <= now and (self.until is None or now < self.until)

    def reaches(self, body: str, chain: Iterable[str]) -> bool:
        """Does it hold at `body`, whose `chain` is it and all above it?"""
        return self.body == body or (self.below and self.body in chain)


def appoint(tx: Session, provider: Provider, subject: str, post: Post, *, by: str) -> int:
    """Give a member of staff a role, from now on at the earliest; return the appointment's id.

    Raises `RoleUnknown`, `NumberWrong` (USCC), `TimesWrong`, `AccountUnknown`,
    `GrantsToThemselves`, `RolesExclusive`.
    """
    now = provider.clock()
    roles.check_known(post.role)
    since = max(post.since or now, now)
    if post.until is not None and post.until <= since:
        raise TimesWrong
    if subject in by.split("/"):
        raise GrantsToThemselves
    closes_at = _hold(tx, subject).closed_at
    if closes_at is not None and closes_at <= since:
        raise AccountUnknown
    held = [Term(one.role, one.since, one.until) for one in unended(tx, subject, now)]
    roles.check_together([*held, Term(post.role, since, post.until)])
    row = AppointmentRow(
        subject=subject,
        role=post.role,
        body=uscc(post.body),
        below=post.below,
        group=post.group,
        since=since,
        until=post.until,
        cut_at=closes_at,
        by=by,
    )
    tx.add(row)
    tx.flush()
    details = {"role": post.role, "body": row.body, "appointment": str(row.id)}
    _journal(tx, provider, "appointment.made", subject, by, details)
    return row.id


def end(
    tx: Session, provider: Provider, number: int, *, by: str, at: datetime | None = None
) -> None:
    """End an appointment, now or at a time to come. Raises `AppointmentUnknown`."""
    at = max(at or provider.clock(), provider.clock())
    ending = _lasts_beyond(at), AppointmentRow.id == number
    statement = update(AppointmentRow).where(*ending).values(until=at)
    subject = tx.scalar(statement.returning(AppointmentRow.subject))
    if subject is None:
        raise AppointmentUnknown
    _journal(tx, provider, "appointment.ended", subject, by, {"appointment": str(number)})


def end_all(tx: Session, subject: str, at: datetime) -> None:
    """End all that somebody holds at `at`, and let nothing begin that was to begin later."""
    of_subject = AppointmentRow.subject == subject
    tx.execute(update(AppointmentRow).where(of_subject, _lasts_beyond(at)).values(cut_at=at))


def go_on(tx: Session, subject: str, ended: datetime) -> None:
    """Let what `end_all` was to end go on to its own end; what begins then or later never begins."""
    of_subject, later = AppointmentRow.subject == subject, AppointmentRow.since >= ended
    tx.execute(update(AppointmentRow).where(of_subject, later).values(cut_at=ended))
    cut = AppointmentRow.cut_at == ended, AppointmentRow.since < ended
    tx.execute(update(AppointmentRow).where(of_subject, *cut).values(cut_at=None))


def unended(tx: Session, subject: str, now: datetime) -> list[Appointment]:
    """What somebody holds now or will hold, the first first."""
    return list(of_many(tx, [subject], now)[subject])


def of_many(
    tx: Session, subjects: Iterable[str], now: datetime
) -> Mapping[str, tuple[Appointment, ...]]:
    """What each of these holds now or will hold, the first first."""
    found: dict[str, list[Appointment]] = {subject: [] for subject in subjects}
    query = select(AppointmentRow).where(AppointmentRow.subject.in_(found), _lasts_beyond(now))
    for row in tx.scalars(query.order_by(AppointmentRow.id)):
        if row.cut_at is None or row.since < row.cut_at:
            found[row.subject].append(_appointment(row))
    return {subject: tuple(held) for subject, held in found.items()}


def of_group(tx: Session, group: str, now: datetime) -> list[Appointment]:
    """What is held by a group, by whom, the first first."""
    query = select(AppointmentRow).where(AppointmentRow.group == group, _lasts_beyond(now))
    return [_appointment(row) for row in tx.scalars(query.order_by(AppointmentRow.id))]


def live(tx: Session, provider: Provider, subject: str) -> tuple[Appointment, ...]:
    """What somebody holds now."""
    now = provider.clock()
    return tuple(one for one in unended(tx, subject, now) if one.is_live(now))


def permits(tx: Session, provider: Provider, subject: str, scope: str, body: str) -> bool:
    """Whether somebody may use `scope` at `body` now, by an appointment that reaches it."""
    return bool(permitting(tx, provider, subject, scope, body))


def permitting(
    tx: Session, provider: Provider, subject: str, scope: str, body: str
) -> tuple[Appointment, ...]:
    """The appointments by which somebody may use `scope` at `body` now."""
    chain = bodies.chain(tx, body)
    held = live(tx, provider, subject)
    return tuple(one for one in held if scope in one.scopes and one.reaches(body, chain))


def _hold(tx: Session, subject: str) -> StaffRow:
    """Let nobody else appoint the same person meanwhile: two at once could hold what excludes."""
    row = tx.get(StaffRow, subject, with_for_update=True, populate_existing=True)
    if row is None:
        raise AccountUnknown
    return row


def _lasts_beyond(at: datetime) -> ColumnElement[bool]:
    own = or_(AppointmentRow.until.is_(None), AppointmentRow.until > at)
    return and_(own, or_(AppointmentRow.cut_at.is_(None), AppointmentRow.cut_at > at))


def _journal(
    tx: Session, provider: Provider, action: str, subject: str, by: str, details: dict[str, str]
) -> None:
    journal.append(
        tx, at=provider.clock(), actor=by, action=action, subject=subject, details=details
    )


def _appointment(row: AppointmentRow) -> Appointment:
    until = min((end for end in (row.until, row.cut_at) if end is not None), default=None)
    return Appointment(
        row.id, row.subject, row.role, row.body, row.below, row.since, until, row.group
    )
