"""Named reads of the licence store: those used twice, and those that carry a rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from license_store.application import NUMBER_RULES
from license_store.desk import Desk
from license_store.errors import FileNotReady, LicenceNotYours, LicenceUnknown
from license_store.licence import Holder, Issuer, Licence, State
from license_store.numbering import Identifier
from license_store.tables import FileRow, HolderRow, IssuerRow, LicenceRow

MEDIA_TYPES: Mapping[str, str] = {
    "ofd": "application/ofd",
    "pdf": "application/pdf",
    "png": "image/png",
    "data": "application/jose",
}


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file of a licence: where its bytes are in the file store, and how many."""

    kind: str
    digest: str
    size: int

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES[self.kind]


@dataclass(frozen=True, slots=True)
class StoredLicence:
    """A licence as it stands: its content, its state, and its files once it is sealed.

    `code` is the text of the printed code; empty, like `files`, while the licence is being sealed.
    """

    licence: Licence
    type_name: str
    type_name_en: str
    state: State
    state_code: str
    code: str
    sealed_at: datetime | None
    ended_at: datetime | None
    ended_reason: str
    files: Mapping[str, FileRef]

    def in_force(self, today: date) -> bool:
        """Whether the licence is valid and `today` is one of its days."""
        ends = self.licence.valid_until
        begun = self.licence.valid_from <= today
        return self.state is State.VALID and begun and (ends is None or today <= ends)

    def file(self, kind: str) -> FileRef:
        """Return the file of this kind. Raises `FileNotReady` while the licence is being sealed."""
        if kind not in self.files:
            raise FileNotReady(identifier=self.licence.identifier)
        return self.files[kind]


def by_identifier(tx: Session, desk: Desk, identifier: str) -> StoredLicence:
    """Return the licence with this identifier. Raises `LicenceUnknown`."""
    return _stored(tx, desk, row_by_identifier(tx, identifier))


def of_issuer(tx: Session, desk: Desk, identifier: str, issuer: str) -> StoredLicence:
    """Return the licence, to the body that issued it. Raises `LicenceUnknown`, `LicenceNotYours`."""
    row = row_by_identifier(tx, identifier)
    if row.issuer != issuer:
        raise LicenceNotYours(identifier=identifier)
    return _stored(tx, desk, row)


def held_by(tx: Session, desk: Desk, number_type: str, number: str) -> tuple[StoredLicence, ...]:
    """Return every licence of the holder with this number, newest first, whatever its state.

    `number_type` is 001 (USCC) or 111 (resident ID). Raises `NumberWrong`.
    """
    index = holder_index(desk, number_type, number)
    rows = tx.scalars(
        select(LicenceRow)
        .where(LicenceRow.id.in_(select(HolderRow.licence_id).filter_by(number_index=index)))
        .order_by(LicenceRow.issued_at.desc(), LicenceRow.identifier)
    ).all()
    return tuple(_stored(tx, desk, row) for row in rows)


def holder_index(desk: Desk, number_type: str, number: str) -> bytes:
    """Return what a holder's number is found by. Raises `NumberWrong`."""
    return desk.protector.index(number_type, NUMBER_RULES[number_type](number))


def row_by_id(tx: Session, licence_id: UUID) -> LicenceRow:
    row = tx.get(LicenceRow, licence_id)
    if row is None:
        raise LicenceUnknown(identifier=str(licence_id))
    return row


def row_by_identifier(tx: Session, identifier: str, *, lock: bool = False) -> LicenceRow:
    """Return the row, locked until the transaction ends if `lock`.

    Raises `IdentifierWrong`, so that a slip of the pen is told from a licence that is not here,
    and `LicenceUnknown`.
    """
    Identifier.parse(identifier)
    query = select(LicenceRow).where(LicenceRow.identifier == identifier)
    row = tx.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise LicenceUnknown(identifier=identifier)
    return row


def licence_of(tx: Session, desk: Desk, row: LicenceRow) -> Licence:
    """Return the content of a row, with its holders' numbers opened."""
    issuer = tx.get_one(IssuerRow, row.issuer)
    holders = tx.scalars(
        select(HolderRow).where(HolderRow.licence_id == row.id).order_by(HolderRow.position)
    ).all()
    return Licence(
        id=row.id,
        type_code=row.type_code,
        issuer=Issuer(issuer.uscc, issuer.name, issuer.area_code),
        case_number=row.case_number,
        holders=tuple(
            Holder(h.name, h.number_type, desk.protector.open(h.number_sealed)) for h in holders
        ),
        fields=row.fields,
        issued_at=row.issued_at,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        number=row.number,
        identifier=row.identifier,
        version=row.version,
        status_list=row.status_list,
        status_index=row.status_index,
    )


def _stored(tx: Session, desk: Desk, row: LicenceRow) -> StoredLicence:
    licence_type = desk.catalogue.type_of(row.type_code)
    state = State(row.state)
    files: Sequence[FileRow] = tx.scalars(select(FileRow).filter_by(licence_id=row.id)).all()
    return StoredLicence(
        licence=licence_of(tx, desk, row),
        type_name=licence_type.name,
        type_name_en=licence_type.name_en,
        state=state,
        state_code=licence_type.state_codes.get(state, ""),
        code=row.code or "",
        sealed_at=row.sealed_at,
        ended_at=row.ended_at,
        ended_reason=row.ended_reason or "",
        files={file.kind: FileRef(file.kind, file.digest, file.size) for file in files},
    )
