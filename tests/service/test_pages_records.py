"""My records: who was told what, the file to take away, and closing the account."""

import json

import httpx2
import pytest

from tests.rig import Citizen, Rig
from tests.service.portals import plain, press, shop, sign_in, token


def signed_in(rig: Rig, citizen: Citizen) -> httpx2.Client:
    http = rig.browser().http
    press(http, "/login", username=citizen.phone, password=citizen.password)
    return http


def test_a_person_reads_which_portal_was_told_what(rig: Rig) -> None:
    citizen, portal = rig.person(), shop(rig, "shop-records")
    http = rig.browser().http
    consent = sign_in(http, http.get(portal.url()).headers["Location"], citizen)
    back = press(http, consent, decision="approve").headers["Location"]
    callback = http.get(back).headers["Location"]
    access = rig.http.post(
        "/oidc/token",
        data={
            "grant_type": "authorization_code",
            "code": httpx2.URL(callback).params["code"],
            "redirect_uri": portal.callback,
            "code_verifier": "v" * 43,
        },
        auth=(portal.client_id, portal.secret),
    ).json()["access_token"]
    assert "还没有应用" in plain(http.get("/my/records"))
    rig.http.get("/oidc/userinfo", headers={"Authorization": f"Bearer {access}"})
    page = plain(http.get("/my/records"))
    assert "示例便民商城" in page
    assert "姓名" in page
    assert citizen.phone not in page


def test_a_person_takes_everything_away_as_one_file(rig: Rig) -> None:
    citizen = rig.person()
    http = signed_in(rig, citizen)
    page = http.get("/my/records").text
    answer = http.post("/my/records/export", data={"csrf": token(page)})
    assert "attachment" in answer.headers["Content-Disposition"]
    document = json.loads(answer.content)
    assert document["person"]["number"] == citizen.number
    assert document["level"]["acr"] == "urn:yinxin:level:natural:1"


def test_an_account_is_closed_only_by_whoever_says_so(rig: Rig) -> None:
    citizen = rig.person()
    http = signed_in(rig, citizen)
    assert press(http, "/my/account/close").status_code == 422
    answer = press(http, "/my/account/close", understood="yes")
    assert answer.headers["Location"] == "/closed"
    assert http.get("/my/records").headers["Location"].startswith("/login")
    stranger = rig.browser().http
    refused = press(stranger, "/login", username=citizen.phone, password=citizen.password)
    assert refused.status_code == 401


def test_a_screen_left_open_is_sent_to_sign_in_again(rig: Rig) -> None:
    http = signed_in(rig, rig.person())
    rig.clock.tick(minutes=16)
    answer = press(http, "/my/account/close", understood="yes")
    assert answer.status_code == 403
    assert "/login?again=1" in answer.text


@pytest.mark.parametrize("path", ["/my/records", "/my/account/close"])
def test_nobody_sees_records_without_signing_in(rig: Rig, path: str) -> None:
    assert rig.browser().http.get(path).headers["Location"].startswith("/login?next=")


def test_whoever_takes_everything_away_has_just_signed_in(rig: Rig) -> None:
    http = signed_in(rig, rig.person())
    page = http.get("/my/records").text
    rig.clock.tick(minutes=16)
    answer = http.post("/my/records/export", data={"csrf": token(page)})
    assert answer.headers["Location"] == "/login?again=1&next=/my/records"


@pytest.mark.parametrize("before", ["9" * 30, "-1", "x"])
def test_a_page_number_that_is_none_breaks_nothing(rig: Rig, before: str) -> None:
    http = signed_in(rig, rig.person())
    assert http.get("/my/records", params={"before": before}).status_code == 200
