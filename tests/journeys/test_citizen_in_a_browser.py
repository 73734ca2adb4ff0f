"""One citizen's story in a real Chromium: sign in by SMS, rise, prove one thing more, see who was told."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from idp.levels import NATURAL
from service.locale import COOKIE
from tests import chromium, ladder
from tests.idp.world import served
from tests.rig import Citizen, Rig
from tests.service.portals import Place

pytestmark = pytest.mark.browser

INTERMEDIATE = NATURAL[2].acr
WORDS = {
    "zh-CN": {"basic": "初级", "intermediate": "中级", "sms": "短信", "office": "示例市公积金"},
    "en": {
        "basic": "basic",
        "intermediate": "intermediate",
        "sms": "SMS",
        "office": "Example City housing fund",
    },
}

OpenPage = Callable[[str, bool], Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    if path is None:
        pytest.skip("no Chromium on this machine: a citizen's story in a browser is NOT tested")
    with chromium.launched(path) as launched:
        yield launched


@pytest.fixture
def open_page(rig: Rig, browser: Browser) -> Iterator[OpenPage]:
    """Return a function that opens a phone's window in a language, with or without scripts."""
    contexts = []

    def opened(locale: str, scripts: bool) -> Page:
        context = browser.new_context(
            viewport={"width": 390, "height": 844}, java_script_enabled=scripts
        )
        context.add_cookies([{"name": COOKIE, "value": locale, "url": rig.address}])
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("locale", "scripts"), [("zh-CN", True), ("en", False)])
def test_a_citizen_signs_in_rises_proves_one_thing_more_and_sees_who_was_told(
    rig: Rig, open_page: OpenPage, locale: str, scripts: bool
) -> None:
    citizen, words, place = rig.person(), WORDS[locale], Place()
    page = open_page(locale, scripts)
    with served(place) as address:
        office = ladder.office(
            rig,
            f"housing-fund-{locale}",
            name_zh=words["office"],
            name_en=words["office"],
            scopes=("openid", "profile"),
            redirect_uris=(f"{address}/callback",),
            logo_uri=f"{address}/logo.svg",
        )
        sign_in_by_sms(rig, page, citizen, words["sms"])
        rise_by_alipay(rig, page, citizen, words)
        essential = ladder.essential(INTERMEDIATE, scope="openid profile")
        page.goto(rig.address + office.shop.url(**essential))
        prove_one_thing_more(page, citizen, words["office"])
        page.wait_for_url(f"{address}/callback?*")
        told = office.redeemed(page.url)
    assert told.natural == 2
    bearer = {"Authorization": f"Bearer {told.answer['access_token']}"}
    assert rig.http.get("/oidc/userinfo", headers=bearer).json()["name"] == citizen.name
    page.goto(f"{rig.address}/my/records")
    expect(page.locator("main")).to_contain_text(words["office"])
    for sheet in page.locator("table").all():
        assert citizen.number not in sheet.inner_text()
    page.click("#sign-out")
    page.goto(f"{rig.address}/my/records")
    expect(page).to_have_url(re.compile("/login"))


def sign_in_by_sms(rig: Rig, page: Page, citizen: Citizen, tab: str) -> None:
    page.goto(f"{rig.address}/login?next=/my/level")
    page.get_by_role("link", name=tab, exact=True).click()
    page.fill("#phone", citizen.phone)
    page.click("#send")
    expect(page.locator("#code")).to_be_visible()
    page.fill("#code", rig.sms_code(citizen.phone))
    page.click("#login")
    expect(page).to_have_url(f"{rig.address}/my/level")


def rise_by_alipay(rig: Rig, page: Page, citizen: Citizen, words: dict[str, str]) -> None:
    expect(page.locator("#level")).to_have_text(words["basic"])
    page.click("#by-alipay")
    page.locator(f'form:has(input[value="{citizen.number}"]) button').click()
    expect(page).to_have_url(f"{rig.address}/my/level?done=raised")
    expect(page.locator("#level")).to_have_text(words["intermediate"])
    expect(page.get_by_role("status")).to_contain_text(words["intermediate"])


def prove_one_thing_more(page: Page, citizen: Citizen, office: str) -> None:
    """The office needs the level at this very sign-in: one factor more, and a sentence why."""
    expect(page.locator("#why")).to_contain_text(office)
    page.fill("#password", citizen.password)
    page.locator('button[value="password"]').click()
