"""The administration of other nodes, of users handed over and of conflicts, over HTTP."""

from collections.abc import Iterator

import httpx2
import pytest

import idp.admin.http
from idp.admin.http import audience
from keys import access_token
from keys.access_token import Caller
from service import problems
from service.token_check import caller_check
from tests.idp.nodes.city_users import CityUsers, user
from tests.idp.world import World, served


@pytest.fixture
def city(world: World) -> CityUsers:
    return CityUsers(world).join()


def _token(world: World, scope: str) -> str:
    resource = audience(world.provider.public_url)
    machine = world.machine(
        client_id="manager", scopes=("node.manage", "client.manage"), resources=(resource,)
    )
    answer = httpx2.post(
        f"{world.issuer}/token",
        data={"grant_type": "client_credentials", "scope": scope, "resource": resource},
        auth=(machine.client_id, str(machine.client_secret)),
    )
    return str(answer.json()["access_token"])


def _check(world: World, text: str) -> Caller:
    return access_token.check(
        text,
        world.provider.token_keys(),
        issuer=world.issuer,
        audience=audience(world.provider.public_url),
        now=world.clock(),
    )


@pytest.fixture
def url(world: World) -> Iterator[str]:
    check = caller_check(world.provider, lambda text: _check(world, text))
    with served(problems.install(idp.admin.http.app(world.provider, check))) as found:
        yield found


@pytest.fixture
def api(world: World, url: str) -> Iterator[httpx2.Client]:
    headers = {"Authorization": f"Bearer {_token(world, 'node.manage')}"}
    with httpx2.Client(base_url=url, headers=headers) as client:
        yield client


def _hand_over(api: httpx2.Client, content: bytes) -> httpx2.Response:
    return api.post("/imports", content=content, headers={"Content-Type": "application/jsonl"})


def test_a_file_is_taken_and_each_row_is_answered(city: CityUsers, api: httpx2.Client) -> None:
    answer = _hand_over(api, city.file([user(1), user(2, phone="1")]))
    assert answer.status_code == 200
    assert [(row["id"], row["outcome"]) for row in answer.json()["rows"]] == [
        ("u-1", "new"),
        ("u-2", "rejected"),
    ]


def test_a_changed_file_is_refused(city: CityUsers, api: httpx2.Client) -> None:
    answer = _hand_over(api, city.file([user(1)]).replace(b"u-1", b"u-2"))
    assert (answer.status_code, answer.json()["code"]) == (422, "import.file_wrong")
    unsigned = _hand_over(api, b'{"id": "u-1"}\n')
    assert (unsigned.status_code, unsigned.json()["code"]) == (422, "import.not_signed")


def test_a_conflict_is_listed_and_decided_once(city: CityUsers, api: httpx2.Client) -> None:
    _hand_over(api, city.file([user(1), user(1, id="other", name="钱四强")]))
    (waits,) = api.get("/conflicts").json()["conflicts"]
    assert (waits["reason"], waits["came_by"]) == ("name", "import")
    decided = {"resolution": "refuse"}
    assert api.post(f"/conflicts/{waits['id']}", json=decided).status_code == 204
    again = api.post(f"/conflicts/{waits['id']}", json=decided)
    assert (again.status_code, again.json()["code"]) == (404, "conflict.unknown")


def test_nodes_are_told_without_their_keys(city: CityUsers, api: httpx2.Client) -> None:
    assert api.get("/nodes").json() == {
        "nodes": [{"issuer": city.issuer, "name": city.issuer, "place": "below"}]
    }


def test_another_scope_lets_nobody_in(city: CityUsers, world: World, url: str) -> None:
    headers = {"Authorization": f"Bearer {_token(world, 'client.manage')}"}
    assert httpx2.get(f"{url}/conflicts", headers=headers).status_code == 403
    assert httpx2.get(f"{url}/nodes").status_code == 401
