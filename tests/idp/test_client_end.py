"""What a client was given has an owner and an end: past it there is no token and no sign-in."""

from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from idp import client_registration, clients
from idp.client_errors import ClientMetadataWrong
from idp.client_metadata import Metadata
from idp.clients import Registered
from tests.idp.world import CALLBACK, World

_DOCUMENT = {"client_name": "Suite", "redirect_uris": [CALLBACK]}


def asked(world: World, *, by_operator: bool = True, **more: object) -> Metadata:
    return client_registration.asked(world.provider, {**_DOCUMENT, **more}, by_operator=by_operator)


def token(world: World, machine: Registered, secret: str = "") -> httpx2.Response:
    proof = (machine.client_id, secret or machine.client_secret or "")
    form = {"grant_type": "client_credentials"}
    return httpx2.post(f"{world.issuer}/token", data=form, auth=proof)


def test_a_machine_gets_no_token_once_its_registration_has_ended(world: World) -> None:
    machine = world.machine(ends_at=world.clock() + timedelta(days=1))
    assert token(world, machine).status_code == 200
    world.clock.tick(days=1)
    late = token(world, machine)
    assert late.status_code == 401
    assert late.json()["error"] == "invalid_client"
    assert "has ended" in late.json()["error_description"]
    guessed = token(world, machine, "another-secret-altogether")
    assert "has ended" not in guessed.json()["error_description"], "only the client itself is told"


def test_nobody_signs_in_to_a_portal_whose_registration_has_ended(world: World) -> None:
    ends = world.clock() + timedelta(days=1)
    portal = world.portal(world.client(ends_at=ends))
    assert world.browser().get(portal.url()).is_redirect
    world.clock.tick(days=1)
    shown = world.browser().get(portal.url())
    assert "code=" not in shown.headers.get("location", "")
    assert "authorize.client_ended" in (shown.text + shown.headers.get("location", ""))


def test_owner_and_end_are_kept_and_told(world: World) -> None:
    metadata = asked(world, owner="示例市数据局", ends_at="2132-01-31T08:00:00+08:00")
    with world.begin() as tx:
        new = clients.register(tx, world.provider, clients.registration(metadata))
        found = clients.get(tx, new.client_id)
    assert (found.owner, found.ends_at) == ("示例市数据局", datetime(2132, 1, 31, tzinfo=UTC))
    told = client_registration.answer(found)
    assert (told["owner"], told["ends_at"]) == ("示例市数据局", "2132-01-31T00:00:00Z")


@pytest.mark.parametrize("end", ["tomorrow", "2132-01-31", "2132-01-31T00:00:00", 5, ""])
def test_an_end_that_is_no_moment_is_refused(world: World, end: object) -> None:
    with pytest.raises(ClientMetadataWrong) as refused:
        asked(world, ends_at=end)
    assert refused.value.parameters["field"] == "ends_at"


def test_no_client_puts_off_its_own_end(world: World) -> None:
    with pytest.raises(ClientMetadataWrong):
        asked(world, by_operator=False, ends_at="2132-01-31T00:00:00Z")
