"""Mandates: who may give one, what it holds, and how it ends at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete

from idp.acting import ActingAs, MandateKind
from idp.entities import context, giving, legal_levels, mandates
from idp.entities.giving import Witness
from idp.errors import (
    ContextNotOpen,
    MandateConsentMissing,
    MandateHolderUnknown,
    MandateItemsWrong,
    MandateToOneself,
    MandateUnknown,
    MandateUntilWrong,
    NotRepresentative,
    SignInTooOld,
    TooManyTries,
)
from idp.tables import EvidenceRow
from keys.errors import DomainError
from keys.tables import journal
from tests.idp.companies import (
    AGENT,
    BUILDER,
    BUILDERS_HEAD,
    FOODS_HEAD,
    ITEM,
    agent,
    change,
    found,
    gift,
    head,
    mandate_of,
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


def test_a_citizen_agrees_in_person_before_a_clerk(world: World) -> None:
    citizen, helper = world.register("李㛃", "13800000002"), world.register(AGENT)
    asked = gift(world, "李㛃"), gift(world)
    with world.begin() as tx, pytest.raises(MandateConsentMissing):
        giving.to_helper_at_counter(tx, world.provider, *asked, Witness("clerk", "", "居民身份证"))
    witness = Witness("clerk", "望江村便民服务站", "居民身份证")
    with world.begin() as tx:
        given = giving.to_helper_at_counter(tx, world.provider, *asked, witness)
    assert (given.principal, given.holder, given.given_by) == (citizen, helper, "clerk")
    assert given.consent["how"] == "in-person"
    assert given.consent["counter"] == "望江村便民服务站"


def test_what_is_not_open_cannot_be_chosen(world: World) -> None:
    chief, clerk = head(world), world.register(AGENT)
    company = found(world, chief)
    opened = signed_in(world, clerk)
    with world.begin() as tx, pytest.raises(ContextNotOpen):
        context.choose(tx, world.provider, opened.session, mandate_of(world, company).id)
