"""The rig itself: what every journey stands on."""

import pytest
from sqlalchemy import update

from idp.entities.tables import MandateRow
from idp.levels import EvidenceKind
from idp.tables import EvidenceRow, PersonRow
from service.seed import PORTAL_A, PORTAL_B
from tests import company as companies
from tests import identity_state, ladder
from tests.rig import Rig


def test_a_citizen_signs_in_once_for_two_portals(rig: Rig) -> None:
    citizen, browser = rig.person(), rig.browser()
    first = browser.authorize(PORTAL_A, "openid profile", citizen.phone, citizen.password)
    second = browser.authorize(PORTAL_B, "openid profile")
    assert (first.asked_again, second.asked_again) == (True, False)


def test_a_licence_is_issued_read_back_and_revoked(rig: Rig) -> None:
    licence = rig.issue()
    assert rig.scan(licence["code"])["answer"] == "valid"
    rig.check_everything()
    rig.revoke(licence)
    assert rig.scan(licence["code"])["answer"] == "invalid"
    rig.clock.tick(hours=1)
    rig.check_everything()


@pytest.mark.parametrize("point", ["files.put", "files.put.done"])
def test_a_licence_whose_sealing_died_is_sealed_by_the_job(rig: Rig, point: str) -> None:
    issuer, case = rig.application()
    with rig.crash_at(point):
        assert rig.post_licence(issuer, case).status_code == 500
    rig.run_jobs()
    with pytest.raises(AssertionError, match="never sealed"):
        rig.check_everything()
    rig.clock.tick(minutes=2)
    rig.run_jobs()
    rig.check_everything()
    assert rig.post_licence(issuer, case).status_code == 200


def test_a_reviewing_body_finds_a_holders_licence(rig: Rig) -> None:
    issuer, case = rig.application()
    licence = rig.post_licence(issuer, case).json()
    answer = rig.look_up(case["holders"][0]["number"])
    assert [found["identifier"] for found in answer.json()["licences"]] == [licence["identifier"]]


def test_a_sign_on_that_uses_more_than_stands_is_found(rig: Rig) -> None:
    citizen = rig.person()
    ladder.signed_in(rig, citizen)
    identity_state.check(rig.world.provider)
    gone = update(EvidenceRow).where(EvidenceRow.kind == EvidenceKind.SMS_CODE)
    with rig.world.begin() as tx:
        tx.execute(gone.values(withdrawn_at=rig.clock()))
    with pytest.raises(AssertionError, match="uses 1 of 0"):
        identity_state.check(rig.world.provider)


def test_a_mandate_that_outlives_its_entity_is_found(rig: Rig) -> None:
    companies.registered_company(rig)
    rig.tell_outside("entity", uscc=companies.COMPANY_FORM["uscc"], state="cancelled")
    rig.watch_registers()
    identity_state.check(rig.world.provider)
    with rig.world.begin() as tx:
        tx.execute(update(MandateRow).values(ended_at=None))
    with pytest.raises(AssertionError, match="ended entity"):
        identity_state.check(rig.world.provider)


@pytest.mark.parametrize("what", ["number", "phone"])
def test_a_number_in_the_clear_is_found(rig: Rig, what: str) -> None:
    citizen = rig.person()
    with rig.world.begin() as tx:
        tx.execute(update(PersonRow).values(profile={"nickname": getattr(citizen, what)}))
    with pytest.raises(AssertionError, match="numbers or phones"):
        identity_state.check(rig.world.provider)
    with rig.world.begin() as tx:
        tx.execute(update(PersonRow).values(profile={}))
    rig.world.redis.set("waiting", getattr(citizen, what))
    with pytest.raises(AssertionError, match="a number or a phone"):
        identity_state.check(rig.world.provider)
