"""The registration page for every paper, as a browser without scripts sees it."""

import re
from html import unescape

import httpx2
import pytest

from idp.identity_documents import RULES, Document
from service.locale import COOKIE
from service.simulators.registers import load_papers
from tests.browser import client
from tests.rig import Rig

PASSPORT = next(paper for paper in load_papers() if paper.document == Document.PASSPORT)
ALWAYS = {"csrf", "name", "number", "phone", "username", "password"}


def address(document: Document) -> str:
    return "/register" if document is Document.RESIDENT_ID else f"/register?document={document}"


def post(http: httpx2.Client, path: str, **fields: str) -> httpx2.Response:
    page = http.get(path).text
    token = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
    assert token
    action = re.search(r'<form method="post"(?: action="([^"]*)")?', page)
    assert action
    sent = unescape(action[1] or path)
    return http.post(sent, data={"csrf": token[1], **fields})


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
@pytest.mark.parametrize("document", Document)
def test_the_form_asks_for_what_the_paper_needs_and_no_more(
    rig: Rig, document: Document, locale: str
) -> None:
    with client(rig.address) as http:
        http.cookies.set(COOKIE, locale)
        page = http.get(address(document)).text
    form = page[page.index("<form") :]
    fields = set(re.findall(r'<(?:input|select)[^>]* name="([a-z]+)"', form))
    assert fields - {"language", "return_to"} >= ALWAYS | set(RULES[document].asks)
    others = {"ethnicity", "sex", "nationality", "birthdate"} - set(RULES[document].asks)
    assert not others & fields
    for other in Document:
        assert unescape(page).count(f'href="{address(other)}"') >= 1
    assert "register." not in re.sub(r"<[^>]*>", "", page), "a sentence is missing"


def test_the_holder_of_a_passport_registers(rig: Rig) -> None:
    http, path = rig.browser().http, address(Document.PASSPORT)
    typed = {
        "number": " e99000001",
        "name": "Erika  Specimen",
        "nationality": "deu",
        "birthdate": PASSPORT.birthdate.isoformat(),
        "phone": "13700000088",
        "username": "erika.s",
        "password": "a long secret of hers",
    }
    answer = post(http, path, **typed)
    assert answer.headers["Location"] == "/register/code?document=passport", answer.text
    code = rig.sms_code("13700000088")
    answer = post(http, "/register/code?document=passport", code=code)
    assert answer.headers["Location"] == "/register/done?document=passport", answer.text
    with client(rig.address) as other:
        answer = post(other, "/login", username="DEU E99000001", password="a long secret of hers")
        assert answer.status_code == 303, answer.text


def test_what_is_missing_is_named_by_the_papers_own_name(rig: Rig) -> None:
    with client(rig.address) as http:
        http.cookies.set(COOKIE, "en")
        answer = post(http, address(Document.PASSPORT), name="ERIKA SPECIMEN")
    assert answer.status_code == 422
    for name in ("number", "nationality", "birthdate", "phone", "password"):
        assert f'href="#{name}"' in answer.text
    assert "Enter: Passport number." in unescape(answer.text)
    assert 'href="#username"' not in answer.text


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"number": "３３０１０５１８８００１０１００１８"}, "number"),
        ({"number": "330105800101001"}, "number"),
        ({"number": "990100188001010019"}, "number"),
        ({"username": "h99000001"}, "username"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_sent(
    rig: Rig, changed: dict[str, str], field: str
) -> None:
    typed = {
        "number": "330105188001010018",
        "name": "张䶮",
        "ethnicity": "01",
        "sex": "1",
        "phone": "13700000089",
        "password": "a long secret of theirs",
    }
    with client(rig.address) as http:
        answer = post(http, "/register", **(typed | changed))
    assert answer.status_code == 422
    assert f'id="{field}-wrong"' in answer.text
    assert f'href="#{field}"' in answer.text
