"""My level, the live check and the counter, as old phones see them."""

import base64
import json
import re
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx2
import pytest

from idp import accounts, clients, counter, register_watch, sessions
from idp.clients import Registration
from idp.counter import Counter, Tier
from idp.levels import NATURAL
from idp.sources.live_person import LiveMethod
from idp.staff import Opening, open_account
from idp.vocabulary import AuthMethod, Delivery, GrantType, Realm
from service.locale import COOKIE
from service.seed import HOUSING
from tests.idp.standing import DEED, HASH, transaction
from tests.idp.test_dispatch import essential
from tests.rig import Citizen, Rig
from tests.service.portals import plain, press
from tests.service.test_pages import post
from tests.service.test_pages_approvals import SECRET, registered

CALLBACK = "https://land.example/callback"


def browser_of(rig: Rig, subject: str, realm: Realm, level: int) -> httpx2.Client:
    """A browser in which somebody is signed in by two factors."""
    http = rig.browser().http
    http.get("/v")
    with rig.world.begin() as tx:
        opened = sessions.open_session(
            tx, rig.world.provider, realm, subject, ("pwd", "otp"), level=level
        )
    http.cookies.set(sessions.COOKIE, opened.cookie)
    return http


def citizen_at(rig: Rig, citizen: Citizen, level: int = 1) -> httpx2.Client:
    return browser_of(rig, citizen.subject, Realm.CITIZEN, level)


def clerk_at(rig: Rig, username: str, role: str = "counter-clerk") -> httpx2.Client:
    with rig.world.begin() as tx:
        opening = Opening(username, "周远", HOUSING.uscc, (role,), None)
        subject = open_account(tx, rig.world.provider, opening)
        place = Counter("hall-1", "示例市政务服务中心", HOUSING.uscc, Tier.CITY, "990100")
        counter.place(tx, rig.world.provider, place, by="a-test")
    return browser_of(rig, subject, Realm.STAFF, 1)


def seen_live(rig: Rig, started: httpx2.Response, *, passed: bool = True) -> str:
    """Do the check where the page sent the person, and come back to the address told."""
    assert started.status_code == 303, plain(started)
    answer = httpx2.post(started.headers["Location"], data={"passed": str(passed).lower()})
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


def test_a_person_sees_where_they_stand_and_why(rig: Rig) -> None:
    page = citizen_at(rig, rig.person()).get("/my/level")
    assert page.status_code == 200
    told = plain(page)
    assert "初级" in told
    assert "人口库核对" in told
    assert "手机号验证" in told


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_the_page_has_a_heading_and_every_field_a_label(rig: Rig, locale: str) -> None:
    http = citizen_at(rig, rig.person())
    http.cookies.set(COOKIE, locale)
    page = http.get("/my/level").text
    assert page.count("<h1") == 1
    for field in re.findall(r'<input class="[^"]*" id="([^"]+)"', page):
        assert f'<label for="{field}"' in page
    assert not re.search(r">(level|evidence_kind|live)\.", page), "every word is there"


@pytest.mark.parametrize("method", [method.value for method in LiveMethod])
def test_an_online_live_check_raises_the_level(rig: Rig, method: str) -> None:
    http = citizen_at(rig, rig.person())
    back = seen_live(rig, press(http, "/my/level", way=method))
    assert http.get(back).headers["Location"] == "/my/level?done=raised"
    assert "中级" in plain(http.get("/my/level?done=raised"))


def fallen(rig: Rig, citizen: Citizen) -> None:
    """The register says that somebody is gone, and then that they are not."""
    for state in ("deceased", "current"):
        rig.tell_outside("person", number=citizen.number, state=state)
        register_watch.look(rig.world.provider, citizen.subject)


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_whoever_fell_has_the_register_asked_again(rig: Rig, locale: str) -> None:
    citizen = rig.person()
    fallen(rig, citizen)
    http = citizen_at(rig, citizen, level=0)
    http.cookies.set(COOKIE, locale)
    assert 'href="/my/level/register"' in http.get("/my/level").text
    page = http.get("/my/level/register")
    assert "138****" in page.text
    assert press(http, "/my/level/register").headers["Location"] == "/my/level/register/code"
    page = http.get("/my/level/register/code")
    assert citizen.number not in page.text
    assert not re.search(r">(reconfirm|register|sms)\.", page.text), "every word is there"
    for field in re.findall(r'<input class="[^"]*" id="([^"]+)"', page.text):
        assert f'<label for="{field}"' in page.text
    chosen = re.findall(r'<option value="(\d+)"[^>]* selected', page.text)
    sex = re.findall(r'name="sex" value="(\d)"[^>]* checked', page.text)
    typed = {"name": citizen.name, "ethnicity": chosen[0], "sex": sex[0]}
    wrong = press(http, "/my/level/register/code", code="000000", **typed)
    assert wrong.status_code == 422
    done = press(http, "/my/level/register/code", code=rig.sms_code(citizen.phone), **typed)
    assert done.headers["Location"] == "/my/level?done=raised"
    with rig.world.begin() as tx:
        standing = accounts.standing(tx, rig.world.provider, citizen.subject)
    assert standing.level is NATURAL[1]
    assert http.get("/my/level/register/code").headers["Location"] == "/my/level/register"


def test_a_wrong_particular_ends_the_try_and_tells_its_kind(rig: Rig) -> None:
    citizen = rig.person()
    fallen(rig, citizen)
    http = citizen_at(rig, citizen, level=0)
    press(http, "/my/level/register")
    typed = {"name": "某某某", "ethnicity": "01", "sex": "1", "code": rig.sms_code(citizen.phone)}
    answer = press(http, "/my/level/register/code", **typed)
    assert answer.status_code == 422
    assert "姓名" in plain(answer)
    assert http.get("/my/level/register/code").headers["Location"] == "/my/level/register"


def test_alipay_and_back_raises_the_level(rig: Rig) -> None:
    citizen = rig.person()
    http = citizen_at(rig, citizen)
    away = press(http, "/my/level", way="alipay").headers["Location"]
    answer = httpx2.post(away, data={"number": citizen.number})
    back = urlsplit(answer.headers["Location"])
    assert back.path == "/my/level/alipay"
    assert http.get(f"{back.path}?{back.query}").headers["Location"] == "/my/level?done=raised"
    assert http.get(f"{back.path}?{back.query}").status_code == 410, "once"


def test_whoever_refuses_at_alipay_is_where_they_were(rig: Rig) -> None:
    http = citizen_at(rig, rig.person())
    away = press(http, "/my/level", way="alipay").headers["Location"]
    answer = httpx2.post(away, data={"number": ""})
    back = urlsplit(answer.headers["Location"])
    assert http.get(f"{back.path}?{back.query}").headers["Location"] == "/my/level"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"way": "unionpay", "card": "1234"}, "银行卡号有误"),
        ({"way": "housing-fund", "account": "?"}, "公积金账号只含字母和数字"),
        (
            {"way": "housing-fund", "account": "000000000000"},
            "您填写的内容或本账号的手机号与对方登记的不一致",
        ),
    ],
)
def test_what_is_wrong_is_told_by_kind(rig: Rig, typed: dict[str, str], sentence: str) -> None:
    answer = press(citizen_at(rig, rig.person()), "/my/level", **typed)
    assert answer.status_code == 422
    assert sentence in plain(answer)
    assert typed.get("card", "no card") not in answer.text


def test_whoever_is_not_signed_in_signs_in_first(rig: Rig) -> None:
    http = rig.browser().http
    assert http.get("/my/level").headers["Location"] == "/login?next=/my/level"
    assert http.get("/staff/counter").headers["Location"].startswith("/login?realm=staff")


def test_a_citizen_has_no_counter(rig: Rig) -> None:
    answer = citizen_at(rig, rig.person()).get("/staff/counter")
    assert answer.headers["Location"].startswith("/login?realm=staff")


def test_a_clerk_records_and_another_looks_again(rig: Rig) -> None:
    citizen, clerk = rig.person(), clerk_at(rig, "counter-a")
    form = {"counter": "hall-1", "document": "resident-id-card", "number": citizen.number}
    wrong = press(clerk, "/staff/counter", name="不是他", **form)
    assert wrong.status_code == 422
    assert "姓名" in plain(wrong)
    missing = press(clerk, "/staff/counter", name="", **form)
    assert "请填写证件姓名" in plain(missing)
    answer = press(clerk, "/staff/counter", name=citizen.name, **form)
    assert answer.headers["Location"].startswith("/staff/counter?done=")
    assert "示例市政务服务中心" in plain(citizen_at(rig, citizen).get("/my/level"))
    assert citizen.number not in clerk.get("/staff/counter").text


def land_office(rig: Rig) -> None:
    with rig.world.begin() as tx:
        if clients.find(tx, "land-office") is None:
            asked = Registration(
                client_id="land-office",
                name_zh="示例市不动产登记中心",
                name_en="Example City land office",
                grant_types=(GrantType.AUTHORIZATION_CODE,),
                scopes=("openid",),
                realm=Realm.CITIZEN,
                redirect_uris=(CALLBACK,),
                authorization_details_types=("transaction",),
            )
            clients.register(tx, rig.world.provider, asked)


def at_live_page(rig: Rig, http: httpx2.Client) -> str:
    """Ask for 高级 as a portal, agree, and arrive at the live page."""
    land_office(rig)
    query = {
        "client_id": "land-office",
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid",
        "code_challenge": "x" * 43,
        "code_challenge_method": "S256",
        "claims": essential(NATURAL[3].acr),
        "authorization_details": transaction(),
    }
    consent = http.get("/oidc/authorize", params=query).headers["Location"]
    assert "/consent?" in consent, consent
    resumed = press(http, path(consent), decision="approve").headers["Location"]
    live = http.get(path(resumed)).headers["Location"]
    assert "/login/live?" in live
    return path(live)


def path(location: str) -> str:
    parts = urlsplit(location)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


@pytest.fixture
def intermediate(rig: Rig) -> httpx2.Client:
    """The browser of somebody who stands at 中级 and is signed in so."""
    citizen = rig.person()
    http = citizen_at(rig, citizen)
    http.get(seen_live(rig, press(http, "/my/level", way="face")))
    return citizen_at(rig, citizen, 2)


def test_a_person_reads_what_it_is_for_is_seen_and_goes_on(
    rig: Rig, intermediate: httpx2.Client
) -> None:
    live = at_live_page(rig, intermediate)
    page = intermediate.get(live)
    assert DEED in plain(page)
    assert HASH not in page.text
    back = seen_live(rig, press(intermediate, live, method="face"))
    assert back == live
    resumed = intermediate.get(back).headers["Location"]
    answer = intermediate.get(path(resumed)).headers["Location"]
    assert answer.startswith(f"{CALLBACK}?code=")


@pytest.mark.parametrize("then", ["try_again", "give_up"])
def test_whoever_is_not_recognised_may_try_again_or_give_up(
    rig: Rig, intermediate: httpx2.Client, then: str
) -> None:
    live = at_live_page(rig, intermediate)
    back = seen_live(rig, press(intermediate, live, method="face"), passed=False)
    failed = intermediate.get(back)
    assert failed.status_code == 422
    assert "未能确认是您本人" in plain(failed)
    ways: dict[str, Callable[[], None]] = {
        "try_again": lambda: try_again(rig, intermediate, live),
        "give_up": lambda: give_up(intermediate, live),
    }
    ways[then]()


def try_again(rig: Rig, http: httpx2.Client, live: str) -> None:
    resumed = http.get(seen_live(rig, press(http, live, method="video"))).headers["Location"]
    assert "code=" in http.get(path(resumed)).headers["Location"]


def give_up(http: httpx2.Client, live: str) -> None:
    resumed = press(http, live, decision="deny").headers["Location"]
    assert "error=access_denied" in http.get(path(resumed)).headers["Location"]


def test_the_live_page_shows_while_the_check_is_not_done(
    rig: Rig, intermediate: httpx2.Client
) -> None:
    live = at_live_page(rig, intermediate)
    press(intermediate, live, method="voice")
    waiting = intermediate.get(live)
    assert waiting.status_code == 409
    assert "尚未完成" in plain(waiting)


def test_another_browser_gets_no_live_page(rig: Rig, intermediate: httpx2.Client) -> None:
    live = at_live_page(rig, intermediate)
    assert rig.browser().http.get(live).status_code == 400
    assert post(rig.browser().http, live, method="face").status_code in (400, 403)


def test_a_request_from_elsewhere_waits_until_the_person_was_seen(
    rig: Rig, intermediate: httpx2.Client
) -> None:
    with rig.world.begin() as tx:
        session = sessions.find(tx, rig.world.provider, intermediate.cookies[sessions.COOKIE])
        assert session is not None
        phone = accounts.particulars(tx, rig.world.provider, session.subject).phone
    citizen = Citizen(session.subject, "", "", phone, "")
    registered(
        rig,
        "hotline",
        client_secret=SECRET,
        auth_method=AuthMethod.POST,
        grant_types=(GrantType.CIBA,),
        backchannel_token_delivery_mode=Delivery.POLL,
        authorization_details_types=("transaction",),
    )
    form = {
        "client_id": "hotline",
        "client_secret": SECRET,
        "scope": "openid",
        "login_hint": citizen.phone,
        "acr_values": NATURAL[3].acr,
        "authorization_details": transaction(),
    }
    asked = rig.http.post("/oidc/bc-authorize", data=form).json()
    page = intermediate.get("/my/approvals")
    assert DEED in plain(page)
    assert 'id="approve"' not in page.text
    uid = re.findall(r'name="request" value="([^"]+)"', page.text)[0]
    started = press(intermediate, "/my/approvals", request=uid, decision="see", method="video")
    page = intermediate.get(seen_live(rig, started))
    assert 'id="approve"' in page.text
    press(intermediate, "/my/approvals", request=uid, decision="approve")
    answer = rig.http.post(
        "/oidc/token",
        data={
            "grant_type": GrantType.CIBA,
            "auth_req_id": asked["auth_req_id"],
            "client_id": "hotline",
            "client_secret": SECRET,
        },
    ).json()
    told = json.loads(base64.urlsafe_b64decode(answer["id_token"].split(".")[1] + "=="))
    assert (told["acr"], told["transaction"]["hash"]) == (NATURAL[3].acr, HASH)
