"""Government staff: a realm of their own, with an organisation (USCC) and roles that give scopes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from idp.accounts import Credentials
from idp.errors import AccountUnknown, FieldWrong, RoleUnknown, StaffNameTaken
from idp.methods import password
from idp.provider import Provider
from idp.tables import StaffRow
from keys import journal
from keys.identity_numbers import uscc

ROLE_SCOPES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "licence-clerk": frozenset({"licence.issue", "licence.read"}),
        "licence-officer": frozenset({"licence.issue", "licence.read", "licence.revoke"}),
        "case-reviewer": frozenset({"licence.lookup"}),
        "identity-administrator": frozenset({"client.manage", "session.manage"}),
    }
)


@dataclass(frozen=True, slots=True)
class Opening:
    """A staff account to open."""

    username: str
    name: str
    organisation: str
    roles: tuple[str, ...]
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Member:
    """A member of staff whose account is open."""

    subject: str
    username: str
    name: str
    organisation: str
    roles: tuple[str, ...]

    @property
    def scopes(self) -> frozenset[str]:
        """What the roles allow, together."""
        return frozenset().union(*(ROLE_SCOPES[role] for role in self.roles))


def open_account(tx: Session, provider: Provider, opening: Opening) -> str:
    """Open a staff account and return its subject.

    Raises `FieldWrong`, `NumberWrong` (USCC), `RoleUnknown`, `PasswordWeak`, `StaffNameTaken`.
    """
    _check(opening)
    subject, organisation = provider.random(16).hex(), uscc(opening.organisation)
    row = {
        "subject": subject,
        "username": opening.username,
        "name": opening.name,
        "organisation": organisation,
        "roles": list(opening.roles),
        "password_hash": password.protect(provider, opening.password),
        "opened_at": provider.clock(),
    }
    statement = insert(StaffRow).values(row).on_conflict_do_nothing().returning(StaffRow.subject)
    if tx.scalar(statement) is None:
        raise StaffNameTaken
    journal.append(
        tx,
        at=provider.clock(),
        actor="service",
        action="staff.opened",
        subject=subject,
        details={"organisation": organisation, "roles": " ".join(opening.roles)},
    )
    return subject


def credentials(tx: Session, username: str) -> Credentials | None:
    """The open account of this user name."""
    if not _is_username(username):
        return None
    query = select(StaffRow.subject, StaffRow.password_hash)
    query = query.where(StaffRow.username == username, StaffRow.closed_at.is_(None))
    row = tx.execute(query).one_or_none()
    return None if row is None else Credentials(row.subject, row.password_hash)


def member(tx: Session, subject: str) -> Member:
    """The member of staff. Raises `AccountUnknown`."""
    row = tx.get(StaffRow, subject)
    if row is None or row.closed_at is not None:
        raise AccountUnknown
    return Member(row.subject, row.username, row.name, row.organisation, tuple(row.roles))


def _check(opening: Opening) -> None:
    if not _is_username(opening.username):
        raise FieldWrong(field="username")
    for role in opening.roles:
        if role not in ROLE_SCOPES:
            raise RoleUnknown(role=role)
    password.check_strength(opening.password, opening.username)


def _is_username(text: str) -> bool:
    return 1 <= len(text) <= 64 and text.isprintable() and not text.isspace()
