"""Signing in by a phone in two real Chromium windows: one shows the code, one scans it from the picture."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from idp import sessions
from idp.method import Method
from idp.vocabulary import Realm
from seal import qr
from service.locale import COOKIE
from tests import chromium
from tests.rig import Citizen, Rig

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    if path is None:
        pytest.skip("no Chromium on this machine: scanning in a browser is NOT tested")
    with chromium.launched(path) as launched:
        yield launched


@pytest.fixture
def opened(rig: Rig, browser: Browser) -> Iterator[list[BrowserContext]]:
    contexts: list[BrowserContext] = []
    yield contexts
    for context in contexts:
        context.close()


def window(
    rig: Rig, browser: Browser, opened: list[BrowserContext], *, scripts: bool = True
) -> Page:
    context = browser.new_context(java_script_enabled=scripts)
    context.add_cookies([{"name": COOKIE, "value": "en", "url": rig.address}])
    opened.append(context)
    page = context.new_page()
    page.set_default_timeout(15_000)
    return page


def phone_of(rig: Rig, browser: Browser, opened: list[BrowserContext], citizen: Citizen) -> Page:
    page = window(rig, browser, opened)
    with rig.world.begin() as tx:
        session = sessions.open_session(
            tx, rig.world.provider, Realm.CITIZEN, citizen.subject, (Method.PASSWORD,)
        )
    page.context.add_cookies(
        [{"name": sessions.COOKIE, "value": session.cookie, "url": rig.address}]
    )
    return page


def scanned(screen: Page) -> str:
    """Return what a camera reads from the screen."""
    (told,) = qr.read_picture(screen.screenshot())
    return told


@pytest.mark.parametrize("scripts", [True, False])
def test_a_person_signs_in_at_a_screen_by_their_phone(
    rig: Rig, browser: Browser, opened: list[BrowserContext], scripts: bool
) -> None:
    citizen = rig.person()
    screen = window(rig, browser, opened, scripts=scripts)
    phone = phone_of(rig, browser, opened, citizen)
    screen.goto(f"{rig.address}/login/qr")
    expect(screen.get_by_text("Waiting for a scan")).to_be_visible()
    phone.goto(scanned(screen))
    expect(phone.get_by_text("Chrome")).to_be_visible()
    number = screen.locator("#match").inner_text()
    phone.get_by_role("button", name=number, exact=True).click()
    expect(phone.get_by_role("status")).to_contain_text("signed in now")
    if not scripts:
        screen.get_by_role("button", name="Go on").click()
    screen.wait_for_url(f"{rig.address}/my/licences")
    expect(screen.locator("nav.nav")).to_contain_text(citizen.name)


def test_a_wrong_number_is_told_on_both_sides(
    rig: Rig, browser: Browser, opened: list[BrowserContext]
) -> None:
    screen = window(rig, browser, opened)
    phone = phone_of(rig, browser, opened, rig.person())
    screen.goto(f"{rig.address}/login/qr")
    phone.goto(scanned(screen))
    number = screen.locator("#match").inner_text()
    offered = phone.locator("button[name=number]").all_inner_texts()
    wrong = next(each for each in offered if each != number)
    phone.get_by_role("button", name=wrong, exact=True).click()
    expect(phone.get_by_role("heading", level=1)).to_contain_text("Another number")
    expect(screen.get_by_text("Cancelled", exact=True)).to_be_visible()


def test_a_code_that_lapsed_is_made_anew_by_a_button(
    rig: Rig, browser: Browser, opened: list[BrowserContext]
) -> None:
    screen = window(rig, browser, opened)
    screen.goto(f"{rig.address}/login/qr")
    rig.clock.tick(seconds=61)
    expect(screen.get_by_text("Lapsed", exact=True)).to_be_visible()
    screen.get_by_role("link", name="Get a new code").click()
    expect(screen.get_by_text("Waiting for a scan")).to_be_visible()


def test_who_scans_without_being_signed_in_signs_in_first_and_comes_back(
    rig: Rig, browser: Browser, opened: list[BrowserContext]
) -> None:
    screen, phone = (window(rig, browser, opened) for _ in range(2))
    citizen = rig.person()
    screen.goto(f"{rig.address}/login/qr")
    phone.goto(scanned(screen))
    phone.fill("#username", citizen.phone)
    phone.fill("#password", citizen.password)
    phone.click("#login")
    expect(phone.get_by_role("heading", level=1)).to_contain_text("another device")


def test_what_another_phone_scanned_is_told_to_be_gone(
    rig: Rig, browser: Browser, opened: list[BrowserContext]
) -> None:
    screen = window(rig, browser, opened)
    first, second = (phone_of(rig, browser, opened, rig.person()) for _ in range(2))
    screen.goto(f"{rig.address}/login/qr")
    address = scanned(screen)
    first.goto(address)
    second.goto(address)
    expect(second.get_by_role("alert")).to_contain_text("has lapsed, was used")
