"""The rig itself: what every journey stands on."""

import pytest

from service.seed import PORTAL_A, PORTAL_B
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
