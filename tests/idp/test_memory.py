"""What is remembered for a few seconds."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from idp import clients
from idp.memory import LIFETIME, Memory
from tests.idp.world import World

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def test_a_value_is_remembered_until_its_time_is_over() -> None:
    memory = Memory[str]()
    memory.keep("a", "x", NOW)
    assert memory.get("a", NOW + LIFETIME - timedelta(seconds=1)) == "x"
    assert memory.get("a", NOW + LIFETIME) is None
    assert memory.get("b", NOW) is None


def test_a_clock_set_back_makes_nothing_last_longer() -> None:
    memory = Memory[str]()
    memory.keep("a", "x", NOW)
    assert memory.get("a", NOW - timedelta(seconds=1)) is None


def test_a_changed_client_is_known_changed_once_that_is_committed(world: World) -> None:
    registered = world.client()
    with world.begin() as tx:
        before = clients.known(tx, world.provider, registered.client_id)
    with world.begin() as tx:
        clients.new_secret(tx, world.provider, registered.client_id, by="test")
    with world.begin() as tx:
        after = clients.known(tx, world.provider, registered.client_id)
    assert before is not None
    assert after is not None
    assert before.secret_fingerprint != after.secret_fingerprint


def test_a_change_that_is_rolled_back_is_not_known(world: World) -> None:
    registered = world.client()
    with world.begin() as tx:
        before = clients.known(tx, world.provider, registered.client_id)
    with suppress(ZeroDivisionError), world.begin() as tx:
        clients.new_secret(tx, world.provider, registered.client_id, by="test")
        raise ZeroDivisionError
    with world.begin() as tx:
        assert clients.known(tx, world.provider, registered.client_id) == before


def test_a_removed_client_is_nobody_at_once(world: World) -> None:
    registered = world.client()
    with world.begin() as tx:
        assert clients.known(tx, world.provider, registered.client_id) is not None
    with world.begin() as tx:
        clients.remove(tx, world.provider, registered.client_id, by="test")
    with world.begin() as tx:
        assert clients.known(tx, world.provider, registered.client_id) is None
