"""The registers are asked again: who died, changed their number or differs falls at once."""

import pytest
from sqlalchemy import update

from idp import accounts, register_watch, sessions
from idp.identity_documents import Document
from idp.levels import EvidenceKind
from idp.people_errors import SourceUnavailable
from idp.tables import PersonRow
from tests.idp.standing import level_of, raised, signed_in
from tests.idp.test_registration_papers import of, register, typed
from tests.idp.world import PEOPLE, World

NUMBER = PEOPLE["张䶮"].number


def becomes(world: World, state: str, number: str = NUMBER) -> None:
    changed = {"number": number, "state": state}
    world.sources.post("/sandbox/person", json=changed).raise_for_status()


def a_day_later(world: World) -> register_watch.Round:
    world.clock.tick(days=1)
    return register_watch.watch(world.provider)


@pytest.mark.parametrize("state", ["deceased", "number-changed", "unknown"])
def test_what_the_register_says_lowers_the_level_and_ends_the_sign_ons(
    world: World, state: str
) -> None:
    subject = world.register()
    raised(world, subject)
    becomes(world, state)
    world.clock.tick(days=1)
    browser = signed_in(world, subject)
    assert register_watch.watch(world.provider).fallen == 1
    assert level_of(world, subject) == 0
    with world.begin() as tx:
        assert sessions.find(tx, world.provider, browser.cookie(sessions.COOKIE)) is None


def test_a_name_that_no_longer_agrees_lowers_the_level(world: World) -> None:
    subject = world.register()
    with world.begin() as tx:
        tx.execute(update(PersonRow).values(name="张龙"))
    assert a_day_later(world).fallen == 1
    assert level_of(world, subject) == 0


def test_whoever_is_as_before_stays_and_is_not_asked_about_again_that_day(world: World) -> None:
    subject = world.register()
    assert register_watch.watch(world.provider).asked == 0, "the register was asked just now"
    assert a_day_later(world) == register_watch.Round(asked=1, fallen=0, silent=0)
    assert register_watch.watch(world.provider).asked == 0
    assert level_of(world, subject) == 1


def test_a_register_that_does_not_answer_takes_nothing_from_anybody(world: World) -> None:
    subject = world.register()
    becomes(world, "deceased")
    world.outage("population-register")
    assert a_day_later(world) == register_watch.Round(asked=1, fallen=0, silent=1)
    assert level_of(world, subject) == 1
    with pytest.raises(SourceUnavailable):
        register_watch.look(world.provider, subject)
    world.outage("population-register", down=False)
    assert register_watch.watch(world.provider).fallen == 1, "and is asked again at the next round"


def test_a_round_begins_with_who_waited_longest(world: World) -> None:
    first = world.register()
    second = world.register("李㛃", "13800000002")
    world.clock.tick(days=1)
    assert register_watch.watch(world.provider, 1).asked == 1
    with world.begin() as tx:
        (left,) = register_watch.due(tx, world.provider, EvidenceKind.POPULATION_REGISTER, 10)
    assert {first, second} - {left} != set()
    assert register_watch.watch(world.provider, 1).asked == 1
    with world.begin() as tx:
        assert register_watch.due(tx, world.provider, EvidenceKind.POPULATION_REGISTER, 10) == []


def test_the_reason_stands_with_the_evidence(world: World) -> None:
    subject = world.register()
    becomes(world, "deceased")
    a_day_later(world)
    with world.begin() as tx:
        standing = accounts.standing(tx, world.provider, subject)
    assert standing.because == ()
    assert len(standing.lacking) == 1, "the phone is still theirs"


def foreigner(world: World) -> str:
    return register(world, typed(of(Document.PASSPORT), phone="13800000003"))


def paper_becomes(world: World, state: str) -> None:
    paper = of(Document.PASSPORT)
    changed = {"document": paper.document, "number": paper.number, "state": state}
    world.sources.post("/sandbox/paper", json=changed).raise_for_status()


@pytest.mark.parametrize("state", ["expired", "cancelled", "deceased", "unknown"])
def test_a_paper_that_is_no_longer_good_lowers_the_level_of_its_holder(
    world: World, state: str
) -> None:
    subject = foreigner(world)
    assert a_day_later(world) == register_watch.Round(asked=1, fallen=0, silent=0)
    paper_becomes(world, state)
    assert a_day_later(world).fallen == 1
    assert level_of(world, subject) == 0


def test_a_foreigner_whose_particulars_differ_falls(world: World) -> None:
    subject = foreigner(world)
    with world.begin() as tx:
        tx.execute(update(PersonRow).values(name="ERIKA SOMEBODY"))
    assert a_day_later(world).fallen == 1
    assert level_of(world, subject) == 0


def test_one_register_that_is_down_keeps_nobody_from_the_other(world: World) -> None:
    foreigner(world)
    subject = world.register()
    becomes(world, "deceased")
    world.outage("exit-entry")
    world.clock.tick(days=1)
    for _ in range(2):
        told = register_watch.watch(world.provider, 1)
        assert told.silent == 1
    assert level_of(world, subject) == 0, "though the foreigner waited longer"


def test_closed_accounts_do_not_stand_in_the_way(world: World) -> None:
    gone = world.register()
    subject = world.register("李㛃", "13800000002")
    with world.begin() as tx:
        closed = update(PersonRow).where(PersonRow.subject == gone)
        tx.execute(closed.values(closed_at=world.clock()))
    becomes(world, "deceased", PEOPLE["李㛃"].number)
    world.clock.tick(days=1)
    assert register_watch.watch(world.provider, 1).fallen == 1
    assert level_of(world, subject) == 0
