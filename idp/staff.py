"""Government staff: a realm of their own; what a member may do follows from where they are appointed."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from idp import passwords
from idp.accounts import Credentials
from idp.errors import FieldWrong
from idp.people_errors import AccountUnknown
from idp.provider import Provider
from idp.staff_errors import StaffNameTaken
from idp.staffing import appointments, bodies, postings, roles
from idp.staffing.appointments import Appointment, Post
from idp.staffing.roles import ROLE_SCOPES, Term
from idp.tables import StaffRow
from keys import journal
from keys.identity_numbers import uscc


@dataclass(frozen=True, slots=True)
class Opening:
    """A staff account to open: whose, at which body, with which roles there, from when (now) on.

    Without a password nobody signs in by one.
    """

    username: str
    name: str
    organisation: str
    roles: tuple[str, ...]
    password: str | None = field(repr=False)
    since: datetime | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A member of staff whose account is open; `roles` are those that reach their own body."""

    subject: str
    username: str
    name: str
    organisation: str
    roles: tuple[str, ...]
    appointments: tuple[Appointment, ...] = ()

    @property
    def scopes(self) -> frozenset[str]:
        """What the roles allow at the member's own body, together."""
        return frozenset().union(*(ROLE_SCOPES[role] for role in self.roles))


def open_account(
    tx: Session,
    provider: Provider,
    opening: Opening,
    *,
    by: str = "service",
    protected: str | None = None,
) -> str:
    """Open a staff account and return its subject; `protected` is the password's hash, if made.

    Raises `FieldWrong`, `NumberWrong` (USCC), `RoleUnknown`, `RolesExclusive`, `PasswordWeak`,
    `StaffNameTaken`.
    """
    now = provider.clock()
    since = max(opening.since or now, now)
    check(opening, now)
    subject, organisation = provider.random(16).hex(), uscc(opening.organisation)
    if protected is None and opening.password is not None:
        protected = passwords.protect(provider, opening.password)
    row = {
        "subject": subject,
        "username": opening.username,
        "name": opening.name,
        "external_id": opening.external_id,
        "password_hash": protected,
        "opened_at": now,
        "changed_at": now,
    }
    statement = insert(StaffRow).values(row).on_conflict_do_nothing().returning(StaffRow.subject)
    if tx.scalar(statement) is None:
        raise StaffNameTaken
    journal.append(
        tx,
        at=now,
        actor=by,
        action="staff.opened",
        subject=subject,
        details={"organisation": organisation, "roles": " ".join(opening.roles)},
    )
    postings.begin(tx, subject, organisation, since)
    for role in opening.roles:
        appointments.appoint(tx, provider, subject, Post(role, organisation, since=since), by=by)
    return subject


def check(opening: Opening, now: datetime) -> None:
    """Raise for an account that cannot be, but for a user name that is taken."""
    check_username(opening.username)
    uscc(opening.organisation)
    for role in opening.roles:
        roles.check_known(role)
    roles.check_together(Term(role, now) for role in opening.roles)
    if opening.password is not None:
        passwords.check_strength(opening.password, opening.username)


def check_username(username: str) -> None:
    """Raise `FieldWrong` for a user name that is none."""
    if not _is_username(username):
        raise FieldWrong(field="username")


def credentials(tx: Session, provider: Provider, username: str) -> Credentials | None:
    """The open account of this user name, if it has a password."""
    if not _is_username(username):
        return None
    query = select(StaffRow.subject, StaffRow.password_hash)
    query = query.where(StaffRow.username == username, StaffRow.password_hash.is_not(None))
    row = tx.execute(query.where(_is_open(provider))).one_or_none()
    if row is None or postings.body_of(tx, row.subject, provider.clock()) is None:
        return None
    return Credentials(row.subject, row.password_hash)


def subject_of(tx: Session, username: str) -> str | None:
    """Whose user name this is, whether or not the account is open."""
    return tx.scalar(select(StaffRow.subject).where(StaffRow.username == username))


def last_body(tx: Session, subject: str) -> str:
    """The body somebody works, will work or last worked for. Raises `AccountUnknown`."""
    body = postings.last_body(tx, subject)
    if body is None:
        raise AccountUnknown
    return body


def member(tx: Session, provider: Provider, subject: str) -> Member:
    """The member of staff, as of now. Raises `AccountUnknown`."""
    row = tx.scalar(select(StaffRow).where(StaffRow.subject == subject, _is_open(provider)))
    organisation = postings.body_of(tx, subject, provider.clock())
    if row is None or organisation is None:
        raise AccountUnknown
    held = appointments.live(tx, provider, subject)
    chain = bodies.chain(tx, organisation)
    reaching = dict.fromkeys(one.role for one in held if one.reaches(organisation, chain))
    return Member(row.subject, row.username, row.name, organisation, tuple(reaching), held)


def working_for(tx: Session, provider: Provider, organisations: frozenset[str]) -> list[Member]:
    """Everybody who works for one of these bodies now, by user name."""
    of = postings.latest()
    query = select(StaffRow.subject).join(of, of.c.subject == StaffRow.subject)
    query = query.where(of.c.body.in_(organisations), _is_open(provider))
    found = []
    for subject in tx.scalars(query.order_by(StaffRow.username)):
        with suppress(AccountUnknown):  # whose posting is still to come
            found.append(member(tx, provider, subject))
    return found


def _is_open(provider: Provider) -> ColumnElement[bool]:
    not_closed = or_(StaffRow.closed_at.is_(None), StaffRow.closed_at > provider.clock())
    return and_(StaffRow.suspended_at.is_(None), not_closed)


def _is_username(text: str) -> bool:
    return 1 <= len(text) <= 64 and text.isprintable() and not text.isspace()
