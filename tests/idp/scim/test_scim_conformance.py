"""The whole of what scim2-tester asks of a server, against a live one."""

from datetime import UTC, datetime

from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import Extension
from scim2_tester import CheckResult, Status, check_server

from idp.scim.models import Employment, Post
from tests.idp.scim.line import line, served_scim
from tests.idp.staffing.tree import CITY, plant
from tests.idp.world import World

_DEFAULTS = ("active", f"{Employment.__schema__}:since", f"{Post.__schema__}:below")
"""What has a value of ours again when it is removed (RFC 7643 §2.5 lets a provider have defaults)."""

_TYPICAL: dict[type[Extension], dict[str, object]] = {
    Employment: {
        "body": CITY,
        "since": datetime(2132, 1, 1, tzinfo=UTC),
        "until": datetime(2133, 1, 1, tzinfo=UTC),
    },
    Post: {"body": CITY},
}
"""No schema can say what a code of a body is, nor what a time is."""


def discovered(client: SyncSCIMClient) -> SyncSCIMClient:
    """Let a client learn all from the server, but what values are typical."""
    client.discover()
    for extension, values in _TYPICAL.items():
        model = client.provider.model_for(str(extension.__schema__))
        assert model is not None
        for name, value in values.items():
            model.model_fields[name].examples = [value]
    return client


def is_wrong(result: CheckResult) -> bool:
    reason = str(result.reason)
    if any(reason == f"PATCH modify() did not remove attribute '{name}'" for name in _DEFAULTS):
        return False
    return result.status in (Status.ERROR, Status.CRITICAL)


def test_the_tester_finds_nothing_wrong(world: World) -> None:
    plant(world)
    with served_scim(world) as url, line(url) as http:
        results = check_server(discovered(SyncSCIMClient(http)))
    wrong = [f"{result.title}: {result.reason}" for result in results if is_wrong(result)]
    assert not wrong, "\n".join(wrong)
    assert len(results) > 50


def test_a_client_that_knows_nothing_discovers_all(world: World) -> None:
    with served_scim(world) as url, line(url) as http:
        client = discovered(SyncSCIMClient(http))
    assert {kind.name for kind in client.provider.resource_types} == {"User", "Group"}
