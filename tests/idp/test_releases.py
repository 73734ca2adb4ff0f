"""What the person reads of who was told what about them."""

from datetime import timedelta

from idp import pruning, releases
from tests.idp.world import World


def release(world: World, subject: str, *claims: str, client_id: str = "portal-a") -> None:
    with world.begin() as tx:
        releases.record(
            tx,
            world.provider,
            client_id=client_id,
            subject=subject,
            grant_id="g-1",
            place="userinfo",
            claims=claims,
        )


def of(world: World, subject: str, before: int | None = None) -> list[releases.Release]:
    with world.begin() as tx:
        return releases.of_subject(tx, subject, before=before)


def test_each_release_names_client_claims_place_and_time(world: World) -> None:
    release(world, "p-1", "phone_number", "name")
    (only,) = of(world, "p-1")
    assert (only.client_id, only.claims, only.place) == (
        "portal-a",
        ("name", "phone_number"),
        "userinfo",
    )
    assert only.at == world.clock()


def test_telling_nothing_beyond_the_subject_is_no_release(world: World) -> None:
    release(world, "p-1")
    assert of(world, "p-1") == []


def test_nobody_reads_of_another_person(world: World) -> None:
    release(world, "p-1", "name")
    assert of(world, "p-2") == []


def test_the_newest_come_first_and_the_older_page_by_page(world: World) -> None:
    for number in range(releases.PAGE + 1):
        release(world, "p-1", f"claim-{number:03}")
    first = of(world, "p-1")
    assert first[0].claims == (f"claim-{releases.PAGE:03}",)
    assert len(first) == releases.PAGE
    (last,) = of(world, "p-1", before=first[-1].id)
    assert last.claims == ("claim-000",)


def test_a_release_is_kept_three_years_and_no_longer(world: World) -> None:
    release(world, "p-1", "name")
    kept = releases.KEPT
    assert pruning.run(world.begin, world.clock() + kept)["release"] == 0
    assert pruning.run(world.begin, world.clock() + kept + timedelta(seconds=1))["release"] == 1
