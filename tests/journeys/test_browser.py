"""A person's journeys in a real Chromium: sign in, see a licence, scan a code; with and without scripts."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, FilePayload, Page, expect

from service.locale import COOKIE
from service.pages.rendering import LARGE, TEXT_COOKIE
from service.seed import FOOD_PERMIT, PORTAL_A, PORTAL_B
from tests import chromium
from tests.idp.world import served
from tests.rig import Citizen, Rig
from tests.service.portals import Place, shop

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]

# Text must stand out 4.5 to 1, or 3 to 1 where it is large (WCAG 2.2, 1.4.3).
FAINT_TEXT = """() => {
  const light = c => c.map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  const luminance = c => { const [r, g, b] = light(c); return .2126 * r + .7152 * g + .0722 * b; };
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const ground = node => {
    for (let at = node; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > .99) return colour.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !node.checkVisibility() || node.closest("option")) continue;
    const style = getComputedStyle(node);
    const [a, b] = [parse(style.color).slice(0, 3), ground(node)].map(luminance).sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && +style.fontWeight >= 700);
    if ((a + .05) / (b + .05) < (large ? 3 : 4.5)) faint.push(node.textContent.trim().slice(0, 30));
  }
  return faint;
}"""

WITHOUT_A_NAME = """() => {
  const named = node => node.labels?.length || node.getAttribute("aria-label") || node.textContent.trim();
  const fields = "a, button, select, textarea, input:not([type=hidden])";
  return [...document.querySelectorAll(fields)].filter(n => !named(n)).map(n => n.outerHTML)
    .concat([...document.querySelectorAll("img:not([alt])")].map(n => n.outerHTML));
}"""

HEADINGS = """() => [...document.querySelectorAll("h1, h2, h3")]
  .filter(n => n.checkVisibility()).map(n => +n.tagName[1])"""


OPEN_PAGES = (
    "/",
    "/connect",
    "/login?realm=staff",
    "/login/sms",
    "/login/passkey",
    "/login/qr",
    "/login/certificate",
    "/recover",
    "/register",
    "/register?document=passport",
    "/seals",
    "/signed-out",
    "/v",
)
OWN_PAGES = (
    "/my/level",
    "/my/security",
    "/my/security/password",
    "/my/passkeys",
    "/my/entities",
    "/my/entities/register",
    "/my/entities/certificate",
    "/my/helpers",
    "/my/code",
    "/my/hotline",
    "/my/records",
    "/my/account/close",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    if path is None:
        pytest.skip("no Chromium on this machine: what people see in a browser is NOT tested")
    with chromium.launched(path) as launched:
        yield launched


@pytest.fixture
def open_page(rig: Rig, browser: Browser) -> Iterator[OpenPage]:
    """Return a function that opens a browser window; what its console complains of fails the test."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def opened(*, locale: str = "zh-CN", width: int = 1280, **more: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 800}, **more)
        context.add_cookies([{"name": COOKIE, "value": locale, "url": rig.address}])
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def sign_in(page: Page, citizen: Citizen) -> None:
    """Fill in the sign-in page that is open."""
    page.fill("#username", citizen.phone)
    page.fill("#password", citizen.password)
    page.click("#login")


def licence_of(rig: Rig, citizen: Citizen) -> dict[str, Any]:
    holder = {"name": citizen.name, "number_type": "111", "number": citizen.number}
    return rig.issue(FOOD_PERMIT, holders=[holder])


def sent_back(page: Page, redirect_uri: str, act: Callable[[], object]) -> str:
    """Return the address the browser goes to at a portal. No portal listens there."""
    at_portal = page.expect_request(lambda asked: asked.url.startswith(f"{redirect_uri}?"))
    with at_portal as arrived, suppress(Error):
        act()
    return arrived.value.url


def authorize_url(rig: Rig, client_id: str, redirect_uri: str) -> str:
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636, appendix B
    return (
        f"{rig.address}/oidc/authorize?response_type=code&client_id={client_id}&scope=openid"
        f"&redirect_uri={redirect_uri}&code_challenge={challenge}&code_challenge_method=S256"
    )


@pytest.mark.parametrize("scripts", [True, False])
def test_a_person_signs_in_and_sees_the_face_of_their_licence(
    rig: Rig, open_page: OpenPage, scripts: bool
) -> None:
    citizen = rig.person()
    licence = licence_of(rig, citizen)
    page = open_page(java_script_enabled=scripts)
    page.goto(f"{rig.address}/my/licences")
    sign_in(page, citizen)
    expect(page.locator("h1")).to_have_text("我的证照")
    page.click(".card a")
    face = page.locator("figure img")
    expect(face).to_be_visible()
    assert licence["number"] in str(face.get_attribute("alt"))
    if scripts:
        assert face.evaluate("image => image.decode().then(() => image.naturalWidth)") > 1000
    page.click("#sign-out")
    expect(page.locator("h1")).to_have_text("已退出登录")


def test_one_sign_in_serves_two_portals(rig: Rig, open_page: OpenPage) -> None:
    citizen = rig.person()
    page = open_page()
    page.goto(authorize_url(rig, PORTAL_A.client_id, PORTAL_A.redirect_uri))
    expect(page.locator(".portal")).to_contain_text("示例市政务服务网")
    first = sent_back(page, PORTAL_A.redirect_uri, lambda: sign_in(page, citizen))
    second = sent_back(
        page,
        PORTAL_B.redirect_uri,
        lambda: page.goto(authorize_url(rig, PORTAL_B.client_id, PORTAL_B.redirect_uri)),
    )
    assert "code=" in first
    assert "code=" in second


@pytest.mark.parametrize(("locale", "scripts"), [("zh-CN", True), ("en", False)])
def test_a_person_agrees_to_a_portal_and_signs_out_of_it_everywhere(
    rig: Rig, open_page: OpenPage, locale: str, scripts: bool
) -> None:
    place = Place()
    with served(place) as address:
        portal = shop(
            rig,
            f"shop-in-a-browser-{locale}",
            redirect_uris=(f"{address}/callback",),
            post_logout_redirect_uris=(f"{address}/back",),
            frontchannel_logout_uri=f"{address}/bye",
            logo_uri=f"{address}/logo.svg",
        )
        page = open_page(locale=locale, width=360, java_script_enabled=scripts)
        page.goto(rig.address + portal.url())
        sign_in(page, rig.person())
        if scripts:
            check_readable(page, locale)
            logo = page.locator(".portal img")
            assert logo.evaluate("image => image.decode().then(() => image.naturalWidth)") == 40
        page.click("#approve")
        page.wait_for_url(f"{address}/callback?*")
        portal.id_token(page.url)
        back = f"client_id={portal.client_id}&post_logout_redirect_uri={address}/back&state=s"
        page.goto(f"{rig.address}/oidc/end_session?{back}")
        page.click("#logout")
        page.wait_for_url(f"{address}/back?state=s")
    framed, returned = (next(p for p in place.paths if p.startswith(x)) for x in ("/bye", "/back"))
    assert place.paths.index(framed) < place.paths.index(returned)
    assert "sid=" in framed


def test_the_link_in_a_code_answers_by_itself_and_again_after_a_reload(
    rig: Rig, open_page: OpenPage
) -> None:
    licence = rig.issue()
    page = open_page(width=390)
    page.goto(str(licence["code"]))
    expect(page.locator("#verdict h1")).to_have_text("有效")
    expect(page.locator("main")).to_contain_text(str(licence["number"]))
    rig.revoke(licence)
    page.reload()
    expect(page.locator("#verdict h1")).to_have_text("无效")
    page.click("button[name=locale]")
    expect(page.locator("#verdict h1")).to_have_text("Not valid")
    assert page.url == licence["code"]


def test_another_code_in_the_same_window_is_judged_afresh(rig: Rig, open_page: OpenPage) -> None:
    licence = rig.issue()
    page = open_page()
    page.goto(str(licence["code"]))
    expect(page.locator("#verdict h1")).to_have_text("有效")
    page.goto(f"{rig.address}/v#forged")
    expect(page.locator("#verdict h1")).to_have_text("无效")


def test_without_scripts_the_link_is_pasted(rig: Rig, open_page: OpenPage) -> None:
    licence = rig.issue()
    page = open_page(java_script_enabled=False)
    page.goto(str(licence["code"]))
    assert "浏览器没有运行脚本" in page.content()
    page.fill("#code", page.url)
    page.click("#verify-code")
    expect(page.locator("#verdict h1")).to_have_text("有效")


def test_a_file_is_uploaded_and_judged(rig: Rig, open_page: OpenPage) -> None:
    licence = rig.issue()
    page = open_page()
    page.goto(f"{rig.address}/v")
    pdf = FilePayload(name="a.pdf", mimeType="application/pdf", buffer=rig.file(licence, "pdf"))
    page.set_input_files("#file", pdf)
    page.click("#verify-file")
    expect(page.locator("#verdict h1")).to_have_text("有效")


def test_signing_in_needs_no_mouse_and_the_password_can_be_seen(
    rig: Rig, open_page: OpenPage
) -> None:
    citizen = rig.person()
    page = open_page()
    page.goto(f"{rig.address}/login")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.focus("#username")
    page.keyboard.type(citizen.phone)
    page.keyboard.press("Tab")
    page.keyboard.type(citizen.password)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator("#password")).to_have_attribute("type", "text")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("我的证照")


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_every_page_can_be_read_by_everyone(rig: Rig, open_page: OpenPage, locale: str) -> None:
    citizen = rig.person()
    licence = licence_of(rig, citizen)
    page = open_page(locale=locale, width=360)
    page.goto(f"{rig.address}/login")
    sign_in(page, citizen)
    mine = f"{rig.address}/my/licences"
    own_paths = ("/my/account", "/logout", f"/my/licences/{licence['identifier']}")
    paths = (*OPEN_PAGES, *own_paths, *OWN_PAGES)
    places = [*(rig.address + path for path in paths), mine]
    for text in ("normal", LARGE):
        page.context.add_cookies([{"name": TEXT_COOKIE, "value": text, "url": rig.address}])
        for place in places:
            page.goto(place)
            check_readable(page, locale)
        page.goto(str(licence["code"]))
        expect(page.locator("#verdict")).to_be_visible()
        check_readable(page, locale)


def check_readable(page: Page, locale: str) -> None:
    where = page.url
    assert page.get_attribute("html", "lang") == locale, where
    assert page.title(), where
    assert page.evaluate(WITHOUT_A_NAME) == [], where
    assert page.evaluate(FAINT_TEXT) == [], where
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), where
    headings = page.evaluate(HEADINGS)
    assert headings.count(1) == 1, where
    assert all(after <= before + 1 for before, after in pairwise(headings))
    for landmark in ("header", "nav", "main", "footer"):
        assert page.locator(landmark).count() >= 1, where


def test_a_browser_reads_the_web_faces_even_for_rare_characters(
    rig: Rig, open_page: OpenPage
) -> None:
    page = open_page()
    page.goto(rig.address)
    for font in ('16px "Yinxin Sans"', 'bold 16px "Yinxin Serif"'):
        for character in ("印", "座", "䶮", "𬭎"):
            loaded = page.evaluate(
                "([font, text]) => document.fonts.load(font, text).then(all => all.length)",
                [font, character],
            )
            assert loaded > 0, (font, character)
