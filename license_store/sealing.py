"""Make a numbered licence's files and seal them, between transactions; safe to run any number of times.

The store holds no key of a seal: the stamping service stamps for it, on a grant of the seal's keeper.
Every run makes other signatures, so the pointer in the row decides: the first to finish sets it,
and what a later or broken run made is an orphan in the file store, never a second licence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from keys import certificates, journal
from keys.algorithms import Purpose
from keys.signer import Signer
from license_store import content, documents, queries
from license_store.catalogue import LicenceType
from license_store.desk import Desk
from license_store.documents import Prepared
from license_store.licence import Licence, State, local_date, move
from license_store.tables import FileRow, LicenceRow
from seal import face_picture
from seal.life import stamping
from seal.life.grants import HolderKind
from seal.life.stamping import Actor, Authorised, Form, Stamping
from seal.lint import checking
from seal.lint.ofd import check_ofd
from seal.lint.pdf import check_pdf
from seal.lint.specimen import Expected
from seal.ses_reading import read_seal

SEAL_JOB = "seal_licence"
STORE = Actor(HolderKind.SYSTEM, "licence-store")
"""Who asks for stamps: a seal's keeper grants its use to this system."""


_GIVEN_UP_AFTER = timedelta(hours=6)
_MOST_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Tools:
    """What signs the data and the code of one issuer."""

    data_signer: Signer
    code_signer: Signer


@dataclass(frozen=True, slots=True)
class SealedFiles:
    """What one run made: the text of the printed code, and the files by kind."""

    code: str
    by_kind: Mapping[str, bytes]


def seal_licence(desk: Desk, licence_id: UUID) -> None:
    """Seal the licence if nobody has yet.

    Raises `LicenceUnknown`, `DocumentUnsound`, an error of `tools_of`, of the stamping service or
    of a store.
    """
    with desk.begin() as tx:
        row = queries.row_by_id(tx, licence_id)
        if row.state != State.SEALING:
            return
        licence = queries.licence_of(tx, desk, row)
        tools = tools_of(tx, desk, licence.issuer.uscc)
    licence_type = desk.catalogue.type_of(licence.type_code)
    made = make_files(desk, licence, licence_type, tools)
    stored = stored_files(desk, licence.id, made.by_kind)
    with desk.begin() as tx:
        _finish(tx, desk, licence_id, made.code, stored)


def put_in_line_again(desk: Desk) -> None:
    """Put what waits for its seal for hours in line again, the oldest first.

    Its job tried in vain so often that it gave up: the seal was suspended, nobody proved the time.
    """
    with desk.begin() as tx:
        waiting = (
            select(LicenceRow.id)
            .where(LicenceRow.state == State.SEALING)
            .where(LicenceRow.issued_at <= desk.clock() - _GIVEN_UP_AFTER)
            .order_by(LicenceRow.issued_at, LicenceRow.id)
            .limit(_MOST_AT_ONCE)
        )
        for licence in tx.scalars(waiting).all():
            desk.defer(tx, SEAL_JOB, {"licence_id": str(licence)})


def tools_of(tx: Session, desk: Desk, issuer: str) -> Tools:
    """Return what signs for `issuer` now. Raises `KeyNotFound`."""
    return Tools(
        data_signer=desk.signer(tx, Purpose.LICENCE_DATA, issuer),
        code_signer=desk.signer(tx, Purpose.LICENCE_CODE, issuer),
    )


def check_stamps(tx: Session, desk: Desk, licence: Licence) -> None:
    """Do nothing when both documents of `licence` could be stamped now.

    Raises `SealMissing`, `SealNotInUse`, `SealOutOfTerm`, `GrantMissing`, `GrantExhausted`,
    `KeyNotFound` or `CertificateNotFound`.
    """
    for form in (Form.OFD, Form.PDF):
        stamping.check(tx, desk.seals, _wish(licence, form))


def make_files(
    desk: Desk, licence: Licence, licence_type: LicenceType, tools: Tools
) -> SealedFiles:
    """Return the files of `licence`, signed and stamped now. Stores nothing but the use of the seal."""
    code = documents.printed_code(desk, licence, licence_type, tools.code_signer)
    data_file = documents.data_file(licence, licence_type, tools.data_signer)
    prepared = documents.prepare(licence, licence_type, code, data_file)
    ofd, pdf = documents.ofd(prepared), documents.pdf(prepared)
    with desk.begin() as tx:
        for_ofd = stamping.authorise(tx, desk.seals, _wish(licence, Form.OFD))
        for_pdf = stamping.authorise(tx, desk.seals, _wish(licence, Form.PDF))
    stamped_pdf = _stamped_pdf(desk, prepared, pdf, for_pdf)
    return SealedFiles(
        code=code,
        by_kind={
            "data": data_file,
            "ofd": _stamped_ofd(desk, prepared, ofd, for_ofd),
            "pdf": stamped_pdf,
            "png": face_picture.png(stamped_pdf),
        },
    )


def make_ofd(desk: Desk, prepared: Prepared) -> bytes:
    """Return the OFD of a prepared licence, stamped now."""
    ofd = documents.ofd(prepared)
    with desk.begin() as tx:
        authorised = stamping.authorise(tx, desk.seals, _wish(prepared.licence, Form.OFD))
    return _stamped_ofd(desk, prepared, ofd, authorised)


def stored_files(desk: Desk, licence_id: UUID, by_kind: Mapping[str, bytes]) -> list[FileRow]:
    """Put files into the store, and return the rows that point at them."""
    return [
        FileRow(licence_id=licence_id, kind=kind, digest=desk.files.put(data), size=len(data))
        for kind, data in by_kind.items()
    ]


def _wish(licence: Licence, form: Form) -> Stamping:
    """A run that broke off is made good with other bytes: what stays the same is what is printed."""
    return Stamping(
        by=STORE,
        form=form,
        licence_type=licence.type_code,
        reference=licence.identifier,
        digest=content.printed_digest(licence),
        owner=licence.issuer.uscc,
    )


def _stamped_ofd(desk: Desk, prepared: Prepared, ofd: bytes, by: Authorised) -> bytes:
    seal, places = read_seal(by.der), (prepared.face.seal,)
    now = desk.clock()
    expected = _expected(prepared, now, (seal.valid_from, seal.valid_until))
    checking.require_sound(check_ofd(ofd, by.der, places, now, expected))
    return stamping.stamp_ofd(desk.seals, by, ofd, places)


def _stamped_pdf(desk: Desk, prepared: Prepared, pdf: bytes, by: Authorised) -> bytes:
    certificate, box = certificates.parse(by.certificate), prepared.face.seal
    now = desk.clock()
    expected = _expected(prepared, now, (certificate.not_before, certificate.not_after))
    checking.require_sound(check_pdf(pdf, by.picture_png, box, now, expected))
    return stamping.stamp_pdf(desk.seals, by, pdf, box)


def _expected(prepared: Prepared, now: datetime, usable: tuple[datetime, datetime]) -> Expected:
    """Return what the documents are to be: looked at before a real key meets them."""
    licence = prepared.licence
    return Expected(
        signed_at=now,
        usable=usable,
        fields=prepared.values,
        code=prepared.code,
        attachments=((content.DATA_FILE, prepared.data_file),),
        issued_on=local_date(licence.issued_at),
        valid_until=licence.valid_until,
    )


def _finish(tx: Session, desk: Desk, licence_id: UUID, code: str, stored: list[FileRow]) -> None:
    """Point the row at the files, unless another run was first."""
    row = tx.scalars(select(LicenceRow).where(LicenceRow.id == licence_id).with_for_update()).one()
    if row.state != State.SEALING:
        return
    now = desk.clock().astimezone(UTC)
    row.state = move(State.SEALING, State.VALID)
    row.code = code
    row.sealed_at = now
    tx.add_all(stored)
    journal.append(
        tx,
        at=now,
        actor="service",
        action="licence.issued",
        subject=row.identifier,
        details={file.kind: file.digest for file in stored},
    )
