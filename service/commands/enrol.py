"""Issue a certificate on the spot (现场发证): the clerk checks the person, both sign the receipt."""

from pathlib import Path
from typing import Annotated

import typer

from keys import certificate_issuing, enrolment
from keys.certificate_names import Subject
from keys.certificate_profiles import PROFILES
from keys.csr import read_csr
from keys.enrolment import Checked
from keys.signature_value import from_x509
from service.commands.ca import AuthorityName, CommonName, Out, certificate_row, hand_over
from service.commands.console import ground
from service.commands.terminal import By, Json, answer, operator, tell, vacant, write_new

commands = typer.Typer(no_args_is_help=True, help=__doc__)

_PROFILES = ("person", "legal-entity", "staff")

Number = Annotated[int, typer.Argument(help="The sitting's number.")]


@commands.command()
def begin(
    authority: AuthorityName,
    profile: Annotated[str, typer.Argument(help=f"One of {', '.join(_PROFILES)}.")],
    request: Annotated[Path, typer.Argument(help="The signing request of the person's device.")],
    receipt: Annotated[Path, typer.Argument(help="Where to write the receipt both are to sign.")],
    common_name: CommonName,
    clerk_kid: Annotated[str, typer.Option(help="The key of the clerk's staff certificate.")],
    checked: Annotated[list[Checked], typer.Option(help="How the person was checked. Repeat it.")],
    organization: Annotated[str, typer.Option(help="The organization (O).")] = "",
    uscc: Annotated[str, typer.Option(help="The organization's 统一社会信用代码.")] = "",
    number: Annotated[str, typer.Option(help="A number of yours; never an ID number.")] = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Issue the certificate, suspended, and write the receipt that clerk and person are to sign."""
    if profile not in _PROFILES:
        raise SystemExit(f"yinxin: {tell('ca.no_profile', known=', '.join(_PROFILES))}")
    vacant(receipt)
    asked = read_csr(request.read_bytes())
    subject = Subject(common_name, organization, uscc, number=number)
    with ground() as on:
        with on.begin() as tx:
            order = enrolment.prepare(
                tx,
                on.vault,
                authority,
                PROFILES[profile],
                subject,
                asked,
                clerk=by or operator(),
                clerk_kid=clerk_kid,
            )
        der = certificate_issuing.sign(order)
        with on.begin() as tx:
            begun = enrolment.begin(
                tx, order, der, clerk_kid=clerk_kid, checked=checked, now=on.clock()
            )
    write_new(receipt, begun.receipt)
    answer([{"sitting": begun.id, **certificate_row(begun.certificate)}], as_json)


@commands.command()
def finish(
    number: Number,
    clerk_signature: Annotated[Path, typer.Option(help="The clerk's signature over the receipt.")],
    holder_signature: Annotated[Path, typer.Option(help="The person's signature over it.")],
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Check both signatures (as `openssl dgst -sign` writes them); only then the certificate counts."""
    if out:
        vacant(out)
    with ground() as on, on.begin() as tx:
        now = on.clock()
        clerk, holder = enrolment.signers(tx, number, now)
        issued = enrolment.finish(
            tx,
            number,
            clerk_signature=from_x509(clerk.algorithm, clerk_signature.read_bytes()),
            holder_signature=from_x509(holder.algorithm, holder_signature.read_bytes()),
            now=now,
        )
    hand_over(issued, out, as_json)


@commands.command("break-off")
def break_off(number: Number, by: By = "", as_json: Json = False) -> None:
    """End a sitting without a certificate; the suspended one is revoked."""
    with ground() as on, on.begin() as tx:
        ended = enrolment.break_off(tx, number, by=by or operator(), now=on.clock())
    answer([certificate_row(ended)], as_json)
