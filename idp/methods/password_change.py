"""Somebody who is signed in chooses a new password: they know the old one, and stay signed in here alone.

`claim` in a transaction, `prove` in none, `keep` in another.
"""

from dataclasses import dataclass, field

from sqlalchemy import update
from sqlalchemy.orm import Session

from idp import outbox, passwords, recent, sessions, throttle
from idp.accounts import Credentials
from idp.methods import change_notice, lockout, recovered
from idp.methods.change_notice import Change
from idp.people_errors import AccountUnknown
from idp.provider import Provider
from idp.sessions import SignOn
from idp.sign_in_errors import PasswordDiffers
from idp.tables import PersonRow, StaffRow
from idp.vocabulary import Realm
from keys import journal


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the page submits: the password until now, and the new one."""

    own: SignOn
    former: str = field(repr=False)
    new: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Claim:
    """A change, what it is checked against, and what the new password must not contain."""

    wanted: Wanted
    credentials: Credentials
    names: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Proven:
    """A change by whoever knows the former password. Only `prove` makes one."""

    claim: Claim
    new_hash: str = field(repr=False)


def claim(tx: Session, provider: Provider, wanted: Wanted) -> Claim:
    """Read what the change is checked against. Raises `SignInTooOld`, `AccountUnknown`."""
    recent.require_recent(provider, wanted.own)
    row = _row(tx, wanted.own)
    if row is None or row.closed_at is not None:
        raise AccountUnknown
    return Claim(wanted, Credentials(row.subject, row.password_hash or ""), names(provider, row))


def prove(provider: Provider, claimed: Claim) -> Proven:
    """Check the old password and the new one's strength; call it outside any transaction.

    Raises `PasswordDiffers`, `PasswordWeak`, `TooManyTries`.
    """
    wanted = claimed.wanted
    throttle.count(provider, throttle.PASSWORD_PER_NAME, f"own:{wanted.own.subject}")
    if not passwords.is_right(wanted.former, claimed.credentials.password_hash):
        raise PasswordDiffers
    throttle.forgive(provider, throttle.PASSWORD_PER_NAME, f"own:{wanted.own.subject}")
    passwords.check_strength(wanted.new, *claimed.names)
    protected = passwords.protect(provider, wanted.new)
    former = claimed.credentials.password_hash
    return Proven(claimed, recovered.carried_on(wanted.own, former, protected))


def keep(tx: Session, provider: Provider, proven: Proven) -> int:
    """Keep the new password and end every other session; say how many ended.

    Raises `PasswordDiffers` when it was changed meanwhile.
    """
    own = proven.claim.wanted.own
    former = proven.claim.credentials.password_hash
    if not replace(tx, own.realm, own.subject, former, proven.new_hash):
        raise PasswordDiffers
    outbox.note(tx, provider, own.subject)
    change_notice.note(tx, provider, own.realm, own.subject, Change.PASSWORD)
    lockout.lift(provider, own.realm, *proven.claim.names)
    journal.append(
        tx,
        at=provider.clock(),
        actor=own.subject,
        action="password.changed",
        subject=own.subject,
        details={"realm": own.realm},
    )
    return sessions.end_others(tx, provider, own)


def replace(tx: Session, realm: Realm, subject: str, former: str, new: str) -> bool:
    """Store a hash in place of the one that was read; says whether that one was still there."""
    table = _table(realm)
    unchanged = (table.subject == subject, table.password_hash == former)
    statement = update(table).where(*unchanged).values(password_hash=new)
    return tx.scalar(statement.returning(table.subject)) is not None


def names(provider: Provider, row: PersonRow | StaffRow) -> tuple[str, ...]:
    """All that the account's owner may type as its name."""
    if isinstance(row, StaffRow):
        return (row.username,)
    numbers = (row.number_sealed, row.phone_sealed)
    opened = tuple(provider.protector.open(sealed) for sealed in numbers)
    return opened if row.username is None else (*opened, row.username)


def _row(tx: Session, own: SignOn) -> PersonRow | StaffRow | None:
    if own.realm is Realm.STAFF:
        return tx.get(StaffRow, own.subject)
    return tx.get(PersonRow, own.subject)


def _table(realm: Realm) -> type[PersonRow] | type[StaffRow]:
    return StaffRow if realm is Realm.STAFF else PersonRow
