"""A clerk at a named counter sees a person with their document."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from idp import accounts, counter, evidence, sessions
from idp.counter import Counter, Document, Risen, Seen, Tier
from idp.identity_documents import Document as Paper
from idp.level_errors import (
    ClerkReviewsThemselves,
    CounterFieldWrong,
    CounterIsNotTheirs,
    CounterNumberUnknown,
    CounterPersonDiffers,
    CounterUnknown,
    SightingGone,
)
from idp.levels import EvidenceKind
from idp.provider import Provider
from idp.tables import PersonRow, SightingRow
from keys.identity_numbers import NumberWrong
from keys.tables import journal
from tests.idp.standing import level_of, signed_in
from tests.idp.test_registration_papers import of, register, typed
from tests.idp.world import BODY, PEOPLE, World

WINDOW = Counter("hall-1", "示例市政务服务中心1号窗口", BODY, Tier.CITY, "990100")
ANOTHERS = replace(WINDOW, code="hall-2", body="11990100MBXX90026G")
SEEN = Seen("hall-1", Document.RESIDENT_ID, PEOPLE["张䶮"].number, "张䶮")


@pytest.fixture
def clerks(world: World) -> tuple[str, str]:
    """Two clerks of one body, and a counter of theirs and one that is not."""
    with world.begin() as tx:
        for place in (WINDOW, ANOTHERS):
            counter.place(tx, world.provider, place, by="a-test")
    return world.clerk("zhou", "counter-clerk"), world.clerk("wu", "counter-clerk")


def drawn(world: World, lot: bool) -> Provider:
    """A provider whose lot falls as told."""
    number = (0 if lot else 1).to_bytes(4)
    real = world.provider.random
    return replace(world.provider, random=lambda size: number if size == 4 else real(size))


def record(world: World, clerk: str, seen: Seen = SEEN, *, lot: bool = False) -> Risen:
    with world.begin() as tx:
        return counter.record(tx, drawn(world, lot), clerk, seen)


def waiting(world: World, clerk: str) -> list[int]:
    with world.begin() as tx:
        return [one.id for one in counter.to_review(tx, world.provider, clerk)]


def test_whoever_was_seen_stands_at_the_intermediate_level(
    world: World, clerks: tuple[str, str]
) -> None:
    subject = world.register()
    risen = record(world, clerks[0])
    assert risen.standing.level.number == level_of(world, subject) == 2
    with world.begin() as tx:
        piece = evidence.of_subject(tx, subject)[-1]
    assert (piece.kind, piece.by) == (EvidenceKind.COUNTER, clerks[0])
    assert piece.details == {
        "counter": "hall-1",
        "counter_name": "示例市政务服务中心1号窗口",
        "body": BODY,
        "tier": "city",
        "region": "990100",
        "document": "resident-id-card",
    }


def test_what_is_on_the_document_must_be_what_is_registered(
    world: World, clerks: tuple[str, str]
) -> None:
    world.register()
    with pytest.raises(CounterPersonDiffers):
        record(world, clerks[0], replace(SEEN, name="李㛃"))
    for number in (PEOPLE["李㛃"].number, "13800000001", "nonsense", ""):
        with pytest.raises(CounterNumberUnknown):
            record(world, clerks[0], replace(SEEN, number=number))


def test_only_whoever_serves_at_the_counter_records_there(
    world: World, clerks: tuple[str, str]
) -> None:
    world.register()
    with pytest.raises(CounterIsNotTheirs):
        record(world, world.clerk("other"))
    with pytest.raises(CounterIsNotTheirs):
        record(world, clerks[0], replace(SEEN, counter="hall-2"))
    with pytest.raises(CounterUnknown):
        record(world, clerks[0], replace(SEEN, counter="nowhere"))
    with world.begin() as tx:
        assert [c.code for c in counter.of_clerk(tx, world.provider, clerks[0])] == ["hall-1"]


def test_the_lot_decides_what_a_second_clerk_looks_at(
    world: World, clerks: tuple[str, str]
) -> None:
    world.register()
    assert not record(world, clerks[0], lot=False).to_review
    assert waiting(world, clerks[1]) == []
    assert record(world, clerks[0], lot=True).to_review
    assert len(waiting(world, clerks[1])) == 1
    assert waiting(world, clerks[0]) == [], "never to whoever saw it"


def test_nobody_confirms_what_they_saw_themselves(world: World, clerks: tuple[str, str]) -> None:
    world.register()
    record(world, clerks[0], lot=True)
    (number,) = waiting(world, clerks[1])
    with world.begin() as tx, pytest.raises(ClerkReviewsThemselves):
        counter.review(tx, world.provider, clerks[0], number, good=True)
    with world.begin() as tx, pytest.raises(CounterIsNotTheirs):
        counter.review(tx, world.provider, world.clerk("stranger"), number, good=True)


def test_a_sighting_that_is_confirmed_stands(world: World, clerks: tuple[str, str]) -> None:
    subject = world.register()
    record(world, clerks[0], lot=True)
    (number,) = waiting(world, clerks[1])
    with world.begin() as tx:
        counter.review(tx, world.provider, clerks[1], number, good=True)
    assert (level_of(world, subject), waiting(world, clerks[1])) == (2, [])


def test_a_sighting_that_is_refused_lowers_the_level_and_ends_the_sign_on(
    world: World, clerks: tuple[str, str]
) -> None:
    subject = world.register()
    record(world, clerks[0], lot=True)
    browser = signed_in(world, subject)
    (number,) = waiting(world, clerks[1])
    with world.begin() as tx:
        counter.review(tx, world.provider, clerks[1], number, good=False)
    assert level_of(world, subject) == 1
    with world.begin() as tx:
        assert sessions.find(tx, world.provider, browser.cookie(sessions.COOKIE)) is None


def test_of_two_who_review_at_once_one_decides(world: World, clerks: tuple[str, str]) -> None:
    world.register()
    record(world, clerks[0], lot=True)
    (number,) = waiting(world, clerks[1])
    outcomes: list[bool] = []

    def review(good: bool) -> None:
        try:
            with world.begin() as tx:
                counter.review(tx, world.provider, clerks[1], number, good=good)
            outcomes.append(True)
        except SightingGone:
            outcomes.append(False)

    threads = [threading.Thread(target=review, args=(good,)) for good in (True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False, True]


def test_neither_number_nor_name_is_written_down_beside_the_account(
    world: World, clerks: tuple[str, str]
) -> None:
    world.register()
    record(world, clerks[0], lot=True)
    with world.begin() as tx:
        rows = [str(row) for row in tx.execute(select(journal))]
        rows += [str(vars(row)) for row in tx.scalars(select(SightingRow))]
    assert not [row for row in rows if SEEN.number in row or SEEN.name in row]


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"name": ""}, CounterFieldWrong),
        ({"code": "a\nb"}, CounterFieldWrong),
        ({"region": "here"}, CounterFieldWrong),
        ({"body": "123"}, NumberWrong),
    ],
)
def test_a_counter_has_a_name_a_body_and_a_place(
    world: World, changed: dict[str, str], error: type[Exception]
) -> None:
    with world.begin() as tx, pytest.raises(error):
        counter.place(tx, world.provider, replace(WINDOW, **changed), by="a-test")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("paper", "document", "shown"),
    [
        (Paper.PASSPORT, Document.PASSPORT, "deu E99000001"),
        (Paper.HK_MACAO_PERMIT, Document.PERMIT, "H9900000102"),
        (Paper.RESIDENCE_PERMIT, Document.PERMIT, "810000188001010015"),
        (Paper.PERMANENT_RESIDENCE, Document.FOREIGN_RESIDENT, "911124188507070024"),
    ],
    ids=str,
)
def test_the_holder_of_any_paper_can_be_seen(
    world: World, clerks: tuple[str, str], paper: Paper, document: Document, shown: str
) -> None:
    held = of(paper)
    subject = register(world, typed(held))
    record(world, clerks[0], Seen("hall-1", document, f" {shown} ", held.name.title()))
    assert level_of(world, subject) == 2


@pytest.mark.parametrize(
    "document",
    [each for each in Document if Paper.RESIDENT_ID not in counter.PAPERS[each]],
    ids=str,
)
def test_a_document_whose_number_is_not_the_accounts_is_none_of_theirs(
    world: World, clerks: tuple[str, str], document: Document
) -> None:
    subject = world.register()
    with pytest.raises(CounterNumberUnknown):
        record(world, clerks[0], replace(SEEN, document=document))
    assert level_of(world, subject) == 1


def test_a_closed_account_does_not_stop_the_review_of_others(
    world: World, clerks: tuple[str, str]
) -> None:
    gone = world.register()
    record(world, clerks[0], lot=True)
    subject = world.register("李㛃", "13800000002")
    other = PEOPLE["李㛃"]
    record(world, clerks[0], replace(SEEN, number=other.number, name=other.name), lot=True)
    with world.begin() as tx:
        closed = update(PersonRow).where(PersonRow.subject == gone)
        tx.execute(closed.values(closed_at=world.clock()))
    with world.begin() as tx:
        (left,) = counter.to_review(tx, world.provider, clerks[1])
        assert left.name == accounts.person(tx, world.provider, subject).name
