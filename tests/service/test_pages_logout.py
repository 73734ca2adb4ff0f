"""Signing out: the page that asks, the page that says good-bye, and never another site unasked."""

import re

import httpx2
import pytest

from idp.sessions import COOKIE
from tests.idp.world import served
from tests.rig import Citizen, Rig
from tests.service.portals import BACK, Place, Shop, plain, press, sent_back, shop, sign_in, token


def signed_in(rig: Rig, portal: Shop, citizen: Citizen | None = None) -> tuple[httpx2.Client, str]:
    """A browser signed in to a portal, and the portal's ID Token."""
    http = rig.browser().http
    page = sign_in(http, http.get(portal.url()).headers["Location"], citizen or rig.person())
    answer = press(http, page, decision="approve")
    return http, portal.id_token(http.get(answer.headers["Location"]).headers["Location"])


def end_session(http: httpx2.Client, **sent: str) -> httpx2.Response:
    """Ask to be signed out, and return the answer of the page that this leads to."""
    answer = http.get("/oidc/end_session", params=sent)
    assert answer.status_code == 303, answer.text
    return http.get(answer.headers["Location"])


def is_signed_in(http: httpx2.Client) -> bool:
    return http.get("/my/account").status_code == 200


def test_a_portals_own_hint_signs_out_and_goes_back_at_once(rig: Rig) -> None:
    http, id_token = signed_in(rig, shop(rig, "shop-hint"))
    answer = end_session(
        http, id_token_hint=id_token, post_logout_redirect_uri=BACK, state="s" * 128
    )
    assert sent_back(answer.headers["Location"]) == {"state": "s" * 128}
    assert COOKIE not in http.cookies
    assert not is_signed_in(http)


@pytest.mark.parametrize("sent", [{}, {"state": "s"}])
def test_without_a_hint_the_person_is_asked_and_then_told(rig: Rig, sent: dict[str, str]) -> None:
    http, _ = signed_in(rig, shop(rig, f"shop-asked-{len(sent)}"))
    page = end_session(http, **sent)
    assert page.status_code == 200
    assert page.text.count('id="logout"') == 1
    assert is_signed_in(http), "asking ends nothing"
    answer = http.post(str(page.url), data={"csrf": token(page.text), "decision": "logout"})
    told = http.get(answer.headers["Location"])
    assert "已退出登录" in plain(told)
    assert not is_signed_in(http)


def test_a_client_without_a_hint_gets_the_person_back_once_they_agreed(rig: Rig) -> None:
    portal = shop(rig, "shop-confirmed")
    http, _ = signed_in(rig, portal)
    page = end_session(http, client_id=portal.client_id, post_logout_redirect_uri=BACK, state="s")
    assert "示例便民商城" in plain(page)
    form = {"csrf": token(page.text), "decision": "logout"}
    answer = http.post(str(page.url), data=form)
    assert sent_back(answer.headers["Location"]) == {"state": "s"}
    again = http.post(str(page.url), data=form)
    assert again.headers["Location"] == f"{rig.address}/signed-out", "sent twice, done once"


def test_whoever_stays_stays(rig: Rig) -> None:
    http, _ = signed_in(rig, shop(rig, "shop-stay"))
    page = end_session(http)
    answer = http.post(str(page.url), data={"csrf": token(page.text), "decision": "stay"})
    assert answer.headers["Location"] == "/"
    assert is_signed_in(http)


@pytest.mark.parametrize("forged", [{}, {"csrf": "0" * 64}])
def test_another_sites_form_signs_nobody_out(rig: Rig, forged: dict[str, str]) -> None:
    http, _ = signed_in(rig, shop(rig, f"shop-forged-out-{len(forged)}"))
    page = end_session(http)
    for place in (str(page.url), "/logout"):
        assert http.post(place, data={"decision": "logout", **forged}).status_code == 403
    assert is_signed_in(http)


def test_a_link_to_the_page_signs_nobody_out(rig: Rig) -> None:
    http, _ = signed_in(rig, shop(rig, "shop-link"))
    for place in ("/logout", "/logout?waiting=guessed"):
        assert http.get(place).status_code == 200
    assert is_signed_in(http)


def test_another_persons_hint_is_asked_about(rig: Rig) -> None:
    portal = shop(rig, "shop-other")
    _, foreign = signed_in(rig, portal)
    http, _ = signed_in(rig, portal)
    page = end_session(http, id_token_hint=foreign, post_logout_redirect_uri=BACK)
    assert 'id="logout"' in page.text
    assert is_signed_in(http)


@pytest.mark.parametrize(
    "sent",
    [
        {"id_token_hint": "rubbish"},
        {"client_id": "nobody"},
        {"post_logout_redirect_uri": BACK},
        {"client_id": "portal-a", "post_logout_redirect_uri": "https://evil.example/"},
        {"state": "x" * 5000},
    ],
)
def test_a_wrong_request_is_told_on_a_page_with_status_400(rig: Rig, sent: dict[str, str]) -> None:
    http = rig.browser().http
    answer = http.get("/oidc/end_session", params=sent, headers={"Accept-Language": "en"})
    assert answer.status_code == 400
    assert "You have not been signed out" in answer.text
    assert "Location" not in answer.headers
    assert 'href="https://evil.example' not in answer.text


def test_whoever_is_told_of_a_wrong_request_finds_the_button_to_sign_out(rig: Rig) -> None:
    http, _ = signed_in(rig, shop(rig, "shop-wrong"))
    answer = http.get("/oidc/end_session", params={"client_id": "nobody"})
    assert answer.status_code == 400
    assert 'id="sign-out"' in answer.text
    http.post("/logout", data={"csrf": token(answer.text)})
    assert not is_signed_in(http)


def test_nobody_signed_in_is_simply_told_so(rig: Rig) -> None:
    answer = end_session(rig.browser().http)
    assert answer.headers["Location"] == f"{rig.address}/signed-out"


def test_the_page_frames_every_portal_and_then_goes_on_without_scripts_too(rig: Rig) -> None:
    portal = shop(rig, "shop-frames", frontchannel_logout_uri="https://shop.example/bye")
    http, id_token = signed_in(rig, portal)
    answer = end_session(http, id_token_hint=id_token, post_logout_redirect_uri=BACK, state="a&b")
    page = http.get(answer.headers["Location"])
    text = plain(page)
    assert re.search(r'<iframe src="https://shop.example/bye\?iss=[^"]+&sid=[^"]+"', text)
    assert f'content="5; url={BACK}?state=a%26b"' in text
    assert f'href="{BACK}?state=a%26b"' in text
    policy = page.headers["Content-Security-Policy"]
    assert policy.endswith("frame-src https://shop.example")
    assert "default-src 'self'" in policy
    assert page.headers["X-Frame-Options"] == "DENY"


def test_the_header_signs_out_of_every_portal_too(rig: Rig) -> None:
    portal = shop(rig, "shop-header", frontchannel_logout_uri="https://shop.example/bye")
    http, _ = signed_in(rig, portal)
    csrf = token(http.get("/my/account").text)
    out = http.post("/logout", data={"csrf": csrf})
    assert "<iframe" in http.get(out.headers["Location"]).text
    assert not is_signed_in(http)


def test_the_language_asked_for_is_spoken(rig: Rig) -> None:
    http, _ = signed_in(rig, shop(rig, "shop-language"))
    page = end_session(http, ui_locales="en")
    assert "Sign out?" in page.text


def test_the_job_queue_tells_the_portal_until_it_listens(rig: Rig) -> None:
    place = Place(refusing=1)
    with served(place) as address:
        portal = shop(rig, "shop-told", backchannel_logout_uri=f"{address}/bye")
        http, _ = signed_in(rig, portal)
        page = end_session(http)
        http.post(str(page.url), data={"csrf": token(page.text), "decision": "logout"})
        assert place.paths == []
        rig.run_jobs()
        assert place.paths == ["/bye?"], "refused for now"
        rig.clock.tick(minutes=2)
        rig.run_jobs()
        assert place.paths == ["/bye?"] * 2
        rig.clock.tick(days=1)
        rig.run_jobs()
    assert place.paths == ["/bye?"] * 2, "and it is left in peace"
