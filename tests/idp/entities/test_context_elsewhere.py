"""A context where there is no page to choose it on: a kiosk, and a token that is handed on."""

from dataclasses import replace
from typing import Any

import pytest

from idp import deciding, device_approval
from idp.client_metadata import ContextKind
from idp.entities import context, mandates
from idp.entities.entity import Entity
from idp.entity_errors import ApprovalNeedsContext
from idp.sessions import SignOn
from tests.idp import test_exchange as exchanging
from tests.idp.approvals import access_token, approval
from tests.idp.away import decide, device_poll, kiosk
from tests.idp.companies import BUILDER, found, head, mandate_of, signed_in
from tests.idp.test_device import ADDRESS, begun
from tests.idp.test_introspection import introspect
from tests.idp.test_sign_in import claims_of
from tests.idp.world import World


@pytest.fixture
def company(world: World) -> Entity:
    return found(world, head(world))


def own(world: World, company: Entity) -> SignOn:
    return signed_in(world, mandate_of(world, company).holder).session


def acting(world: World, company: Entity) -> SignOn:
    with world.begin() as tx:
        present = own(world, company)
        return context.choose(tx, world.provider, present, mandate_of(world, company).id)


def firms_kiosk(world: World) -> dict[str, str]:
    return kiosk(world, context=ContextKind.LEGAL, scopes=("openid", "entity"))


def waiting(world: World, session: SignOn, proof: dict[str, str]) -> tuple[dict[str, Any], str]:
    codes = begun(world, proof, scope="openid entity")
    uid = device_approval.entered(world.provider, session, ADDRESS, codes["user_code"])
    return codes, uid


def test_a_kiosk_for_companies_is_told_of_the_one_acted_for(world: World, company: Entity) -> None:
    proof, session = firms_kiosk(world), acting(world, company)
    codes, uid = waiting(world, session, proof)
    decide(world, deciding.approve, uid, session)
    answer = device_poll(world, proof, codes["device_code"])
    told: dict[str, Any] = dict(claims_of(world, answer.json()["id_token"]))
    assert told["entity"]["uscc"] == BUILDER.uscc


def test_nobody_allows_it_as_themselves(world: World, company: Entity) -> None:
    proof, session = firms_kiosk(world), own(world, company)
    _, uid = waiting(world, session, proof)
    with pytest.raises(ApprovalNeedsContext):
        decide(world, deciding.approve, uid, session)


def test_a_token_that_is_handed_on_names_the_company_and_dies_with_the_mandate(
    world: World, company: Entity
) -> None:
    session = acting(world, company)
    with world.begin() as tx:
        choice = context.of_session(tx, world.provider, session)
    assert choice is not None
    to = exchanging.citizen_portal(world)
    allowed = approval(world, to, session.subject, scopes=("openid", "profile", *exchanging.SCOPES))
    acted = replace(allowed, context=context.context(session, choice))
    token = access_token(world, to, acted)
    gateway = exchanging.machine(world)
    handed = exchanging.exchange(world, gateway, token)
    assert exchanging.claims(world, handed)["entity"]["grant_id"] == choice.mandate
    assert introspect(world, gateway, handed.json()["access_token"])["active"]
    with world.begin() as tx:
        why = mandates.Ended.SUCCEEDED
        mandates.end(tx, world.provider, choice.mandate, by="watch", why=why)
    after = introspect(world, gateway, handed.json()["access_token"])
    assert after == {"active": False}
    assert exchanging.exchange(world, gateway, token).status_code == 400
