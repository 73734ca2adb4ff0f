"""The pages over HTTP, without a browser's scripts: what any old phone gets."""

import io
import re
import zipfile
from html import unescape
from urllib.parse import urljoin

import httpx2
import pytest

from idp import sessions
from idp.interaction import BROWSER_COOKIE
from service.locale import COOKIE
from service.seed import FOOD_PERMIT, PORTAL_A
from tests.browser import client
from tests.rig import Citizen, Rig

OPEN_PAGES = ("/", "/connect", "/login", "/register", "/signed-out", "/v")


def token(page: str) -> str:
    """Return the CSRF token of the page's forms."""
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
    assert found
    return found[1]


def post(http: httpx2.Client, path: str, **fields: str) -> httpx2.Response:
    """Fill in and send a form of the page at `path`."""
    page = http.get(path).text
    return http.post(path, data={"csrf": token(page), **fields})


def sign_in(rig: Rig, citizen: Citizen) -> httpx2.Client:
    """Return a signed-in browser."""
    http = rig.browser().http
    answer = post(http, "/login", username=citizen.phone, password=citizen.password)
    assert answer.headers["Location"] == "/my/licences", answer.text
    return http


def licence_of(rig: Rig, citizen: Citizen) -> dict[str, str]:
    """Issue a food permit to `citizen`."""
    holder = {"name": citizen.name, "number_type": "111", "number": citizen.number}
    return rig.issue(FOOD_PERMIT, holders=[holder])


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_every_open_page_has_one_heading_a_language_and_safe_headers(rig: Rig, locale: str) -> None:
    http = rig.browser().http
    http.cookies.set(COOKIE, locale)
    for path in OPEN_PAGES:
        page = http.get(path)
        assert page.status_code == 200
        assert page.headers["Content-Language"] == locale
        assert f'<html lang="{locale}"' in page.text
        assert page.text.count("<h1") == 1
        assert page.headers["Cache-Control"] == "no-store"
        assert "default-src 'self'" in page.headers["Content-Security-Policy"]
        assert "unsafe-inline" not in page.headers["Content-Security-Policy"]


def test_every_field_of_a_form_has_a_label(rig: Rig) -> None:
    for path in ("/login", "/register", "/v"):
        page = rig.http.get(path).text
        fields = re.findall(r'<(?:input|select|textarea)[^>]*\bid="([^"]+)"[^>]*>', page)
        assert fields
        for name in set(fields) - {"sex"}:
            assert f'<label for="{name}">' in page


def test_everything_a_page_links_to_is_there(rig: Rig) -> None:
    http = rig.browser().http
    linked = {
        urljoin(f"{rig.address}{path}", unescape(address))
        for path in OPEN_PAGES
        for address in re.findall(r'(?:href|src)="([^"#]+)"', http.get(path).text)
    }
    assert len(linked) > 10
    assert {url: http.get(url).status_code for url in linked if http.get(url).is_error} == {}


def test_the_language_is_chosen_once_and_kept(rig: Rig) -> None:
    http = rig.browser().http
    page = http.get("/v", headers={"Accept-Language": "zh-CN"}).text
    answer = http.post(
        "/preferences", data={"csrf": token(page), "next": "/v", "locale": "en", "text": "large"}
    )
    assert answer.headers["Location"] == "/v"
    page = http.get("/v", headers={"Accept-Language": "zh-CN"}).text
    assert '<html lang="en" class="large">' in page


def test_preferences_send_nobody_to_another_site(rig: Rig) -> None:
    answer = post_preferences(rig, next="https://example.com/", locale="en")
    assert answer.headers["Location"] == "/"


def test_the_language_a_portal_asked_for_can_be_changed(rig: Rig) -> None:
    answer = post_preferences(rig, next="/login?interaction=a&ui_locales=zh-CN", locale="en")
    assert answer.headers["Location"] == "/login?interaction=a&ui_locales=en"


def post_preferences(rig: Rig, **fields: str) -> httpx2.Response:
    http = rig.browser().http
    return http.post("/preferences", data={"csrf": token(http.get("/").text), **fields})


def test_a_form_of_another_site_is_refused(rig: Rig) -> None:
    http = rig.browser().http
    http.get("/login")
    forgeries: tuple[dict[str, str], ...] = ({}, {"csrf": "0" * 64}, {"csrf": "印"})
    for path in ("/login", "/register", "/register/code", "/logout", "/v", "/preferences"):
        for forged in forgeries:
            answer = http.post(path, data={"username": "a", "code": "c", **forged})
            assert answer.status_code == 403
            assert "Location" not in answer.headers


def test_the_token_of_one_browser_is_worth_nothing_in_another(rig: Rig) -> None:
    stolen = token(rig.browser().http.get("/v").text)
    http = rig.browser().http
    http.get("/v")
    assert http.post("/v", data={"csrf": stolen, "code": "x"}).status_code == 403


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(rig: Rig) -> None:
    citizen = rig.person()
    http = rig.browser().http
    page = http.get("/login")
    fields = {"csrf": token(page.text), "username": citizen.phone, "password": citizen.password}
    signed_in = http.post("/login", data=fields)
    for answer, name in ((page, BROWSER_COOKIE), (signed_in, sessions.COOKIE)):
        told = answer.headers["Set-Cookie"]
        assert told.startswith(f"{name}=")
        assert "HttpOnly" in told
        assert "SameSite=lax" in told


def test_a_wrong_password_and_an_unknown_name_are_answered_alike(rig: Rig) -> None:
    citizen = rig.person()
    answers = [
        post(rig.browser().http, "/login", username=name, password="not the password")
        for name in (citizen.phone, "13899999999", "nobody")
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 401]
    told = {re.findall(r'class="wrong"[^>]*>([^<]+)<', answer.text)[0] for answer in answers}
    assert len(told) == 1
    assert all("not the password" not in answer.text for answer in answers)


def test_an_empty_sign_in_says_which_field_is_missing(rig: Rig) -> None:
    answer = post(rig.browser().http, "/login", username="", password="")
    assert answer.status_code == 422
    assert 'href="#username"' in answer.text
    assert 'href="#password"' in answer.text
    assert answer.text.count('aria-invalid="true"') == 2


def test_the_sign_in_page_says_which_portal_asks(rig: Rig) -> None:
    browser = rig.browser()
    asked = browser.http.get(
        "/oidc/authorize",
        params={
            "response_type": "code",
            "client_id": PORTAL_A.client_id,
            "redirect_uri": PORTAL_A.redirect_uri,
            "scope": "openid",
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "code_challenge_method": "S256",
            "ui_locales": "en",
        },
    )
    page = browser.http.get(asked.headers["Location"], headers={"Accept-Language": "zh-CN"}).text
    assert "Example City services" in page
    assert "realm=staff" not in page


def test_an_interaction_of_another_browser_is_an_error_page(rig: Rig) -> None:
    answer = rig.browser().http.get("/login?interaction=guessed")
    assert answer.status_code == 400
    assert "interaction.gone" in answer.text


def test_a_client_nobody_knows_is_told_on_a_page_and_never_followed(rig: Rig) -> None:
    answer = rig.browser().http.get(
        "/oidc/authorize?client_id=nobody&redirect_uri=https://example.com/"
    )
    assert answer.status_code == 400
    assert "authorize.client_unknown" in answer.text
    assert 'href="https://example.com' not in answer.text
    assert "Location" not in answer.headers


def test_signing_in_leads_to_no_other_site(rig: Rig) -> None:
    citizen = rig.person()
    path = "/login?next=//example.com/"
    http = rig.browser().http
    answer = post(http, path, username=citizen.phone, password=citizen.password)
    assert answer.headers["Location"] == "/my/licences"


def test_signing_out_ends_the_session(rig: Rig) -> None:
    http = sign_in(rig, rig.person())
    cookie = http.cookies[sessions.COOKIE]
    page = http.get("/my/licences").text
    answer = http.post("/logout", data={"csrf": token(page)})
    assert answer.headers["Location"] == f"{rig.address}/signed-out"
    http.cookies.set(sessions.COOKIE, cookie)
    assert http.get("/my/licences").is_redirect


def test_a_citizen_sees_their_own_licences_and_no_others(rig: Rig) -> None:
    first, second = rig.person(), rig.person()
    licence = licence_of(rig, first)
    http = sign_in(rig, first)
    place = f"/my/licences/{licence['identifier']}"
    assert licence["number"] in http.get("/my/licences").text
    detail = http.get(place).text
    assert licence["number"] in detail
    assert http.get(f"{place}/files/png").content[:8] == b"\x89PNG\r\n\x1a\n"
    pdf = http.get(f"{place}/files/pdf?download")
    assert pdf.content.startswith(b"%PDF-")
    assert pdf.headers["Content-Disposition"].startswith("attachment")

    stranger = sign_in(rig, second)
    assert licence["number"] not in stranger.get("/my/licences").text
    for path in (place, f"{place}/files/png", f"{place}/files/pdf"):
        assert stranger.get(path).status_code == 404


def test_no_page_shows_an_id_number_and_no_address_holds_one(rig: Rig) -> None:
    citizen = rig.person()
    licence = licence_of(rig, citizen)
    http = sign_in(rig, citizen)
    for path in ("/", "/my/licences", f"/my/licences/{licence['identifier']}"):
        page = http.get(path)
        assert page.status_code == 200
        assert citizen.number not in page.text
        assert citizen.phone not in page.text


def test_a_revoked_licence_is_told_to_be_revoked(rig: Rig) -> None:
    citizen = rig.person()
    licence = licence_of(rig, citizen)
    rig.revoke(licence)
    http = sign_in(rig, citizen)
    http.cookies.set(COOKIE, "en")
    page = http.get(f"/my/licences/{licence['identifier']}").text
    assert "Revoked" in page
    assert "Do not use it" in page


def test_a_stranger_is_sent_to_sign_in_and_comes_back(rig: Rig) -> None:
    citizen = rig.person()
    licence = licence_of(rig, citizen)
    http = rig.browser().http
    asked = http.get(f"/my/licences/{licence['identifier']}")
    page = asked.headers["Location"]
    answer = post(http, page, username=citizen.phone, password=citizen.password)
    assert answer.headers["Location"] == f"/my/licences/{licence['identifier']}"


def test_a_pasted_code_is_judged_without_scripts(rig: Rig) -> None:
    licence = rig.issue()
    http = rig.browser().http
    page = post(http, "/v", code=str(licence["code"])).text
    assert 'data-answer="valid"' in page
    assert licence["number"] in page
    rig.revoke(licence)
    assert 'data-answer="invalid"' in post(http, "/v", code=str(licence["code"])).text


def test_an_uploaded_file_is_judged_without_scripts_and_every_finding_is_told(rig: Rig) -> None:
    licence = rig.issue()
    for kind in ("ofd", "pdf", "png"):
        page = upload(rig, f"a.{kind}", rig.file(licence, kind)).text
        assert 'data-answer="valid"' in page
        assert licence["number"] in page
        assert "finding." not in page


def test_a_changed_value_is_told_by_the_name_its_field_has_on_the_face(rig: Rig) -> None:
    licence = rig.issue()
    genuine = rig.file(licence, "ofd")
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(genuine)) as package, zipfile.ZipFile(changed, "w") as other:
        for info in package.infolist():
            content = package.read(info)
            if info.filename.endswith("Page_0/Content.xml"):
                content = content.replace(licence["number"].encode(), b"9" * len(licence["number"]))
                content = content.replace("720 日历天".encode(), "120 日历天".encode())
            other.writestr(info, content)
    page = upload(rig, "changed.ofd", changed.getvalue()).text
    assert 'data-answer="invalid"' in page
    assert "证照编号" in page
    assert "合同工期、" in page or "、合同工期" in page


def upload(rig: Rig, name: str, data: bytes) -> httpx2.Response:
    http = rig.browser().http
    fields = {"csrf": token(http.get("/v").text)}
    return http.post("/v", data=fields, files={"file": (name, data)})


def test_a_file_that_cannot_be_judged_is_refused_in_words(rig: Rig) -> None:
    large = b"x" * (20 * 2**20 + 1)
    refused = (("", b"", 422), ("a.txt", b"not a licence", 415), ("a.ofd", large, 413))
    for name, data, status in refused:
        answer = upload(rig, name, data)
        assert answer.status_code == status
        assert 'id="file-wrong"' in answer.text


def test_a_code_that_is_not_ours_is_not_valid(rig: Rig) -> None:
    page = post(rig.browser().http, "/v", code="<script>alert(1)</script>").text
    assert 'data-answer="invalid"' in page
    assert "<script>alert" not in page


def test_a_page_that_is_not_there_is_a_page_for_people_and_a_problem_for_programs(rig: Rig) -> None:
    page = rig.http.get("/nowhere", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "<h1" in page.text
    problem = rig.http.get("/nowhere", headers={"Accept": "application/json"})
    assert problem.headers["Content-Type"] == "application/problem+json"


def test_the_type_of_a_problem_is_a_page_that_explains_it(rig: Rig) -> None:
    problem = rig.http.get("/nowhere", headers={"Accept": "application/json"}).json()
    page = rig.http.get(problem["type"])
    assert page.status_code == 200
    assert problem["title"] in page.text
    assert rig.http.get("/problems/no.such.code").status_code == 404


def test_a_person_registers_in_two_steps(rig: Rig) -> None:
    http = client(rig.address)
    with http:
        form = {
            "name": "张䶮",
            "number": "330105188001010018",
            "ethnicity": "01",
            "sex": "1",
            "phone": "13700000001",
            "password": "a long enough secret",
        }
        answer = post(http, "/register", **form)
        assert answer.headers["Location"] == "/register/code", answer.text
        assert "137****0001" in http.get("/register/code").text
        assert post(http, "/register/code", code="000000").status_code == 422
        answer = post(http, "/register/code", code=rig.sms_code("13700000001"))
        assert answer.headers["Location"] == "/register/done"
        assert http.get("/register/done").status_code == 200
        signed_in = post(http, "/login", username=form["number"], password=form["password"])
        assert signed_in.headers["Location"] == "/my/licences"


def test_registration_names_the_field_that_is_wrong_and_forgets_the_password(rig: Rig) -> None:
    form = {
        "name": "张䶮",
        "number": "330105188001010019",
        "ethnicity": "01",
        "sex": "1",
        "phone": "13700000002",
        "password": "a long enough secret",
    }
    answer = post(rig.browser().http, "/register", **form)
    assert answer.status_code == 422
    assert 'id="number-wrong"' in answer.text
    assert "13700000002" in answer.text
    assert form["password"] not in answer.text


def test_a_registration_without_a_ticket_begins_again(rig: Rig) -> None:
    answer = rig.browser().http.get("/register/code")
    assert answer.status_code == 410
    assert 'action="/register"' in answer.text
