"""Natural persons: who they are, how they are found at sign-in, and where they stand.

An ID number or a phone is looked up by its keyed index and opened only where it must be shown
to its owner or compared.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from idp import levels
from idp.errors import AccountUnknown
from idp.provider import Provider
from idp.tables import EvidenceRow, PersonRow
from keys.identity_numbers import NumberWrong, mask_number, resident_id

NUMBER = "resident_id"
PHONE = "phone"
USERNAME = re.compile(r"[a-z][a-z0-9._-]{2,31}", re.ASCII)
MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Person:
    """A natural person as their own pages show them; `number` and `phone` are masked."""

    subject: str
    name: str
    number: str
    phone: str
    sex: str
    ethnicity: str


@dataclass(frozen=True, slots=True)
class Particulars:
    """All that is known of a person, whole: to choose from what a client is told, never to show.

    `profile` is what the person says of themselves, by the name of the claim (Core §5.1).
    """

    subject: str
    username: str | None = field(repr=False)
    name: str = field(repr=False)
    number: str = field(repr=False)
    phone: str = field(repr=False)
    sex: str = field(repr=False)
    profile: Mapping[str, Any] = field(repr=False)
    registered_at: datetime
    standing: levels.Standing


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a sign-in is checked against."""

    subject: str
    password_hash: str = field(repr=False)


def credentials(tx: Session, provider: Provider, username: str) -> Credentials | None:
    """The open account whose ID number, phone or user name was typed."""
    condition = _condition(provider, username)
    if condition is None:
        return None
    query = select(PersonRow.subject, PersonRow.password_hash)
    row = tx.execute(query.where(condition, PersonRow.closed_at.is_(None))).one_or_none()
    return None if row is None else Credentials(row.subject, row.password_hash)


def person(tx: Session, provider: Provider, subject: str) -> Person:
    """The person of an open account. Raises `AccountUnknown`."""
    row = _row(tx, subject)
    return Person(
        subject=row.subject,
        name=row.name,
        number=mask_number(provider.protector.open(row.number_sealed)),
        phone=mask_phone(provider.protector.open(row.phone_sealed)),
        sex=row.sex,
        ethnicity=row.ethnicity,
    )


def check_open(tx: Session, subject: str) -> None:
    """Raise `AccountUnknown` unless the account is there and open."""
    _row(tx, subject)


def particulars(tx: Session, provider: Provider, subject: str) -> Particulars:
    """All that is known of the person of an open account. Raises `AccountUnknown`."""
    row = _row(tx, subject)
    return Particulars(
        subject=row.subject,
        username=row.username,
        name=row.name,
        number=provider.protector.open(row.number_sealed),
        phone=provider.protector.open(row.phone_sealed),
        sex=row.sex,
        profile=row.profile,
        registered_at=row.registered_at,
        standing=standing(tx, provider, subject),
    )


def describe(
    tx: Session, subject: str, *, username: str | None, profile: Mapping[str, Any]
) -> None:
    """Let the person have a user name to sign in with, and say this of themselves."""
    described = {"username": username, "profile": dict(profile)}
    tx.execute(update(PersonRow).where(PersonRow.subject == subject).values(**described))


def reveal_number(tx: Session, provider: Provider, subject: str) -> str:
    """The whole ID number, for look-ups on the person's own behalf. Raises `AccountUnknown`."""
    return provider.protector.open(_row(tx, subject).number_sealed)


def standing(tx: Session, provider: Provider, subject: str) -> levels.Standing:
    """Where the person stands now, and on what evidence."""
    rows = tx.scalars(select(EvidenceRow).where(EvidenceRow.subject == subject))
    return levels.standing_level((_evidence(row) for row in rows), provider.clock())


def mask_phone(phone: str) -> str:
    """`13800001234` → `138****1234`."""
    return f"{phone[:3]}****{phone[-4:]}"


def _condition(provider: Provider, username: str) -> ColumnElement[bool] | None:
    typed = username.strip()
    if USERNAME.fullmatch(typed):
        return PersonRow.username == typed
    if MOBILE.fullmatch(typed):
        return PersonRow.phone_index == provider.protector.index(PHONE, typed)
    try:
        return PersonRow.number_index == provider.protector.index(NUMBER, resident_id(typed))
    except NumberWrong:
        return None


def _row(tx: Session, subject: str) -> PersonRow:
    row = tx.get(PersonRow, subject)
    if row is None or row.closed_at is not None:
        raise AccountUnknown
    return row


def _evidence(row: EvidenceRow) -> levels.Evidence:
    return levels.Evidence(
        kind=levels.EvidenceKind(row.kind),
        source=row.source,
        reference=row.reference,
        compared=tuple(row.compared),
        happened_at=row.happened_at,
        valid_until=row.valid_until,
    )
