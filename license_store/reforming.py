"""OFD 改造 (L49): give licences that have a PDF and no OFD their OFD, from the same data file.

The PDF stays the file it was. The OFD carries the same data file and the same printed code, and tells
the digest of the PDF it stands beside, so each is found from the other. Safe to run any number of times.
"""

from dataclasses import dataclass
from datetime import UTC
from uuid import UUID

from sqlalchemy import Exists, Select, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from keys import journal
from license_store import documents, queries
from license_store.desk import Desk
from license_store.licence import State
from license_store.sealing import make_ofd
from license_store.tables import FileRow, LicenceRow

REFORM_JOB = "reform_licence"
PDF_DIGEST = "原PDF文件SHA-256"
"""The name under which the OFD tells the digest of the PDF (CustomData, GB/T 33190-2016 §7.5)."""


@dataclass(frozen=True, slots=True)
class _Old:
    """What a licence without an OFD has: its printed code, and the digests of its files."""

    code: str
    data: str
    pdf: str


def put_in_line(tx: Session, desk: Desk, limit: int) -> int:
    """Put at most `limit` licences without an OFD in line, the oldest first; return how many."""
    found = tx.scalars(_without_ofd().order_by(LicenceRow.issued_at, LicenceRow.id).limit(limit))
    waiting = [str(licence) for licence in found]
    for licence in waiting:
        desk.defer(tx, REFORM_JOB, {"licence_id": licence})
    return len(waiting)


def reform(desk: Desk, licence_id: UUID) -> None:
    """Make the OFD of a valid licence that has none; without a PDF and a data file it stays as it is.

    Raises `LicenceUnknown`, `FileDamaged`, `DocumentUnsound` and what the stamping service raises.
    """
    with desk.begin() as tx:
        row = queries.row_by_id(tx, licence_id)
        old = _old(tx, row)
        if old is None:
            return
        licence = queries.licence_of(tx, desk, row)
    prepared = documents.prepare(
        licence,
        desk.catalogue.type_of(licence.type_code),
        old.code,
        desk.files.get(old.data),
        custom=((PDF_DIGEST, old.pdf),),
    )
    ofd = make_ofd(desk, prepared)
    digest = desk.files.put(ofd)
    with desk.begin() as tx:
        _keep(tx, desk, licence_id, licence.identifier, old, digest, len(ofd))


def _without_ofd() -> Select[UUID]:
    def has(kind: str) -> Exists:
        return exists().where(FileRow.licence_id == LicenceRow.id, FileRow.kind == kind)

    ready = LicenceRow.state == State.VALID, has("pdf"), has("data"), ~has("ofd")
    return select(LicenceRow.id).where(*ready)


def _old(tx: Session, row: LicenceRow) -> _Old | None:
    files = {
        file.kind: file.digest
        for file in tx.scalars(select(FileRow).where(FileRow.licence_id == row.id))
    }
    if row.state != State.VALID or "ofd" in files or not {"pdf", "data"} <= files.keys():
        return None
    return _Old(row.code or "", files["data"], files["pdf"])


def _keep(
    tx: Session, desk: Desk, licence_id: UUID, identifier: str, old: _Old, digest: str, size: int
) -> None:
    """Point at the OFD, unless another run was first; its file is an orphan then."""
    row = {"licence_id": licence_id, "kind": "ofd", "digest": digest, "size": size}
    kept = tx.scalar(insert(FileRow).values(row).on_conflict_do_nothing().returning(FileRow.digest))
    if kept is not None:
        journal.append(
            tx,
            at=desk.clock().astimezone(UTC),
            actor="service",
            action="licence.reformed",
            subject=identifier,
            details={"ofd": digest, "pdf": old.pdf},
        )
