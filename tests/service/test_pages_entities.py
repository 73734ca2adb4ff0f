"""My companies, my helpers, and the question for whom one acts: what people see and press."""

import re
from datetime import UTC, date, datetime, timedelta

import httpx2

from idp import evidence, staff
from idp.client_metadata import ContextKind
from idp.entities import mandates
from tests.idp.companies import BUILDER
from tests.rig import Citizen, Rig
from tests.service.portals import plain, press, sent_back, shop, token
from tests.service.test_pages_levels import clerk_at

_FORM = {
    "uscc": BUILDER.uscc,
    "name": BUILDER.name,
    "registration_number": BUILDER.registration_number,
}
_COMPANY = f"/my/entities/{BUILDER.uscc}"
_AT_COUNTER = "/staff/counter/helper"


def signed_in(rig: Rig, citizen: Citizen) -> httpx2.Client:
    http = rig.browser().http
    http.headers["Accept-Language"] = "en"
    assert press(http, "/login", username=citizen.phone, password=citizen.password).is_redirect
    return http


def chief(rig: Rig) -> tuple[Citizen, httpx2.Client]:
    """A person whom the simulated register now holds for the company's representative."""
    citizen = rig.person()
    asked = {"uscc": BUILDER.uscc, "representative_number": citizen.number}
    url = f"{rig.world.simulators_url}/sandbox/entity"
    httpx2.post(url, json=asked).raise_for_status()
    return citizen, signed_in(rig, citizen)


def registered(rig: Rig) -> tuple[Citizen, httpx2.Client]:
    citizen, http = chief(rig)
    answer = press(http, "/my/entities/register", **_FORM)
    assert answer.headers["Location"] == f"{_COMPANY}?done=registered"
    return citizen, http


def gift(to: Citizen, days: int = 30) -> dict[str, str]:
    until = datetime.now(UTC) + timedelta(days=days)
    return {
        "number": to.number,
        "name": to.name,
        "items": "permit.apply\npermit.extend",
        "until": f"{until:%Y-%m-%d}",
    }


def buttons(page: httpx2.Response, name: str) -> list[str]:
    """The values of the buttons or hidden fields of a name."""
    return re.findall(rf'name="{name}" value="([^"]+)"', page.text)


def test_nobody_sees_companies_without_signing_in(rig: Rig) -> None:
    http = rig.browser().http
    for path in ("/my/entities", "/my/entities/register", _COMPANY, "/my/helpers"):
        assert http.get(path).headers["Location"].startswith("/login?next=")


def test_a_company_is_registered_and_raised_by_its_taxes(rig: Rig) -> None:
    _, http = registered(rig)
    page = http.get(_COMPANY)
    assert 'id="level">basic<' in page.text
    assert "MAXX91017" in plain(page)
    assert press(http, _COMPANY, do="tax").headers["Location"].endswith("done=raised")
    assert 'id="level">intermediate<' in http.get(_COMPANY).text
    assert BUILDER.name in plain(http.get("/my/entities"))


def test_every_field_of_the_form_is_named_when_it_is_wrong(rig: Rig) -> None:
    _, http = chief(rig)
    answer = press(http, "/my/entities/register", uscc="", name="", registration_number="")
    assert answer.status_code == 422
    for field in _FORM:
        assert f'href="#{field}"' in answer.text
    answer = press(http, "/my/entities/register", **_FORM | {"uscc": BUILDER.uscc[:-1] + "G"})
    assert answer.status_code == 422
    assert 'href="#uscc"' in answer.text
    answer = press(http, "/my/entities/register", **_FORM | {"name": "示例市另一家有限公司"})
    assert answer.status_code == 422
    assert "Compare all three" in plain(answer)
    assert "示例市另一家有限公司" in answer.text


def test_a_company_of_somebody_else_is_not_shown(rig: Rig) -> None:
    registered(rig)
    stranger = signed_in(rig, rig.person())
    answer = stranger.get(_COMPANY, headers={"Accept": "text/html"})
    assert answer.status_code == 403
    assert BUILDER.name not in answer.text


def test_an_agent_is_authorised_acts_at_a_portal_and_is_seen_and_ended(rig: Rig) -> None:
    head, http = registered(rig)
    clerk = rig.person()
    assert press(http, _COMPANY, do="give", **gift(clerk)).headers["Location"].endswith("given")
    theirs = signed_in(rig, clerk)
    page = theirs.get("/my/entities")
    assert BUILDER.name in plain(page)
    portal = shop(
        rig,
        "company-portal",
        context=ContextKind.LEGAL,
        scopes=("openid", "entity"),
        consent="by-policy",
    )
    location = theirs.get(portal.url(scope="openid entity")).headers["Location"]
    assert "/login/context?" in location
    page = theirs.get(location)
    assert "as its authorised agent" in plain(page)
    (mandate,) = [v for v in buttons(page, "acting") if v not in ("myself", "deny")]
    assert press(theirs, location).status_code == 422
    answer = press(theirs, location, acting=mandate)
    code = theirs.get(answer.headers["Location"]).headers["Location"]
    assert "code" in sent_back(code)
    portal.id_token(code)
    assert "You act for" in plain(theirs.get("/my/entities"))
    page = http.get(_COMPANY)
    assert f"{clerk.name} · " in plain(page)
    press(http, _COMPANY, do="revoke", mandate=mandate)
    assert "Nobody has authorised you" in plain(theirs.get("/my/entities"))
    assert head.number not in page.text
    assert clerk.number not in page.text


def test_what_an_authorisation_is_for_is_chosen_and_shown_by_name(rig: Rig) -> None:
    head, http = registered(rig)
    page = http.get(_COMPANY)
    assert set(buttons(page, "items")) - {""} == {"progress-query", "licence-application", "*"}
    assert "Follow an application" in plain(page)
    assert "Pay online" not in plain(page), "no agent may do what needs the second level"
    form = gift(rig.person()) | {"items": ["progress-query", "fishing.permit"]}
    form |= {"do": "give", "csrf": token(page.text)}
    last_day = date.fromisoformat(str(form["until"]))
    assert http.post(_COMPANY, data=form | {"name": "不是他"}).status_code in (403, 404, 422)
    assert http.post(_COMPANY, data=form).headers["Location"].endswith("given")
    shown = plain(http.get(_COMPANY))
    assert "fishing.permit; Follow an application" in shown
    assert f'class="date">{last_day.day} {last_day:%B} {last_day.year}<' in shown
    assert head.number not in shown


def test_what_was_ticked_and_typed_stays_when_something_else_is_wrong(rig: Rig) -> None:
    _, http = registered(rig)
    form: dict[str, object] = {"do": "give", "items": ["progress-query", "fishing.permit"]}
    form["csrf"] = token(http.get(_COMPANY).text)
    page = http.post(_COMPANY, data=form).text
    assert re.search(r'value="progress-query"[^>]* checked', page)
    assert not re.search(r'value="licence-application"[^>]* checked', page)
    assert 'value="fishing.permit "' in page


def test_who_represents_nothing_may_go_back_from_a_portal_for_companies(rig: Rig) -> None:
    portal = shop(rig, "firms", context=ContextKind.LEGAL, scopes=("openid", "entity"))
    http = signed_in(rig, rig.person())
    location = http.get(portal.url(scope="openid entity")).headers["Location"]
    assert "You neither represent one" in plain(http.get(location))
    answer = press(http, location, acting="deny")
    back = http.get(answer.headers["Location"]).headers["Location"]
    assert sent_back(back)["error"] == "access_denied"


def test_switching_keeps_the_person_signed_in(rig: Rig) -> None:
    _, http = registered(rig)
    (mandate,) = buttons(http.get("/my/entities"), "acting")
    press(http, "/my/entities", acting=mandate)
    assert f"You act for {BUILDER.name}" in plain(http.get("/my/entities"))
    press(http, "/my/entities", acting="myself")
    assert "You act for yourself" in plain(http.get("/my/entities"))


def test_nobody_switches_to_what_is_not_theirs(rig: Rig) -> None:
    citizen, _ = registered(rig)
    with rig.world.begin() as tx:
        (own,) = mandates.of_holder(tx, citizen.subject)
    stranger = signed_in(rig, rig.person())
    assert press(stranger, "/my/entities", acting=own.id).status_code == 403
    assert press(stranger, "/my/entities", revoke=own.id).status_code == 404


def test_an_old_sign_in_authorises_nobody_and_says_what_to_do(rig: Rig) -> None:
    _, http = registered(rig)
    clerk = rig.person()
    rig.clock.tick(minutes=16)
    answer = press(http, _COMPANY, do="give", **gift(clerk))
    assert answer.status_code >= 400
    assert 'id="again"' in answer.text
    assert "permit.extend" in answer.text


def test_a_citizen_lets_somebody_help_and_ends_it(rig: Rig) -> None:
    citizen, helper = rig.person(), rig.person()
    http = signed_in(rig, citizen)
    assert press(http, "/my/helpers", **gift(helper)).headers["Location"].endswith("given")
    page = http.get("/my/helpers")
    assert helper.name in plain(page)
    assert "In your own sign-in" in plain(page)
    (mandate,) = buttons(page, "revoke")
    assert citizen.name in plain(signed_in(rig, helper).get("/my/entities"))
    press(http, "/my/helpers", revoke=mandate)
    assert "Nobody may act for you" in plain(http.get("/my/helpers"))
    for wrong, field in (({"until": "soon"}, "until"), ({"items": ""}, "items")):
        answer = press(http, "/my/helpers", **gift(helper) | wrong)
        assert answer.status_code == 422
        assert f'href="#{field}"' in answer.text


def at_hall(rig: Rig) -> httpx2.Client:
    return clerk_at(rig, "counter-a")


def consent(citizen: Citizen, helper: Citizen, **changed: str) -> dict[str, str]:
    asked = {
        "counter": "hall-1",
        "document": "resident-id-card",
        "citizen_number": citizen.number,
        "citizen_name": citizen.name,
    }
    return asked | gift(helper) | changed


def test_a_clerk_records_that_a_citizen_agreed_in_person(rig: Rig) -> None:
    citizen, helper, clerk = rig.person(), rig.person(), at_hall(rig)
    answer = press(clerk, _AT_COUNTER, **consent(citizen, helper))
    assert answer.headers["Location"] == f"{_AT_COUNTER}?done=given", plain(answer)
    http = signed_in(rig, citizen)
    page = http.get("/my/helpers")
    assert helper.name in plain(page)
    assert "In person, at 示例市政务服务中心" in plain(page)
    (mandate,) = buttons(page, "revoke")
    press(http, "/my/helpers", revoke=mandate)
    assert "Nobody may act for you" in plain(http.get("/my/helpers"))


def test_what_is_wrong_at_the_counter_is_told_by_its_field_and_gives_nothing(rig: Rig) -> None:
    citizen, helper, clerk = rig.person(), rig.person(), at_hall(rig)
    wrong = {
        "citizen_name": ("citizen_number", helper.name),
        "citizen_number": ("citizen_number", citizen.phone),
        "name": ("number", citizen.name),
        "items": ("items", ""),
        "until": ("until", "soon"),
        "document": ("document", "library-card"),
    }
    for name, (field, typed) in wrong.items():
        answer = press(clerk, _AT_COUNTER, **consent(citizen, helper, **{name: typed}))
        assert answer.status_code == 422
        assert f'href="#{field}"' in answer.text
    elsewhere = press(clerk, _AT_COUNTER, **consent(citizen, helper, counter="hall-9"))
    assert elsewhere.status_code in (403, 404, 422)
    with rig.world.begin() as tx:
        assert mandates.of_principal(tx, citizen.subject) == []


def test_only_clerks_record_consents(rig: Rig) -> None:
    answer = signed_in(rig, rig.person()).get(_AT_COUNTER)
    assert answer.headers["Location"] == f"/login?realm=staff&next={_AT_COUNTER}"


def test_a_clerk_who_serves_nowhere_is_told_so(rig: Rig) -> None:
    clerk = clerk_at(rig, "counter-b", "licence-clerk")
    assert 'id="record-helper"' not in clerk.get(_AT_COUNTER).text


def test_a_clerk_raises_a_company_whose_licence_they_saw_and_is_named(rig: Rig) -> None:
    citizen, http = registered(rig)
    form = {"do": "entity", "uscc": BUILDER.uscc, "entity_name": BUILDER.name}
    clerk = at_hall(rig)
    assert press(clerk, "/staff/counter", counter="hall-9", **form).status_code in (403, 404, 422)
    answer = press(clerk, "/staff/counter", counter="hall-1", **form)
    assert answer.headers["Location"] == "/staff/counter?done=entity"
    assert 'id="level">intermediate<' in http.get(_COMPANY).text
    with rig.world.begin() as tx:
        (own,) = mandates.of_holder(tx, citizen.subject)
        by = staff.subject_of(tx, "counter-a")
        (piece,) = (e for e in evidence.of_subject(tx, own.principal) if e.kind == "counter")
    assert (piece.by, piece.details["counter"]) == (by, "hall-1")


def test_an_agreement_says_for_whom_and_is_asked_again_when_that_changed(rig: Rig) -> None:
    _, http = registered(rig)
    portal = shop(rig, "deeds", context=ContextKind.ANY, scopes=("openid", "entity"))
    (mandate,) = buttons(http.get("/my/entities"), "acting")
    press(http, "/my/entities", acting=mandate)
    page = http.get(portal.url(scope="openid entity")).headers["Location"]
    shown = http.get(page)
    assert f"You act for {BUILDER.name}" in plain(shown)
    press(http, "/my/entities", acting="myself")
    form = {"csrf": token(shown.text), "acting": mandate, "decision": "approve"}
    stale = http.post(page, data=form)
    assert stale.status_code == 200, "shown once more, and nothing agreed to"
    assert BUILDER.name not in plain(stale)
    assert press(http, page, decision="approve").is_redirect


def test_no_address_breaks_the_page_of_a_company(rig: Rig) -> None:
    http = signed_in(rig, rig.person())
    for path in ("/my/entities/%00", "/my/entities/x", f"/my/entities/{'9' * 4000}"):
        assert http.get(path).status_code in (400, 404)
