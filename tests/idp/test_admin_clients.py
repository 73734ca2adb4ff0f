"""Clients over the administration API, with tokens of the provider itself."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

import idp.admin.http
from idp import staff
from idp.admin.http import audience
from idp.vocabulary import Realm
from keys import access_token, tables
from keys.access_token import Caller
from service import problems
from service.token_check import caller_check
from tests.idp.world import CALLBACK, World, served

ASKED = {"client_name": "Portal", "redirect_uris": [CALLBACK]}
Ask = Callable[..., httpx2.Response]


def token(world: World, scope: str = "client.manage", resource: str = "") -> str:
    """An access token of a machine that manages clients."""
    machine = world.machine(
        client_id="manager",
        scopes=("client.manage", "licence.read"),
        resources=(audience(world.provider.public_url), "urn:example:other"),
    )
    answer = httpx2.post(
        f"{world.issuer}/token",
        data={
            "grant_type": "client_credentials",
            "scope": scope,
            "resource": resource or audience(world.provider.public_url),
        },
        auth=(machine.client_id, str(machine.client_secret)),
    )
    return str(answer.json()["access_token"])


@pytest.fixture
def ask(world: World) -> Iterator[Ask]:
    """Ask the API something with a token."""

    def check(text: str) -> Caller:
        return access_token.check(
            text,
            world.provider.token_keys(),
            issuer=world.issuer,
            audience=audience(world.provider.public_url),
            now=world.clock(),
        )

    api = idp.admin.http.app(world.provider, caller_check(world.provider, check))
    with served(problems.install(api)) as url:

        def ask(method: str, path: str, token: str, json: Any = None) -> httpx2.Response:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            return httpx2.request(method, f"{url}{path}", json=json, headers=headers)

        yield ask


def code(answer: httpx2.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["code"])


def test_a_manager_registers_reads_changes_and_removes_a_client(world: World, ask: Ask) -> None:
    manager = token(world)
    made = ask("POST", "/clients", manager, ASKED | {"realm": "staff", "consent": "by-policy"})
    assert made.status_code == 201
    told = made.json()
    path = f"/clients/{told['client_id']}"
    assert (told["realm"], told["client_secret_expires_at"]) == ("staff", 0)
    shown = ask("GET", path, manager).json()
    assert "client_secret" not in shown
    changed = ask("PUT", path, manager, ASKED | {"client_name": "Other"}).json()
    assert (changed["client_name"], changed["realm"]) == ("Other", str(Realm.CITIZEN))
    listed = ask("GET", "/clients", manager).json()["clients"]
    assert [one["client_id"] for one in listed] == sorted(["manager", told["client_id"]])
    assert ask("DELETE", path, manager).status_code == 204
    for method in ("GET", "DELETE"):
        assert code(ask(method, path, manager), 404) == "client.not_found"
    assert code(ask("PUT", path, manager, ASKED), 404) == "client.not_found"


def test_a_new_secret_ends_the_old_one(world: World, ask: Ask) -> None:
    manager = token(world)
    told = ask("POST", "/clients", manager, ASKED | {"client_id": "portal"}).json()
    renewed = ask("POST", "/clients/portal/secret", manager).json()
    assert renewed["client_secret"] != told["client_secret"]
    assert code(ask("POST", "/clients/nobody/secret", manager), 404) == "client.not_found"


def test_every_change_is_journalled_with_who_made_it(world: World, ask: Ask) -> None:
    manager = token(world)
    ask("POST", "/clients", manager, ASKED | {"client_id": "portal"})
    ask("PUT", "/clients/portal", manager, ASKED | {"client_name": "Other"})
    ask("POST", "/clients/portal/secret", manager)
    ask("DELETE", "/clients/portal", manager)
    with world.begin() as tx:
        columns = tables.journal.c.action, tables.journal.c.actor
        query = select(*columns).where(tables.journal.c.subject == "portal")
        rows = [tuple(row) for row in tx.execute(query.order_by(tables.journal.c.id))]
    assert rows == [
        (f"client.{action}", "manager/manager")
        for action in ("registered", "changed", "secret_changed", "removed")
    ]


def test_initial_access_tokens_are_made_listed_and_withdrawn(world: World, ask: Ask) -> None:
    manager = token(world)
    made = ask("POST", "/initial-access-tokens", manager, {"label": "lab", "uses": 2}).json()
    answer = httpx2.post(
        f"{world.issuer}/clients",
        json=ASKED,
        headers={"Authorization": f"Bearer {made['token']}"},
    )
    assert answer.status_code == 201
    (listed,) = ask("GET", "/initial-access-tokens", manager).json()["invitations"]
    assert (listed["label"], listed["uses_left"]) == ("lab", 1)
    assert "token" not in listed
    assert ask("DELETE", "/initial-access-tokens/lab", manager).status_code == 204
    gone = ask("DELETE", "/initial-access-tokens/lab", manager)
    assert code(gone, 404) == "client.invitation_not_found"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/clients", None),
        ("POST", "/clients", ASKED),
        ("GET", "/clients/manager", None),
        ("PUT", "/clients/manager", ASKED),
        ("DELETE", "/clients/manager", None),
        ("POST", "/clients/manager/secret", None),
        ("GET", "/initial-access-tokens", None),
        ("POST", "/initial-access-tokens", {"label": "lab"}),
        ("DELETE", "/initial-access-tokens/lab", None),
    ],
)
def test_nobody_else_gets_in(
    world: World, ask: Ask, method: str, path: str, body: dict[str, Any] | None
) -> None:
    assert code(ask(method, path, "", body), 401) == "token.missing"
    assert code(ask(method, path, "no token", body), 401).startswith("token.")
    reader = token(world, "licence.read")
    assert code(ask(method, path, reader, body), 403) == "token.scope_missing"


def test_a_token_for_another_api_is_no_token_here(world: World, ask: Ask) -> None:
    other = token(world, resource="urn:example:other")
    assert code(ask("GET", "/clients", other), 401).startswith("token.")


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (ASKED | {"redirect_uris": ["javascript:x"]}, "client.metadata_wrong"),
        (ASKED | {"client_id": 7}, "client.metadata_wrong"),
        (ASKED | {"client_secret": []}, "client.metadata_wrong"),
        (ASKED | {"client_id": "a b"}, "client.metadata_wrong"),
        (["no object"], "request.invalid"),
    ],
    ids=str,
)
def test_a_wrong_document_is_a_problem(world: World, ask: Ask, document: Any, told: str) -> None:
    assert code(ask("POST", "/clients", token(world), document), 422) == told


def test_a_client_that_exists_is_not_registered_again(world: World, ask: Ask) -> None:
    manager = token(world)
    answer = ask("POST", "/clients", manager, ASKED | {"client_id": "manager"})
    assert code(answer, 409) == "client.exists"


def test_a_client_without_a_secret_gets_none(world: World, ask: Ask) -> None:
    manager = token(world)
    public = ASKED | {"client_id": "app", "token_endpoint_auth_method": "none"}
    assert "client_secret" not in ask("POST", "/clients", manager, public).json()
    answer = ask("POST", "/clients/app/secret", manager)
    assert code(answer, 422) == "client.metadata_wrong"


@pytest.mark.parametrize("path", ["/clients/a%00b", "/clients/" + "x" * 129])
def test_an_identifier_that_is_none_is_nobodys(world: World, ask: Ask, path: str) -> None:
    manager = token(world)
    for method in ("GET", "DELETE"):
        assert ask(method, path, manager).status_code in (404, 422)


def test_only_an_identity_administrator_has_the_scope(world: World) -> None:
    subject = world.clerk("li.na", "identity-administrator")
    with world.begin() as tx:
        assert "client.manage" in staff.member(tx, world.provider, subject).scopes
    other = world.clerk("zhou.yuan")
    with world.begin() as tx:
        assert "client.manage" not in staff.member(tx, world.provider, other).scopes
