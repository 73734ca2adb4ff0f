"""My account and the administration: where somebody is signed in, and an end to it."""

import re

import httpx2
import pytest

from idp import clients, sessions, staff
from idp.clients import Registration
from idp.sessions import COOKIE
from idp.staff import Opening
from idp.vocabulary import GrantType, Realm
from service.pages.user_agents import readable
from service.seed import HOUSING, SandboxClient
from tests import ladder
from tests.rig import Citizen, Rig
from tests.service.portals import plain, press

_PHONE = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"
_OFFICE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0"


def signed_in(rig: Rig, citizen: Citizen, user_agent: str = _OFFICE) -> httpx2.Client:
    http = rig.browser().http
    http.headers["User-Agent"] = user_agent
    answer = press(http, "/login", username=citizen.phone, password=citizen.password)
    assert answer.headers["Location"] == "/my/licences"
    return http


def others(page: httpx2.Response) -> list[str]:
    """The sessions that the page offers to end."""
    return re.findall(r'name="end" value="([^"]+)"', page.text)


@pytest.mark.parametrize(
    ("user_agent", "told"),
    [
        (_PHONE, "Chrome · Android"),
        (_OFFICE, "Firefox · Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
            "Mobile/15E148 MicroMessenger/8.0.50",
            "WeChat · iPhone",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/131.0 Safari/537.36 Edg/131.0", "Edge · Windows"),
        ("curl/8.5", ""),
        ("", ""),
    ],
)
def test_a_device_is_two_words_at_most(user_agent: str, told: str) -> None:
    assert readable(user_agent) == told


def test_a_person_sees_their_devices_and_signs_one_out(rig: Rig) -> None:
    citizen = rig.person()
    office = signed_in(rig, citizen)
    phone = signed_in(rig, citizen, _PHONE)
    page = office.get("/my/account")
    assert "Firefox · Windows" in plain(page)
    assert "Chrome · Android" in plain(page)
    assert "Pixel" not in page.text
    (sid,) = others(page)
    assert press(office, "/my/account", end=sid).headers["Location"] == "/my/account?done=ended"
    assert others(office.get("/my/account")) == []
    assert phone.get("/my/licences").is_redirect
    assert office.get("/my/licences").status_code == 200


def test_everywhere_else_ends_at_once_but_not_here(rig: Rig) -> None:
    citizen = rig.person()
    here, there, yonder = (signed_in(rig, citizen) for _ in range(3))
    assert len(others(here.get("/my/account"))) == 2
    press(here, "/my/account", end_others="1")
    assert here.get("/my/account").status_code == 200
    assert there.get("/my/account").is_redirect
    assert yonder.get("/my/account").is_redirect


def test_nobody_ends_another_persons_sign_in(rig: Rig) -> None:
    mine, theirs = signed_in(rig, rig.person()), signed_in(rig, rig.person())
    with rig.world.begin() as tx:
        session = sessions.find(tx, rig.world.provider, theirs.cookies[COOKIE])
    assert session
    answer = press(mine, "/my/account", end=session.sid)
    assert answer.status_code == 404
    assert "session.unknown" in answer.text
    assert theirs.get("/my/licences").status_code == 200
    form = {"csrf": "0" * 64, "end": session.sid}
    assert theirs.post("/my/account", data=form).status_code == 403


def test_what_no_page_of_ours_offers_does_nothing(rig: Rig) -> None:
    mine = signed_in(rig, rig.person())
    for typed in ("", "\0", "nobody"):
        assert press(mine, "/my/account", end=typed).status_code == 404
    for client_id in ("\0", "nobody"):
        assert press(mine, "/my/account", take_back=client_id).status_code in (303, 404)
    assert mine.get("/my/account").status_code == 200


def test_whoever_is_not_signed_in_signs_in_first_and_comes_back(rig: Rig) -> None:
    answer = rig.browser().http.get("/my/account")
    assert answer.headers["Location"] == "/login?next=/my/account"


def manager(rig: Rig, scope: str) -> dict[str, str]:
    """The header of an administrator's access token."""
    console = SandboxClient("console", "console-secret-of-the-test", "https://console.example/back")
    opening = Opening(
        "identity-admin", "管理员", HOUSING.uscc, ("identity-administrator",), "a long password"
    )
    with rig.world.begin() as tx:
        if clients.find(tx, console.client_id) is None:
            staff.open_account(tx, rig.world.provider, opening)
            asked = Registration(
                client_id=console.client_id,
                client_secret=console.client_secret,
                name_zh="管理台",
                name_en="Console",
                realm=Realm.STAFF,
                grant_types=(GrantType.AUTHORIZATION_CODE,),
                scopes=("openid", "client.manage", "session.manage"),
                resources=(f"{rig.address}/api/identity",),
                redirect_uris=(console.redirect_uri,),
            )
            clients.register(tx, rig.world.provider, asked)
    assert opening.password
    tokens = rig.browser().authorize(console, scope, opening.username, opening.password)
    return {"Authorization": f"Bearer {tokens.access_token}"}


def test_an_administrator_sees_and_ends_somebodys_sign_ins(rig: Rig) -> None:
    citizen = rig.person()
    http = signed_in(rig, citizen)
    headers = manager(rig, "openid session.manage")
    asked = {"subject": citizen.subject}
    listed = rig.http.get("/api/identity/sessions", params=asked, headers=headers).json()
    (session,) = listed["sessions"]
    assert session["device"] == "Firefox · Windows"
    assert session["acr"] == "urn:yinxin:level:natural:1"
    place = f"/api/identity/sessions/{session['sid']}"
    assert rig.http.delete(place, headers=headers).status_code == 204
    assert http.get("/my/licences").is_redirect
    again = rig.http.delete(place, headers=headers)
    assert again.status_code == 404
    assert again.json()["code"] == "session.unknown"
    notices = rig.http.get(f"{place}/logout-notices", headers=headers)
    assert notices.json() == {"notices": []}
    left = rig.http.get("/api/identity/sessions", params=asked, headers=headers)
    assert left.json() == {"sessions": []}


def test_without_the_scope_or_a_token_nobody_sees_sign_ins(rig: Rig) -> None:
    asked = {"subject": "anybody"}
    assert rig.http.get("/api/identity/sessions", params=asked).status_code == 401
    headers = manager(rig, "openid client.manage")
    answer = rig.http.get("/api/identity/sessions", params=asked, headers=headers)
    assert answer.status_code == 403


def test_an_identifier_that_none_can_be_is_malformed(rig: Rig) -> None:
    headers = manager(rig, "openid session.manage")
    asked = rig.http.get("/api/identity/sessions", params={"subject": "\0"}, headers=headers)
    ending = rig.http.delete("/api/identity/sessions/%00", headers=headers)
    notices = rig.http.get("/api/identity/sessions/%00/logout-notices", headers=headers)
    assert [each.status_code for each in (asked, ending, notices)] == [422] * 3


def pages_of(page: httpx2.Response) -> list[tuple[str, bool]]:
    """The pages that the page leads to as those of one's account, and which of them is this one."""
    menu = page.text.partition('<nav class="subnav"')[2].partition("</nav>")[0]
    links = re.findall(r'<a href="([^"]+)"( aria-current="page")?>', menu)
    return [(address, bool(current)) for address, current in links]


def test_every_page_of_a_person_leads_to_every_other(rig: Rig) -> None:
    citizen = rig.person()
    _all_lead_to_each_other(ladder.signed_in_twice(rig, citizen), count=9)


def test_every_page_of_staff_leads_to_every_other(rig: Rig) -> None:
    _all_lead_to_each_other(ladder.clerk(rig), count=7)


def _all_lead_to_each_other(http: httpx2.Client, count: int) -> None:
    known = [address for address, _ in pages_of(http.get("/my/account"))]
    assert len(known) == count
    for address in known:
        page = http.get(address)
        assert page.status_code == 200, address
        assert pages_of(page) == [(each, each == address) for each in known]
        assert "<h1>" in page.text
