"""Two persons for what one must not do alone: a custodian asks, another agrees, and it is done once.

What they agree on is one action on one subject, within a day (RFC 3647 §4.6.2 asks an authority to
tell who controls its private keys, and how many of them it takes).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Row, func, insert, select, update
from sqlalchemy.orm import Session

from keys import journal
from keys.custodians import Custodian, standing
from keys.errors import DomainError
from keys.tables import consent as consents
from keys.tables import custodian as custodians

LASTS = timedelta(hours=24)
LEAST = 2
"""As many custodians as it takes: the first so many come without consent, and there are never less."""

ADD, REMOVE = "custodian.add", "custodian.remove"
"""The actions two custodians agree on to make another one, or to let one go."""

# Custodians come and go one at a time, across processes.
_CUSTODIANS_LOCK = 0x59494E43  # "YINC"


class ConsentMissing(DomainError):
    """No two custodians agreed to this action on this subject, or it has been done already."""

    code = "consent.missing"


class ConsentExpired(DomainError):
    """Two custodians agreed to this action on this subject, too long ago."""

    code = "consent.expired"


class RequestNotFound(DomainError):
    """No request with this number waits for an agreement."""

    code = "consent.not_found"


class SamePerson(DomainError):
    """Who asked cannot be who agrees."""

    code = "consent.same_person"


class NotACustodian(DomainError):
    """The person is no custodian, or no longer."""

    code = "custodian.not_found"


class CustodianExists(DomainError):
    """There is or was a custodian of this name: a name stands for one person in the journal for ever."""

    code = "custodian.exists"


class TooFewCustodians(DomainError):
    """Without this custodian, no two would be left to agree on anything."""

    code = "custodian.too_few"


@dataclass(frozen=True, slots=True)
class Consent:
    """Two custodians agreed, at `at` (aware UTC), to one action on one subject."""

    action: str
    subject: str
    first: str
    second: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Request:
    """What a custodian asks another one to agree to, until `ends_at` (aware UTC)."""

    id: int
    action: str
    subject: str
    asked_by: str
    asked_at: datetime
    ends_at: datetime


def required(consent: Consent | None, action: str, subject: str) -> Consent:
    """Return the consent when it is to this action on this subject. Raises ConsentMissing."""
    if consent is None or (consent.action, consent.subject) != (action, subject):
        raise ConsentMissing(action=action, subject=subject)
    return consent


def is_guarded(tx: Session) -> bool:
    """Say whether there are custodians to agree on anything; before there are, nobody is asked."""
    return len(standing(tx)) >= LEAST


def ask(
    tx: Session,
    action: str,
    subject: str,
    by: Custodian,
    now: datetime,
    lasts: timedelta = LASTS,
) -> int:
    """Ask for another's agreement and return the number of the request. Raises NotACustodian."""
    _check_standing(tx, by)
    asked = insert(consents).values(
        action=action, subject=subject, asked_by=by.name, asked_at=now, ends_at=now + lasts
    )
    row = tx.execute(asked.returning(consents)).one()
    _journal(tx, "consent.asked", by.name, now, row)
    return int(row.id)


def agree(tx: Session, request: int, by: Custodian, now: datetime) -> None:
    """Agree to what another custodian asked. Raises RequestNotFound, SamePerson, NotACustodian."""
    _check_standing(tx, by)
    query = select(consents).where(consents.c.id == request, _waits(now))
    row = tx.execute(query.with_for_update()).first()
    if row is None:
        raise RequestNotFound(request=request)
    if row.asked_by == by.name:
        raise SamePerson(name=by.name)
    agreed = update(consents).where(consents.c.id == request)
    tx.execute(agreed.values(agreed_by=by.name, agreed_at=now))
    _journal(tx, "consent.agreed", by.name, now, row)


def waiting(tx: Session, now: datetime) -> tuple[Request, ...]:
    """Return the requests that nobody agreed to yet, oldest first."""
    query = select(consents).where(_waits(now)).order_by(consents.c.id)
    return tuple(_request(row) for row in tx.execute(query))


def spend(tx: Session, action: str, subject: str, now: datetime) -> Consent:
    """Take the newest consent to this action on this subject; no one else can take it again.

    Of custodians who agree and act in one go that is their own, so none of theirs is left over. It
    comes back when the transaction does not commit. An agreement of somebody who is a custodian no
    more does not count. Raises ConsentMissing, ConsentExpired.
    """
    still = select(custodians.c.name).where(custodians.c.removed_at.is_(None))
    query = select(consents).where(
        consents.c.action == action,
        consents.c.subject == subject,
        consents.c.spent_at.is_(None),
        consents.c.asked_by.in_(still),
        consents.c.agreed_by.in_(still),
    )
    fresh = query.where(consents.c.ends_at > now).order_by(consents.c.id.desc()).limit(1)
    row = tx.execute(fresh.with_for_update()).first()
    if row is None:
        late = tx.execute(query).first() is not None
        raise (ConsentExpired if late else ConsentMissing)(action=action, subject=subject)
    tx.execute(update(consents).where(consents.c.id == row.id).values(spent_at=now))
    _journal(tx, "consent.spent", row.asked_by, now, row)
    return Consent(action, subject, row.asked_by, row.agreed_by, row.agreed_at)


def add_custodian(tx: Session, name: str, passphrase: str, *, by: str, now: datetime) -> None:
    """Make a custodian, of a passphrase as `custodian_hash` gives it.

    The first two come without consent; for each later one the consent to `custodian.add` is spent.
    Raises CustodianExists, ConsentMissing, ConsentExpired.
    """
    tx.execute(select(func.pg_advisory_xact_lock(_CUSTODIANS_LOCK)))
    if tx.execute(select(custodians).where(custodians.c.name == name)).first():
        raise CustodianExists(name=name)
    if is_guarded(tx):
        spend(tx, ADD, name, now)
    tx.execute(insert(custodians).values(name=name, passphrase=passphrase, added_at=now))
    journal.append(tx, at=now, actor=by, action="custodian.added", subject=name, details={})


def remove_custodian(tx: Session, name: str, *, by: str, now: datetime) -> None:
    """Let a custodian go, spending the consent to `custodian.remove`.

    Raises NotACustodian, TooFewCustodians, ConsentMissing, ConsentExpired.
    """
    tx.execute(select(func.pg_advisory_xact_lock(_CUSTODIANS_LOCK)))
    names = standing(tx)
    if name not in names:
        raise NotACustodian(name=name)
    if len(names) <= LEAST:
        raise TooFewCustodians(least=LEAST)
    spend(tx, REMOVE, name, now)
    tx.execute(update(custodians).where(custodians.c.name == name).values(removed_at=now))
    journal.append(tx, at=now, actor=by, action="custodian.removed", subject=name, details={})


def _check_standing(tx: Session, who: Custodian) -> None:
    if who.name not in standing(tx):
        raise NotACustodian(name=who.name)


def _waits(now: datetime) -> ColumnElement[bool]:
    return consents.c.agreed_by.is_(None) & (consents.c.ends_at > now)


def _request(row: Row[tuple[object, ...]]) -> Request:
    return Request(row.id, row.action, row.subject, row.asked_by, row.asked_at, row.ends_at)


def _journal(
    tx: Session, action: str, actor: str, now: datetime, row: Row[tuple[object, ...]]
) -> None:
    journal.append(
        tx,
        at=now,
        actor=actor,
        action=action,
        subject=row.subject,
        details={"action": row.action, "consent": row.id},
    )
