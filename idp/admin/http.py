"""The administration of identity: clients, their secrets, and who may register some by themselves.

Everything here takes an access token with `client.manage`, which staff have by the role
`identity-administrator`. No rule lives here.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import FastAPI, Path, Response

from idp import client_registration, clients, initial_access
from idp.admin import journal_http, levels_http, nodes_http, sessions_http
from idp.admin.callers import CheckCaller, name_of, problems, who_may
from idp.admin.schemas import (
    ClientOut,
    ClientsOut,
    Document,
    InvitationIn,
    InvitationOut,
    InvitationsOut,
    SecretOut,
)
from idp.client_errors import ClientMetadataWrong, ClientNotFound, InvitationNotFound
from idp.clients import Client
from idp.provider import Provider
from keys.access_token import Caller

MANAGE_CLIENTS = "client.manage"
_ERRORS: Mapping[int, str] = MappingProxyType(
    {
        401: "token.missing, token.*",
        403: "token.scope_missing",
        404: "client.not_found, client.invitation_not_found",
        409: "client.exists",
        422: "client.metadata_wrong, client.invitation_wrong, request.invalid",
    }
)
_problems = partial(problems, _ERRORS)

ClientId = Annotated[str, Path(max_length=128, description="The client's identifier.")]


def audience(public_url: str) -> str:
    """Return the resource (RFC 8707) that this API is at the public address."""
    return f"{public_url}/api/identity"


def app(provider: Provider, check_caller: CheckCaller) -> FastAPI:
    """Return the ASGI app. `check_caller` raises a `DomainError` for whoever shows no good token."""
    api = FastAPI(
        title="Yinxin identity administration",
        description="Register, change and remove clients; see sign-ons and end them.",
        version="1",
    )
    the_manager = who_may(check_caller, MANAGE_CLIENTS)
    _add_reading(api, provider, the_manager)
    _add_writing(api, provider, the_manager)
    _add_invitations(api, provider, the_manager)
    api.include_router(sessions_http.router(provider, check_caller))
    api.include_router(journal_http.router(provider, check_caller))
    api.include_router(levels_http.router(provider, check_caller))
    api.include_router(nodes_http.router(provider, check_caller))
    return api


def _add_reading(api: FastAPI, provider: Provider, the_manager: Any) -> None:
    @api.get(
        "/clients",
        operation_id="list_clients",
        summary="Every client",
        responses=_problems(401, 403),
        response_model_exclude_none=True,
    )
    def get_clients(caller: Caller = the_manager) -> ClientsOut:
        with provider.begin() as tx:
            return ClientsOut(clients=[_client_out(one) for one in clients.every(tx)])

    @api.get(
        "/clients/{client_id}",
        operation_id="get_client",
        summary="One client",
        responses=_problems(401, 403, 404, 422),
        response_model_exclude_none=True,
    )
    def get_client(client_id: ClientId, caller: Caller = the_manager) -> ClientOut:
        with provider.begin() as tx:
            return _client_out(clients.get(tx, client_id))


def _add_writing(api: FastAPI, provider: Provider, the_manager: Any) -> None:
    @api.post(
        "/clients",
        operation_id="register_client",
        summary="Register a client; identifier and secret are made when they are not given",
        status_code=201,
        responses=_problems(401, 403, 409, 422),
        response_model_exclude_none=True,
    )
    def post_client(document: Document, caller: Caller = the_manager) -> ClientOut:
        metadata = client_registration.asked(provider, document, by_operator=True)
        client_id, secret = (_given(document, name) for name in ("client_id", "client_secret"))
        with provider.begin() as tx:
            asked = clients.registration(metadata, client_id, secret)
            new = clients.register(tx, provider, asked, by=name_of(caller))
            return _client_out(clients.get(tx, new.client_id), new.client_secret)

    @api.put(
        "/clients/{client_id}",
        operation_id="replace_client",
        summary="Replace a client's metadata, as a whole",
        responses=_problems(401, 403, 404, 422),
        response_model_exclude_none=True,
    )
    def put_client(
        client_id: ClientId, document: Document, caller: Caller = the_manager
    ) -> ClientOut:
        metadata = client_registration.asked(provider, document, by_operator=True)
        with provider.begin() as tx:
            secret = clients.change(tx, provider, client_id, metadata, by=name_of(caller))
            return _client_out(clients.get(tx, client_id), secret)

    @api.post(
        "/clients/{client_id}/secret",
        operation_id="renew_client_secret",
        summary="Give a client another secret; the old one is refused within five seconds",
        status_code=201,
        responses=_problems(401, 403, 404, 422),
    )
    def post_secret(client_id: ClientId, caller: Caller = the_manager) -> SecretOut:
        with provider.begin() as tx:
            secret = clients.new_secret(tx, provider, client_id, by=name_of(caller))
        return SecretOut(client_id=client_id, client_secret=secret)

    @api.delete(
        "/clients/{client_id}",
        operation_id="remove_client",
        summary="Remove a client; nothing that it holds is good any more",
        status_code=204,
        response_class=Response,
        responses=_problems(401, 403, 404, 422),
    )
    def delete_client(client_id: ClientId, caller: Caller = the_manager) -> None:
        with provider.begin() as tx:
            if not clients.remove(tx, provider, client_id, by=name_of(caller)):
                raise ClientNotFound


def _add_invitations(api: FastAPI, provider: Provider, the_manager: Any) -> None:
    @api.get(
        "/initial-access-tokens",
        operation_id="list_initial_access_tokens",
        summary="The initial access tokens that are good for something still",
        responses=_problems(401, 403),
        response_model_exclude_none=True,
    )
    def get_invitations(caller: Caller = the_manager) -> InvitationsOut:
        with provider.begin() as tx:
            found = initial_access.every(tx, provider)
        return InvitationsOut(invitations=[InvitationOut.model_validate(one) for one in found])

    @api.post(
        "/initial-access-tokens",
        operation_id="make_initial_access_token",
        summary="Let somebody register clients (RFC 7591 §3)",
        status_code=201,
        responses=_problems(401, 403, 422),
    )
    def post_invitation(asked: InvitationIn, caller: Caller = the_manager) -> InvitationOut:
        with provider.begin() as tx:
            made = initial_access.invite(
                tx,
                provider,
                asked.label,
                uses=asked.uses,
                lifetime=timedelta(days=asked.days),
                by=name_of(caller),
            )
        return InvitationOut.model_validate(made)

    @api.delete(
        "/initial-access-tokens/{label}",
        operation_id="withdraw_initial_access_token",
        summary="Take back every initial access token of a label",
        status_code=204,
        response_class=Response,
        responses=_problems(401, 403, 404, 422),
    )
    def delete_invitation(
        label: Annotated[str, Path(max_length=64)], caller: Caller = the_manager
    ) -> None:
        with provider.begin() as tx:
            if not initial_access.withdraw(tx, provider, label, by=name_of(caller)):
                raise InvitationNotFound(label=label)


def _client_out(client: Client, secret: str | None = None) -> ClientOut:
    return ClientOut.model_validate(client_registration.answer(client, secret))


def _given(document: Mapping[str, Any], name: str) -> str | None:
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        raise ClientMetadataWrong(field=name, reason="must be a text")
    return value
