"""An old system that knows CAS alone: tickets good once, for it, for half a minute."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx2
import pytest
from lxml import etree

from idp import clients, releases, sessions, staff
from idp.client_metadata import StaffAccounts
from idp.clients import Registration
from idp.levels import NATURAL
from idp.sessions import Ending
from idp.staffing import lifecycle, local_accounts
from idp.staffing.local_accounts import Account
from idp.vocabulary import AuthMethod, Realm
from service.chance import Chance, real_chance
from service.running import running
from service.seed import BODIES, CLERK_PASSWORD
from tests.browser import Browser
from tests.conftest import Clone, settings_of_a_rig
from tests.rig import Citizen, Rig, TestClock, breakable
from tests.service.portals import press

SERVICE = "https://oa.city.example/app/index.jsp?menu=1"
_CAS = "{http://www.yale.edu/tp/cas}"


@pytest.fixture
def rig(clone: Clone, seeded_template: str, redis_url: str, tmp_path: Path) -> Iterator[Rig]:
    """The service with one old system."""
    clock, points = TestClock(), set[str]()
    with clone(seeded_template) as url:
        settings = settings_of_a_rig(
            tmp_path,
            database_url=url,
            redis_url=redis_url,
            cas_services="https://oa.city.example/app/=oa",
        )
        chance = Chance(clock, real_chance().random)
        with running(settings, chance, breakable(points)) as world:
            rig = Rig(world, clock, points)
            register(rig)
            yield rig
            rig.close()


def register(rig: Rig, **changed: object) -> None:
    asked = Registration(
        client_id="oa",
        name_zh="旧系统",
        name_en="Old system",
        realm=Realm.CITIZEN,
        auth_method=AuthMethod.NONE,
        redirect_uris=(f"{rig.address}/cas/granted",),
        post_logout_redirect_uris=("https://oa.city.example/app/bye",),
        scopes=("openid", "profile"),
    )
    with rig.world.begin() as tx:
        clients.remove(tx, rig.world.provider, "oa", by="test")
        clients.register(tx, rig.world.provider, replace(asked, **changed))  # type: ignore[arg-type]


def login_url(service: str = SERVICE, **more: str) -> str:
    return f"/cas/login?{urlencode({'service': service, **more})}"


def arrived(browser: Browser, url: str, citizen: Citizen | None = None) -> str:
    """Go to `url`, sign in when asked, and return where the browser leaves the service."""
    answer = browser.http.get(url)
    while True:
        if not answer.is_redirect:
            assert citizen is not None, answer.text
            answer = browser._sign_in(answer, citizen.number, citizen.password)
        location = urljoin(str(answer.url), answer.headers["Location"])
        if not location.startswith(browser.address):
            return location
        answer = browser.http.get(location)


def ticket_of(location: str) -> str:
    return parse_qs(urlsplit(location).query)["ticket"][0]


def validated(rig: Rig, ticket: str, service: str = SERVICE, **more: str) -> httpx2.Response:
    asked = {"ticket": ticket, "service": service, **more}
    return rig.http.get(f"/cas/p3/serviceValidate?{urlencode(asked)}")


def code_of(answer: httpx2.Response) -> str | None:
    failure = etree.fromstring(answer.content).find(f"{_CAS}authenticationFailure")
    return None if failure is None else failure.get("code")


def test_a_ticket_tells_an_old_system_who_it_is_once(rig: Rig) -> None:
    citizen = rig.person()
    location = arrived(rig.browser(), login_url(), citizen)
    assert location.startswith(f"{SERVICE}&ticket=ST-")
    answer = validated(rig, ticket_of(location))
    success = etree.fromstring(answer.content).find(f"{_CAS}authenticationSuccess")
    assert success is not None
    assert success.findtext(f"{_CAS}user") == citizen.subject
    assert success.findtext(f"{_CAS}attributes/{_CAS}name") == citizen.name
    assert citizen.number not in answer.text
    assert code_of(validated(rig, ticket_of(location))) == "INVALID_TICKET"


def at_work(rig: Rig) -> Browser:
    """A browser in which a clerk has shown both factors."""
    browser, clerk = rig.browser(), BODIES[0].clerk
    more = press(
        browser.http, "/login?realm=staff", username=clerk.username, password=CLERK_PASSWORD
    )
    code = rig.code_of(clerk.username)
    assert press(browser.http, more.headers["Location"], totp=code, by="totp").is_redirect
    return browser


@pytest.fixture
def mapped(rig: Rig) -> Account:
    """The old system takes staff by its own accounts, and a clerk has this one there."""
    register(rig, staff_accounts=StaffAccounts.MAPPED, realm=Realm.STAFF)
    account = Account("A-17", "周清和")
    with rig.world.begin() as tx:
        subject = staff.subject_of(tx, BODIES[0].clerk.username) or ""
        local_accounts.link(tx, rig.world.provider, "oa", subject, account, by="test")
    return account


def test_a_system_with_accounts_of_its_own_is_told_which_it_is(rig: Rig, mapped: Account) -> None:
    ticket = ticket_of(arrived(at_work(rig), login_url()))
    answer = validated(rig, ticket)
    success = etree.fromstring(answer.content).find(f"{_CAS}authenticationSuccess")
    assert success is not None, answer.text
    assert success.findtext(f"{_CAS}user") == mapped.local_id
    assert success.findtext(f"{_CAS}attributes/{_CAS}local_account") == mapped.local_id


def test_a_ticket_proves_nothing_once_the_account_is_unlinked(rig: Rig, mapped: Account) -> None:
    ticket = ticket_of(arrived(at_work(rig), login_url()))
    with rig.world.begin() as tx:
        subject = staff.subject_of(tx, BODIES[0].clerk.username) or ""
        local_accounts.unlink(tx, rig.world.provider, "oa", subject, mapped.local_id, by="test")
    assert code_of(validated(rig, ticket)) == "INVALID_TICKET"


def test_a_ticket_proves_nothing_once_the_account_is_closed(rig: Rig, mapped: Account) -> None:
    ticket = ticket_of(arrived(at_work(rig), login_url()))
    with rig.world.begin() as tx:
        subject = staff.subject_of(tx, BODIES[0].clerk.username) or ""
        lifecycle.close(tx, rig.world.provider, subject, by="test")
    assert code_of(validated(rig, ticket)) == "INVALID_TICKET"


def test_signed_in_once_the_person_is_not_asked_again(rig: Rig) -> None:
    browser = rig.browser()
    arrived(browser, login_url(), rig.person())
    assert "ticket=ST-" in arrived(browser, login_url())


def test_renew_asks_even_whoever_is_signed_in(rig: Rig) -> None:
    browser, citizen = rig.browser(), rig.person()
    plain = ticket_of(arrived(browser, login_url(), citizen))
    assert code_of(validated(rig, plain, renew="true")) == "INVALID_TICKET"
    fresh = ticket_of(arrived(browser, login_url(renew="true"), citizen))
    assert code_of(validated(rig, fresh, renew="true")) is None


def test_gateway_shows_no_page(rig: Rig) -> None:
    assert arrived(rig.browser(), login_url(gateway="true")) == SERVICE


def test_a_ticket_is_for_its_service_alone(rig: Rig) -> None:
    ticket = ticket_of(arrived(rig.browser(), login_url(), rig.person()))
    other = "https://oa.city.example/app/other"
    assert code_of(validated(rig, ticket, other)) == "INVALID_SERVICE"
    assert code_of(validated(rig, ticket)) == "INVALID_TICKET"  # it is spent


@pytest.mark.parametrize(
    "service",
    [
        "https://evil.example/",
        "https://oa.city.example/other/",
        "https://oa.city.example.evil.example/app/",
        "https://oa.city.example/app/../other/",
        "https://oa.city.example/app/%2e%2e/other/",
        "https://oa.city.example/app/..\\other",
        "https://oa.city.example/app/..;a=1/other/",
        "https://[::1/app/",
        "javascript:alert(1)",
        "",
    ],
)
def test_an_address_that_is_not_registered_gets_no_ticket(rig: Rig, service: str) -> None:
    answer = rig.browser().http.get(login_url(service))
    assert answer.status_code == 403


def test_a_ticket_lapses(rig: Rig) -> None:
    ticket = ticket_of(arrived(rig.browser(), login_url(), rig.person()))
    keys = list(rig.world.redis.scan_iter("yinxin:idp:cas-ticket:*"))
    assert [0 < rig.world.redis.ttl(key) <= 30 for key in keys] == [True]
    assert ticket not in str(keys)


def test_a_ticket_dies_with_the_sign_on(rig: Rig) -> None:
    citizen = rig.person()
    ticket = ticket_of(arrived(rig.browser(), login_url(), citizen))
    provider = rig.world.provider
    with rig.world.begin() as tx:
        for own in sessions.of_subject(tx, provider, citizen.subject):
            sessions.end(tx, provider, own.sid, by=citizen.subject, why=Ending.SIGNED_OUT)
    assert code_of(validated(rig, ticket)) == "INVALID_TICKET"


def test_a_system_that_needs_more_is_not_opened_by_less(rig: Rig) -> None:
    with rig.world.begin() as tx:
        provider = rig.world.provider
        client = clients.get(tx, "oa")
        changed = clients.registration(replace(client, minimum_acr=NATURAL[2].acr))
        clients.change(tx, provider, "oa", changed, by="test")
    browser, citizen = rig.browser(), rig.person()
    answer = browser.http.get(login_url())
    while answer.is_redirect:
        answer = browser.http.get(urljoin(str(answer.url), answer.headers["Location"]))
    answer = browser._sign_in(answer, citizen.number, citizen.password)
    while answer.is_redirect:
        location = urljoin(str(answer.url), answer.headers["Location"])
        assert location.startswith(rig.address), "a ticket was given"
        answer = browser.http.get(location)
    assert "ST-" not in answer.text


def test_the_first_version_and_json_are_answered_too(rig: Rig) -> None:
    browser, citizen = rig.browser(), rig.person()
    first = ticket_of(arrived(browser, login_url(), citizen))
    asked = urlencode({"ticket": first, "service": SERVICE})
    assert rig.http.get(f"/cas/validate?{asked}").text == f"yes\n{citizen.subject}\n"
    assert rig.http.get(f"/cas/validate?{asked}").text == "no\n\n"
    second = ticket_of(arrived(browser, login_url(), citizen))
    told = validated(rig, second, format="JSON").json()["serviceResponse"]
    assert told["authenticationSuccess"]["attributes"]["name"] == [citizen.name]
    assert code_of(rig.http.get("/cas/serviceValidate")) == "INVALID_REQUEST"


def test_the_release_is_noted_for_the_person(rig: Rig) -> None:
    citizen = rig.person()
    validated(rig, ticket_of(arrived(rig.browser(), login_url(), citizen)))
    with rig.world.begin() as tx:
        (release,) = releases.of_subject(tx, citizen.subject)
    assert (release.client_id, release.place) == ("oa", "cas")


def test_signing_out_goes_back_only_where_it_may(rig: Rig) -> None:
    browser = rig.browser()
    back = "https://oa.city.example/app/bye"
    told = browser.http.get(f"/cas/logout?{urlencode({'service': back})}").headers["Location"]
    assert parse_qs(urlsplit(told).query)["post_logout_redirect_uri"] == [back]
    told = browser.http.get("/cas/logout?service=https://evil.example/").headers["Location"]
    assert "evil" not in told


def test_another_browsers_answer_is_refused(rig: Rig) -> None:
    citizen, browser = rig.person(), rig.browser()
    answer = browser.http.get(login_url())
    state = parse_qs(urlsplit(answer.headers["Location"]).query)["state"][0]
    other = rig.browser()
    arrived(other, login_url(), citizen)
    answer = other.http.get(f"/cas/granted?{urlencode({'state': state, 'code': 'c'})}")
    assert answer.status_code == 410
