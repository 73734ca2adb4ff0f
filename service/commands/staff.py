"""Staff: open, transfer and close accounts, give and take roles, place bodies, link local accounts."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from idp import staff
from idp.people_errors import AccountUnknown
from idp.staff import Member, Opening
from idp.staff_errors import LocalAccountUnknown
from idp.staffing import appointments, bodies, lifecycle, local_accounts, postings
from idp.staffing.appointments import Post
from idp.staffing.bodies import Body, Tier
from idp.staffing.lifecycle import Transfer
from idp.staffing.local_accounts import Account
from service.commands.console import identity
from service.commands.terminal import By, Json, Yes, answer, operator, passphrase, sure, tell

commands = typer.Typer(no_args_is_help=True, help=__doc__)

_TIMES = ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"]

Username = Annotated[str, typer.Argument(metavar="USERNAME", help="The user name.")]
Roles = Annotated[list[str] | None, typer.Option("--role", help="A role there. Repeat it.")]
At = Annotated[
    datetime | None, typer.Option(formats=_TIMES, help="When, in UTC; now if it is not told.")
]
Until = Annotated[
    datetime | None, typer.Option(formats=_TIMES, help="Until when, in UTC; no end if not told.")
]
ClientId = Annotated[str, typer.Argument(metavar="CLIENT", help="The application's identifier.")]


@commands.command("open")
def open_account(
    username: Username,
    name: Annotated[str, typer.Option(help="The person's name.")],
    body: Annotated[str, typer.Option(help="The 统一社会信用代码 of the body they work for.")],
    role: Roles = None,
    at: At = None,
    password_file: Annotated[
        Path | None, typer.Option(help="A file whose first line is the password.")
    ] = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Open an account; the password is asked for, and a second factor set up at the first sign-in."""
    password = passphrase(tell("staff.password"), password_file, new=True)
    opening = Opening(username, name, body, tuple(role or ()), password, _utc(at))
    with identity() as provider, provider.begin() as tx:
        subject = staff.open_account(tx, provider, opening, by=by or operator())
    answer({"subject": subject}, as_json, tell("staff.opened", username=username))


@commands.command()
def transfer(
    username: Username,
    body: Annotated[str, typer.Option(help="The 统一社会信用代码 of the body to work for.")],
    role: Roles = None,
    at: At = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Move somebody to another body; what they held ends then, and what is told here begins."""
    to = Transfer(body, tuple(role or ()), _utc(at))
    with identity() as provider, provider.begin() as tx:
        lifecycle.transfer(tx, provider, _subject(tx, username), to, by=by or operator())
    answer({"transferred": username}, as_json, tell("staff.transferred", username=username))


@commands.command()
def close(
    username: Username, at: At = None, yes: Yes = False, by: By = "", as_json: Json = False
) -> None:
    """Close an account; its sign-ons end, and nothing of it is good from then on."""
    sure(tell("staff.close", username=username), yes)
    with identity() as provider, provider.begin() as tx:
        subject = _subject(tx, username)
        lifecycle.close(tx, provider, subject, by=by or operator(), at=_utc(at))
    answer({"closed": username}, as_json, tell("staff.closed", username=username))


@commands.command()
def give(
    username: Username,
    role: Annotated[str, typer.Argument(help="The role.")],
    body: Annotated[str, typer.Option(help="At which body; their own if it is not told.")] = "",
    below: Annotated[bool, typer.Option(help="At all bodies below it as well.")] = True,
    at: At = None,
    until: Until = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Give somebody a role at a body."""
    with identity() as provider, provider.begin() as tx:
        subject = _subject(tx, username)
        post = Post(role, body or staff.last_body(tx, subject), below, _utc(at), _utc(until))
        number = appointments.appoint(tx, provider, subject, post, by=by or operator())
    answer({"appointment": number}, as_json, tell("staff.given", number=str(number)))


@commands.command()
def take(
    number: Annotated[int, typer.Argument(metavar="APPOINTMENT", help="Its number.")],
    at: At = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """End an appointment."""
    with identity() as provider, provider.begin() as tx:
        appointments.end(tx, provider, number, by=by or operator(), at=_utc(at))
    answer({"ended": number}, as_json, tell("staff.taken", number=str(number)))


@commands.command()
def show(username: Username, as_json: Json = False) -> None:
    """Show what somebody holds, now and later."""
    with identity() as provider, provider.begin() as tx:
        held = appointments.unended(tx, _subject(tx, username), provider.clock())
    rows = [
        {
            "appointment": one.id,
            "role": one.role,
            "body": one.body,
            "below": one.below,
            "since": one.since,
            "until": one.until,
        }
        for one in held
    ]
    answer(rows, as_json)


@commands.command("list")
def list_staff(
    body: Annotated[str, typer.Argument(help="A 统一社会信用代码: it and all bodies below it.")],
    as_json: Json = False,
) -> None:
    """List who works for a body, and for those below it."""
    with identity() as provider, provider.begin() as tx:
        found = staff.working_for(tx, provider, bodies.below(tx, body))
    answer([_row(member) for member in found], as_json)


@commands.command()
def place(
    uscc: Annotated[str, typer.Argument(help="The body's 统一社会信用代码.")],
    name: Annotated[str, typer.Option(help="Its name.")],
    tier: Annotated[Tier, typer.Option(help="Its tier.")],
    region: Annotated[str, typer.Option(help="Its division code: 6, 9 or 12 digits.")],
    parent: Annotated[str, typer.Option(help="The 统一社会信用代码 of the body above it.")] = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Put a body into the tree, or change where it stands."""
    body = Body(uscc, name, tier, region, parent or None)
    with identity() as provider, provider.begin() as tx:
        bodies.place(tx, provider, body, by=by or operator())
    answer({"placed": uscc}, as_json, tell("staff.placed", body=uscc))


@commands.command("bodies")
def list_bodies(as_json: Json = False) -> None:
    """List the bodies of the tree, by division code; then those that staff work for outside it."""
    with identity() as provider, provider.begin() as tx:
        found = bodies.every(tx)
        outside = sorted(postings.bodies(tx) - {body.uscc for body in found})
    rows = [
        {
            "uscc": body.uscc,
            "name": body.name,
            "tier": body.tier.value,
            "region": body.region,
            "parent": body.parent or "",
        }
        for body in found
    ]
    rows += [{"uscc": body, "name": "", "tier": "", "region": "", "parent": ""} for body in outside]
    answer(rows, as_json)
    if outside and not as_json:
        typer.echo(tell("staff.unplaced", body=outside[0]))


@commands.command()
def link(
    client_id: ClientId,
    username: Username,
    local_id: Annotated[str, typer.Argument(help="How the application names the account.")],
    label: Annotated[str, typer.Option(help="How the person tells it from others.")] = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Let somebody go into an application by an account of its own."""
    account = Account(local_id, label or local_id)
    with identity() as provider, provider.begin() as tx:
        subject = _subject(tx, username)
        local_accounts.link(tx, provider, client_id, subject, account, by=by or operator())
    answer({"linked": local_id}, as_json, tell("staff.linked", username=username))


@commands.command()
def unlink(
    client_id: ClientId,
    username: Username,
    local_id: Annotated[str, typer.Argument(help="How the application names the account.")],
    by: By = "",
    as_json: Json = False,
) -> None:
    """Let somebody go in by that account no more."""
    who = by or operator()
    with identity() as provider, provider.begin() as tx:
        subject = _subject(tx, username)
        if not local_accounts.unlink(tx, provider, client_id, subject, local_id, by=who):
            raise LocalAccountUnknown
    answer({"unlinked": local_id}, as_json, tell("staff.unlinked", username=username))


@commands.command("links")
def list_links(client_id: ClientId, as_json: Json = False) -> None:
    """List the accounts of an application that are linked, and to whom."""
    with identity() as provider, provider.begin() as tx:
        found = local_accounts.of_client(tx, client_id)
    rows = [
        {"subject": subject, "local_id": account.local_id, "label": account.label}
        for subject, account in found
    ]
    answer(rows, as_json)


def _subject(tx: Session, username: str) -> str:
    subject = staff.subject_of(tx, username)
    if subject is None:
        raise AccountUnknown
    return subject


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(tzinfo=UTC)


def _row(member: Member) -> dict[str, Any]:
    return {
        "username": member.username,
        "name": member.name,
        "body": member.organisation,
        "roles": " ".join(member.roles),
        "subject": member.subject,
    }
