"""E-seals without a service: draw one, make one, look into one, and try it all with keys of one's own."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from keys.algorithms import SM2_SM3
from keys.certificates import CertificateMalformed
from keys.certificates import holder as named
from seal import ofd_picture
from seal.ofd_painting import open_picture
from seal.pictures import media_type
from seal.seal_design import Design
from seal.seal_picture import draw_design
from seal.seal_picture_ofd import draw_design_ofd
from seal.seal_sizes import SIZES, Kind
from seal.ses import make_seal
from seal.ses_reading import Seal, SesMalformed, read_seal, read_signature
from service.commands.signing_files import (
    EXIT_CODES,
    Key,
    KeyPassphrase,
    Time,
    certificates,
    content,
    holder,
    moment,
    read_or_end,
    written,
)
from service.commands.terminal import Json, answer, tell, vacant, write_new
from service.commands.trial import trial

commands = typer.Typer(no_args_is_help=True, help=__doc__, epilog=EXIT_CODES)

Out = Annotated[Path, typer.Argument(help="The file to write; it must not exist yet.")]
Name = Annotated[str, typer.Argument(help="The name along its border: 4 to 30 characters.")]
KindOf = Annotated[Kind, typer.Option("--kind", help="Whose it is: tells size, shape and centre.")]
Purpose = Annotated[str, typer.Option("--purpose", help="The line across, e.g. 电子证照专用章.")]
Number = Annotated[str, typer.Option("--code", help="The digits along the lower border.")]
OwnCentre = Annotated[
    Path | None, typer.Option("--centre", help="A PNG for the centre, in place of star or emblem.")
]
Esid = Annotated[str, typer.Option("--esid", help="Its number: 14 digits in practice.")]
Years = Annotated[int, typer.Option("--years", min=1, max=30, help="How long it is valid.")]

_YEAR = timedelta(days=365)


@commands.command()
def picture(
    name: Name,
    out: Out,
    kind: KindOf = Kind.SUBORDINATE_UNIT,
    purpose: Purpose = "",
    code: Number = "",
    centre: OwnCentre = None,
    dpi: Annotated[int, typer.Option(min=72, max=1200)] = 600,
    as_json: Json = False,
) -> None:
    """Draw a seal as a PNG, or as a one-page OFD when the file is called so."""
    vacant(out)
    with read_or_end():
        design = _design(name, kind, purpose, code, centre)
        drawn = draw_design_ofd(design) if _is_ofd(out) else draw_design(design, dpi)
    written(out, drawn, as_json)


@commands.command()
def make(
    name: Name,
    out: Out,
    esid: Esid,
    key: Key,
    certificate: Annotated[
        Path | None, typer.Option(help="The maker's certificate, unless in a PKCS#12.")
    ] = None,
    signer: Annotated[
        list[Path] | None, typer.Option(help="Certificates of those who may stamp. Repeat it.")
    ] = None,
    drawn: Annotated[
        Path | None,
        typer.Option("--picture", help="Its picture (PNG, or OFD of one page); drawn without."),
    ] = None,
    kind: KindOf = Kind.SUBORDINATE_UNIT,
    purpose: Purpose = "",
    code: Number = "",
    vendor: Annotated[str, typer.Option(help="The maker's short name, ASCII.")] = "yinxin",
    years: Years = 5,
    passphrase_file: KeyPassphrase = None,
    time: Time = "",
    as_json: Json = False,
) -> None:
    """Make an e-seal (GB/T 38540-2020) with the key of a seal maker."""
    vacant(out)
    with read_or_end():
        design = _design(name, kind, purpose, code, None)
        image = _drawn(drawn) if drawn else draw_design(design)
        maker = holder(key, certificate, passphrase_file, {SM2_SM3})
        stampers = certificates(*signer or ())
        if not stampers:
            raise typer.BadParameter(tell("documents.no_signer"))
        begins, (width, height) = moment(time), design.size
        seal = make_seal(
            esid=esid,
            name=name,
            vendor=vendor,
            picture=image,
            picture_type="ofd" if drawn and _is_ofd(drawn) else "png",
            width=round(width),
            height=round(height),
            signer_certificates=stampers,
            created=begins,
            valid_from=begins,
            valid_until=begins + years * _YEAR,
            maker_signer=maker.signer,
            maker_certificate=maker.certificate,
        )
    written(out, seal, as_json)


@commands.command()
def show(
    file: Annotated[Path, typer.Argument(help="An e-seal (Seal.esl) or a SignedValue.dat.")],
    drawn: Annotated[
        Path | None, typer.Option("--picture", help="Write its picture there.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell what is in an e-seal. Whether it holds is for `ofd verify` to say."""
    with read_or_end(file):
        seal = _read(content(file))
    if drawn:
        vacant(drawn)
        write_new(drawn, seal.picture)
    told = _told(seal)
    if as_json:
        answer(told, as_json)
    else:
        width = max(map(len, told))
        typer.echo("\n".join(f"{key:<{width}}  {value}" for key, value in told.items()))


commands.command()(trial)


def _design(name: str, kind: Kind, purpose: str, code: str, centre: Path | None) -> Design:
    design = Design.of_size(SIZES[kind], name, purpose, code)
    return replace(design, picture=content(centre)) if centre else design


def _drawn(file: Path) -> bytes:
    """Return a picture that can be shown: a PNG, or an OFD with a page."""
    with read_or_end(file):
        image = content(file)
        if _is_ofd(file):
            ofd_picture.draw(image)
            return image
    try:
        sound = media_type(image) == "image/png" and open_picture(image)
    except ValueError:
        sound = None
    if not sound:
        raise typer.BadParameter(tell("documents.no_seal_picture"))
    return image


def _is_ofd(file: Path) -> bool:
    return file.suffix.lower() == ".ofd"


def _read(der: bytes) -> Seal:
    try:
        return read_seal(der)
    except SesMalformed:
        return read_signature(der).seal


def _told(seal: Seal) -> dict[str, Any]:
    return {
        "esid": seal.esid,
        "name": seal.name,
        "version": seal.version,
        "vendor": seal.vendor,
        "picture": seal.picture_type,
        "size": f"{seal.width} x {seal.height} mm",
        "created": seal.created.isoformat(),
        "valid_from": seal.valid_from.isoformat(),
        "valid_until": seal.valid_until.isoformat(),
        "maker": _named(seal.maker_certificate),
        "signers": "; ".join(map(_named, seal.certificates)),
        "signer_digests": len(seal.certificate_digests),
    }


def _named(certificate: bytes) -> str:
    try:
        return named(certificate)[0].text
    except CertificateMalformed:
        return "?"
