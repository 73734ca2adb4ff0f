"""The pages of codes: shown on a phone, read by a clerk, said to a hotline."""

import re

import httpx2
import pytest

from idp import clients, counter, sessions, staff
from idp.client_metadata import Consent
from idp.clients import Registration
from idp.counter import Counter, Tier
from idp.method import Method
from idp.staff import Opening
from idp.vocabulary import GrantType, Realm
from service.seed import BODIES
from tests.rig import Rig
from tests.service.portals import token

PAGES = ("/my/code", "/my/hotline", "/staff/code")


def browser_of(rig: Rig, subject: str, realm: Realm = Realm.CITIZEN) -> httpx2.Client:
    """A browser that is signed in by two factors."""
    http = rig.browser().http
    methods = (Method.PASSWORD, Method.TOTP)
    with rig.world.begin() as tx:
        opened = sessions.open_session(tx, rig.world.provider, realm, subject, methods, level=1)
    http.cookies.set(sessions.COOKIE, opened.cookie)
    return http


def clerk_of(rig: Rig) -> str:
    """A clerk who sits at a counter."""
    uscc = BODIES[0].issuer.uscc
    opening = Opening("counter.wu", "吴窗口", uscc, ("counter-clerk",), "a long secret of wu")
    with rig.world.begin() as tx:
        window = Counter("hall-1", "示例市政务服务中心1号窗口", uscc, Tier.CITY, "990100")
        counter.place(tx, rig.world.provider, window, by="a-test")
        return staff.open_account(tx, rig.world.provider, opening)


def press(http: httpx2.Client, path: str, **typed: str) -> httpx2.Response:
    return http.post(path, data={"csrf": token(http.get(path).text), **typed})


def code_on(page: str) -> str:
    (shown,) = re.findall(r'id="code"[^>]*>([0-9 ]+)<', page)
    return str(shown)


def test_a_clerk_reads_the_code_of_a_phone_and_sees_who_it_is(rig: Rig) -> None:
    citizen = rig.person()
    phone, desk = browser_of(rig, citizen.subject), browser_of(rig, clerk_of(rig), Realm.STAFF)
    code = code_on(phone.get("/my/code").text)
    answer = press(desk, "/staff/code", counter="hall-1", code=code)
    assert answer.status_code == 200, answer.text
    assert citizen.name in answer.text
    assert citizen.number not in answer.text
    again = press(desk, "/staff/code", counter="hall-1", code=code)
    assert again.status_code == 422
    assert citizen.name not in again.text


def test_a_clerk_without_a_counter_is_told_so(rig: Rig) -> None:
    with rig.world.begin() as tx:
        opening = Opening(
            "desk.li", "李某", BODIES[0].issuer.uscc, ("licence-clerk",), "a long secret of li"
        )
        subject = staff.open_account(tx, rig.world.provider, opening)
    assert "没有可以服务的窗口" in browser_of(rig, subject, Realm.STAFF).get("/staff/code").text


def test_a_person_gets_a_code_for_the_hotline_they_choose(rig: Rig) -> None:
    asked = Registration(
        client_id="hotline-12345",
        name_zh="12345 政务服务便民热线",
        name_en="Hotline 12345",
        grant_types=(GrantType.HOTLINE,),
        scopes=("openid", "profile"),
        realm=Realm.CITIZEN,
        consent=Consent.BY_PERSON,
    )
    with rig.world.begin() as tx:
        made = clients.register(tx, rig.world.provider, asked)
    phone = browser_of(rig, rig.person().subject)
    assert "12345" in phone.get("/my/hotline").text
    code = code_on(press(phone, "/my/hotline", hotline="hotline-12345").text)
    form = {"grant_type": str(GrantType.HOTLINE), "hotline_code": code}
    auth = (made.client_id, str(made.client_secret))
    assert rig.http.post("/oidc/token", data=form, auth=auth).status_code == 200


def test_there_is_no_code_for_a_hotline_that_is_none(rig: Rig) -> None:
    phone = browser_of(rig, rig.person().subject)
    assert press(phone, "/my/hotline", hotline="portal-a").status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_whoever_is_not_signed_in_signs_in_first(rig: Rig, path: str) -> None:
    assert "/login?" in rig.browser().http.get(path).headers["Location"]
