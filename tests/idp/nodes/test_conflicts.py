"""Conflicts wait for somebody's decision, which is made once."""

import pytest
from sqlalchemy import select

from idp import accounts
from idp.node_errors import ConflictStands, ConflictUnknown
from idp.nodes import conflicts
from idp.nodes.conflicts import Resolution
from idp.nodes.resolving import resolve
from idp.nodes.tables import ConflictRow
from idp.tables import PersonRow
from keys.tables import journal
from tests.idp.nodes.city_users import CityUsers, user
from tests.idp.world import PEOPLE, World

HERE = PEOPLE["张䶮"]


@pytest.fixture
def city(world: World) -> CityUsers:
    return CityUsers(world).join()


def _waiting(world: World) -> list[conflicts.Conflict]:
    with world.begin() as tx:
        return conflicts.waiting(tx)


def _resolve(world: World, resolution: Resolution) -> None:
    (waits,) = _waiting(world)
    with world.begin() as tx:
        resolve(tx, world.provider, waits.id, resolution, by="operator:test")


def test_another_name_can_be_the_same_person_after_all(city: CityUsers) -> None:
    subject = city.world.register()
    rows = city.file([user(1, number=HERE.number, name="张龑")])
    city.hand_over(rows)
    _resolve(city.world, Resolution.MERGE)
    assert _waiting(city.world) == []
    (again,) = city.hand_over(rows)
    assert (again.outcome.value, again.subject) == ("merged", subject)


def test_a_row_that_was_refused_stays_refused_until_the_city_changes_it(city: CityUsers) -> None:
    city.world.register()
    rows = city.file([user(1, number=HERE.number, name="张龑")])
    city.hand_over(rows)
    _resolve(city.world, Resolution.REFUSE)
    (again,) = city.hand_over(rows)
    assert (again.outcome.value, again.reason) == ("rejected", "refused")
    (corrected,) = city.hand_over_rows(user(1, number=HERE.number, name=HERE.name))
    assert corrected.outcome.value == "merged"


def test_a_phone_of_somebody_elses_is_no_merging(city: CityUsers) -> None:
    city.world.register(phone="13900000001")
    city.hand_over_rows(user(1))
    for resolution in (Resolution.MERGE, Resolution.RETRY):
        with pytest.raises(ConflictStands):
            _resolve(city.world, resolution)
    assert len(_waiting(city.world)) == 1


def test_once_the_way_is_free_the_row_is_judged_anew(city: CityUsers) -> None:
    owner = city.world.register(phone="13900000001")
    city.hand_over_rows(user(1))
    with city.world.begin() as tx:
        tx.get_one(PersonRow, owner).phone_index = b"another"
    _resolve(city.world, Resolution.RETRY)
    assert _waiting(city.world) == []
    with city.world.begin() as tx:
        assert accounts.credentials(tx, city.world.provider, "13900000001") is not None


def test_a_conflict_is_decided_once_and_what_came_is_forgotten(city: CityUsers) -> None:
    city.world.register(phone="13900000001")
    city.hand_over_rows(user(1))
    (waits,) = _waiting(city.world)
    _resolve(city.world, Resolution.REFUSE)
    with pytest.raises(ConflictUnknown), city.world.begin() as tx:
        resolve(tx, city.world.provider, waits.id, Resolution.REFUSE, by="operator:test")
    with city.world.begin() as tx:
        row = tx.scalars(select(ConflictRow)).one()
        actions = list(tx.scalars(select(journal.c.action)))
    assert (row.sealed, row.resolution, row.resolved_by) == (b"", "refuse", "operator:test")
    assert actions.count("conflict.resolved") == 1
