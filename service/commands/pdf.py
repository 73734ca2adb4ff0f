"""PDF documents without a service: make one, stamp it, verify it."""

from io import BytesIO
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image

from keys.algorithms import SM2_SM3
from seal import pdf_gm_seal, pdf_seal, pdf_verify
from seal.face import SealBox
from seal.face_picture import PdfUnreadable
from seal.lint.checking import require_sound
from seal.lint.pdf import check_pdf
from seal.lint.specimen import Expected
from seal.pdf_cms import SIGNING_PDF
from seal.pdf_embedding import at_field
from seal.pdf_evidence import Evidence
from seal.pdf_levels import PadesLevel
from seal.pdf_text import at_keyword
from seal.pdf_writer import write_pdf
from seal.ses_reading import read_seal
from seal.stamp_places import ByKeyword, Riding, Side
from service.commands.document_report import Counting, Eyes, tell_report
from service.commands.faces import Attach, Author, Code, CreatedOn, Form, Values, attachments, face
from service.commands.faces import info as info_of
from service.commands.seal_lists import (
    PinnedFile,
    SealListFile,
    TrustListFile,
    seal_states,
)
from service.commands.signing_files import (
    EXIT_CODES,
    Answers,
    Authority,
    Key,
    KeyPassphrase,
    Lint,
    Lists,
    OwnCertificate,
    Time,
    Trust,
    at,
    certificates,
    content,
    ground,
    holder,
    moment,
    read_or_end,
    term,
    time_stamper,
    written,
)
from service.commands.terminal import Json, tell, vacant

commands = typer.Typer(no_args_is_help=True, help=__doc__, epilog=EXIT_CODES)

File = Annotated[Path, typer.Argument(help="The PDF.")]
Out = Annotated[Path, typer.Argument(help="The file to write; it must not exist yet.")]

_HEADER_WITHIN = 1024
_MM_PER_INCH = 25.4


@commands.command()
def new(
    form: Form,
    values: Values,
    out: Out,
    code: Code = "",
    attach: Attach = None,
    author: Author = "",
    created_on: CreatedOn = "",
    as_json: Json = False,
) -> None:
    """Lay a form out with its values and write it as PDF/A-3b, without a seal."""
    vacant(out)
    with read_or_end():
        laid_out = face(form, values, code)
        about = info_of(laid_out, values, author, created_on)
        made = write_pdf(laid_out, about, attachments(attach))
    written(out, made, as_json)


@commands.command()
def stamp(
    file: File,
    out: Out,
    key: Key,
    place: Annotated[
        str, typer.Option(metavar="PAGE,X,Y", help="A page from 1, mm from its top left corner.")
    ] = "",
    keyword: Annotated[str, typer.Option(help="Centred on where this is printed first.")] = "",
    riding: Annotated[
        Side | None, typer.Option(help="Over this edge of all pages (骑缝章).")
    ] = None,
    field: Annotated[
        str, typer.Option(help="The signature field's name: an empty one, or one to make.")
    ] = "",
    reserved: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=PAGE,X,Y,W,H", help="Leave an empty field for a later seal. Repeat it."
        ),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="The stamp's picture: a PNG that tells its resolution.")
    ] = None,
    seal: Annotated[
        Path | None, typer.Option(help="Take the picture of this e-seal (Seal.esl) instead.")
    ] = None,
    gm: Annotated[
        bool, typer.Option("--gm", help="Stamp with the e-seal itself (GM.PKILite, GM.sm2seal).")
    ] = False,
    certificate: OwnCertificate = None,
    chain: Annotated[
        list[Path] | None, typer.Option(help="Certificates above the key's own. Repeat it.")
    ] = None,
    passphrase_file: KeyPassphrase = None,
    level: Annotated[PadesLevel, typer.Option(help="The PAdES baseline level.")] = PadesLevel.B_B,
    certify: Annotated[
        bool, typer.Option("--certify", help="Allow nothing but further signatures (DocMDP).")
    ] = False,
    lint: Lint = True,
    authority: Authority = "",
    crl: Lists = None,
    ocsp: Answers = None,
    trust: Trust = None,
    time: Time = "",
    as_json: Json = False,
) -> None:
    """Stamp a PDF: PAdES with a key of P-256, RSA or SM2, or an e-seal in the Chinese form."""
    vacant(out)
    if (gm and seal is None) or (level is not PadesLevel.B_B and not authority):
        raise typer.BadParameter(tell("documents.gm_needs_seal" if gm else "documents.level_needs"))
    over = Riding(riding) if riding else None
    with read_or_end(file):
        owner = holder(key, certificate, passphrase_file, {SM2_SM3} if gm else SIGNING_PDF)
        png, width, height = _picture(picture, seal)
        signed_at, pdf = moment(time), content(file)
        box = _box(pdf, place, keyword, over, field, (width, height))
        if lint:
            expected = Expected(signed_at, term(owner.certificate))
            require_sound(
                check_pdf(pdf, png, box, signed_at, expected, field_name=field, riding=over)
            )
        later = dict(map(_reserved, reserved or ()))
        if gm and seal is not None:
            made = pdf_gm_seal.stamp(
                pdf,
                png,
                content(seal),
                owner.signer,
                owner.certificate,
                box,
                signed_at,
                time_stamper=time_stamper(authority, trust, "sm3"),
                certify=certify,
                field_name=field,
                reserved=later,
                riding=over,
            )
        else:
            made = pdf_seal.stamp(
                pdf,
                png,
                owner.signer,
                owner.certificate,
                owner.chain + certificates(*chain or ()),
                box,
                signed_at,
                level=level,
                time_stamper=time_stamper(authority, trust, "sha256"),
                evidence=_evidence(crl, ocsp, trust),
                certify=certify,
                field_name=field,
                reserved=later,
                riding=over,
            )
    written(out, made, as_json)


@commands.command()
def verify(
    file: File,
    trust: Trust = None,
    crl: Lists = None,
    ocsp: Answers = None,
    seal_list: SealListFile = None,
    trust_list: TrustListFile = None,
    pinned: PinnedFile = None,
    profile: Eyes = Counting.STRICT,
    time: Time = "",
    as_json: Json = False,
) -> None:
    """Judge a PDF: its signatures, what they cover, and what came after them."""
    states = seal_states(seal_list, trust_list, pinned)
    with read_or_end(file):
        pdf = content(file)
        if b"%PDF-" not in pdf[:_HEADER_WITHIN]:
            raise PdfUnreadable
        report = pdf_verify.verify(pdf, ground(trust, crl, ocsp, states), moment(time))
    tell_report(report, profile, as_json)


def _box(
    pdf: bytes,
    place: str,
    keyword: str,
    over: Riding | None,
    field: str,
    measures: tuple[float, float],
) -> SealBox:
    """Return where a seal of these measures (mm) goes; over pages, or in a field, its size is enough."""
    width, height = measures
    told = [bool(each) for each in (place, keyword, over)]
    if sum(told) > 1 or not (field or any(told)):
        raise typer.BadParameter(tell("documents.one_place"))
    if place:
        where = at(place)
        return SealBox(where.x, where.y, width, height, where.page)
    if keyword:
        return at_keyword(pdf, ByKeyword(keyword), width, height)
    return at_field(pdf, field) if over is None else SealBox(0, 0, width, height)


def _reserved(told: str) -> tuple[str, SealBox]:
    """Read NAME=PAGE,X,Y,W,H: the page from 1, mm from its top left corner."""
    try:
        name, _, numbers = told.rpartition("=")
        page, x, y, width, height = numbers.split(",")
        box = SealBox(float(x), float(y), float(width), float(height), int(page) - 1)
    except ValueError:
        raise typer.BadParameter(tell("documents.no_reserved")) from None
    if not name:
        raise typer.BadParameter(tell("documents.no_reserved"))
    return name, box


def _evidence(
    crl: list[Path] | None, ocsp: list[Path] | None, trust: list[Path] | None
) -> Evidence:
    known = ground(trust, crl, ocsp)
    return Evidence(certificates(*trust or ()), known.crls, known.ocsp_answers)


def _picture(picture: Path | None, seal: Path | None) -> tuple[bytes, float, float]:
    """Return a PNG and its size in mm: of the file told, or of the e-seal."""
    if picture is not None:
        return _measured(content(picture))
    if seal is None:
        raise typer.BadParameter(tell("documents.no_picture"))
    read = read_seal(content(seal))
    if read.picture_type != "png":
        raise typer.BadParameter(tell("documents.no_picture"))
    return read.picture, read.width, read.height


def _measured(png: bytes) -> tuple[bytes, float, float]:
    try:
        with Image.open(BytesIO(png), formats=("PNG",)) as opened:
            across, down = opened.info["dpi"]
            return png, opened.width / across * _MM_PER_INCH, opened.height / down * _MM_PER_INCH
    except (OSError, SyntaxError, KeyError, ZeroDivisionError):
        raise typer.BadParameter(tell("documents.no_picture")) from None
