"""When evidence goes, the level goes at once, and with it every sign-on that used it."""

from datetime import timedelta

from idp import accounts, evidence, lowering, sessions
from idp.levels import Evidence, EvidenceKind
from idp.vocabulary import Realm
from tests.idp.world import World


def counter(world: World, subject: str) -> int:
    """A clerk saw the document."""
    piece = Evidence(
        kind=EvidenceKind.COUNTER,
        source="counter",
        reference="c-1",
        compared=("name", "number"),
        happened_at=world.clock(),
        valid_until=world.clock() + timedelta(days=365),
        by="a-clerk",
    )
    with world.begin() as tx:
        return evidence.record(tx, world.provider, subject, piece)


def level(world: World, subject: str) -> int:
    with world.begin() as tx:
        return accounts.standing(tx, world.provider, subject).level.number


def open_at(world: World, subject: str, level: int) -> str:
    with world.begin() as tx:
        return sessions.open_session(
            tx, world.provider, Realm.CITIZEN, subject, ("pwd", "sms"), level=level
        ).session.sid


def live(world: World, sid: str) -> bool:
    with world.begin() as tx:
        return sessions.by_sid(tx, world.provider, sid) is not None


def test_withdrawn_evidence_carries_nothing_from_that_moment(world: World) -> None:
    subject = world.register()
    piece = counter(world, subject)
    assert level(world, subject) == 2
    with world.begin() as tx:
        assert evidence.withdraw(tx, world.provider, piece, by="system", why="a reason")
    assert level(world, subject) == 1


def test_only_the_sign_ons_that_relied_on_the_level_end(world: World) -> None:
    subject = world.register()
    piece = counter(world, subject)
    high, low = open_at(world, subject, 2), open_at(world, subject, 1)
    with world.begin() as tx:
        evidence.withdraw(tx, world.provider, piece, by="system", why="a reason")
        assert lowering.settle(tx, world.provider, subject, by="system") == 1
    assert not live(world, high)
    assert live(world, low)


def test_other_evidence_of_the_same_rung_keeps_the_sign_on(world: World) -> None:
    subject = world.register()
    first, _ = counter(world, subject), counter(world, subject)
    high = open_at(world, subject, 2)
    with world.begin() as tx:
        evidence.withdraw(tx, world.provider, first, by="system", why="a reason")
        assert lowering.settle(tx, world.provider, subject, by="system") == 0
    assert live(world, high)


def test_evidence_is_withdrawn_once(world: World) -> None:
    piece = counter(world, world.register())
    with world.begin() as tx:
        assert evidence.withdraw(tx, world.provider, piece, by="a", why="first")
        assert not evidence.withdraw(tx, world.provider, piece, by="b", why="second")


def test_withdrawn_evidence_stays_on_record(world: World) -> None:
    subject = world.register()
    piece = counter(world, subject)
    with world.begin() as tx:
        evidence.withdraw(tx, world.provider, piece, by="system", why="a reason")
        kept = {each.id: each for each in evidence.of_subject(tx, subject)}
    assert kept[piece].withdrawn_at == world.clock()
