"""The pages where a person answers for a device or for a request from elsewhere, as old phones see them."""

import re
from dataclasses import replace
from html import unescape
from typing import Any

import httpx2
import pytest

from idp import clients, staff
from idp.clients import Registration
from idp.staff import Opening
from idp.vocabulary import AuthMethod, Delivery, GrantType, Realm
from service import sandbox_approval
from service.locale import COOKIE
from service.settings import Mode
from tests.rig import Citizen, Rig
from tests.service.test_pages import post, sign_in, token

KIOSK = "kiosk"
CLINIC = "clinic"
SECRET = "a-secret-of-the-clinic-1"


def registered(rig: Rig, client_id: str, **changed: Any) -> None:
    """Register a client, unless an earlier test has."""
    asked: dict[str, Any] = {
        "client_id": client_id,
        "name_zh": "政务大厅自助终端",
        "name_en": "Service hall kiosk",
        "scopes": ("openid", "profile", "phone"),
        "realm": Realm.CITIZEN,
        "redirect_uris": (),
    }
    with rig.world.begin() as tx:
        if clients.find(tx, client_id) is None:
            clients.register(tx, rig.world.provider, Registration(**(asked | changed)))


def device(rig: Rig, client_id: str = KIOSK, **changed: Any) -> dict[str, Any]:
    """Ask for codes as a kiosk."""
    asked: dict[str, Any] = {
        "auth_method": AuthMethod.NONE,
        "grant_types": (GrantType.DEVICE_CODE,),
    }
    registered(rig, client_id, **(asked | changed))
    form = {"client_id": client_id, "scope": "openid phone"}
    answer = rig.http.post("/oidc/device_authorization", data=form)
    assert answer.status_code == 200, answer.text
    codes: dict[str, Any] = answer.json()
    return codes


def backchannel(rig: Rig, citizen: Citizen, **sent: str) -> str:
    """Ask for a citizen as a clinic, and return the handle."""
    registered(
        rig,
        CLINIC,
        name_zh="示例市第一医院",
        name_en="First clinic",
        client_secret=SECRET,
        grant_types=(GrantType.CIBA,),
        backchannel_token_delivery_mode=Delivery.POLL,
    )
    form = {"scope": "openid phone", "login_hint": citizen.phone, **sent}
    answer = rig.http.post("/oidc/bc-authorize", data=form, auth=(CLINIC, SECRET))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["auth_req_id"])


def told(rig: Rig, kind: GrantType, name: str, handle: str) -> httpx2.Response:
    """Poll as the client would."""
    form = {"grant_type": str(kind), name: handle}
    if kind is GrantType.DEVICE_CODE:
        return rig.http.post("/oidc/token", data={**form, "client_id": KIOSK})
    return rig.http.post("/oidc/token", data=form, auth=(CLINIC, SECRET))


def test_the_address_of_a_qr_code_leads_over_the_sign_in_to_the_question(rig: Rig) -> None:
    citizen, codes = rig.person(), device(rig)
    http = rig.browser().http
    first = http.get(codes["verification_uri_complete"].removeprefix(rig.address))
    login = first.headers["Location"]
    assert login.startswith("/login?next=")
    after = post(http, login, username=citizen.phone, password=citizen.password)
    place = after.headers["Location"]
    assert place == f"/device?user_code={codes['user_code']}"
    page = http.get(place, headers={"Accept-Language": "en"}).text
    assert f'id="user_code">{codes["user_code"]}<' in page
    assert "Service hall kiosk" in page
    assert "Your mobile number" in page
    assert "127.0.0.1" in page, "where it was asked from"
    assert "Allow only what you have begun yourself" in unescape(page)
    answer = post(http, place, decision="approve")
    done = answer.headers["Location"]
    assert done == "/device?done=approved"
    assert http.get(done).status_code == 200
    tokens = told(rig, GrantType.DEVICE_CODE, "device_code", codes["device_code"])
    assert tokens.status_code == 200, tokens.text


def test_a_code_is_typed_and_refused(rig: Rig) -> None:
    codes = device(rig)
    http = sign_in(rig, rig.person())
    typed = codes["user_code"].lower().replace("-", " ")
    place = post(http, "/device", user_code=typed).headers["Location"]
    answer = post(http, place, decision="deny")
    assert answer.headers["Location"] == "/device?done=denied"
    refused = told(rig, GrantType.DEVICE_CODE, "device_code", codes["device_code"])
    assert refused.json()["error"] == "access_denied"
    again = http.get(place)
    assert again.status_code == 410
    assert 'id="approve"' not in again.text


def test_a_question_has_both_buttons_by_their_ids(rig: Rig) -> None:
    citizen, codes = rig.person(), device(rig)
    backchannel(rig, citizen)
    http = sign_in(rig, citizen)
    for path in (f"/device?user_code={codes['user_code']}", "/my/approvals"):
        page = http.get(path).text
        assert page.count('id="approve"') == page.count('id="deny"') == 1
        assert page.count("<h1") == 1


@pytest.mark.parametrize("typed", ["BBBB-BBBB", "x", "代码", "<b>"])
def test_a_wrong_code_is_told_at_the_field_and_kept(rig: Rig, typed: str) -> None:
    http = sign_in(rig, rig.person())
    answer = http.get("/device", params={"user_code": typed})
    assert answer.status_code == 422
    assert 'href="#user_code"' in answer.text
    assert f'value="{typed}"' in unescape(answer.text)
    assert "<b>" not in answer.text.split("<main")[1].split('id="user_code"')[1][:200]


def test_guessing_codes_is_stopped(rig: Rig) -> None:
    codes = device(rig)
    http = sign_in(rig, rig.person())
    for _ in range(10):
        http.get("/device?user_code=BBBB-BBBB")
    assert http.get(f"/device?user_code={codes['user_code']}").status_code == 429


def test_a_decision_from_another_site_is_refused(rig: Rig) -> None:
    codes = device(rig)
    http = sign_in(rig, rig.person())
    place = f"/device?user_code={codes['user_code']}"
    assert http.post(place, data={"decision": "approve"}).status_code == 403
    pending = told(rig, GrantType.DEVICE_CODE, "device_code", codes["device_code"])
    assert pending.json()["error"] == "authorization_pending"


def test_what_waits_is_seen_by_the_one_it_waits_for_and_by_nobody_else(rig: Rig) -> None:
    citizen, other = rig.person(), rig.person()
    handle = backchannel(rig, citizen, binding_message="挂号 A-17 <b>")
    assert "挂号" not in sign_in(rig, other).get("/my/approvals").text
    http = sign_in(rig, citizen)
    http.cookies.set(COOKIE, "en")
    page = http.get("/my/approvals").text
    assert "挂号 A-17 &lt;b&gt;" in page
    assert "First clinic" in page
    assert handle not in page, "who is asked cannot redeem"
    found = re.search(r'name="request" value="([0-9a-f]{64})"', page)
    assert found
    stolen = post(sign_in(rig, other), "/my/approvals", request=found[1], decision="approve")
    assert stolen.status_code == 410
    answer = post(http, "/my/approvals", request=found[1], decision="approve")
    assert answer.headers["Location"] == "/my/approvals?done=approved"
    assert "挂号" not in http.get(answer.headers["Location"]).text
    assert told(rig, GrantType.CIBA, "auth_req_id", handle).status_code == 200
    again = post(http, "/my/approvals", request=found[1], decision="deny")
    assert again.status_code == 410


def test_several_requests_are_answered_one_by_one(rig: Rig) -> None:
    citizen = rig.person()
    handles = [backchannel(rig, citizen, binding_message=f"nr {n}") for n in (1, 2)]
    http = sign_in(rig, citizen)
    page = http.get("/my/approvals").text
    assert re.findall(r'id="(approve[^"]*)"', page) == ["approve", "approve-2"]
    uids = re.findall(r'name="request" value="([0-9a-f]{64})"', page)
    post(http, "/my/approvals", request=uids[1], decision="deny")
    answers = [told(rig, GrantType.CIBA, "auth_req_id", h).json()["error"] for h in handles]
    assert sorted(answers) == ["access_denied", "authorization_pending"]


def test_whoever_is_not_signed_in_signs_in_first(rig: Rig) -> None:
    http = rig.browser().http
    for path in ("/my/approvals", "/device"):
        assert http.get(path).headers["Location"].startswith("/login?next=%2F")
    answer = http.post("/device", data={"csrf": token(http.get("/login").text), "user_code": "X"})
    assert answer.headers["Location"].startswith("/login?next=%2Fdevice%3Fuser_code")


def test_a_sign_in_that_is_too_weak_is_told_what_is_needed(rig: Rig) -> None:
    codes = device(rig, "careful-kiosk", minimum_acr="urn:yinxin:level:natural:2")
    http = sign_in(rig, rig.person())
    http.cookies.set(COOKIE, "en")
    place = f"/device?user_code={codes['user_code']}"
    page = http.get(place).text
    assert "intermediate" in page
    assert 'id="approve"' not in page
    assert 'id="deny"' in page
    assert post(http, place, decision="approve").status_code == 403


def test_staff_are_told_that_a_request_is_for_citizens(rig: Rig) -> None:
    codes = device(rig)
    opening = Opening("rig-clerk", "周远", "11990100MBXX90018M", ("licence-clerk",), "a long one 1")
    with rig.world.begin() as tx:
        staff.open_account(tx, rig.world.provider, opening)
    http = rig.browser().http
    post(http, "/login?realm=staff", username="rig-clerk", password="a long one 1")
    page = http.get(f"/device?user_code={codes['user_code']}")
    assert page.status_code == 403
    assert "approval.other_realm" in page.text


@pytest.mark.parametrize(("kind", "error"), [("allow", None), ("deny", "access_denied")])
def test_a_sandbox_answers_for_a_test_tool_without_hands(
    rig: Rig, kind: str, error: str | None
) -> None:
    handle = backchannel(rig, rig.person())
    answer = rig.http.post(f"/sandbox/ciba?token={handle}&type={kind}")
    assert (answer.status_code, answer.content) == (204, b"")
    told_then = told(rig, GrantType.CIBA, "auth_req_id", handle)
    assert told_then.json().get("error") == error
    assert rig.http.post(f"/sandbox/ciba?token={handle}&type={kind}").status_code == 410


def test_a_sandbox_answers_for_no_device_and_does_nothing_else(rig: Rig) -> None:
    codes, handle = device(rig), backchannel(rig, rig.person())
    for query in (f"token={codes['device_code']}&type=allow", "token=x&type=allow", "type=allow"):
        assert rig.http.post(f"/sandbox/ciba?{query}").status_code == 410
    assert rig.http.post(f"/sandbox/ciba?token={handle}&type=perhaps").status_code == 422
    assert rig.http.get(f"/sandbox/ciba?token={handle}&type=allow").status_code in (404, 405)


def test_production_has_no_such_address(rig: Rig) -> None:
    production = rig.world.settings.model_copy(update={"mode": Mode.PRODUCTION})
    assert sandbox_approval.routes(rig.world)
    assert sandbox_approval.routes(replace(rig.world, settings=production)) == []
