"""What an application calls a member of staff, if it keeps accounts of its own.

By its registration an application takes staff as they are here (`unified`), by a table of its own
accounts (`mapped`), or not at all (`none`): it goes on signing its staff in by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from idp.client_errors import ClientNotFound
from idp.client_metadata import StaffAccounts
from idp.clients import Client
from idp.people_errors import AccountUnknown
from idp.provider import Provider
from idp.staff_errors import LocalAccountUnknown, LocalAccountWrong
from idp.staffing.tables import LocalAccountRow
from idp.tables import ClientRow, StaffRow
from keys import journal

CLAIM = "local_account"
_LONGEST = 128


@dataclass(frozen=True, slots=True)
class Account:
    """An account at an application: how it names it, and how the person tells it from others."""

    local_id: str
    label: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The accounts somebody has at an application, and which of them they said, if any."""

    needed: bool = False
    accounts: tuple[str, ...] = ()
    chosen: str | None = None

    @property
    def account(self) -> str | None:
        """The one to go in by: the one chosen, or the only one."""
        if self.chosen is not None:
            return self.chosen if self.chosen in self.accounts else None
        return self.accounts[0] if len(self.accounts) == 1 else None


def link(
    tx: Session, provider: Provider, client_id: str, subject: str, account: Account, *, by: str
) -> bool:
    """Let somebody go into an application by this account; says whether that is new.

    Raises `LocalAccountWrong`, `ClientNotFound`, `AccountUnknown`.
    """
    for field, text in (("local_id", account.local_id), ("label", account.label)):
        if not 0 < len(text) <= _LONGEST or not text.isprintable() or text.isspace():
            raise LocalAccountWrong(field=field)
    if tx.get(ClientRow, client_id) is None:
        raise ClientNotFound
    if tx.get(StaffRow, subject) is None:
        raise AccountUnknown
    row = {
        "client_id": client_id,
        "subject": subject,
        "local_id": account.local_id,
        "label": account.label,
        "linked_at": provider.clock(),
        "linked_by": by,
    }
    statement = insert(LocalAccountRow).values(row).on_conflict_do_nothing()
    if tx.scalar(statement.returning(LocalAccountRow.local_id)) is None:
        return False
    _journal(tx, provider, "local-account.linked", subject, by, client_id)
    return True


def unlink(
    tx: Session, provider: Provider, client_id: str, subject: str, local_id: str, *, by: str
) -> bool:
    """Let nobody go in by it any more; says whether there was such a link."""
    key = {"client_id": client_id, "subject": subject, "local_id": local_id}
    statement = delete(LocalAccountRow).filter_by(**key).returning(LocalAccountRow.local_id)
    if tx.scalar(statement) is None:
        return False
    _journal(tx, provider, "local-account.unlinked", subject, by, client_id)
    return True


def of(tx: Session, client_id: str, subject: str) -> list[Account]:
    """The accounts somebody has at an application, by identifier."""
    query = select(LocalAccountRow).filter_by(client_id=client_id, subject=subject)
    rows = tx.scalars(query.order_by(LocalAccountRow.local_id))
    return [Account(row.local_id, row.label) for row in rows]


def of_client(tx: Session, client_id: str) -> list[tuple[str, Account]]:
    """Every link of an application: whose, and to which account."""
    query = select(LocalAccountRow).filter_by(client_id=client_id)
    rows = tx.scalars(query.order_by(LocalAccountRow.subject, LocalAccountRow.local_id))
    return [(row.subject, Account(row.local_id, row.label)) for row in rows]


def choice(tx: Session, client: Client, subject: str, chosen: str | None) -> Choice:
    """What is to be chosen from where accounts are mapped; nothing elsewhere."""
    if client.staff_accounts is not StaffAccounts.MAPPED:
        return Choice()
    accounts = tuple(account.local_id for account in of(tx, client.client_id, subject))
    return Choice(True, accounts, chosen)


def told(tx: Session, client: Client, subject: str, chosen: str | None) -> Mapping[str, Any]:
    """The claim that names the account, as things stand now.

    Raises `LocalAccountUnknown` when there is none to go in by, or the application takes nobody.
    """
    if client.staff_accounts is StaffAccounts.NONE:
        raise LocalAccountUnknown
    found = choice(tx, client, subject, chosen)
    if not found.needed:
        return {}
    if found.account is None:
        raise LocalAccountUnknown
    return {CLAIM: found.account}


def _journal(
    tx: Session, provider: Provider, action: str, subject: str, by: str, client_id: str
) -> None:
    journal.append(
        tx,
        at=provider.clock(),
        actor=by,
        action=action,
        subject=subject,
        details={"client_id": client_id},
    )
