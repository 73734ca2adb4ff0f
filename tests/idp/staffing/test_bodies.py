"""Bodies in their tree: where one may stand, and who stands above whom."""

import threading
from dataclasses import replace

import pytest

from idp.errors import FieldWrong
from idp.staff_errors import BodyMisplaced, BodyUnknown
from idp.staffing import bodies
from idp.staffing.bodies import Body, Tier
from keys import journal_reading
from keys.errors import DomainError
from keys.identity_numbers import NumberWrong
from tests.idp.staffing.tree import (
    BODIES,
    BUREAU,
    BY,
    CITY,
    COUNTY,
    OTHER_COUNTY,
    TOWNSHIP,
    VILLAGE,
    plant,
)
from tests.idp.world import World


def test_a_body_stands_below_all_above_it(world: World) -> None:
    plant(world)
    with world.begin() as tx:
        assert set(bodies.chain(tx, VILLAGE)) == {VILLAGE, TOWNSHIP, COUNTY, CITY}
        assert bodies.below(tx, COUNTY) == {COUNTY, TOWNSHIP, VILLAGE}
        assert bodies.below(tx, CITY) == {body.uscc for body in BODIES}


def test_a_body_outside_the_tree_stands_alone(world: World) -> None:
    with world.begin() as tx:
        assert bodies.chain(tx, CITY) == (CITY,)
        assert bodies.below(tx, CITY) == {CITY}


def test_all_are_told_in_the_order_of_their_divisions(world: World) -> None:
    plant(world)
    with world.begin() as tx:
        regions = [body.region for body in bodies.every(tx)]
    assert regions == sorted(regions)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        pytest.param(Body(CITY, "市", Tier.CITY, "990102"), FieldWrong, id="county-code-of-city"),
        pytest.param(Body(CITY, "市", Tier.CITY, "9901"), FieldWrong, id="short-code"),
        pytest.param(Body(CITY, "市", Tier.CITY, "９９0100"), FieldWrong, id="full-width-code"),
        pytest.param(Body(CITY, "村", Tier.VILLAGE, "990102201"), FieldWrong, id="9-of-12"),
        pytest.param(Body(CITY, "", Tier.CITY, "990100"), FieldWrong, id="no-name"),
        pytest.param(Body(CITY[:-1] + "A", "市", Tier.CITY, "990100"), NumberWrong, id="uscc"),
        pytest.param(Body(CITY, "市", Tier.CITY, "990100", BUREAU), BodyUnknown, id="no-parent"),
    ],
)
def test_a_body_that_cannot_be_is_refused(
    world: World, body: Body, error: type[DomainError]
) -> None:
    with world.begin() as tx, pytest.raises(error):
        bodies.place(tx, world.provider, body, by=BY)


@pytest.mark.parametrize(
    ("body", "parent"),
    [
        pytest.param(CITY, VILLAGE, id="city-below-village"),
        pytest.param(COUNTY, TOWNSHIP, id="ring"),
        pytest.param(CITY, CITY, id="itself"),
        pytest.param(TOWNSHIP, OTHER_COUNTY, id="another-division"),
    ],
)
def test_a_body_stands_only_where_its_division_is(world: World, body: str, parent: str) -> None:
    plant(world)
    moved = replace(next(one for one in BODIES if one.uscc == body), parent=parent)
    with pytest.raises(BodyMisplaced), world.begin() as tx:
        bodies.place(tx, world.provider, moved, by=BY)


@pytest.mark.parametrize(
    ("tier", "region"),
    [
        pytest.param(Tier.COUNTY, "990103", id="another-division"),
        pytest.param(Tier.VILLAGE, "990102201001", id="a-lower-tier"),
    ],
)
def test_a_body_does_not_change_away_from_what_stands_below_it(
    world: World, tier: Tier, region: str
) -> None:
    plant(world)
    with pytest.raises(BodyMisplaced), world.begin() as tx:
        bodies.place(tx, world.provider, Body(COUNTY, "县", tier, region, CITY), by=BY)


def test_placing_a_body_where_it_stands_is_nothing_to_journal(world: World) -> None:
    plant(world)
    plant(world)
    with world.begin() as tx:
        placed = journal_reading.entries(tx, action="body.placed")
    assert len(placed) == len(BODIES)


def test_two_moves_at_once_make_no_ring(world: World) -> None:
    city, bureau = BODIES[:2]
    with world.begin() as tx:
        for body in (city, replace(bureau, parent=None)):
            bodies.place(tx, world.provider, body, by=BY)
    refused: list[Exception] = []

    def move(body: Body) -> None:
        try:
            with world.begin() as tx:
                bodies.place(tx, world.provider, body, by=BY)
        except BodyMisplaced as error:
            refused.append(error)

    moves = [replace(city, parent=BUREAU), replace(bureau, parent=CITY)]
    threads = [threading.Thread(target=move, args=(body,)) for body in moves]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
