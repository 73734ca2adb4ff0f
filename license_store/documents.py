"""A licence's documents before they are stamped: its printed code, its data file, one face in two formats."""

from collections.abc import Mapping
from dataclasses import dataclass

from keys import cose, jose
from keys.signer import Signer
from license_store import content
from license_store.catalogue import LicenceType
from license_store.desk import Desk
from license_store.licence import Licence, local_date
from seal import ofd_writer, pdf_writer, statement, template
from seal.face import Attachment, DocumentInfo, Face
from seal.lay_out import lay_out

DATA_MEDIA_TYPE = "application/jose"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What both documents are made of: the face, the signed data file, and what they tell of themselves.

    `values` are the texts that are printed, by field.
    """

    licence: Licence
    values: Mapping[str, str]
    code: str
    face: Face
    info: DocumentInfo
    data_file: bytes

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        return (Attachment(content.DATA_FILE, DATA_MEDIA_TYPE, self.data_file),)


def prepare(
    licence: Licence,
    licence_type: LicenceType,
    code: str,
    data_file: bytes,
    custom: tuple[tuple[str, str], ...] = (),
) -> Prepared:
    """Lay a licence out around its printed code; `custom` adds to what the documents tell."""
    form = template.load(licence_type.template)
    all_values = content.face_values(licence)
    values = {name: all_values[name] for name in form.fields if all_values.get(name)}
    info = DocumentInfo(
        document_id=licence.id.hex,
        title=f"{licence_type.name} {licence.number}",
        author=licence.issuer.name,
        created_on=local_date(licence.issued_at).isoformat(),
        custom=(("电子证照标识", licence.identifier), *custom),
    )
    return Prepared(licence, values, code, lay_out(form, all_values, code), info, data_file)


def printed_code(desk: Desk, licence: Licence, licence_type: LicenceType, signer: Signer) -> str:
    """Return the text of the printed code of `licence`, its statement signed by `signer`."""
    stated = statement.encode(content.statement(licence, licence_type))
    return statement.code_text(desk.public_url, cose.sign1(stated, signer))


def data_file(licence: Licence, licence_type: LicenceType, signer: Signer) -> bytes:
    """Return the data file of `licence`, signed by `signer`."""
    told = content.data(licence, licence_type)
    return jose.sign_bytes(told, signer, content.DATA_CONTENT_TYPE).encode("ascii")


def ofd(prepared: Prepared) -> bytes:
    """Return the OFD, not stamped yet."""
    return ofd_writer.write_ofd(prepared.face, prepared.info, prepared.attachments)


def pdf(prepared: Prepared) -> bytes:
    """Return the PDF, not stamped yet."""
    return pdf_writer.write_pdf(prepared.face, prepared.info, prepared.attachments)
