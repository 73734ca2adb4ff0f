"""A person as one node tells another: who they are, how they sign in, and what speaks for them.

It is always the whole person, as they are when it is told, so that the newest that came is all that
counts. Who recorded a piece of evidence, and where, stays behind: that is about staff. So does what an
upstream answered for: it is about a sign-on at the node that heard it, and counts nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from idp import evidence
from idp.identity_documents import RULES, Document
from idp.levels import Evidence, EvidenceKind
from idp.provider import Provider
from idp.tables import PersonRow


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of evidence, by the identifier it has at the node that tells of it."""

    id: int
    kind: EvidenceKind
    source: str
    reference: str
    compared: tuple[str, ...]
    happened_at: datetime
    valid_until: datetime | None
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Traveller:
    """A person under the subject that the telling node has for them; `sequence` counts the tellings."""

    subject: str
    sequence: int
    document: Document
    number: str = field(repr=False)
    phone: str = field(repr=False)
    name: str = field(repr=False)
    ethnicity: str
    sex: str
    nationality: str | None
    birthdate: date | None = field(repr=False)
    username: str | None = field(repr=False)
    password_hash: str = field(repr=False)
    profile: Mapping[str, Any] = field(repr=False)
    registered_at: datetime
    closed_at: datetime | None
    evidence: tuple[Piece, ...]

    @property
    def number_key(self) -> tuple[str, str]:
        """The space of numbers, and what is unique in it."""
        rule = RULES[self.document]
        return rule.space(self.number), rule.key(self.number, self.nationality or "")


TRAVELLERS: TypeAdapter[tuple[Traveller, ...]] = TypeAdapter(tuple[Traveller, ...])
TRAVELLER: TypeAdapter[Traveller] = TypeAdapter(Traveller)


def read(tx: Session, provider: Provider, sequences: Mapping[str, int]) -> list[Traveller]:
    """The people of these subjects as they are now, each under its sequence."""
    query = select(PersonRow).where(PersonRow.subject.in_(sequences)).order_by(PersonRow.subject)
    return [
        Traveller(
            subject=row.subject,
            sequence=sequences[row.subject],
            document=Document(row.document),
            number=provider.protector.open(row.number_sealed),
            phone=provider.protector.open(row.phone_sealed),
            name=row.name,
            ethnicity=row.ethnicity,
            sex=row.sex,
            nationality=row.nationality,
            birthdate=row.birthdate,
            username=row.username,
            password_hash=row.password_hash,
            profile=row.profile,
            registered_at=row.registered_at,
            closed_at=row.closed_at,
            evidence=tuple(
                _piece(piece.id, piece)
                for piece in evidence.of_subject(tx, row.subject)
                if piece.id is not None and piece.kind is not EvidenceKind.UPSTREAM
            ),
        )
        for row in tx.scalars(query)
    ]


def _piece(number: int, piece: Evidence) -> Piece:
    return Piece(
        id=number,
        kind=piece.kind,
        source=piece.source,
        reference=piece.reference,
        compared=piece.compared,
        happened_at=piece.happened_at,
        valid_until=piece.valid_until,
        withdrawn_at=piece.withdrawn_at,
    )
