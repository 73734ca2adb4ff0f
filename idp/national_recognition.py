"""One person known in two systems without the number travelling: a keyed hash of number and name.

As the national platform recognises the users of provinces: both sides make the handle from what they
hold, under a key that only these two have, so that it says nothing to anybody else and cannot be
compared with the handle for a third. Who is told a handle in place of a number finds the person in
`recognition`, which holds one handle of each person per partner.
"""

import hmac
import unicodedata
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from idp.nodes.tables import RecognitionRow
from idp.provider import Provider
from idp.tables import PersonRow

SHORTEST_KEY = 32
_USE = b"yinxin national recognition 1"


@dataclass(frozen=True, slots=True)
class Partner:
    """Another system, and the key (32 bytes or more) that it and we have agreed on."""

    name: str
    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) < SHORTEST_KEY:
            raise ValueError(f"the key of {self.name} is shorter than {SHORTEST_KEY} bytes")

    def handle(self, number: str, name: str) -> bytes:
        """The 32 bytes that stand for a person between us: HMAC-SHA256 over number and name.

        The name counts in its composed form (Unicode NFC), which both sides hold whatever was typed.
        """
        told = (number, unicodedata.normalize("NFC", name))
        parts = b"".join(len(p).to_bytes(2) + p for p in (text.encode() for text in told))
        return hmac.digest(self.key, _USE + parts, "sha256")


def enrol(tx: Session, provider: Provider, partner: Partner, most: int = 1000) -> int:
    """Make the handles of people who have none yet for this partner, at most so many.

    Returns how many were made: call it again, in a transaction each, until that is 0.
    """
    known = select(RecognitionRow.subject).where(RecognitionRow.partner == partner.name)
    query = select(PersonRow.subject, PersonRow.number_sealed, PersonRow.name).where(
        PersonRow.closed_at.is_(None), PersonRow.subject.not_in(known)
    )
    people = tx.execute(query.order_by(PersonRow.subject).limit(most)).all()
    rows = [
        {
            "partner": partner.name,
            "subject": person.subject,
            "handle": partner.handle(provider.protector.open(person.number_sealed), person.name),
        }
        for person in people
    ]
    if rows:
        tx.execute(insert(RecognitionRow).values(rows).on_conflict_do_nothing())
    return len(rows)


def recognised(tx: Session, partner: Partner, handle: bytes) -> str | None:
    """The open account that the partner's handle stands for, or `None`."""
    query = select(RecognitionRow.subject).where(
        RecognitionRow.partner == partner.name, RecognitionRow.handle == handle
    )
    open_account = PersonRow.closed_at.is_(None)
    found: str | None = tx.scalar(
        query.join(PersonRow, PersonRow.subject == RecognitionRow.subject).where(open_account)
    )
    return found


def handle_of(tx: Session, provider: Provider, partner: Partner, subject: str) -> bytes | None:
    """What the partner is told of an open account in place of its number; `None` for none."""
    row = tx.get(PersonRow, subject)
    if row is None or row.closed_at is not None:
        return None
    return partner.handle(provider.protector.open(row.number_sealed), row.name)
