"""Passkeys in a real Chromium, with its virtual authenticator: made, used to sign in, taken away."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from idp import sessions
from idp.method import Method
from idp.vocabulary import Realm
from service.locale import COOKIE
from tests import chromium
from tests.rig import Citizen, Rig

pytestmark = pytest.mark.browser

_PHONE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    if path is None:
        pytest.skip("no Chromium on this machine: passkeys in a browser are NOT tested")
    with chromium.launched(path) as launched:
        yield launched


@pytest.fixture
def context(rig: Rig, browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context()
    opened.add_cookies([{"name": COOKIE, "value": "en", "url": rig.address}])
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    page = context.new_page()
    page.set_default_timeout(10_000)
    return page


def plugged_in(context: BrowserContext, page: Page) -> tuple[CDPSession, str]:
    """Give the browser a device that verifies its owner and remembers whose keys it has."""
    line = context.new_cdp_session(page)
    line.send("WebAuthn.enable")
    answer = line.send("WebAuthn.addVirtualAuthenticator", {"options": _PHONE})
    return line, str(answer["authenticatorId"])


def signed_in(rig: Rig, context: BrowserContext, citizen: Citizen, *methods: Method) -> None:
    """Put the citizen's browser into a session by these methods."""
    with rig.world.begin() as tx:
        opened = sessions.open_session(
            tx, rig.world.provider, Realm.CITIZEN, citizen.subject, methods
        )
    context.add_cookies([{"name": sessions.COOKIE, "value": opened.cookie, "url": rig.address}])


def make_a_passkey(rig: Rig, context: BrowserContext, page: Page, citizen: Citizen) -> None:
    signed_in(rig, context, citizen, Method.PASSWORD, Method.SMS_CODE)
    page.goto(f"{rig.address}/my/passkeys")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("status")).to_contain_text("The passkey was added")


def test_a_person_makes_a_passkey_and_signs_in_by_it_without_typing(
    rig: Rig, context: BrowserContext, page: Page
) -> None:
    citizen = rig.person()
    plugged_in(context, page)
    make_a_passkey(rig, context, page, citizen)
    page.locator("#sign-out").click()
    page.goto(f"{rig.address}/login/passkey")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{rig.address}/my/licences")
    expect(page.locator("nav.nav")).to_contain_text(citizen.name)


def test_the_sign_in_page_offers_the_passkey_beside_the_name_field(
    rig: Rig, context: BrowserContext, page: Page
) -> None:
    """Conditional mediation: the virtual device chooses its one passkey by itself."""
    plugged_in(context, page)
    make_a_passkey(rig, context, page, rig.person())
    page.locator("#sign-out").click()
    page.goto(f"{rig.address}/login")
    page.wait_for_url(f"{rig.address}/my/licences")


def test_a_removed_passkey_is_told_to_work_no_more(
    rig: Rig, context: BrowserContext, page: Page
) -> None:
    plugged_in(context, page)
    make_a_passkey(rig, context, page, rig.person())
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("status")).to_contain_text("The passkey was removed")
    page.locator("#sign-out").click()
    page.goto(f"{rig.address}/login/passkey")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("No passkey that works here")


def test_a_device_that_cannot_verify_its_owner_is_of_no_use(
    rig: Rig, context: BrowserContext, page: Page
) -> None:
    line, device = plugged_in(context, page)
    make_a_passkey(rig, context, page, rig.person())
    page.locator("#sign-out").click()
    unverified = {"authenticatorId": device, "isUserVerified": False}
    line.send("WebAuthn.setUserVerified", unverified)
    page.goto(f"{rig.address}/login/passkey")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_be_visible()


def test_without_two_factors_no_passkey_is_made(
    rig: Rig, context: BrowserContext, page: Page
) -> None:
    plugged_in(context, page)
    signed_in(rig, context, rig.person(), Method.PASSWORD)
    page.goto(f"{rig.address}/my/passkeys")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("sign in again first")


def test_without_scripts_the_page_says_what_to_do_instead(rig: Rig, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{rig.address}/login/passkey?ui_locales=en")
    expect(page.locator("[data-without-passkeys]")).to_be_visible()
    expect(page.locator("#passkey")).to_be_hidden()
    context.close()
