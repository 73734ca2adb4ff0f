"""An entity's own certificate in the hands of somebody who may act for it."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from idp import closing, sessions
from idp.acting import ActingAs
from idp.entities import context, enterprise_certificate, legal_levels, mandates
from idp.entity_errors import CertificateOfAnother
from idp.methods import certificate_sign_in
from idp.methods.certificate_sign_in import Proven
from idp.sessions import SignOn
from idp.sign_in_errors import CertificateHolderUnknown
from idp.vocabulary import Realm
from keys.certificate_names import Subject
from keys.certificate_profiles import LEGAL_ENTITY
from keys.tables import journal
from tests.idp.authority import Authority
from tests.idp.companies import AGENT, BUILDER, FOOD, agent, found, head, signed_in
from tests.idp.world import PEOPLE, World


@pytest.fixture
def authority(world: World) -> Authority:
    """An authority that the provider trusts."""
    made = Authority(world.clock())
    world.provider = replace(world.provider, certificates=made.trust())
    return made


def of(world: World, authority: Authority, uscc: str = BUILDER.uscc) -> Proven:
    issued = authority.issue(Subject(BUILDER.name, BUILDER.name, uscc), LEGAL_ENTITY)
    return certificate_sign_in.prove_connection(world.provider, issued.der, "192.0.2.7")


def acting(world: World, own: SignOn, proven: Proven) -> SignOn:
    with world.begin() as tx:
        return enterprise_certificate.act_by(tx, world.provider, own, proven)


def test_an_agent_with_the_companys_certificate_acts_as_the_company_and_raises_it(
    world: World, authority: Authority
) -> None:
    chief, clerk = head(world), world.register(AGENT)
    company = found(world, chief)
    agent(world, signed_in(world, chief), company)
    own = acting(world, signed_in(world, clerk, "pwd").session, of(world, authority))
    with world.begin() as tx:
        choice = context.of_session(tx, world.provider, own)
        standing = legal_levels.standing(tx, world.provider, company.subject)
        used = select(journal).where(journal.c.action == "certificate.used")
        (row,) = tx.execute(used).all()
    assert choice is not None
    assert (choice.acting_as, choice.level) == (ActingAs.CERTIFICATE, 2)
    assert standing.level.number == 2
    assert (row.actor, row.subject) == (clerk, company.subject)


def test_signing_in_again_ends_what_the_certificate_carried(
    world: World, authority: Authority
) -> None:
    chief = head(world)
    found(world, chief)
    opened = signed_in(world, chief)
    acting(world, opened.session, of(world, authority))
    with world.begin() as tx:
        again = sessions.sign_on(
            tx,
            world.provider,
            Realm.CITIZEN,
            chief,
            ("pwd",),
            level=1,
            device="",
            former=opened.cookie,
        )
    assert again.session.sid == opened.session.sid
    assert (again.session.acting_as, again.session.mandate) == (None, None)


def test_another_companys_certificate_opens_nothing(world: World, authority: Authority) -> None:
    chief = head(world)
    found(world, chief)
    with pytest.raises(CertificateOfAnother):
        acting(world, signed_in(world, chief).session, of(world, authority, FOOD.uscc))


def test_a_strangers_hand_opens_nothing_even_with_the_certificate(
    world: World, authority: Authority
) -> None:
    found(world, head(world))
    stranger = signed_in(world, world.register(AGENT)).session
    with pytest.raises(CertificateOfAnother):
        acting(world, stranger, of(world, authority))


def test_a_persons_certificate_is_no_companys(world: World, authority: Authority) -> None:
    chief = head(world)
    found(world, chief)
    issued = authority.issue(Subject(AGENT, number=f"IDCCN-{PEOPLE[AGENT].number}"))
    proven = certificate_sign_in.prove_connection(world.provider, issued.der, "192.0.2.7")
    with pytest.raises(CertificateHolderUnknown):
        acting(world, signed_in(world, chief).session, proven)


def test_a_closed_account_holds_no_mandate_and_its_agents_wait(world: World) -> None:
    chief, clerk = head(world), world.register(AGENT)
    company = found(world, chief)
    given = agent(world, signed_in(world, chief), company)
    with world.begin() as tx:
        closing.close(tx, world.provider, signed_in(world, chief).session)
    with world.begin() as tx:
        assert mandates.representative(tx, company.subject) is None
        (waiting,) = mandates.of_holder(tx, clerk)
    assert waiting.id == given.id
    assert waiting.frozen_at is not None
