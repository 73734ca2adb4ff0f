"""Pages of ways to sign in: by SMS, one thing more, recovery, and one's own sign-in and security."""

import re
from html import unescape

import httpx2
import pytest
from pyotp import TOTP
from sqlalchemy import update

from idp import evidence, sessions, staff
from idp.interaction import BROWSER_COOKIE
from idp.levels import NATURAL, Evidence, EvidenceKind
from idp.methods import totp
from idp.tables import PersonRow, SessionRow
from idp.vocabulary import Realm
from service.seed import BODIES, CLERK_PASSWORD
from tests.rig import Citizen, Rig
from tests.service.portals import press, sent_back, shop

NEW = "another good password"


def sign_in(rig: Rig, citizen: Citizen) -> httpx2.Client:
    http = rig.browser().http
    answer = press(http, "/login", username=citizen.phone, password=citizen.password)
    assert answer.headers["Location"] == "/my/licences", answer.text
    return http


def sign_in_twice(rig: Rig, citizen: Citizen) -> httpx2.Client:
    """Sign in by password and SMS."""
    http = sign_in(rig, citizen)
    prove_phone(rig, http, "/login/more?next=/my/security", citizen)
    return http


def prove_phone(rig: Rig, http: httpx2.Client, path: str, citizen: Citizen) -> str:
    """Have a code sent on the page at `path`, type it, and return where that leads."""
    sent = press(http, path, by="send")
    assert sent.status_code == 303, sent.text
    answer = press(http, sent.headers["Location"], by="sms", sms=rig.sms_code(citizen.phone))
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def raise_level(rig: Rig, citizen: Citizen) -> None:
    seen = Evidence(
        kind=EvidenceKind.COUNTER,
        source="counter",
        reference="c-1",
        compared=("name", "number"),
        happened_at=rig.clock(),
    )
    with rig.world.begin() as tx:
        evidence.record(tx, rig.world.provider, citizen.subject, seen)


def methods_of(rig: Rig, http: httpx2.Client) -> tuple[str, ...]:
    with rig.world.begin() as tx:
        found = sessions.find(tx, rig.world.provider, http.cookies.get(sessions.COOKIE))
    return () if found is None else found.methods


def grow_old(rig: Rig, citizen: Citizen) -> None:
    """Let the person have signed in a while ago."""
    whose = update(SessionRow).where(SessionRow.subject == citizen.subject)
    with rig.world.begin() as tx:
        tx.execute(whose.values(signed_in_at=rig.clock().replace(year=2020)))


# By SMS


def test_a_citizen_signs_in_by_sms(rig: Rig) -> None:
    citizen, http = rig.person(), rig.browser().http
    sent = press(http, "/login/sms?next=/my/account", phone=citizen.phone)
    assert sent.headers["Location"].startswith("/login/sms/code?")
    page = http.get(sent.headers["Location"]).text
    assert citizen.phone not in page, "only masked"
    answer = press(http, sent.headers["Location"], code=rig.sms_code(citizen.phone))
    assert answer.headers["Location"] == "/my/account"
    assert methods_of(rig, http) == ("sms",)


def test_a_portal_waits_while_the_code_is_fetched(rig: Rig) -> None:
    portal, citizen = shop(rig, "shop-by-sms"), rig.person()
    http = rig.browser().http
    login = http.get(portal.url()).headers["Location"]
    by_sms = re.search(r'href="(/login/sms\?[^"]+)"', http.get(login).text)
    assert by_sms
    sent = press(http, unescape(by_sms[1]), phone=citizen.phone)
    answer = press(http, sent.headers["Location"], code=rig.sms_code(citizen.phone))
    assert "/consent?" in http.get(answer.headers["Location"]).headers["Location"]


@pytest.mark.parametrize("phone", ["", "123", "一三八"])
def test_what_is_no_phone_is_told_beside_the_field(rig: Rig, phone: str) -> None:
    answer = press(rig.browser().http, "/login/sms", phone=phone)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text


def test_a_wrong_code_is_typed_again_and_signs_nobody_in(rig: Rig) -> None:
    citizen, http = rig.person(), rig.browser().http
    sent = press(http, "/login/sms", phone=citizen.phone).headers["Location"]
    code = rig.sms_code(citizen.phone)
    answer = press(http, sent, code=f"{(int(code) + 1) % 1_000_000:06d}")
    assert answer.status_code == 422
    assert methods_of(rig, http) == ()
    assert press(http, sent, code=code).status_code == 303


def test_the_code_page_without_a_ticket_leads_back(rig: Rig) -> None:
    assert rig.browser().http.get("/login/sms/code").headers["Location"] == "/login/sms"


def test_staff_have_no_sms(rig: Rig) -> None:
    http = rig.browser().http
    assert "/login/sms" not in http.get("/login?realm=staff").text
    assert http.get("/login/sms?realm=staff").headers["Location"] == "/login?realm=staff"


# One thing more


def test_a_portal_that_needs_more_has_only_what_is_missing_asked(rig: Rig) -> None:
    portal, citizen = shop(rig, "shop-more", minimum_acr=NATURAL[2].acr), rig.person()
    raise_level(rig, citizen)
    http = sign_in(rig, citizen)
    more = http.get(portal.url()).headers["Location"]
    assert "/login/more?" in more
    page = unescape(http.get(more).text)
    assert "示例便民商城" in page
    assert 'id="why"' in page
    assert 'name="password"' not in page, "it was shown already"
    resumed = prove_phone(rig, http, more, citizen)
    assert "/consent?" in http.get(resumed).headers["Location"]
    assert methods_of(rig, http) == ("pwd", "sms")


def test_not_now_goes_back_with_an_error_where_the_level_is_a_must(rig: Rig) -> None:
    portal, citizen = shop(rig, "shop-not-now", minimum_acr=NATURAL[2].acr), rig.person()
    raise_level(rig, citizen)
    http = sign_in(rig, citizen)
    answer = press(http, http.get(portal.url()).headers["Location"], by="stay")
    told = sent_back(http.get(answer.headers["Location"]).headers["Location"])
    assert told["error"] == "unmet_authentication_requirements"


def test_more_is_asked_for_no_other_step(rig: Rig) -> None:
    """A second factor must not pass for signing in again."""
    portal, citizen = shop(rig, "shop-again"), rig.person()
    http = sign_in(rig, citizen)
    login = http.get(portal.url(prompt="login")).headers["Location"]
    more = login.replace("/login?", "/login/more?")
    resumed = http.get(more)
    assert "/oidc/authorize/" in resumed.headers["Location"]
    assert "/login?" in http.get(resumed.headers["Location"]).headers["Location"]


def test_nobody_who_is_not_signed_in_proves_more(rig: Rig) -> None:
    answer = rig.browser().http.get("/login/more?next=/my/security")
    assert answer.headers["Location"].startswith("/login?")


def test_whoever_has_proven_all_is_asked_nothing(rig: Rig) -> None:
    citizen = rig.person()
    http = sign_in_twice(rig, citizen)
    assert http.get("/login/more?next=/my/security").headers["Location"] == "/my/security"


def test_staff_set_an_app_up_at_their_first_sign_in(rig: Rig) -> None:
    opening = staff.Opening(
        "new.clerk", "新职员", "11990100MBXX90018M", ("licence-clerk",), "a clerk's first secret"
    )
    with rig.world.begin() as tx:
        subject = staff.open_account(tx, rig.world.provider, opening)
        totp.remove(tx, rig.world.provider, Realm.STAFF, subject, by="test")
    http = rig.browser().http
    answer = press(
        http, "/login?realm=staff", username="new.clerk", password="a clerk's first secret"
    )
    more = answer.headers["Location"]
    assert more.startswith("/login/more")
    page = http.get(more).text
    secret = re.search(r'id="totp-secret">([A-Z2-7]+)<', page)
    assert secret
    app = TOTP(secret[1])
    wrong = f"{(int(app.at(rig.clock())) + 1) % 1_000_000:06d}"
    assert press(http, more, by="app", app=wrong).status_code == 422
    done = press(http, more, by="app", app=app.at(rig.clock()))
    assert done.headers["Location"] == "/"
    assert methods_of(rig, http) == ("pwd", "otp")


def test_whoever_has_an_app_cannot_set_up_another_with_a_password_alone(rig: Rig) -> None:
    citizen = rig.person()
    http = sign_in(rig, citizen)
    assert http.get("/my/security/totp").headers["Location"].startswith("/login/more?")
    answer = press(http, "/login/more?next=/", by="app", app="123456")
    assert answer.status_code == 404
    assert methods_of(rig, http) == ("pwd",)


# Recovery


def test_a_forgotten_password_is_set_anew(rig: Rig) -> None:
    citizen, elsewhere = rig.person(), rig.browser().http
    elsewhere = sign_in(rig, citizen)
    http = rig.browser().http
    assert "/recover" in http.get("/login").text
    sent = press(http, "/recover", number=citizen.number, phone=citizen.phone)
    code = rig.sms_code(citizen.phone)
    weak = press(http, sent.headers["Location"], code=code, password="short")
    assert weak.status_code == 422
    done = press(http, sent.headers["Location"], code=code, password=NEW)
    assert done.headers["Location"] == "/my/security?done=recovered"
    assert methods_of(rig, http) == ("sms",)
    assert methods_of(rig, elsewhere) == (), "every other session is over"
    again = press(rig.browser().http, "/login", username=citizen.phone, password=NEW)
    assert again.headers["Location"] == "/my/licences"


def test_a_phone_and_a_number_of_two_people_recover_nothing(rig: Rig) -> None:
    citizen, other = rig.person(), rig.person()
    http = rig.browser().http
    sent = press(http, "/recover", number=other.number, phone=citizen.phone)
    answer = press(http, sent.headers["Location"], code=rig.sms_code(citizen.phone), password=NEW)
    assert answer.status_code == 422
    assert other.number not in answer.text.replace(f'value="{other.number}"', "")
    assert methods_of(rig, http) == ()


# One's own sign-in and security


def test_the_page_shows_devices_and_ways(rig: Rig) -> None:
    http = sign_in(rig, rig.person())
    page = http.get("/my/security").text
    for path in ("password", "phone", "totp"):
        assert f'href="/my/security/{path}"' in page
    assert page.count('scope="row"') == 1


def test_a_device_can_be_forgotten(rig: Rig) -> None:
    citizen = rig.person()
    sign_in(rig, citizen)
    http = sign_in(rig, citizen)
    found = re.search(r'name="forget" value="([0-9a-f]+)"', http.get("/my/security").text)
    assert found
    assert press(http, "/my/security", forget="no hex").status_code == 303
    press(http, "/my/security", forget=found[1])
    assert http.get("/my/security").text.count('scope="row"') == 1


def test_a_password_is_changed(rig: Rig) -> None:
    citizen = rig.person()
    http = sign_in(rig, citizen)
    wrong = press(http, "/my/security/password", former="not it at all", password=NEW)
    assert wrong.status_code == 422
    done = press(http, "/my/security/password", former=citizen.password, password=NEW)
    assert done.headers["Location"] == "/my/security?done=password"
    assert 'role="status"' in http.get(done.headers["Location"]).text


def test_a_phone_is_changed(rig: Rig) -> None:
    citizen = rig.person()
    http, new = sign_in(rig, citizen), f"139{citizen.phone[3:]}"
    sent = press(http, "/my/security/phone", phone=new)
    assert sent.headers["Location"] == "/my/security/phone/code"
    done = press(http, sent.headers["Location"], code=rig.sms_code(new))
    assert done.headers["Location"] == "/my/security?done=phone"
    by_new = press(rig.browser().http, "/login", username=new, password=citizen.password)
    assert by_new.headers["Location"] == "/my/licences"


def test_an_app_is_set_up_used_and_removed(rig: Rig) -> None:
    citizen = rig.person()
    http = sign_in_twice(rig, citizen)
    secret = re.search(r'id="totp-secret">([A-Z2-7]+)<', http.get("/my/security/totp").text)
    assert secret
    app = TOTP(secret[1])
    done = press(http, "/my/security/totp", app=app.at(rig.clock()))
    assert done.headers["Location"] == "/my/security?done=totp"
    rig.clock.tick(minutes=1)
    another = sign_in(rig, citizen)
    answer = press(another, "/login/more?next=/my/security", by="totp", totp=app.at(rig.clock()))
    assert answer.headers["Location"] == "/my/security"
    assert methods_of(rig, another) == ("pwd", "otp")
    gone = press(another, "/my/security/totp", remove="1")
    assert gone.headers["Location"] == "/my/security?done=totp_removed"
    assert 'name="totp"' not in sign_in(rig, citizen).get("/login/more").text


@pytest.mark.parametrize("path", ["password", "phone", "totp"])
def test_what_is_changed_for_good_wants_a_recent_sign_in(rig: Rig, path: str) -> None:
    citizen = rig.person()
    http = sign_in_twice(rig, citizen)
    grow_old(rig, citizen)
    answer = http.get(f"/my/security/{path}")
    assert answer.headers["Location"].startswith("/login?again=1")
    login = answer.headers["Location"]
    done = press(http, login, username=citizen.phone, password=citizen.password)
    assert done.headers["Location"] == f"/my/security/{path}"


def test_a_browser_is_known_for_long_by_a_cookie_that_scripts_cannot_read(rig: Rig) -> None:
    answer = rig.browser().http.get("/login")
    (cookie,) = (each for each in answer.headers.get_list("set-cookie") if BROWSER_COOKIE in each)
    assert "Max-Age=34560000" in cookie
    assert "HttpOnly" in cookie


@pytest.mark.parametrize(
    "path",
    ["/my/account", "/my/security", "/my/security/password", "/my/passkeys", "/my/code", "/staff"],
)
def test_one_factor_opens_no_page_to_staff(rig: Rig, path: str) -> None:
    http = rig.browser().http
    clerk = BODIES[0].clerk
    press(http, "/login?realm=staff", username=clerk.username, password=CLERK_PASSWORD)
    answer = http.get(path)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/login/more?realm=staff&next=%2F")


def test_whoever_has_no_second_factor_is_told_so_and_not_sent_in_circles(rig: Rig) -> None:
    citizen = rig.person()
    http = sign_in(rig, citizen)
    with rig.world.begin() as tx:
        whose = update(SessionRow).where(SessionRow.subject == citizen.subject)
        tx.execute(whose.values(methods=["sms"]))
        person = update(PersonRow).where(PersonRow.subject == citizen.subject)
        tx.execute(person.values(password_hash=""))
    answer = http.get("/my/security/phone")
    assert answer.status_code != 303


@pytest.mark.parametrize("path", ["/my/licences", "/my/records", "/my/code"])
def test_a_social_account_alone_opens_no_page_of_the_persons(rig: Rig, path: str) -> None:
    citizen = rig.person()
    http = sign_in(rig, citizen)
    with rig.world.begin() as tx:
        whose = update(SessionRow).where(SessionRow.subject == citizen.subject)
        tx.execute(whose.values(methods=["social"], level=0))
    assert http.get(path).headers["Location"].startswith("/login/more?realm=citizen&next=")


def test_whoever_tries_the_sandbox_as_a_clerk_is_told_the_code(rig: Rig) -> None:
    http = rig.browser().http
    press(http, "/login?realm=staff", username="clerk-housing", password=CLERK_PASSWORD)
    found = re.search(r'id="sandbox-code">\D*(\d{6})', http.get("/login/more").text)
    assert found
    assert press(http, "/login/more", by="totp", totp=found[1]).is_redirect
    assert http.get("/staff").status_code == 200
