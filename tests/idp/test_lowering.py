"""When evidence goes, the level goes at once, and with it every sign-on that used it."""

from datetime import timedelta

import pytest

from idp import accounts, entitlements, evidence, lowering, sessions
from idp.errors import OAuthError
from idp.levels import Evidence, EvidenceKind
from idp.method import Method
from idp.methods import sign_in
from idp.methods.sign_in import Entry, Proof
from idp.vocabulary import OFFLINE, Realm
from tests.idp.approvals import approval
from tests.idp.test_exchange import citizen_portal
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


def test_a_sign_on_ends_with_the_evidence_that_carries_its_level(world: World) -> None:
    subject = world.register()
    counter(world, subject)
    world.clock.tick(days=364, hours=23, minutes=59)
    entry, both = Entry("192.0.2.1"), (Method.PASSWORD, Method.SMS_CODE)
    with world.begin() as tx:
        strong, weak = (
            sign_in.enter(tx, world.provider, entry, Proof(Realm.CITIZEN, subject, methods))
            for methods in (both, both[:1])
        )
    assert (strong.session.level, weak.session.level) == (2, 1)
    world.clock.tick(seconds=60)
    with world.begin() as tx:
        assert sessions.find(tx, world.provider, strong.cookie) is None
        assert sessions.find(tx, world.provider, weak.cookie) is not None, "it used less"


def test_a_grant_that_outlives_its_sign_on_dies_with_the_level(world: World) -> None:
    subject = world.register()
    piece = counter(world, subject)
    client = citizen_portal(world)
    given = approval(world, client, subject, scopes=("openid", OFFLINE), level=2)
    with world.begin() as tx:
        assert entitlements.of_person(tx, world.provider, client, given).approval is given
        evidence.withdraw(tx, world.provider, piece, by="test", why="lost")
        with pytest.raises(OAuthError, match="level has fallen"):
            entitlements.of_person(tx, world.provider, client, given)
