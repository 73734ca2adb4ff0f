"""Natural persons: who they are, how they are found at sign-in, and where they stand.

An ID number or a phone is looked up by its keyed index and opened only where it must be shown
to its owner or compared.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from idp import evidence, identity_documents, levels, outbox
from idp.identity_documents import Document
from idp.levels import EvidenceKind, Ladder
from idp.people_errors import AccountUnknown
from idp.provider import Provider
from idp.tables import PersonRow
from keys.identity_numbers import mask_number

NUMBER = identity_documents.CITIZEN_NUMBERS
PHONE = "phone"
USERNAME = re.compile(r"[a-z][a-z0-9._-]{2,31}", re.ASCII)
MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
_LONGEST_NAME = 50
_NAME_MARKS = "·•.'- "


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

    `profile` is what the person says of themselves, by the name of the claim (Core §5.1). `phone` is
    "" for none, `phone_proven` whether a code sent to it was ever read here.
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
    document: str = NUMBER
    born: date | None = field(default=None, repr=False)
    phone_proven: bool = False

    @property
    def birthdate(self) -> date | None:
        """The birth date: of the number, else as their register confirmed it."""
        return identity_documents.birthdate(self.number) or self.born


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
    rows = tx.execute(query.where(condition, PersonRow.closed_at.is_(None))).all()
    # One text can be the number of two papers, of two persons: then it names neither.
    return Credentials(rows[0].subject, rows[0].password_hash) if len(rows) == 1 else None


def of_paper(
    tx: Session, provider: Provider, number: str, documents: Collection[Document]
) -> str | None:
    """The subject of the open account with one of these papers, and this number on it."""
    known = PersonRow.number_index.in_(_indexes(provider, number)), PersonRow.closed_at.is_(None)
    query = select(PersonRow.subject).where(*known, PersonRow.document.in_(documents))
    subjects = tx.scalars(query).all()
    return subjects[0] if len(subjects) == 1 else None


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


def hold(tx: Session, subject: str) -> None:
    """Let nobody change or close the account before this transaction is over.

    Raises `AccountUnknown`, also when somebody was just closing it.
    """
    query = select(PersonRow).where(PersonRow.subject == subject).with_for_update()
    row = tx.scalar(query.execution_options(populate_existing=True))
    if row is None or row.closed_at is not None:
        raise AccountUnknown


def particulars(tx: Session, provider: Provider, subject: str) -> Particulars:
    """All that is known of the person of an open account. Raises `AccountUnknown`."""
    row, now = _row(tx, subject), provider.clock()
    known = evidence.of_subject(tx, subject)
    return Particulars(
        subject=row.subject,
        username=row.username,
        name=row.name,
        number=provider.protector.open(row.number_sealed),
        phone=provider.protector.open(row.phone_sealed),
        sex=row.sex,
        profile=row.profile,
        registered_at=row.registered_at,
        standing=levels.standing_level(Ladder.NATURAL, known, now),
        document=row.document,
        born=row.birthdate,
        phone_proven=any(e.kind is EvidenceKind.SMS_CODE and e.live(now) for e in known),
    )


def describe(
    tx: Session,
    provider: Provider,
    subject: str,
    *,
    username: str | None,
    profile: Mapping[str, Any],
) -> None:
    """Let the person have a user name to sign in with, and say this of themselves."""
    described = {"username": username, "profile": dict(profile)}
    tx.execute(update(PersonRow).where(PersonRow.subject == subject).values(**described))
    outbox.note(tx, provider, subject)


def reveal_number(tx: Session, provider: Provider, subject: str) -> str:
    """The whole ID number, for look-ups on the person's own behalf. Raises `AccountUnknown`."""
    return provider.protector.open(_row(tx, subject).number_sealed)


def standing(
    tx: Session,
    provider: Provider,
    subject: str,
    at_most: int = levels.HIGHEST_STANDING,
    *,
    by_others_too: bool = True,
) -> levels.Standing:
    """Where the person stands now, as far as the rung `at_most`, and on what evidence.

    `by_others_too` false: leaving out what other nodes answer for.
    """
    known = evidence.of_subject(tx, subject)
    if not by_others_too:
        known = [piece for piece in known if piece.kind is not levels.EvidenceKind.UPSTREAM]
    return levels.standing_level(Ladder.NATURAL, known, provider.clock(), at_most)


def is_name(text: str) -> bool:
    """Can this be a person's name: letters of any script, and the marks between them?"""
    return 0 < len(text) <= _LONGEST_NAME and all(c.isalpha() or c in _NAME_MARKS for c in text)


def mask_phone(phone: str) -> str:
    """`13800001234` → `138****1234`; of none nothing."""
    return f"{phone[:3]}****{phone[-4:]}" if phone else ""


def is_username(text: str) -> bool:
    """Can this be a user name: of the form of one, and nobody's number?"""
    return bool(USERNAME.fullmatch(text)) and not identity_documents.index_names(text)


def _condition(provider: Provider, username: str) -> ColumnElement[bool] | None:
    typed = username.strip()
    if MOBILE.fullmatch(typed):
        return PersonRow.phone_index == provider.protector.index(PHONE, typed)
    indexes = _indexes(provider, typed)
    if indexes:
        return PersonRow.number_index.in_(indexes)
    return PersonRow.username == typed if USERNAME.fullmatch(typed) else None


def _indexes(provider: Provider, typed: str) -> list[bytes]:
    """Of every number that a text can be."""
    names = identity_documents.index_names(typed)
    return [provider.protector.index(space, key) for space, key in names]


def _row(tx: Session, subject: str) -> PersonRow:
    row = tx.get(PersonRow, subject)
    if row is None or row.closed_at is not None:
        raise AccountUnknown
    return row
