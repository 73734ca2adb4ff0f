"""Users (RFC 7643 §4.1): a member of staff as other systems see and change one.

What is shown is where somebody is going: after a transfer that is to come, the body to come.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from scim2_models import Meta
from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from idp import passwords, sessions, staff
from idp.errors import FieldWrong
from idp.methods.tables import DeviceRow, PasskeyRow, TotpRow
from idp.people_errors import AccountUnknown
from idp.provider import Provider
from idp.scim.models import Employment, Held, InGroup, StaffUser
from idp.scim.provisioner import Provisioner, check_roles
from idp.sessions import Ending
from idp.staff import Opening
from idp.staff_errors import StaffNameTaken
from idp.staffing import appointments, lifecycle, postings
from idp.staffing.appointments import Appointment, Post
from idp.staffing.lifecycle import Transfer
from idp.staffing.roles import ADMINISTRATORS
from idp.staffing.tables import GroupRow
from idp.tables import StaffRow
from keys import journal
from keys.identity_numbers import uscc

_LONGEST_NAME = 100
_LONGEST_ID = 256


@dataclass(frozen=True, slots=True)
class _Known:
    """What one account is drawn from."""

    row: StaffRow
    body: str
    since: datetime
    held: tuple[Appointment, ...]


def listed(
    tx: Session,
    provider: Provider,
    who: Provisioner,
    condition: ColumnElement[bool] | None = None,
) -> list[StaffUser]:
    """Everybody the caller answers for, in the order they were opened in."""
    of = postings.latest()
    query = select(StaffRow, of.c.body, of.c.since).join(of, of.c.subject == StaffRow.subject)
    query = query.where(of.c.body.in_(who.reach)).order_by(StaffRow.opened_at, StaffRow.subject)
    if condition is not None:
        query = query.where(condition)
    rows = tx.execute(query.execution_options(populate_existing=True)).all()
    held = appointments.of_many(tx, (row.subject for row, _, _ in rows), provider.clock())
    names = _groups_of(tx, held.values())
    known = (_Known(row, body, since, held[row.subject]) for row, body, since in rows)
    return [_user(provider, one, names) for one in known]


def get(tx: Session, provider: Provider, who: Provisioner, subject: str) -> StaffUser:
    """One of them. Raises `AccountUnknown`."""
    found = listed(tx, provider, who, StaffRow.subject == subject)
    if not found:
        raise AccountUnknown
    return found[0]


def hold(tx: Session, subject: str) -> None:
    """Let nobody else change the account until the commit."""
    tx.execute(select(StaffRow.subject).where(StaffRow.subject == subject).with_for_update())


def protected(provider: Provider, wanted: StaffUser) -> str | None:
    """The hash of a password that is set; slow, and so outside transactions. Raises `PasswordWeak`."""
    if wanted.password is None:
        return None
    passwords.check_strength(wanted.password, wanted.user_name or "")
    return passwords.protect(provider, wanted.password)


def create(
    tx: Session, provider: Provider, who: Provisioner, wanted: StaffUser, secret: str | None
) -> str:
    """Open an account; return its identifier.

    Raises `FieldWrong`, `NumberWrong`, `RoleUnknown`, `RoleReserved`, `StaffNameTaken`,
    `BodyOutOfReach`.
    """
    employment, given = _employment(wanted), _roles(wanted)
    who.check_body(employment.body)
    opening = Opening(
        username=wanted.user_name or "",
        name=_name(wanted),
        organisation=employment.body,
        roles=given,
        password=None,
        since=employment.since,
        external_id=_external_id(wanted),
    )
    subject = staff.open_account(tx, provider, opening, by=who.name, protected=secret)
    if employment.until is not None:
        lifecycle.close(tx, provider, subject, by=who.name, at=employment.until)
    if wanted.active is False:
        lifecycle.suspend(tx, provider, subject, by=who.name)
    return subject


def change(
    tx: Session,
    provider: Provider,
    who: Provisioner,
    current: StaffUser,
    wanted: StaffUser,
    secret: str | None,
) -> None:
    """Make an account as it is wanted. Raises what `create` raises, and `AccountUnknown`."""
    subject, was, asked = str(current.id), _employment(current), _employment(wanted)
    who.check_body(asked.body)
    _describe(tx, provider, who, subject, wanted)
    if secret is not None:
        _set_password(tx, provider, who, subject, secret)
    if asked.until != was.until:
        _change_end(tx, provider, who, subject, asked.until)
    if asked.until is not None and asked.until <= provider.clock():
        return  # a closed account holds nothing
    later = asked.since is not None and asked.since > provider.clock()
    if asked.body != was.body or (later and asked.since != was.since):
        to = Transfer(asked.body, _roles(wanted), asked.since)
        lifecycle.transfer(tx, provider, subject, to, by=who.name)
    else:
        _change_roles(tx, provider, who, subject, asked, _roles(wanted))
    if (wanted.active is not False) != (current.active is not False):
        switch = lifecycle.suspend if wanted.active is False else lifecycle.resume
        switch(tx, provider, subject, by=who.name)


def remove(tx: Session, provider: Provider, who: Provisioner, current: StaffUser) -> None:
    """Forget an account (RFC 7644 §3.6), and all it was signed in with."""
    subject = str(current.id)
    lifecycle.remove(tx, provider, subject, by=who.name)
    for table in (DeviceRow, PasskeyRow, TotpRow):
        tx.execute(delete(table).where(table.subject == subject))


def _describe(
    tx: Session, provider: Provider, who: Provisioner, subject: str, wanted: StaffUser
) -> None:
    username = wanted.user_name or ""
    staff.check_username(username)
    if staff.subject_of(tx, username) not in (None, subject):
        raise StaffNameTaken
    told = {
        "username": username,
        "name": _name(wanted),
        "external_id": _external_id(wanted),
    }
    row = tx.get_one(StaffRow, subject, populate_existing=True)
    changed = sorted(name for name in told if getattr(row, name) != told[name])
    tx.execute(
        update(StaffRow)
        .where(StaffRow.subject == subject)
        .values(**told, changed_at=provider.clock())
    )
    if changed:
        _journal(tx, provider, who, "staff.changed", subject, {"members": " ".join(changed)})


def _set_password(
    tx: Session, provider: Provider, who: Provisioner, subject: str, secret: str
) -> None:
    """Set it and end the sign-ons of before. Raises `RoleReserved` for an administrator's."""
    check_roles(one.role for one in appointments.unended(tx, subject, provider.clock()))
    statement = update(StaffRow).where(StaffRow.subject == subject)
    tx.execute(statement.values(password_hash=secret))
    _journal(tx, provider, who, "staff.password-set", subject, {})
    for sid in sorted(one.sid for one in sessions.of_subject(tx, provider, subject)):
        sessions.end(tx, provider, sid, by=who.name, why=Ending.BY_ADMINISTRATOR)


def _change_end(
    tx: Session, provider: Provider, who: Provisioner, subject: str, until: datetime | None
) -> None:
    if until is None:
        lifecycle.keep_open(tx, provider, subject, by=who.name)
    else:
        lifecycle.close(tx, provider, subject, by=who.name, at=until)


def _change_roles(
    tx: Session,
    provider: Provider,
    who: Provisioner,
    subject: str,
    at: "_Employment",
    given: tuple[str, ...],
) -> None:
    held = appointments.unended(tx, subject, provider.clock())
    own = {one.role: one for one in held if _is_own(one, at.body)}
    for role in own.keys() - set(given):
        appointments.end(tx, provider, own[role].id, by=who.name)
    since = max(at.since or provider.clock(), provider.clock())
    for role in dict.fromkeys(role for role in given if role not in own):
        post = Post(role, at.body, since=since)
        appointments.appoint(tx, provider, subject, post, by=who.name)


@dataclass(frozen=True, slots=True)
class _Employment:
    """The extension, checked: the body there is, the times aware and in whole seconds."""

    body: str
    since: datetime | None
    until: datetime | None


def _employment(user: StaffUser) -> _Employment:
    told = user[Employment]
    if told is None or not told.body:
        raise FieldWrong(field="body")
    return _Employment(uscc(told.body), _moment("since", told.since), _moment("until", told.until))


def _moment(field: str, at: datetime | None) -> datetime | None:
    if at is None:
        return None
    if at.tzinfo is None:
        raise FieldWrong(field=field)
    try:
        return at.astimezone(UTC).replace(microsecond=0)
    except OverflowError:  # the first and the last day there are
        raise FieldWrong(field=field) from None


def _name(wanted: StaffUser) -> str:
    name = wanted.display_name or ""
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable() or name.isspace():
        raise FieldWrong(field="displayName")
    return name


def _external_id(wanted: StaffUser) -> str | None:
    if len(wanted.external_id or "") > _LONGEST_ID:
        raise FieldWrong(field="externalId")
    return wanted.external_id


def _roles(wanted: StaffUser) -> tuple[str, ...]:
    given = tuple(dict.fromkeys(one.value or "" for one in wanted.roles or ()))
    check_roles(given)
    return given


def _is_own(appointment: Appointment, body: str) -> bool:
    """Is it one of `roles`: at the user's own body, by no group, and provisioning's to give?"""
    at_own = appointment.group is None and appointment.body == body
    return at_own and appointment.role not in ADMINISTRATORS


def _groups_of(tx: Session, held: Iterable[tuple[Appointment, ...]]) -> Mapping[str, str]:
    ids = {one.group for each in held for one in each if one.group is not None}
    query = select(GroupRow.id, GroupRow.display_name).where(GroupRow.id.in_(ids))
    return {row.id: row.display_name for row in tx.execute(query)}


def _user(provider: Provider, known: _Known, groups: Mapping[str, str]) -> StaffUser:
    row = known.row
    own = dict.fromkeys(one.role for one in known.held if _is_own(one, known.body))
    inside = dict.fromkeys(one.group for one in known.held if one.group in groups)
    closed = row.closed_at is not None and row.closed_at <= provider.clock()
    user = StaffUser(
        id=row.subject,
        external_id=row.external_id,
        user_name=row.username,
        display_name=row.name,
        active=row.suspended_at is None and not closed,
        roles=[Held(value=role) for role in own] or None,
        groups=[InGroup(value=one, display=groups[str(one)]) for one in inside] or None,
        meta=Meta(
            resource_type="User",
            created=row.opened_at,
            last_modified=row.changed_at,
            location=f"{provider.public_url}/scim/v2/Users/{row.subject}",
        ),
    )
    user[Employment] = Employment(body=known.body, since=known.since, until=row.closed_at)
    return user


def _journal(
    tx: Session,
    provider: Provider,
    who: Provisioner,
    action: str,
    subject: str,
    details: dict[str, str],
) -> None:
    journal.append(
        tx, at=provider.clock(), actor=who.name, action=action, subject=subject, details=details
    )
