"""A reviewing body looks up a holder's licences of one type, for a stated purpose and case.

The answer is the least a review needs: which licences there are, how they stand, and the fields
the body's right names; no holder's name or number and no files. Every look-up is recorded and
journalled with what was told, the refused ones too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from keys import journal
from keys.errors import DomainError
from license_store import queries
from license_store.desk import Desk
from license_store.errors import FieldProblem, HolderNumberWrong, NoLookupRight
from license_store.licence import State, local_date
from license_store.tables import LookupRightRow, LookupRow


@dataclass(frozen=True, slots=True)
class Lookup:
    """What is asked, by whom and why. `consumer` is the asking body's USCC."""

    consumer: str
    client_id: str
    subject: str
    type_code: str
    number_type: str
    number: str
    purpose: str
    case_number: str

    def __repr__(self) -> str:
        return f"Lookup(consumer={self.consumer!r}, type_code={self.type_code!r})"


@dataclass(frozen=True, slots=True)
class FoundLicence:
    """One licence in an answer. `in_force` is true on the day of the look-up only."""

    identifier: str
    type_code: str
    type_name: str
    number: str
    issuer: str
    issuer_name: str
    state: State
    valid_from: date
    valid_until: date | None
    in_force: bool
    fields: Mapping[str, str]


def look_up(tx: Session, desk: Desk, asked: Lookup) -> tuple[FoundLicence, ...] | NoLookupRight:
    """Return the holder's licences of the type; or the refusal, as a value, so that it is recorded.

    Raises `TypeUnknown` and `HolderNumberWrong`, before anything is recorded.
    """
    desk.catalogue.type_of(asked.type_code)
    try:
        index = queries.holder_index(desk, asked.number_type, asked.number)
    except DomainError as wrong:
        raise HolderNumberWrong((FieldProblem("holder.number", wrong.code),)) from None
    right = tx.get(LookupRightRow, (asked.consumer, asked.type_code))
    found = () if right is None else _found(tx, desk, asked, right.fields)
    _record(tx, desk, asked, index, right, found)
    if right is None:
        return NoLookupRight(consumer=asked.consumer, type_code=asked.type_code)
    return found


def _found(
    tx: Session, desk: Desk, asked: Lookup, fields: Sequence[str]
) -> tuple[FoundLicence, ...]:
    today = local_date(desk.clock())
    return tuple(
        FoundLicence(
            identifier=stored.licence.identifier,
            type_code=stored.licence.type_code,
            type_name=stored.type_name,
            number=stored.licence.number,
            issuer=stored.licence.issuer.uscc,
            issuer_name=stored.licence.issuer.name,
            state=stored.state,
            valid_from=stored.licence.valid_from,
            valid_until=stored.licence.valid_until,
            in_force=stored.in_force(today),
            fields={
                name: stored.licence.fields[name]
                for name in fields
                if name in stored.licence.fields
            },
        )
        for stored in queries.held_by(tx, desk, asked.number_type, asked.number)
        if stored.licence.type_code == asked.type_code and stored.state != State.SEALING
    )


def _record(
    tx: Session,
    desk: Desk,
    asked: Lookup,
    index: bytes,
    right: LookupRightRow | None,
    found: tuple[FoundLicence, ...],
) -> None:
    row = LookupRow(
        id=UUID(bytes=desk.random(16), version=4),
        at=desk.clock(),
        consumer=asked.consumer,
        client_id=asked.client_id,
        subject=asked.subject,
        type_code=asked.type_code,
        holder_index=index,
        purpose=asked.purpose,
        case_number=asked.case_number,
        granted=right is not None,
        found=len(found),
        fields=sorted({name for licence in found for name in licence.fields}),
    )
    tx.add(row)
    journal.append(
        tx,
        at=row.at,
        actor=asked.subject,
        action="licence.looked_up" if row.granted else "licence.lookup_refused",
        subject=str(row.id),
        details={"consumer": asked.consumer, "case": asked.case_number, "found": row.found},
    )
