"""A person has another phone."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from idp import accounts, evidence, outbox, sessions
from idp.levels import EvidenceKind
from idp.methods import phone_change
from idp.people_errors import PhoneTaken
from idp.sessions import SignOn
from idp.sign_in_errors import SecondFactorNeeded, SignInTooOld, SmsCodeGone
from idp.tables import OutboxRow, PeerRow
from idp.vocabulary import Realm
from keys.errors import DomainError
from tests.idp.proving_phones import code_on
from tests.idp.world import World

OLD, NEW = "13800000001", "13900000001"


def signed_in(world: World, subject: str, *methods: str) -> SignOn:
    with world.begin() as tx:
        return sessions.open_session(
            tx, world.provider, Realm.CITIZEN, subject, methods or ("pwd",)
        ).session


def change(world: World, own: SignOn, phone: str = NEW) -> None:
    ticket = phone_change.begin(world.provider, own, phone, "192.0.2.7")
    proven = phone_change.prove(world.provider, own, ticket.handle, code_on(world, phone))
    with world.begin() as tx:
        phone_change.keep(tx, world.provider, own, proven)


def test_the_new_phone_signs_in_and_the_old_one_does_not(world: World) -> None:
    subject = world.register()
    change(world, signed_in(world, subject))
    with world.begin() as tx:
        found = accounts.credentials(tx, world.provider, NEW)
        assert found
        assert found.subject == subject
        assert accounts.credentials(tx, world.provider, OLD) is None


def test_the_old_phones_evidence_goes_and_the_level_stands_on_the_new(world: World) -> None:
    subject = world.register()
    change(world, signed_in(world, subject))
    with world.begin() as tx:
        of_phone = [
            each for each in evidence.of_subject(tx, subject) if each.kind is EvidenceKind.SMS_CODE
        ]
        level = accounts.standing(tx, world.provider, subject).level.number
    assert [each.live(world.clock()) for each in of_phone] == [False, True]
    assert level == 1


def test_a_phone_of_somebody_else_is_not_taken_over(world: World) -> None:
    subject = world.register()
    world.register("欧阳静姝", NEW)
    with pytest.raises(PhoneTaken):
        change(world, signed_in(world, subject))


def test_of_two_who_take_one_phone_at_once_one_gets_it(world: World) -> None:
    people = [world.register(), world.register("欧阳静姝", "13800000002")]
    proven = []
    for subject in people:
        own = signed_in(world, subject)
        ticket = phone_change.begin(world.provider, own, NEW, "192.0.2.7")
        code = code_on(world, NEW)
        proven.append((own, phone_change.prove(world.provider, own, ticket.handle, code)))

    def keep(number: int) -> str:
        try:
            with world.begin() as tx:
                phone_change.keep(tx, world.provider, *proven[number])
        except DomainError as refused:
            return refused.code
        return "kept"

    with ThreadPoolExecutor(2) as threads:
        outcomes = sorted(threads.map(keep, range(2)))
    assert outcomes == ["kept", PhoneTaken.code]


def test_the_old_phone_alone_does_not_move_an_account_to_another(world: World) -> None:
    own = signed_in(world, world.register(), "sms")
    with pytest.raises(SecondFactorNeeded):
        change(world, own)


def test_a_screen_left_open_changes_nothing(world: World) -> None:
    own = signed_in(world, world.register())
    world.clock.tick(minutes=15)
    with pytest.raises(SignInTooOld):
        change(world, own)


def test_a_code_that_another_account_was_sent_is_no_use(world: World) -> None:
    first = signed_in(world, world.register())
    second = signed_in(world, world.register("欧阳静姝", "13800000002"))
    ticket = phone_change.begin(world.provider, first, NEW, "192.0.2.7")
    with pytest.raises(SmsCodeGone):
        phone_change.prove(world.provider, second, ticket.handle, code_on(world, NEW))


def test_the_cities_are_told_of_it(world: World) -> None:
    subject = world.register()
    with world.begin() as tx:
        tx.add(
            PeerRow(
                issuer="https://city.example",
                name="city",
                place=outbox.BELOW,
                keys={},
                events_url="https://city.example/people-events",
                since=world.clock(),
            )
        )
    own = signed_in(world, subject)
    change(world, own)
    with world.begin() as tx:
        assert tx.scalars(select(OutboxRow.subject)).all() == [subject]
