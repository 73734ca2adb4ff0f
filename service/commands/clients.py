"""Clients: import, register, list, change their secrets, remove, and invite others to register."""

import json
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from idp import client_import, client_registration, clients, initial_access
from idp.client_errors import ClientNotFound, InvitationNotFound
from idp.clients import Client
from idp.initial_access import Invitation
from idp.registration_document import Profile
from idp.vocabulary import AuthMethod, GrantType
from service.commands.console import identity
from service.commands.terminal import By, Json, Yes, answer, operator, sure, tell

commands = typer.Typer(no_args_is_help=True, help=__doc__)

_LARGEST_FILE = 4 * 1024 * 1024

ClientId = Annotated[str, typer.Argument(metavar="ID", help="The client's identifier.")]


@commands.command("import")
def import_file(
    file: Annotated[
        Path, typer.Argument(help="A JSON list of client metadata (RFC 7591), each with client_id.")
    ],
    by: By = "",
    as_json: Json = False,
) -> None:
    """Register the clients of a file, and replace those that are different: all of them, or none."""
    content = file.read_bytes()
    if len(content) > _LARGEST_FILE:
        raise SystemExit(f"yinxin: {tell('clients.file_too_large', file=str(file))}")
    with identity() as provider:
        asked = client_import.read(provider, content)
        with provider.begin() as tx:
            done = client_import.take(tx, provider, asked, by=by or operator())
    rows = [
        {
            "client_id": one.client_id,
            "outcome": one.outcome.value,
            "client_secret": one.client_secret,
        }
        for one in done
    ]
    answer(rows, as_json)


@commands.command("list")
def list_clients(
    ending: Annotated[
        int | None, typer.Option(help="Only those that have ended, or end within so many days.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the clients: who answers for each, and until when it is registered."""
    with identity() as provider, provider.begin() as tx:
        found = clients.every(tx)
        if ending is not None:
            by = provider.clock() + timedelta(days=ending)
            found = [one for one in found if one.has_ended(by)]
        answer([_row(one) for one in found], as_json)


@commands.command()
def show(client_id: ClientId) -> None:
    """Show a client as a document (RFC 7591), without its secret: nobody can read that back."""
    with identity() as provider, provider.begin() as tx:
        found = client_registration.answer(clients.get(tx, client_id))
    _show(found)


@commands.command()
def register(
    name: Annotated[str, typer.Argument(help="Its name, as people see it.")],
    client_id: Annotated[str, typer.Option("--id", help="Its identifier; made if not told.")] = "",
    name_en: Annotated[str, typer.Option(help="Its name in English.")] = "",
    redirect_uri: Annotated[
        list[str] | None, typer.Option(help="Where people come back to. Repeat it.")
    ] = None,
    post_logout_redirect_uri: Annotated[
        list[str] | None, typer.Option(help="Where they come back to when signed out. Repeat it.")
    ] = None,
    scope: Annotated[str, typer.Option(help="What it may ask for, with spaces between.")] = "",
    grant: Annotated[
        list[GrantType] | None, typer.Option(help="What it gets tokens for. Repeat it.")
    ] = None,
    auth_method: Annotated[
        AuthMethod, typer.Option(help="How it proves itself.")
    ] = AuthMethod.BASIC,
    jwks_uri: Annotated[str, typer.Option(help="Where its public keys are.")] = "",
    organisation: Annotated[str, typer.Option(help="The 统一社会信用代码 it speaks for.")] = "",
    owner: Annotated[str, typer.Option(help="Who answers for it: a USCC, or a name.")] = "",
    ends_at: Annotated[str, typer.Option(help="When it ends: 2027-01-31T00:00:00Z.")] = "",
    resource: Annotated[
        list[str] | None, typer.Option(help="An API its tokens may be for. Repeat it.")
    ] = None,
    minimum_acr: Annotated[str, typer.Option(help="The level nobody signs in below.")] = "",
    staff: Annotated[bool, typer.Option("--staff", help="Staff sign in to it.")] = False,
    first_party: Annotated[
        bool, typer.Option("--first-party", help="A government portal: agreed to by policy.")
    ] = False,
    profile: Annotated[Profile | None, typer.Option(help="What it is held to.")] = None,
    dpop: Annotated[bool, typer.Option("--dpop", help="Its tokens are bound by DPoP.")] = False,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Register one client. What has no option here goes into a file: yinxin clients import."""
    told = {
        "client_name": name,
        "client_name#en": name_en,
        "redirect_uris": redirect_uri,
        "post_logout_redirect_uris": post_logout_redirect_uri,
        "scope": scope,
        "grant_types": grant,
        "token_endpoint_auth_method": auth_method,
        "jwks_uri": jwks_uri,
        "organisation": organisation,
        "owner": owner,
        "ends_at": ends_at,
        "resources": resource,
        "minimum_acr": minimum_acr,
        "realm": "staff" if staff else None,
        "consent": "by-policy" if first_party else None,
        "profile": profile,
        "dpop_bound_access_tokens": dpop,
    }
    document = {member: value for member, value in told.items() if value}
    with identity() as provider:
        asked = client_registration.asked(provider, document, by_operator=True)
        with provider.begin() as tx:
            registration = clients.registration(asked, client_id or None)
            new = clients.register(tx, provider, registration, by=by or operator())
    _tell_secret(new.client_id, new.client_secret, as_json)


@commands.command("new-secret")
def new_secret(client_id: ClientId, yes: Yes = False, by: By = "", as_json: Json = False) -> None:
    """Give a client another secret; the old one is refused within five seconds."""
    sure(tell("clients.new_secret", client_id=client_id), yes)
    with identity() as provider, provider.begin() as tx:
        secret = clients.new_secret(tx, provider, client_id, by=by or operator())
    _tell_secret(client_id, secret, as_json)


@commands.command()
def remove(client_id: ClientId, yes: Yes = False, by: By = "", as_json: Json = False) -> None:
    """Remove a client; nothing that it holds is good any more."""
    sure(tell("clients.remove", client_id=client_id), yes)
    with identity() as provider, provider.begin() as tx:
        if not clients.remove(tx, provider, client_id, by=by or operator()):
            raise ClientNotFound
    answer({"removed": client_id}, as_json, tell("clients.removed", client_id=client_id))


@commands.command()
def invite(
    label: Annotated[str, typer.Argument(help="For whom it is.")],
    uses: Annotated[int, typer.Option(help="How many clients it registers.")] = 1,
    days: Annotated[int, typer.Option(help="For how many days it is good.")] = 7,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Make an initial access token, with which somebody registers clients (RFC 7591)."""
    with identity() as provider, provider.begin() as tx:
        made = initial_access.invite(
            tx, provider, label, uses=uses, lifetime=timedelta(days=days), by=by or operator()
        )
    told = _invitations([made])[0] | {"token": made.token}
    answer(told, as_json, tell("clients.invited", label=label, token=str(made.token)))


@commands.command()
def invitations(as_json: Json = False) -> None:
    """List the initial access tokens that are good for something still."""
    with identity() as provider, provider.begin() as tx:
        answer(_invitations(initial_access.every(tx, provider)), as_json)


@commands.command()
def uninvite(
    label: Annotated[str, typer.Argument(help="For whom they were.")],
    by: By = "",
    as_json: Json = False,
) -> None:
    """Take back every initial access token of a label."""
    with identity() as provider, provider.begin() as tx:
        count = initial_access.withdraw(tx, provider, label, by=by or operator())
        if not count:
            raise InvitationNotFound(label=label)
    answer({"withdrawn": count}, as_json, tell("clients.uninvited", label=label, count=count))


def _row(found: Client) -> dict[str, Any]:
    return {
        "client_id": found.client_id,
        "name": found.name_zh,
        "authentication": found.auth_method.value,
        "grants": found.grant_types,
        "realm": found.realm.value if found.realm else "",
        "organisation": found.organisation or "",
        "owner": found.owner or "",
        "registered_at": found.registered_at,
        "ends_at": found.ends_at or "",
    }


def _invitations(found: Iterable[Invitation]) -> list[dict[str, Any]]:
    return [
        {
            "label": one.label,
            "uses_left": one.uses_left,
            "made_at": one.made_at,
            "expires_at": one.expires_at,
        }
        for one in found
    ]


def _tell_secret(client_id: str, secret: str | None, as_json: bool) -> None:
    told = {"client_id": client_id, "client_secret": secret}
    key = "clients.registered" if secret is None else "clients.secret"
    answer(told, as_json, tell(key, client_id=client_id, secret=secret or ""))


def _show(document: dict[str, Any]) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
