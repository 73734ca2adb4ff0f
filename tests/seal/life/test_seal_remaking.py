"""A seal in the place of another: linked, reviewed like any, and in use from its acceptance on."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from keys.certificate_states import Reason
from seal.life import grants, remaking, review, stopping
from seal.life.errors import AlreadyRemade, ApplicationWrong, SealMoveRefused
from seal.life.grants import Granting, HolderKind
from seal.life.remaking import Remaking
from seal.life.review import Review
from seal.life.stopping import Stop
from seal.life.tables import SealGrantRow
from seal.ofd_package import write
from seal.seal_states import SealState
from seal.ses_reading import read_seal
from tests.license_store.world import NOON
from tests.seal.life.life_world import DRAFT, WHY, YEAR, World
from tests.seal.life.test_seal_stopping import certificates
from tests.seals import APPLICANT, KEEPER, REVIEWER

UNTIL = NOON + 4 * YEAR


def remake(world: World, old: UUID, **changes: Any) -> UUID:
    return UUID(str(world.do(remaking.remake, Remaking(old, APPLICANT, UNTIL, **changes))))


def bring_into_use(world: World, seal: UUID) -> None:
    for step in (SealState.APPROVED, SealState.MADE, SealState.RECORDED, SealState.ISSUED):
        world.step(seal, step)
    world.step(seal, SealState.IN_USE)


def test_a_remade_seal_is_one_of_its_own_that_names_the_old_one(world: World) -> None:
    old = world.seal_in(SealState.IN_USE)
    new = remake(world, old, name="示例更名章")
    assert (world.state(new), world.state(old)) == (SealState.SUBMITTED, SealState.IN_USE)
    bring_into_use(world, new)
    before, after = world.row(old), world.row(new)
    assert after.predecessor == old
    assert (after.name, after.owner, after.keeper) == ("示例更名章", before.owner, KEEPER)
    assert after.esid != before.esid
    assert after.record_number != before.record_number
    assert read_seal(after.der or b"").certificates != read_seal(before.der or b"").certificates
    assert read_seal(after.der or b"").valid_until == UNTIL


def test_the_old_seal_goes_on_until_the_new_one_is_accepted_and_then_stops_for_good(
    world: World,
) -> None:
    old = world.seal_in(SealState.IN_USE)
    new = remake(world, old)
    bring_into_use(world, new)
    assert (world.state(old), world.state(new)) == (SealState.SUSPENDED, SealState.IN_USE)
    assert world.journalled(old)[-1] == "seal.replaced"
    with pytest.raises(AlreadyRemade):
        world.do(stopping.resume, Stop(old, KEEPER, WHY))
    world.destroy(old)
    assert {c.reason for c in certificates(world, old)} == {Reason.SUPERSEDED}


def test_what_is_left_of_the_grants_goes_over_to_the_new_seal(world: World) -> None:
    old = world.seal_in(SealState.IN_USE)

    def let(holder: str, most: int | None, used: int, days: int) -> None:
        until = NOON + timedelta(days=days)
        wish = Granting(old, KEEPER, HolderKind.SYSTEM, holder, NOON, until, ("A",), most)
        with world.begin() as tx:
            tx.get_one(SealGrantRow, grants.grant(tx, world.desk, wish)).used = used

    let("some", 5, 2, 30)
    let("none-left", 5, 5, 30)
    let("ever", None, 9, 30)
    new = remake(world, old)
    bring_into_use(world, new)
    with world.begin() as tx:
        went_over = {g.holder: g for g in grants.grants_of(tx, new)}
        assert all(g.ended_at is not None for g in grants.grants_of(tx, old))
    assert {name: (g.most, g.used) for name, g in went_over.items()} == {
        "some": (3, 0),
        "ever": (None, 0),
    }
    assert went_over["some"].licence_types == ("A",)
    assert went_over["some"].until == NOON + timedelta(days=30)


def test_only_one_seal_is_on_its_way_in_the_place_of_another(world: World) -> None:
    old = world.seal_in(SealState.LOST)
    new = remake(world, old)
    with pytest.raises(AlreadyRemade):
        remake(world, old)
    world.do(review.reject, Review(new, REVIEWER, WHY))
    remake(world, old)


def test_of_several_who_remake_a_seal_at_once_one_does(world: World) -> None:
    old = world.seal_in(SealState.IN_USE)

    def one(_: int) -> bool:
        try:
            remake(world, old)
        except AlreadyRemade:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(4))).count(True) == 1


@pytest.mark.parametrize("state", [SealState.SUBMITTED, SealState.MADE, SealState.RECORDED])
def test_a_seal_that_was_never_handed_out_is_not_remade(world: World, state: SealState) -> None:
    old = world.seal_in(state)
    with pytest.raises(SealMoveRefused):
        remake(world, old)


def test_a_destroyed_seal_can_be_remade_with_another_picture(world: World) -> None:
    nested = write({"OFD.xml": b"<ofd/>"})
    old = world.seal_in(SealState.IN_USE, picture_ofd=nested)
    world.destroy(old)
    assert world.row(remake(world, old, picture_png=DRAFT.picture_png)).picture_type == "png"
    other = world.seal_in(SealState.IN_USE, picture_ofd=nested)
    assert world.row(remake(world, other)).picture == nested


def test_what_is_wrong_with_the_new_application_is_told(world: World) -> None:
    old = world.seal_in(SealState.IN_USE)
    with pytest.raises(ApplicationWrong):
        remake(world, old, picture_png=b"none")
    assert world.state(old) is SealState.IN_USE
