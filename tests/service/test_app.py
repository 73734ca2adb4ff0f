"""The whole service from outside: health, the two dialects, pages for people."""

import pytest

from tests.rig import Rig
from tests.service.test_pages import token


def test_the_service_says_it_is_alive_and_ready(rig: Rig) -> None:
    assert rig.http.get("/healthz").status_code == 200
    ready = rig.http.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {"ready": True, "database": True, "cache": True, "sm2": "openssl"}


def test_the_licence_api_speaks_problems_and_the_token_endpoint_speaks_oauth(rig: Rig) -> None:
    problem = rig.http.get("/api/licences/licences/x")
    assert problem.headers["Content-Type"] == "application/problem+json"
    oauth = rig.http.post("/oidc/token", data={"grant_type": "none"})
    assert set(oauth.json()) >= {"error", "error_description"}


@pytest.mark.parametrize("path", ["/nowhere", "/oidc/authorize?client_id=nobody"])
def test_a_person_gets_a_page_and_not_json(rig: Rig, path: str) -> None:
    answer = rig.http.get(path, headers={"Accept": "text/html", "Accept-Language": "zh-CN"})
    assert answer.status_code in (400, 404)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert 'lang="zh-CN"' in answer.text


@pytest.mark.parametrize("path", ["/nowhere", "/oidc/authorize?client_id=nobody"])
def test_the_forms_of_an_error_page_work_for_a_new_visitor(rig: Rig, path: str) -> None:
    http = rig.browser().http
    page = http.get(path, headers={"Accept": "text/html"})
    answer = http.post("/preferences", data={"csrf": token(page.text), "locale": "en"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


@pytest.mark.parametrize("path", ["/nowhere", "/api/licences/nowhere"])
def test_a_program_gets_json(rig: Rig, path: str) -> None:
    answer = rig.http.get(path, headers={"Accept": "application/json"})
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_type_of_a_problem_is_the_address_of_a_page(rig: Rig) -> None:
    kind = rig.http.get("/api/licences/licences/x").json()["type"]
    page = rig.http.get(kind, headers={"Accept-Language": "en"})
    assert page.status_code == 200
    assert "token.missing" in page.text


def test_twenty_megabytes_of_rubbish_are_judged_or_refused_and_the_service_goes_on(
    rig: Rig,
) -> None:
    assert rig.judge(b"\x00" * (20 * 2**20)).status_code == 415
    assert rig.judge(b"\x00" * (22 * 2**20)).status_code == 413
    assert rig.http.get("/readyz").json()["ready"]
