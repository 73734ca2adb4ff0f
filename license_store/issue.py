"""Issue a licence from an approval result: check everything, number it, journal the intent, queue the seal.

The order is the safety: the face is laid out once for trial before anything is written, so what
cannot be printed is refused here; when the transaction commits, the licence is numbered and its
sealing is both intended (journal) and assured (job), whatever happens to this process.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import rfc8785
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from keys import journal
from keys.signer import PublicKey
from license_store import content, documents, status_publishing
from license_store.application import APPROVED, Application, problems_of, tidy
from license_store.catalogue import LicenceType
from license_store.desk import Desk
from license_store.errors import (
    CaseConflict,
    CaseUndecided,
    FieldsWrong,
    IssuerUnknown,
    NumbersExhausted,
    TypeNotAllowed,
)
from license_store.licence import Issuer, Licence, State, local_date
from license_store.numbering import Identifier
from license_store.sealing import SEAL_JOB, check_stamps, tools_of
from license_store.tables import (
    HolderRow,
    IssuerRow,
    IssuerTypeRow,
    LicenceRow,
    NumberSeriesRow,
)
from seal import template
from seal.lay_out import lay_out

# The number of a status list that is as long as any will be.
_LATE_LIST = 0xFFFF


@dataclass(frozen=True, slots=True)
class Issue:
    """The wish to issue: the application, the body that decided it, and who asks on its behalf."""

    application: Application
    issuer: str
    operator: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was issued. `repeated`: the case had this licence already, and this is it."""

    licence_id: UUID
    identifier: str
    number: str
    repeated: bool


def issue(tx: Session, desk: Desk, command: Issue) -> Receipt:
    """Issue the licence of a decided case, once.

    Raises `TypeUnknown`, `IssuerUnknown`, `TypeNotAllowed`, `CaseUndecided`, `FieldsWrong`,
    `CaseConflict`, `NumbersExhausted`; `GlyphMissing`, `FieldTooLong` or `CodeTooLong` of the face; and
    `KeyNotFound` or what `check_stamps` raises when the body is not equipped to seal.
    """
    application = command.application
    licence_type = desk.catalogue.type_of(application.type_code)
    issuer = _issuer(tx, command.issuer, licence_type.code)
    _one_at_a_time(tx, issuer, application)
    earlier = _issued_before(tx, issuer, application)
    # A repeat is judged by the day of the first: a date that was good then is good for ever.
    _check(application, licence_type, earlier.issued_at if earlier else desk.clock())
    tag = _content_tag(desk, application)
    if earlier is not None:
        if earlier.content_tag != tag:
            raise CaseConflict(case_number=application.case_number, identifier=earlier.identifier)
        return Receipt(earlier.id, earlier.identifier, earlier.number, repeated=True)

    tools = tools_of(tx, desk, issuer.uscc)
    draft = _draft(desk, application, licence_type, issuer)
    check_stamps(tx, desk, draft)
    _try_the_face(desk, draft, licence_type, tools.code_signer.public_key)
    licence = _reserve(tx, desk, draft, licence_type)
    _store(tx, desk, licence, tag)
    journal.append(
        tx,
        at=licence.issued_at,
        actor=command.operator,
        action="licence.issue.intended",
        subject=licence.identifier,
        details={"case": licence.case_number, "issuer": issuer.uscc},
    )
    desk.defer(tx, SEAL_JOB, {"licence_id": str(licence.id)})
    return Receipt(licence.id, licence.identifier, licence.number, repeated=False)


def _issuer(tx: Session, uscc: str, type_code: str) -> Issuer:
    row = tx.get(IssuerRow, uscc)
    if row is None:
        raise IssuerUnknown(issuer=uscc)
    if tx.get(IssuerTypeRow, (uscc, type_code)) is None:
        raise TypeNotAllowed(issuer=uscc, type_code=type_code)
    return Issuer(row.uscc, row.name, row.area_code)


def _check(application: Application, licence_type: LicenceType, now: datetime) -> None:
    if application.decision != APPROVED:
        raise CaseUndecided(case_number=application.case_number, decision=application.decision)
    problems = problems_of(application, licence_type, local_date(now))
    if problems:
        raise FieldsWrong(problems)


def _one_at_a_time(tx: Session, issuer: Issuer, application: Application) -> None:
    """Make a second submission of the same case wait here until the first has committed."""
    case = json.dumps([issuer.uscc, application.case_number, application.type_code])
    tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(case, 0))))


def _issued_before(tx: Session, issuer: Issuer, application: Application) -> LicenceRow | None:
    return tx.scalar(
        select(LicenceRow).where(
            LicenceRow.issuer == issuer.uscc,
            LicenceRow.case_number == application.case_number,
            LicenceRow.type_code == application.type_code,
        )
    )


def _content_tag(desk: Desk, application: Application) -> bytes:
    """Return a keyed hash of everything asked: keyed, because ID numbers can be guessed."""
    asked = {
        "holders": [[h.name, h.number_type, h.number] for h in map(tidy, application.holders)],
        "fields": dict(application.fields),
        "decided_on": application.decided_on.isoformat(),
        "valid_from": application.valid_from.isoformat() if application.valid_from else None,
    }
    return desk.protector.index("licence-content", rfc8785.dumps(asked).decode())


def _draft(
    desk: Desk, application: Application, licence_type: LicenceType, issuer: Issuer
) -> Licence:
    now = desk.clock()
    valid_from = application.valid_from or local_date(now)
    return Licence(
        id=UUID(bytes=desk.random(16), version=4),
        type_code=licence_type.code,
        issuer=issuer,
        case_number=application.case_number,
        holders=tuple(map(tidy, application.holders)),
        fields={name: value.strip() for name, value in application.fields.items() if value.strip()},
        issued_at=now,
        valid_from=valid_from,
        valid_until=licence_type.validity.until(valid_from),
    )


class _NeverSigns:
    """A signer with a real key's name that signs nothing: a trial must not meet the real key."""

    def __init__(self, public_key: PublicKey) -> None:
        self.public_key = public_key

    def sign(self, message: bytes) -> bytes:
        return bytes(64)


def _try_the_face(
    desk: Desk, draft: Licence, licence_type: LicenceType, code_key: PublicKey
) -> None:
    """Lay the face out and throw it away: what cannot be printed is found before anything is kept.

    The trial is the real thing but for the signature, with the longest numbers there may be.
    """
    trial = replace(
        _numbered(draft, licence_type, 10**licence_type.digits - 1),
        status_list=_LATE_LIST,
        status_index=status_publishing.LIST_SIZE - 1,
    )
    code = documents.printed_code(desk, trial, licence_type, _NeverSigns(code_key))
    lay_out(template.load(licence_type.template), content.face_values(trial), code)


def _reserve(tx: Session, desk: Desk, draft: Licence, licence_type: LicenceType) -> Licence:
    series = licence_type.series(draft)
    sequence = tx.execute(
        insert(NumberSeriesRow)
        .values(type_code=licence_type.code, series=series, last=1)
        .on_conflict_do_update(
            index_elements=["type_code", "series"], set_={"last": NumberSeriesRow.last + 1}
        )
        .returning(NumberSeriesRow.last)
    ).scalar_one()
    if len(str(sequence)) > licence_type.digits:
        raise NumbersExhausted(type_code=licence_type.code, series=series)
    entry = status_publishing.reserve_entry(tx, desk.random)
    return replace(
        _numbered(draft, licence_type, sequence),
        status_list=entry.list_number,
        status_index=entry.index,
    )


def _numbered(draft: Licence, licence_type: LicenceType, sequence: int) -> Licence:
    number = licence_type.printed_number(draft, sequence)
    identifier = Identifier(draft.type_code, draft.issuer.uscc, number, draft.version)
    return replace(draft, number=number, identifier=str(identifier))


def _store(tx: Session, desk: Desk, licence: Licence, tag: bytes) -> None:
    tx.add(
        LicenceRow(
            id=licence.id,
            identifier=licence.identifier,
            type_code=licence.type_code,
            issuer=licence.issuer.uscc,
            case_number=licence.case_number,
            content_tag=tag,
            number=licence.number,
            version=licence.version,
            fields=dict(licence.fields),
            state=State.SEALING,
            issued_at=licence.issued_at,
            valid_from=licence.valid_from,
            valid_until=licence.valid_until,
            status_list=licence.status_list,
            status_index=licence.status_index,
        )
    )
    tx.flush()
    for position, holder in enumerate(licence.holders):
        tx.add(
            HolderRow(
                licence_id=licence.id,
                position=position,
                name=holder.name,
                number_type=holder.number_type,
                number_index=desk.protector.index(holder.number_type, holder.number),
                number_sealed=desk.protector.seal(holder.number, desk.random),
            )
        )
    tx.flush()
