"""Letting others stamp: by the keeper, within the seal's term, and until it is ended."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from seal.life import grants
from seal.life.errors import (
    GrantEnded,
    GrantUnknown,
    GrantWrong,
    NotTheKeeper,
    SealNotInUse,
)
from seal.life.grants import Ending, Granting, HolderKind
from seal.seal_states import SealState
from tests.license_store.world import NOON
from tests.seal.life.life_world import DRAFT, World
from tests.seals import KEEPER


@pytest.fixture(scope="module")
def seal(world: World) -> UUID:
    return world.seal_in(SealState.IN_USE)


def wish(seal: UUID, **changes: Any) -> Granting:
    until = NOON + timedelta(days=30)
    good = Granting(seal, KEEPER, HolderKind.SYSTEM, "licence-store", NOON, until, ("B", "A"), 3)
    return replace(good, **changes)


def test_a_grant_says_who_stamps_what_until_when_how_often(world: World, seal: UUID) -> None:
    granted = world.do(grants.grant, wish(seal))
    with world.begin() as tx:
        found = {grant.id: grant for grant in grants.grants_of(tx, seal)}[granted]
    assert (found.holder_kind, found.holder) == (HolderKind.SYSTEM, "licence-store")
    assert (found.licence_types, found.most, found.used) == (("A", "B"), 3, 0)
    assert (found.since, found.until) == (NOON, NOON + timedelta(days=30))
    assert world.journalled(seal)[-1] == "seal.granted"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"holder": "  "}, "holder"),
        ({"licence_types": ("A", "")}, "licence_types"),
        ({"until": NOON}, "until"),
        ({"since": NOON + timedelta(days=40)}, "until"),
        ({"until": DRAFT.until + timedelta(seconds=1)}, "until"),
        ({"most": 0}, "most"),
    ],
)
def test_a_grant_that_makes_no_sense_is_refused(
    world: World, seal: UUID, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(GrantWrong) as refused:
        world.do(grants.grant, wish(seal, **changes))
    assert refused.value.parameters == {"field": field}


def test_only_the_keeper_grants_and_ends_a_grant(world: World, seal: UUID) -> None:
    with pytest.raises(NotTheKeeper):
        world.do(grants.grant, wish(seal, by="somebody-else"))
    granted = world.do(grants.grant, wish(seal))
    with pytest.raises(NotTheKeeper):
        world.do(grants.end, Ending(granted, "somebody-else"))


def test_a_grant_is_ended_once(world: World, seal: UUID) -> None:
    granted = world.do(grants.grant, wish(seal))

    def end(_: int) -> bool:
        try:
            world.do(grants.end, Ending(granted, KEEPER))
        except GrantEnded:
            return False
        return True

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(end, range(3))).count(True) == 1
    assert world.journalled(seal)[-1] == "seal.grant_ended"


def test_an_unknown_grant_is_told(world: World) -> None:
    with pytest.raises(GrantUnknown):
        world.do(grants.end, Ending(world.desk.new_id(), KEEPER))


@pytest.mark.parametrize("state", [SealState.ISSUED, SealState.SUSPENDED, SealState.LOST])
def test_a_seal_that_is_not_in_use_is_not_granted(world: World, state: SealState) -> None:
    with pytest.raises(SealNotInUse):
        world.do(grants.grant, wish(world.seal_in(state)))
