"""Groups (RFC 7643 §4.2): a role at a body, held by whoever is a member."""

from collections.abc import Iterable

from scim2_models import Meta
from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from idp import staff
from idp.errors import FieldWrong
from idp.people_errors import AccountUnknown
from idp.provider import Provider
from idp.scim.models import Member, Post, StaffGroup
from idp.scim.provisioner import Provisioner, check_roles
from idp.staff_errors import GroupUnknown
from idp.staffing import appointments
from idp.staffing.appointments import Appointment
from idp.staffing.tables import AppointmentRow, GroupRow
from keys import journal
from keys.identity_numbers import uscc

_LONGEST_NAME = 100
_LONGEST_ID = 256


def listed(
    tx: Session,
    provider: Provider,
    who: Provisioner,
    condition: ColumnElement[bool] | None = None,
) -> list[StaffGroup]:
    """Every group at a body the caller answers for, in the order they were made in."""
    query = select(GroupRow).where(GroupRow.body.in_(who.reach))
    if condition is not None:
        query = query.where(condition)
    query = query.order_by(GroupRow.made_at, GroupRow.id)
    rows = list(tx.scalars(query.execution_options(populate_existing=True)))
    held = {row.id: appointments.of_group(tx, row.id, provider.clock()) for row in rows}
    return [_group(provider, row, held[row.id]) for row in rows]


def get(tx: Session, provider: Provider, who: Provisioner, group: str) -> StaffGroup:
    """One of them. Raises `GroupUnknown`."""
    found = listed(tx, provider, who, GroupRow.id == group)
    if not found:
        raise GroupUnknown
    return found[0]


def hold(tx: Session, group: str) -> None:
    """Let nobody else change the group until the commit."""
    tx.execute(select(GroupRow.id).where(GroupRow.id == group).with_for_update())


def protected(provider: Provider, wanted: StaffGroup) -> None:
    """A group keeps no secret."""


def create(
    tx: Session, provider: Provider, who: Provisioner, wanted: StaffGroup, secret: None
) -> str:
    """Make a group; return its identifier.

    Raises `FieldWrong`, `NumberWrong`, `RoleUnknown`, `RoleReserved`, `RolesExclusive`,
    `BodyOutOfReach`.
    """
    now, group = provider.clock(), provider.random(16).hex()
    tx.add(GroupRow(id=group, made_at=now, changed_at=now, **_described(who, wanted)))
    tx.flush()
    _journal(tx, provider, who, "group.made", group)
    _fill(tx, provider, who, group, wanted)
    return group


def change(
    tx: Session,
    provider: Provider,
    who: Provisioner,
    current: StaffGroup,
    wanted: StaffGroup,
    secret: None,
) -> None:
    """Make a group as it is wanted; another role or body is held anew by every member."""
    group = str(current.id)
    told = _described(who, wanted) | {"changed_at": provider.clock()}
    tx.execute(update(GroupRow).where(GroupRow.id == group).values(**told))
    moved = current[Post].model_dump() != wanted[Post].model_dump()
    staying = set() if moved else _subjects(wanted)
    for one in appointments.of_group(tx, group, provider.clock()):
        if one.subject not in staying:
            appointments.end(tx, provider, one.id, by=who.name)
    _journal(tx, provider, who, "group.changed", group)
    _fill(tx, provider, who, group, wanted)


def remove(tx: Session, provider: Provider, who: Provisioner, current: StaffGroup) -> None:
    """Remove a group, and with it what its members hold by it (RFC 7644 §3.6)."""
    group = str(current.id)
    for one in appointments.of_group(tx, group, provider.clock()):
        appointments.end(tx, provider, one.id, by=who.name)
    of_group = AppointmentRow.group == group
    tx.execute(update(AppointmentRow).where(of_group).values(group=None))
    tx.execute(delete(GroupRow).where(GroupRow.id == group))
    _journal(tx, provider, who, "group.removed", group)


def _fill(
    tx: Session, provider: Provider, who: Provisioner, group: str, wanted: StaffGroup
) -> None:
    """Appoint the members who do not hold it yet."""
    post = wanted[Post]
    held = {one.subject for one in appointments.of_group(tx, group, provider.clock())}
    asked = appointments.Post(post.role, uscc(post.body), post.below is not False, group=group)
    for subject in sorted(_subjects(wanted) - held):
        try:
            who.check_body(staff.last_body(tx, subject))
            appointments.appoint(tx, provider, subject, asked, by=who.name)
        except AccountUnknown:  # of a member: the group itself is there
            raise FieldWrong(field="members") from None


def _described(who: Provisioner, wanted: StaffGroup) -> dict[str, object]:
    post, name = wanted[Post], wanted.display_name or ""
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable() or name.isspace():
        raise FieldWrong(field="displayName")
    if len(wanted.external_id or "") > _LONGEST_ID:
        raise FieldWrong(field="externalId")
    if post is None or not post.body or not post.role:
        raise FieldWrong(field="body")
    check_roles([post.role])
    body = uscc(post.body)
    who.check_body(body)
    return {
        "display_name": name,
        "external_id": wanted.external_id,
        "role": post.role,
        "body": body,
        "below": post.below is not False,
    }


def _subjects(wanted: StaffGroup) -> set[str]:
    return {one.value or "" for one in wanted.members or ()}


def _group(provider: Provider, row: GroupRow, held: Iterable[Appointment]) -> StaffGroup:
    base = f"{provider.public_url}/scim/v2"
    members = [
        Member(value=one.subject, ref=f"{base}/Users/{one.subject}", type="User") for one in held
    ]
    group = StaffGroup(
        id=row.id,
        external_id=row.external_id,
        display_name=row.display_name,
        members=members or None,
        meta=Meta(
            resource_type="Group",
            created=row.made_at,
            last_modified=row.changed_at,
            location=f"{base}/Groups/{row.id}",
        ),
    )
    group[Post] = Post(role=row.role, body=row.body, below=row.below)
    return group


def _journal(tx: Session, provider: Provider, who: Provisioner, action: str, group: str) -> None:
    journal.append(
        tx, at=provider.clock(), actor=who.name, action=action, subject=group, details={}
    )
