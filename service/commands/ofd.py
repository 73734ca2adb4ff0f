"""OFD documents without a service: make one, stamp it, verify it, read its text, draw its pages."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from seal import ofd_package, ofd_picture, ofd_seal, ofd_sign, ofd_verify
from seal.lint.checking import require_sound
from seal.lint.ofd import check_ofd
from seal.lint.specimen import Expected
from seal.ofd_draft import Mode
from seal.ofd_text import find, read_text
from seal.ofd_writer import write_ofd
from seal.stamp_places import ByKeyword, ByTag, Place, Riding, Side
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
    content,
    ground,
    holder,
    moment,
    read_or_end,
    term,
    time_stamper,
    written,
)
from service.commands.terminal import Json, answer, vacant

commands = typer.Typer(no_args_is_help=True, help=__doc__, epilog=EXIT_CODES)

File = Annotated[Path, typer.Argument(help="The OFD.")]
Out = Annotated[Path, typer.Argument(help="The file to write; it must not exist yet.")]


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
    """Lay a form out with its values and write it as an OFD, without a seal."""
    vacant(out)
    with read_or_end():
        laid_out = face(form, values, code)
        about = info_of(laid_out, values, author, created_on)
        made = write_ofd(laid_out, about, attachments(attach))
    written(out, made, as_json)


@commands.command()
def stamp(
    file: File,
    out: Out,
    key: Key,
    seal: Annotated[
        Path | None,
        typer.Option(help="The e-seal (Seal.esl). Without one it is signed and shows no stamp."),
    ] = None,
    certificate: OwnCertificate = None,
    passphrase_file: KeyPassphrase = None,
    place: Annotated[
        list[str] | None,
        typer.Option(metavar="PAGE,X,Y", help="A page from 1, and mm from its top left corner."),
    ] = None,
    keyword: Annotated[
        list[str] | None, typer.Option(help="Centred on where this is printed first. Repeat it.")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="Centred on what prints this datum (数据标引).")
    ] = None,
    riding: Annotated[
        Side | None, typer.Option(help="Over this edge of all pages (骑缝章).")
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Protect the whole document: nobody stamps after it.")
    ] = False,
    integrity: Annotated[
        bool, typer.Option("--integrity", help="Add the list of all entries (GM/T 0099 Annex D).")
    ] = False,
    lint: Lint = True,
    authority: Authority = "",
    trust: Trust = None,
    time: Time = "",
    as_json: Json = False,
) -> None:
    """Stamp an OFD with an e-seal (GB/T 38540), or sign it (GB/T 35275)."""
    vacant(out)
    places = tuple(_places(place, keyword, tag, riding))
    with read_or_end(file):
        owner = holder(key, certificate, passphrase_file)
        by, signed_at = (owner.signer, owner.certificate), moment(time)
        mode = Mode.WHOLE if whole else Mode.CONTINUE
        ask = time_stamper(authority, trust, "sm3")
        ofd = content(file)
        if lint and seal is not None:
            expected = Expected(signed_at, term(owner.certificate))
            require_sound(check_ofd(ofd, content(seal), places, signed_at, expected))
        made = (
            ofd_sign.sign(ofd, *by, signed_at, mode=mode, time_stamper=ask, integrity=integrity)
            if seal is None
            else ofd_seal.stamp(
                ofd,
                content(seal),
                *by,
                places,
                signed_at,
                mode=mode,
                time_stamper=ask,
                integrity=integrity,
            )
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
    """Judge an OFD: its signatures, what they cover, and what nobody speaks for."""
    states = seal_states(seal_list, trust_list, pinned)
    with read_or_end(file):
        report = ofd_verify.verify(content(file), ground(trust, crl, ocsp, states), moment(time))
    tell_report(report, profile, as_json)


@commands.command("text")
def text_of(
    file: File,
    keyword: Annotated[str, typer.Option(help="Only where this is printed.")] = "",
    as_json: Json = False,
) -> None:
    """Read the text of an OFD, line by line, in JSON with its place in mm."""
    with read_or_end(file):
        lines = read_text(ofd_package.read(content(file)))
    found = find(lines, keyword) if keyword else lines
    told = [
        {
            "page": line.page + 1,
            "text": line.text,
            "x": round(line.x, 2),
            "y": round(line.y, 2),
            "width": round(line.width, 2),
            "height": round(line.height, 2),
        }
        for line in found
    ]
    if as_json:
        answer(told, as_json)
    else:
        typer.echo("\n".join(line.text for line in found))


@commands.command("png")
def png_of(
    file: File,
    out: Out,
    page: Annotated[int, typer.Option(min=1, help="The page, from 1.")] = 1,
    dpi: Annotated[
        int, typer.Option(min=ofd_picture.RESOLUTIONS[0], max=ofd_picture.RESOLUTIONS[-1])
    ] = 150,
    as_json: Json = False,
) -> None:
    """Draw a page of an OFD with its stamps as a PNG."""
    vacant(out)
    with read_or_end(file):
        drawn = ofd_picture.png(content(file), page - 1, dpi)
    written(out, drawn, as_json)


def _places(
    place: list[str] | None, keyword: list[str] | None, tag: list[str] | None, riding: Side | None
) -> Iterator[Place]:
    yield from map(at, place or ())
    yield from map(ByKeyword, keyword or ())
    yield from map(ByTag, tag or ())
    if riding:
        yield Riding(riding)
