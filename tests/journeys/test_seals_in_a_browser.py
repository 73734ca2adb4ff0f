"""A seal's story in a real Chromium, on a phone: applied for, refused, made, taken over, asked about."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from service.locale import COOKIE
from service.sandbox_seals import REVIEWER
from tests import chromium
from tests.journeys.test_browser import check_readable
from tests.rig import Rig

pytestmark = pytest.mark.browser

APPLICANT, KEEPER = "seal-applicant-housing", "seal-keeper-housing"
NAME = "示例市住房和城乡建设局业务专用章"
LOCALE = "zh-CN"

OpenPage = Callable[[str], Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    if path is None:
        pytest.skip("no Chromium on this machine: a seal's story in a browser is NOT tested")
    with chromium.launched(path) as launched:
        yield launched


@pytest.fixture
def open_page(rig: Rig, browser: Browser) -> Iterator[OpenPage]:
    """Return a function that opens the seals' page in the phone of a member of staff, or ""."""
    contexts = []

    def opened(username: str) -> Page:
        context = browser.new_context(viewport={"width": 390, "height": 844})
        context.add_cookies([{"name": COOKIE, "value": LOCALE, "url": rig.address}])
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        if username:
            chromium.sign_in_staff(page, rig, username, "/staff/seals")
        return page

    yield opened
    for context in contexts:
        context.close()


def test_a_seal_is_applied_for_made_and_taken_over_and_everybody_sees_it_in_use(
    rig: Rig, open_page: OpenPage
) -> None:
    applicant, reviewer, keeper = (open_page(name) for name in (APPLICANT, REVIEWER, KEEPER))
    seal = apply(applicant)
    reviewer.goto(seal)
    reviewer.click("#reject")
    expect(reviewer.get_by_role("alert")).to_be_visible()
    press(reviewer, "approve", "已同意", reason="示例理由")
    for word, state in (("make", "已制作"), ("record", "已备案"), ("issue", "已发放")):
        press(reviewer, word, state)
    expect(reviewer.locator("#waits")).to_contain_text("杜怀瑾")
    keeper.goto(seal)
    press(keeper, "accept", "使用中")
    ask(open_page(""), rig, keeper.locator('dd a[href^="/seals/"]').inner_text())


def apply(page: Page) -> str:
    """Apply for a seal that is drawn, and return the address of its page."""
    page.click("#apply")
    expect(page.locator('[name="shape"][value="round"]')).to_be_visible()
    expect(page.locator("#upload")).to_be_hidden()
    page.check('[name="picture_from"][value="upload"]')
    expect(page.locator("#upload")).to_be_visible()
    page.check('[name="picture_from"][value="draw"]')
    page.fill("#name", NAME)
    page.select_option("#kind", "business")
    page.fill("#legal_basis", "示例依据第一条")
    page.fill("#keeper", KEEPER)
    page.fill("#until", "2031-12-31")
    page.click("#save")
    drawn = page.locator("figure img")
    assert drawn.evaluate("image => image.decode().then(() => image.naturalWidth)") > 500
    check_readable(page, LOCALE)
    press(page, "submit", "审核中")
    return page.url.partition("?")[0]


def press(page: Page, word: str, state: str, reason: str = "") -> None:
    """Take a step of a seal's life, and see the state it brings."""
    if reason:
        page.fill("#review_reason", reason)
    page.click(f"#{word}")
    expect(page).to_have_url(re.compile(f"done={word}$"))
    expect(page.get_by_role("status")).to_be_visible()
    expect(page.locator(".title-line .tag")).to_have_text(state)
    check_readable(page, LOCALE)


def ask(page: Page, rig: Rig, esid: str) -> None:
    """Find the seal as a stranger: in use now, and not there before it was made."""
    page.goto(rig.address)
    page.get_by_role("link", name="查询印章").click()
    page.fill("#number", esid)
    page.click("#look-up")
    expect(page.locator(".verdict.good h1")).to_have_text("使用中")
    expect(page.locator("main")).to_contain_text(NAME)
    expect(page.locator("main")).not_to_contain_text("杜怀瑾")
    page.fill("#at", "2001-01-01T08:00")
    page.click("#ask")
    expect(page.locator(".verdict.unsure h1")).to_have_text("尚未制作")
    check_readable(page, LOCALE)
