"""Mandates: who may give one, what it holds, and how it ends at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete

from idp.acting import ActingAs, MandateKind
from idp.counter import Document
from idp.entities import context, giving, legal_levels, mandates
from idp.entities.giving import Named, Witness
from idp.entities.mandates import Mandate
from idp.entity_errors import (
    ContextNotOpen,
    MandateCitizenUnknown,
    MandateHolderUnknown,
    MandateItemsWrong,
    MandateToOneself,
    MandateUnknown,
    MandateUntilWrong,
    NotRepresentative,
)
from idp.errors import TooManyTries
from idp.level_errors import CounterIsNotTheirs, CounterUnknown
from idp.sign_in_errors import SignInTooOld
from idp.tables import EvidenceRow
from keys.errors import DomainError
from keys.tables import journal
from tests.idp.companies import (
    AGENT,
    ANOTHERS,
    BUILDER,
    BUILDERS_HEAD,
    FOODS_HEAD,
    ITEM,
    WINDOW,
    agent,
    change,
    found,
    gift,
    head,
    mandate_of,
    serving,
    signed_in,
)
from tests.idp.world import PEOPLE, World


def choices_of(world: World, subject: str) -> list[context.Choice]:
    opened = signed_in(world, subject)
    with world.begin() as tx:
        return context.choices(tx, world.provider, opened.session)


def test_an_agent_acts_for_the_company_on_what_was_named_until_the_day_named(
    world: World,
) -> None:
    chief, clerk = head(world), world.register(AGENT)
    company = found(world, chief)
    given = agent(world, signed_in(world, chief), company)
    assert (given.kind, given.holder, given.items) == (MandateKind.AGENT, clerk, (ITEM,))
    assert given.covers(ITEM)
    assert not given.covers("permit.revoke")
    (choice,) = choices_of(world, clerk)
    assert (choice.acting_as, choice.name) == (ActingAs.AGENT, BUILDER.name)
    world.clock.tick(days=30)
    assert choices_of(world, clerk) == []


def test_an_agent_is_capped_whatever_the_company_stands_on_and_they_themselves(
    world: World,
) -> None:
    chief, clerk = head(world), world.register(AGENT)
    company = found(world, chief)
    raise_to_intermediate(world, company.subject)
    agent(world, signed_in(world, chief), company)
    (mine,) = choices_of(world, chief)
    (theirs,) = choices_of(world, clerk)
    assert (mine.level, theirs.level, theirs.reachable) == (2, 1, 1)


def raise_to_intermediate(world: World, subject: str) -> None:
    with world.begin() as tx:
        now = world.clock()
        tx.add(
            EvidenceRow(
                subject=subject,
                kind="counter",
                source="counter",
                reference="c-1",
                compared=["name", "uscc"],
                happened_at=now,
                by="clerk",
                details={},
            )
        )


def test_a_mandate_is_given_in_a_fresh_sign_in_only(world: World) -> None:
    chief, _ = head(world), world.register(AGENT)
    company, opened = found(world, chief), signed_in(world, chief)
    world.clock.tick(minutes=15)
    with pytest.raises(SignInTooOld):
        agent(world, opened, company)


def test_nobody_but_the_representative_makes_agents(world: World) -> None:
    chief, clerk = head(world), world.register(AGENT)
    company = found(world, chief)
    agent(world, signed_in(world, chief), company)
    with pytest.raises(NotRepresentative):
        agent(world, signed_in(world, clerk), company, gift(world, BUILDERS_HEAD))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"number": PEOPLE["李㛃"].number}, MandateHolderUnknown),
        ({"name": "李㛃"}, MandateHolderUnknown),
        ({"number": "110"}, MandateHolderUnknown),
        ({"items": ()}, MandateItemsWrong),
        ({"items": ("permit apply",)}, MandateItemsWrong),
        ({"items": tuple(f"item{i}" for i in range(51))}, MandateItemsWrong),
    ],
    ids=["unregistered", "other-name", "no-number", "no-item", "no-code", "too-many"],
)
def test_a_gift_that_is_not_sound_is_refused(
    world: World, changed: dict[str, object], expected: type[DomainError]
) -> None:
    chief, _ = head(world), world.register(AGENT)
    company = found(world, chief)
    with pytest.raises(expected) as refused:
        agent(world, signed_in(world, chief), company, replace(gift(world), **changed))  # type: ignore[arg-type]
    assert refused.value.parameters == {}


@pytest.mark.parametrize("days", [0, -1, 3 * 365 + 1])
def test_a_mandate_ends_some_day_and_not_in_the_past(world: World, days: int) -> None:
    chief, _ = head(world), world.register(AGENT)
    company = found(world, chief)
    until = world.clock() + timedelta(days=days)
    with pytest.raises(MandateUntilWrong):
        agent(world, signed_in(world, chief), company, gift(world, until=until))


def test_nobody_is_their_own_agent(world: World) -> None:
    chief = head(world)
    company = found(world, chief)
    with pytest.raises(MandateToOneself):
        agent(world, signed_in(world, chief), company, gift(world, BUILDERS_HEAD))


def test_whoever_guesses_names_of_numbers_is_stopped(world: World) -> None:
    chief = head(world)
    company, opened = found(world, chief), signed_in(world, chief)
    for _ in range(20):
        with pytest.raises(MandateHolderUnknown):
            agent(world, opened, company)
    with pytest.raises(TooManyTries):
        agent(world, opened, company)


def test_an_agent_who_is_no_longer_real_name_acts_for_nobody(world: World) -> None:
    chief, clerk = head(world), world.register(AGENT)
    agent(world, signed_in(world, chief), found(world, chief))
    with world.begin() as tx:
        tx.execute(delete(EvidenceRow).where(EvidenceRow.subject == clerk))
    assert choices_of(world, clerk) == []


def test_a_company_whose_representative_is_no_longer_real_name_stands_on_nothing(
    world: World,
) -> None:
    chief, clerk = head(world), world.register(AGENT)
    company = found(world, chief)
    agent(world, signed_in(world, chief), company)
    with world.begin() as tx:
        tx.execute(delete(EvidenceRow).where(EvidenceRow.subject == chief))
        assert legal_levels.standing(tx, world.provider, company.subject).level.number == 0
    assert choices_of(world, clerk) == []


@pytest.mark.parametrize("side", ["representative", "agent"])
def test_either_side_ends_a_mandate_at_once_and_once(world: World, side: str) -> None:
    chief, clerk = head(world), world.register(AGENT)
    given = agent(world, signed_in(world, chief), found(world, chief))
    by = chief if side == "representative" else clerk

    def revoke(_: int) -> bool:
        try:
            with world.begin() as tx:
                mandates.revoke(tx, world.provider, given.id, by=by)
        except MandateUnknown:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(revoke, range(6))) == [False] * 5 + [True]
    assert choices_of(world, clerk) == []
    with world.begin() as tx:
        ends = [row for row in tx.execute(journal.select()) if row.action == "mandate.ended"]
    assert [row.actor for row in ends] == [by]


def test_a_stranger_ends_nobodys_mandate_nor_does_the_representative_their_own(
    world: World,
) -> None:
    chief, stranger = head(world), world.register("李㛃", "13800000002")
    world.register(AGENT)
    company = found(world, chief)
    given = agent(world, signed_in(world, chief), company)
    own = mandate_of(world, company)
    for mandate_id, by in ((given.id, stranger), (own.id, chief), ("nothing", chief)):
        with world.begin() as tx, pytest.raises(MandateUnknown):
            mandates.revoke(tx, world.provider, mandate_id, by=by)
    assert mandate_of(world, company).live(world.clock())


def test_a_new_representative_freezes_what_the_former_gave_and_may_confirm_it(
    world: World,
) -> None:
    chief, clerk = head(world), world.register(AGENT)
    company = found(world, chief)
    given = agent(world, signed_in(world, chief), company)
    number = PEOPLE[FOODS_HEAD].number
    change(world, "entity", uscc=BUILDER.uscc, representative_number=number)
    successor = head(world, FOODS_HEAD, "13800000010")
    found(world, successor)
    assert choices_of(world, clerk) == []
    assert choices_of(world, chief) == []
    with world.begin() as tx, pytest.raises(NotRepresentative):
        giving.confirm(tx, world.provider, signed_in(world, chief).session, given.id)
    with world.begin() as tx:
        anew = giving.confirm(tx, world.provider, signed_in(world, successor).session, given.id)
    assert (anew.items, anew.until, anew.given_by) == (given.items, given.until, successor)
    (choice,) = choices_of(world, clerk)
    assert choice.mandate == anew.id


def test_a_citizen_lets_a_helper_act_and_reads_what_they_did(world: World) -> None:
    citizen, helper = world.register("李㛃", "13800000002"), world.register(AGENT)
    opened = signed_in(world, citizen)
    with world.begin() as tx:
        given = giving.to_helper(tx, world.provider, opened.session, gift(world))
    assert given.consent == {"how": "own-session", "sid": opened.session.sid}
    (choice,) = choices_of(world, helper)
    assert (choice.acting_as, choice.name, choice.uscc) == (ActingAs.HELPER, "李㛃", None)
    with world.begin() as tx:
        for _ in range(2):
            mandates.used(tx, world.provider, given.id, "portal-a", "g-1")
    with world.begin() as tx:
        (use,) = mandates.uses(tx, citizen)
        mandates.revoke(tx, world.provider, given.id, by=citizen)
    assert (use.mandate, use.client_id) == (given.id, "portal-a")
    assert choices_of(world, helper) == []


def in_person(world: World, clerk: str, citizen: Named, code: str = WINDOW.code) -> Mandate:
    witness = Witness(clerk, code, Document.RESIDENT_ID)
    with world.begin() as tx:
        return giving.to_helper_at_counter(tx, world.provider, citizen, gift(world), witness)


def test_a_citizen_agrees_in_person_before_a_clerk(world: World) -> None:
    citizen, helper = world.register("李㛃", "13800000002"), world.register(AGENT)
    clerk = serving(world)
    given = in_person(world, clerk, gift(world, "李㛃"))
    assert (given.principal, given.holder, given.given_by) == (citizen, helper, clerk)
    seen = {"how": "in-person", "clerk": clerk, "document": "resident-id-card"}
    assert given.consent == {**seen, **WINDOW.told}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"citizen": Named(PEOPLE["李㛃"].number, "张䶮")}, MandateCitizenUnknown),
        ({"citizen": Named("13800000002", "李㛃")}, MandateCitizenUnknown),
        ({"citizen": Named(PEOPLE[AGENT].number, AGENT)}, MandateToOneself),
        ({"code": "nowhere"}, CounterUnknown),
        ({"code": ANOTHERS.code}, CounterIsNotTheirs),
    ],
    ids=["other-name", "by-phone", "to-oneself", "no-counter", "another-bodys-counter"],
)
def test_a_clerk_records_no_consent_that_is_not_sound(
    world: World, changed: dict[str, Any], expected: type[DomainError]
) -> None:
    world.register("李㛃", "13800000002")
    world.register(AGENT)
    asked = {"citizen": gift(world, "李㛃")} | changed
    with pytest.raises(expected):
        in_person(world, serving(world), **asked)


def test_nobody_learns_by_a_gift_whose_a_phone_is(world: World) -> None:
    chief, _ = head(world), world.register(AGENT, "13800000001")
    company = found(world, chief)
    by_phone = replace(gift(world), number="13800000001")
    with pytest.raises(MandateHolderUnknown):
        agent(world, signed_in(world, chief), company, by_phone)


def test_nobody_helps_a_citizen_whom_the_register_no_longer_knows(world: World) -> None:
    citizen, helper = world.register("李㛃", "13800000002"), world.register(AGENT)
    with world.begin() as tx:
        own = signed_in(world, citizen).session
        giving.to_helper(tx, world.provider, own, gift(world))
    assert len(choices_of(world, helper)) == 1
    with world.begin() as tx:
        tx.execute(delete(EvidenceRow).where(EvidenceRow.subject == citizen))
    assert choices_of(world, helper) == []


@pytest.mark.parametrize("to", ["agent", "helper"])
def test_a_form_that_is_sent_twice_gives_one_mandate(world: World, to: str) -> None:
    chief, holder = head(world), world.register(AGENT)
    company, own = found(world, chief), signed_in(world, chief)

    def give(_: int) -> str:
        with world.begin() as tx:
            if to == "agent":
                asked = own.session, company.subject, gift(world)
                return giving.to_agent(tx, world.provider, *asked).id
            return giving.to_helper(tx, world.provider, own.session, gift(world)).id

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(give, range(6)))) == 1
    assert len(choices_of(world, holder)) == 1


def test_what_a_representative_gives_while_another_registers_is_frozen_with_the_rest(
    world: World,
) -> None:
    chief, clerk = head(world), world.register(AGENT)
    company, own = found(world, chief), signed_in(world, chief)
    change(world, "entity", uscc=BUILDER.uscc, representative_number=PEOPLE[FOODS_HEAD].number)
    successor = head(world, FOODS_HEAD, "13800000010")
    with ThreadPoolExecutor(1) as pool:
        with world.begin() as tx:
            giving.to_agent(tx, world.provider, own.session, company.subject, gift(world))
            taking_over = pool.submit(found, world, successor)
            with pytest.raises(TimeoutError):
                taking_over.result(timeout=1)
        taking_over.result()
    assert choices_of(world, clerk) == []


def test_what_is_not_open_cannot_be_chosen(world: World) -> None:
    chief, clerk = head(world), world.register(AGENT)
    company = found(world, chief)
    opened = signed_in(world, clerk)
    with world.begin() as tx, pytest.raises(ContextNotOpen):
        context.choose(tx, world.provider, opened.session, mandate_of(world, company).id)
