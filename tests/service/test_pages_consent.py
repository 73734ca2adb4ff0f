"""The consent page: what is asked, by whom, in plain words; and what follows either button."""

import json

import httpx2
import pytest

from idp import authorization_details
from idp.client_metadata import Consent
from service.locale import COOKIE, catalogue, t
from service.pages.consent import NOT_SHOWN
from service.seed import BODIES, CLERK_PASSWORD
from tests.rig import Citizen, Rig
from tests.service.portals import Shop, plain, press, sent_back, shop, sign_in

_NAME = {"zh-CN": "示例便民商城", "en": "Example Shop"}


def asked(rig: Rig, portal: Shop, citizen: Citizen) -> tuple[httpx2.Client, str]:
    """A browser in front of the consent page, and the page's address."""
    http = rig.browser().http
    page = sign_in(http, http.get(portal.url()).headers["Location"], citizen)
    assert "/consent?interaction=" in page
    return http, page


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("zh-CN", ("示例便民商城", "姓名等基本信息", "手机号", "示例便民商城的隐私政策")),
        ("en", ("Example Shop", "Your mobile number", "Privacy policy of Example Shop")),
    ],
)
def test_it_says_who_asks_and_for_what(rig: Rig, locale: str, words: tuple[str, ...]) -> None:
    portal = shop(rig, f"shop-words-{locale}")
    http, page = asked(rig, portal, rig.person())
    http.cookies.set(COOKIE, locale)
    answer = http.get(page)
    for word in words:
        assert word in plain(answer)
    assert 'id="approve" name="decision" value="approve"' in answer.text
    assert 'id="deny" name="decision" value="deny"' in answer.text
    assert 'href="https://shop.example/terms"' in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "img-src 'self' data: blob: https://shop.example;" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_what_was_agreed_to_once_is_not_asked_again(rig: Rig) -> None:
    portal = shop(rig, "shop-once")
    http, page = asked(rig, portal, rig.person())
    answer = press(http, page, decision="approve")
    back = http.get(answer.headers["Location"]).headers["Location"]
    assert sent_back(back)["code"]
    assert sent_back(http.get(portal.url()).headers["Location"])["code"]


def test_who_does_not_agree_goes_back_with_an_error(rig: Rig) -> None:
    portal = shop(rig, "shop-denied")
    http, page = asked(rig, portal, rig.person())
    answer = press(http, page, decision="deny")
    told = sent_back(http.get(answer.headers["Location"]).headers["Location"])
    assert told["error"] == "access_denied"
    assert "/consent?" in http.get(portal.url()).headers["Location"], "nothing was remembered"


@pytest.mark.parametrize("forged", [{}, {"csrf": "0" * 64}])
def test_another_sites_form_agrees_to_nothing(rig: Rig, forged: dict[str, str]) -> None:
    portal = shop(rig, f"shop-forged-{len(forged)}")
    http, page = asked(rig, portal, rig.person())
    assert http.post(page, data={"decision": "approve", **forged}).status_code == 403
    assert "/consent?" in http.get(portal.url()).headers["Location"]


def test_another_browser_cannot_agree(rig: Rig) -> None:
    portal = shop(rig, "shop-elsewhere")
    http, page = asked(rig, portal, rig.person())
    elsewhere = rig.browser().http
    stranger = rig.person()
    press(elsewhere, "/login", username=stranger.phone, password=stranger.password)
    assert elsewhere.get(page).status_code == 400
    assert http.get(page).status_code == 200


def test_agreeing_twice_is_agreeing_once(rig: Rig) -> None:
    portal = shop(rig, "shop-twice")
    http, page = asked(rig, portal, rig.person())
    for _ in range(2):
        answer = press(http, page, decision="approve")
        assert answer.is_redirect
    assert sent_back(http.get(answer.headers["Location"]).headers["Location"])["code"]
    assert http.get(answer.headers["Location"]).status_code == 400, "the code was given already"
    assert http.get(page).status_code == 400


def test_whoever_signed_out_meanwhile_signs_in_first(rig: Rig) -> None:
    portal = shop(rig, "shop-away")
    http, page = asked(rig, portal, rig.person())
    press(http, "/logout", decision="logout")
    answer = http.get(page)
    assert answer.is_redirect
    assert "/login?" in http.get(answer.headers["Location"]).headers["Location"]


def test_consent_taken_back_is_asked_for_anew(rig: Rig) -> None:
    portal = shop(rig, "shop-back")
    http, page = asked(rig, portal, rig.person())
    http.get(press(http, page, decision="approve").headers["Location"])
    assert "示例便民商城" in plain(http.get("/my/account"))
    answer = press(http, "/my/account", take_back=portal.client_id)
    assert answer.headers["Location"] == "/my/account?done=taken_back"
    assert "示例便民商城" not in plain(http.get("/my/account"))
    assert "/consent?" in http.get(portal.url()).headers["Location"]


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_a_portal_of_the_government_that_asks_is_called_no_stranger(rig: Rig, locale: str) -> None:
    portal = shop(rig, f"office-{locale}", consent=Consent.BY_POLICY)
    http = rig.browser().http
    http.cookies.set(COOKIE, locale)
    asking = http.get(portal.url(prompt="consent", scope="openid")).headers["Location"]
    page = http.get(sign_in(http, asking, rig.person()))
    assert t(locale, "consent.for_our_portal", portal=_NAME[locale]) in plain(page)
    assert t(locale, "scope.openid") in plain(page), "and the page says what it asks"
    press(http, str(page.url), decision="approve")
    assert t(locale, "account.no_portals") in plain(http.get("/my/account"))


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_one_transaction_is_told_in_words(rig: Rig, locale: str) -> None:
    types = ("licence_lookup", "licence_share")
    portal = shop(rig, f"shop-details-{locale}", authorization_details_types=types)
    asked = [
        {"type": "licence_lookup", "licence_type": "food_permit", "matter": "开设分店"},
        {
            "type": "licence_share",
            "identifier": "1.2.156.3005.2",
            "recipient": "11990100MBXX90018M",
            "matter": "<b>贷款</b>",
            "fields": ["holder", "name"],
        },
    ]
    http = rig.browser().http
    http.cookies.set(COOKIE, locale)
    details = json.dumps(asked, ensure_ascii=False)
    login = http.get(portal.url(authorization_details=details)).headers["Location"]
    page = http.get(sign_in(http, login, rig.person()))
    for key in types:
        assert t(locale, f"transaction.{key}") in page.text
        assert f">{key}<" not in page.text
        for name in authorization_details.TYPES[key].model_fields.keys() - {
            "locations",
            *NOT_SHOWN,
        }:
            assert f"<dt>{t(locale, f'transaction_member.{name}')}</dt>" in page.text
    assert "<dd>holder, name</dd>" in page.text
    assert "<dd>&lt;b&gt;贷款&lt;/b&gt;</dd>" in page.text


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_every_detail_there_is_has_a_word(locale: str) -> None:
    for kind, shape in authorization_details.TYPES.items():
        assert f"transaction.{kind}" in catalogue(locale)
        for name in shape.model_fields.keys() - set(NOT_SHOWN):
            assert f"transaction_member.{name}" in catalogue(locale)


def test_staff_who_signed_in_meanwhile_are_not_asked_in_a_citizens_place(rig: Rig) -> None:
    portal = shop(rig, "shop-staff")
    http, page = asked(rig, portal, rig.person())
    clerk = next(body.clerk for body in BODIES)
    press(http, "/logout", decision="logout")
    press(http, "/login?realm=staff", username=clerk.username, password=CLERK_PASSWORD)
    answer = http.get(page)
    assert answer.is_redirect
    login = http.get(answer.headers["Location"]).headers["Location"]
    assert t("zh-CN", "login.why.other_realm", name=clerk.name) in plain(http.get(login))


def test_the_sign_in_page_that_somebody_goes_back_to_gives_no_reason(rig: Rig) -> None:
    portal = shop(rig, "shop-went-back")
    http, page = asked(rig, portal, rig.person())
    login = http.get(page.replace("/consent?", "/login?"))
    assert login.status_code == 200
    assert "login.why" not in login.text
