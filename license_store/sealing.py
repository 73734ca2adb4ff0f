"""Make a numbered licence's files and seal them, between two transactions; safe to run any number of times.

Every run makes other signatures, so the pointer in the row decides: the first to finish sets it,
and what a later or broken run made is an orphan in the file store, never a second licence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from keys import certificates, cose, jose, journal
from keys.algorithms import Purpose
from keys.signer import Signer
from license_store import content, queries
from license_store.catalogue import LicenceType
from license_store.desk import Desk
from license_store.errors import SealOutOfTerm
from license_store.licence import Licence, State, local_date, move
from license_store.tables import FileRow, LicenceRow
from seal import (
    face_picture,
    ofd_seal,
    ofd_writer,
    pdf_seal,
    pdf_writer,
    registry,
    statement,
    template,
)
from seal.face import Attachment, DocumentInfo, Face
from seal.lay_out import lay_out
from seal.registry import ESeal
from seal.ses_reading import read_seal

SEAL_JOB = "seal_licence"


@dataclass(frozen=True, slots=True)
class Tools:
    """What seals for one issuer: its keys, its certificates and its seal."""

    data_signer: Signer
    code_signer: Signer
    ofd_signer: Signer
    ofd_certificate: bytes
    pdf_signer: Signer
    pdf_certificate: bytes
    pdf_chain: tuple[bytes, ...]
    seal: ESeal


@dataclass(frozen=True, slots=True)
class SealedFiles:
    """What one run made: the text of the printed code, and the files by kind."""

    code: str
    by_kind: Mapping[str, bytes]


def seal_licence(desk: Desk, licence_id: UUID) -> None:
    """Seal the licence if nobody has yet. Raises `LicenceUnknown`, an error of `tools_of` or of a store."""
    with desk.begin() as tx:
        row = queries.row_by_id(tx, licence_id)
        if row.state != State.SEALING:
            return
        licence = queries.licence_of(tx, desk, row)
        tools = tools_of(tx, desk, licence.issuer.uscc)
    licence_type = desk.catalogue.type_of(licence.type_code)
    made = make_files(desk, licence, licence_type, tools)
    stored = [
        FileRow(licence_id=licence.id, kind=kind, digest=desk.files.put(data), size=len(data))
        for kind, data in made.by_kind.items()
    ]
    with desk.begin() as tx:
        _finish(tx, desk, licence_id, made.code, stored)


def tools_of(tx: Session, desk: Desk, issuer: str) -> Tools:
    """Return what seals for `issuer` now.

    Raises `KeyNotFound`, `CertificateNotFound`, `SealMissing`, `SealOutOfTerm`.
    """
    ofd_certificate, _ = desk.certificate(tx, Purpose.OFD_SEAL, issuer)
    pdf_certificate, pdf_chain = desk.certificate(tx, Purpose.PDF_SEAL, issuer)
    tools = Tools(
        data_signer=desk.signer(tx, Purpose.LICENCE_DATA, issuer),
        code_signer=desk.signer(tx, Purpose.LICENCE_CODE, issuer),
        ofd_signer=desk.signer(tx, Purpose.OFD_SEAL, issuer),
        ofd_certificate=ofd_certificate,
        pdf_signer=desk.signer(tx, Purpose.PDF_SEAL, issuer),
        pdf_certificate=pdf_certificate,
        pdf_chain=pdf_chain,
        seal=registry.seal_of(tx, issuer),
    )
    _require_in_term(tools, issuer, desk.clock())
    return tools


def _require_in_term(tools: Tools, owner: str, now: datetime) -> None:
    """What is sealed out of term is valid to nobody: better refuse before anything is stored."""
    seal = read_seal(tools.seal.der)
    terms = [(seal.valid_from, seal.valid_until)]
    for der in (tools.ofd_certificate, tools.pdf_certificate):
        certificate = certificates.parse(der)
        terms.append((certificate.not_before, certificate.not_after))
    for begins, ends in terms:
        if not begins <= now <= ends:
            raise SealOutOfTerm(
                owner=owner,
                valid_from=local_date(begins).isoformat(),
                valid_until=local_date(ends).isoformat(),
            )


def make_files(
    desk: Desk, licence: Licence, licence_type: LicenceType, tools: Tools
) -> SealedFiles:
    """Return the files of `licence`, signed and sealed now. Writes nothing."""
    now = desk.clock()
    code = printed_code(desk, licence, licence_type, tools.code_signer)
    form = template.load(licence_type.template)
    face = lay_out(form, content.face_values(licence), code)
    data_file = jose.sign_bytes(
        content.data(licence, licence_type), tools.data_signer, content.DATA_CONTENT_TYPE
    ).encode("ascii")
    attachments = (Attachment(content.DATA_FILE, "application/jose", data_file),)
    info = _document_info(licence, licence_type)
    pdf = _sealed_pdf(face, info, attachments, tools, now)
    return SealedFiles(
        code=code,
        by_kind={
            "data": data_file,
            "ofd": _sealed_ofd(face, info, attachments, tools, now),
            "pdf": pdf,
            "png": face_picture.png(pdf),
        },
    )


def printed_code(desk: Desk, licence: Licence, licence_type: LicenceType, signer: Signer) -> str:
    """Return the text of the printed code of `licence`, its statement signed by `signer`."""
    stated = statement.encode(content.statement(licence, licence_type))
    return statement.code_text(desk.public_url, cose.sign1(stated, signer))


def _document_info(licence: Licence, licence_type: LicenceType) -> DocumentInfo:
    return DocumentInfo(
        document_id=licence.id.hex,
        title=f"{licence_type.name} {licence.number}",
        author=licence.issuer.name,
        created_on=local_date(licence.issued_at).isoformat(),
        custom=(("电子证照标识", licence.identifier),),
    )


def _sealed_ofd(
    face: Face,
    info: DocumentInfo,
    attachments: tuple[Attachment, ...],
    tools: Tools,
    now: datetime,
) -> bytes:
    return ofd_seal.stamp(
        ofd_writer.write_ofd(face, info, attachments),
        tools.seal.der,
        tools.ofd_signer,
        tools.ofd_certificate,
        face.seal,
        now,
    )


def _sealed_pdf(
    face: Face,
    info: DocumentInfo,
    attachments: tuple[Attachment, ...],
    tools: Tools,
    now: datetime,
) -> bytes:
    return pdf_seal.stamp(
        pdf_writer.write_pdf(face, info, attachments),
        tools.seal.picture_png,
        tools.pdf_signer,
        tools.pdf_certificate,
        tools.pdf_chain,
        face.seal,
        now,
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
