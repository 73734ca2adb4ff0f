"""Where an entity stands: its own evidence raises it, and what goes lowers it at once."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from idp import sessions
from idp.acting import ActingAs
from idp.entities import context, legal_levels, mandates, promotions, watch
from idp.entities.entity import Entity
from idp.entities.promotions import EnterpriseCertificate, Sight
from idp.entity_errors import (
    CertificateOfAnother,
    EntityFieldWrong,
    EntityNotRegistered,
    NotRepresentative,
    NotTaxFiler,
)
from idp.level_errors import CounterIsNotTheirs, CounterUnknown
from idp.people_errors import SourceUnavailable
from idp.sessions import Opened, SignOn
from idp.sources.tax import TaxStatus
from idp.tables import EvidenceRow
from keys.errors import DomainError
from tests.idp.companies import (
    AGENT,
    ANOTHERS,
    BUILDER,
    FOOD,
    FOODS_HEAD,
    WINDOW,
    agent,
    change,
    found,
    head,
    mandate_of,
    serving,
    signed_in,
)
from tests.idp.world import PEOPLE, World


def level(world: World, company: Entity) -> int:
    with world.begin() as tx:
        return legal_levels.standing(tx, world.provider, company.subject).level.number


def by_tax(world: World, company: Entity) -> None:
    status = promotions.ask_tax(world.provider, company)
    with world.begin() as tx:
        promotions.by_tax(tx, world.provider, company, status, by="chief")


def acting(world: World, opened: Opened, mandate: str) -> SignOn:
    with world.begin() as tx:
        return context.choose(tx, world.provider, opened.session, mandate)


def is_live(world: World, opened: Opened) -> bool:
    with world.begin() as tx:
        return sessions.find(tx, world.provider, opened.cookie) is not None


def test_a_tax_filer_stands_on_the_intermediate_level_as_long_as_the_status(
    world: World,
) -> None:
    company = found(world, head(world))
    by_tax(world, company)
    assert level(world, company) == 2
    world.clock.tick(days=364)
    assert level(world, company) == 2
    # The tax administration keeps real time: a second may lie between its now and ours.
    world.clock.tick(days=1, seconds=30)
    assert level(world, company) == 1


def test_who_files_no_taxes_is_not_raised(world: World) -> None:
    company = found(world, head(world, FOODS_HEAD), FOOD)
    with pytest.raises(NotTaxFiler):
        promotions.ask_tax(world.provider, company)


def test_a_tax_administration_that_does_not_answer_raises_nobody(world: World) -> None:
    company = found(world, head(world))
    world.outage("tax")
    with pytest.raises(SourceUnavailable):
        promotions.ask_tax(world.provider, company)
    assert level(world, company) == 1


def test_a_clerk_at_a_counter_raises_what_they_saw(world: World) -> None:
    company = found(world, head(world))
    clerk = serving(world)
    with world.begin() as tx:
        seen = Sight(BUILDER.uscc, BUILDER.name, WINDOW.code)
        standing = promotions.at_counter(tx, world.provider, clerk, seen)
    assert standing.level.number == 2
    (piece,) = (e for e in standing.because if e.kind == "counter")
    assert (piece.by, piece.details) == (clerk, WINDOW.told)
    assert level(world, company) == 2


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (Sight(BUILDER.uscc, "示例市另一家有限公司", WINDOW.code), EntityFieldWrong),
        (Sight(FOOD.uscc, FOOD.name, WINDOW.code), EntityFieldWrong),
        (Sight(BUILDER.uscc, BUILDER.name, "nowhere"), CounterUnknown),
        (Sight(BUILDER.uscc, BUILDER.name, ANOTHERS.code), CounterIsNotTheirs),
    ],
    ids=["other-name", "unregistered", "no-counter", "another-bodys-counter"],
)
def test_what_was_seen_must_be_this_entity_at_a_counter_of_the_clerks(
    world: World, seen: Sight, expected: type[DomainError]
) -> None:
    company, clerk = found(world, head(world)), serving(world)
    with world.begin() as tx, pytest.raises(expected):
        promotions.at_counter(tx, world.provider, clerk, seen)
    assert level(world, company) == 1


def test_evidence_without_an_end_of_its_own_lapses_by_our_policy(world: World) -> None:
    company, endless = found(world, head(world)), TaxStatus("t-1", is_filer=True, valid_until=None)
    with world.begin() as tx:
        promotions.by_tax(tx, world.provider, company, endless, by="chief")
    world.clock.tick(days=364)
    assert level(world, company) == 2
    world.clock.tick(days=1)
    assert level(world, company) == 1


def certificate(world: World, uscc: str = BUILDER.uscc) -> EnterpriseCertificate:
    return EnterpriseCertificate(uscc, "ab" * 32, world.clock() + timedelta(days=30))


def test_an_enterprise_certificate_raises_its_own_entity_until_it_ends(world: World) -> None:
    company = found(world, head(world))
    with world.begin() as tx:
        promotions.by_certificate(tx, world.provider, company, certificate(world), by="certificate")
    assert level(world, company) == 2
    world.clock.tick(days=30)
    assert level(world, company) == 1


def test_a_certificate_of_another_entity_raises_nobody(world: World) -> None:
    company = found(world, head(world))
    with world.begin() as tx, pytest.raises(CertificateOfAnother):
        promotions.by_certificate(
            tx, world.provider, company, certificate(world, FOOD.uscc), by="certificate"
        )


def test_what_is_not_registered_is_not_raised(world: World) -> None:
    company = found(world, head(world))
    with world.begin() as tx:
        tx.execute(delete(EvidenceRow).where(EvidenceRow.subject == company.subject))
        with pytest.raises(EntityNotRegistered):
            promotions.by_certificate(
                tx, world.provider, company, certificate(world), by="certificate"
            )


def test_only_the_representative_asks_for_a_promotion(world: World) -> None:
    chief, stranger = head(world), world.register(AGENT)
    company = found(world, chief)
    with world.begin() as tx:
        promotions.represented(tx, world.provider, chief, company.subject)
        with pytest.raises(NotRepresentative):
            promotions.represented(tx, world.provider, stranger, company.subject)


def test_an_agent_with_the_companys_certificate_is_the_company(world: World) -> None:
    chief, clerk = head(world), world.register(AGENT)
    company = found(world, chief)
    by_tax(world, company)
    given = agent(world, signed_in(world, chief), company)
    opened = signed_in(world, clerk, "certificate")
    with world.begin() as tx:
        with pytest.raises(CertificateOfAnother):
            context.choose_by_certificate(tx, world.provider, opened.session, given.id, FOOD.uscc)
        own = context.choose_by_certificate(
            tx, world.provider, opened.session, given.id, BUILDER.uscc
        )
        choice = context.of_session(tx, world.provider, own)
    assert choice is not None
    assert (choice.acting_as, choice.level) == (ActingAs.CERTIFICATE, 2)


def test_one_factor_never_acts_above_the_basic_level(world: World) -> None:
    chief = head(world)
    company = found(world, chief)
    by_tax(world, company)
    opened = signed_in(world, chief, "pwd")
    own = acting(world, opened, mandate_of(world, company).id)
    with world.begin() as tx:
        choice = context.of_session(tx, world.provider, own)
    assert choice is not None
    assert (choice.level, choice.reachable) == (1, 2)


def test_a_lowered_entity_ends_the_sign_ons_that_used_more(world: World) -> None:
    chief, clerk = head(world), world.register(AGENT)
    company = found(world, chief)
    by_tax(world, company)
    given = agent(world, signed_in(world, chief), company)
    strong, weak = signed_in(world, chief), signed_in(world, chief, "pwd")
    theirs, myself = signed_in(world, clerk), signed_in(world, chief)
    own = mandate_of(world, company).id
    for opened, mandate in ((strong, own), (weak, own), (theirs, given.id)):
        acting(world, opened, mandate)
    change(world, "tax", uscc=BUILDER.uscc, files_taxes_for_days=None)
    watch.watch(world.provider, company.subject)
    assert level(world, company) == 1
    assert [is_live(world, one) for one in (strong, weak, theirs, myself)] == [
        False,
        True,
        True,
        True,
    ]


@pytest.mark.parametrize("state", ["cancelled", "revoked"])
def test_an_entity_that_is_no_more_stands_on_nothing_and_nobody_acts_for_it(
    world: World, state: str
) -> None:
    chief, clerk = head(world), world.register(AGENT)
    company = found(world, chief)
    given = agent(world, signed_in(world, chief), company)
    opened, theirs = signed_in(world, chief), signed_in(world, clerk)
    acting(world, opened, mandate_of(world, company).id)
    acting(world, theirs, given.id)
    change(world, "entity", uscc=BUILDER.uscc, state=state)
    for _ in range(2):
        watch.watch(world.provider, company.subject)
    assert level(world, company) == 0
    assert not is_live(world, opened)
    assert not is_live(world, theirs)
    with world.begin() as tx:
        assert mandates.of_principal(tx, company.subject) == []
        query = select(EvidenceRow.withdrawn_because).where(EvidenceRow.subject == company.subject)
        assert set(tx.scalars(query)) == {f"the entity was {state}"}


def test_a_change_of_representative_is_seen_before_the_new_one_comes(world: World) -> None:
    chief, _ = head(world), world.register(AGENT)
    company = found(world, chief)
    given = agent(world, signed_in(world, chief), company)
    number = PEOPLE[FOODS_HEAD].number
    change(world, "entity", uscc=BUILDER.uscc, representative_number=number)
    watch.watch(world.provider, company.subject)
    assert level(world, company) == 0
    with world.begin() as tx:
        assert mandates.representative(tx, company.subject) is None
        frozen = mandates.find(tx, given.id)
    assert frozen is not None
    assert frozen.frozen_at is not None


def test_a_register_that_does_not_answer_lowers_nobody(world: World) -> None:
    company = found(world, head(world))
    world.outage("business-register")
    with pytest.raises(SourceUnavailable):
        watch.watch(world.provider, company.subject)
    assert level(world, company) == 1


def test_every_represented_entity_is_watched(world: World) -> None:
    company = found(world, head(world))
    watch.watch_all(world.provider)
    change(world, "entity", uscc=BUILDER.uscc, state="cancelled")
    world.run_jobs()
    assert level(world, company) == 0
