"""The pages of staff: what one holds, who works below, and by which account one goes on."""

import re

import httpx2
import pytest

from idp import clients, staff
from idp.client_metadata import Consent, StaffAccounts
from idp.clients import Registration
from idp.staff import Opening
from idp.staffing import appointments, bodies, local_accounts
from idp.staffing.appointments import Post
from idp.staffing.bodies import Body, Tier
from idp.staffing.local_accounts import Account
from idp.staffing.roles import OPERATORS_ALONE, ROLE_SCOPES
from idp.vocabulary import GrantType, Realm
from service.locale import LOCALES, catalogue
from service.seed import BODIES, CLERK_PASSWORD, HOUSING, MARKET
from tests.rig import Rig
from tests.service.portals import press

CLERK = BODIES[0].clerk
PASSWORD = "a long secret for the first day"
APP = "https://app.example/back"


def opened(rig: Rig, username: str, *roles: str, body: str = HOUSING.uscc) -> str:
    opening = Opening(username, "沈知远", body, roles, PASSWORD)
    with rig.world.begin() as tx:
        return staff.open_account(tx, rig.world.provider, opening)


def signed_in(rig: Rig, username: str, password: str = PASSWORD) -> httpx2.Client:
    """A browser in which somebody of staff has shown both factors."""
    http = rig.browser().http
    answer = press(http, "/login?realm=staff", username=username, password=password)
    code = rig.code_of(username)
    answer = press(http, answer.headers["Location"], totp=code, by="totp")
    assert answer.is_redirect, answer.text
    return http


def scopes(rig: Rig, subject: str) -> frozenset[str]:
    with rig.world.begin() as tx:
        return staff.member(tx, rig.world.provider, subject).scopes


def test_nobody_gets_to_the_page_with_a_password_alone(rig: Rig) -> None:
    http = rig.browser().http
    assert http.get("/staff").headers["Location"] == "/login?realm=staff&next=/staff"
    press(http, "/login?realm=staff", username=CLERK.username, password=CLERK_PASSWORD)
    assert http.get("/staff").headers["Location"] == "/login/more?realm=staff&next=%2Fstaff"


def test_a_clerk_sees_what_they_hold_and_manages_nobody(rig: Rig) -> None:
    http = signed_in(rig, CLERK.username, CLERK_PASSWORD)
    page = http.get("/staff")
    assert page.status_code == 200
    assert HOUSING.name in page.text
    assert 'name="close"' not in page.text
    other = opened(rig, "someone")
    assert press(http, "/staff", close=other).status_code == 403
    assert not scopes(rig, other)


def test_a_security_administrator_gives_takes_and_closes(rig: Rig) -> None:
    opened(rig, "chief", "security-administrator")
    subject = opened(rig, "someone")
    http = signed_in(rig, "chief")
    given = press(http, "/staff", username="someone", role="licence-clerk", give="1")
    assert given.headers["Location"] == "/staff?done=given"
    assert scopes(rig, subject) == {"licence.issue", "licence.read"}
    page = http.get("/staff").text
    number = re.search(rf'name="holder_(\d+)" value="{subject}"', page)
    assert number is not None
    holder = {f"holder_{number[1]}": subject}
    assert press(http, "/staff", end=number[1], **holder).is_redirect
    assert not scopes(rig, subject)
    assert press(http, "/staff", close=subject).is_redirect
    assert f'value="{subject}"' not in http.get("/staff").text


def test_an_administrator_gives_themselves_nothing_and_reaches_nobody_elsewhere(rig: Rig) -> None:
    opened(rig, "chief", "security-administrator")
    elsewhere = opened(rig, "stranger", body=MARKET.uscc)
    http = signed_in(rig, "chief")
    own = press(http, "/staff", username="chief", role="licence-clerk", give="1")
    assert own.status_code == 403
    for fields in ({"close": elsewhere}, {"username": "stranger", "role": "auditor", "give": "1"}):
        assert press(http, "/staff", **fields).status_code == 403
    assert press(http, "/staff", username="nobody", role="auditor", give="1").status_code == 404


def application(rig: Rig, *local_ids: str) -> str:
    """Register an application with accounts of its own; return an authorization request to it."""
    registration = Registration(
        client_id="app",
        name_zh="示例业务系统",
        name_en="Example application",
        realm=Realm.STAFF,
        consent=Consent.BY_POLICY,
        grant_types=(GrantType.AUTHORIZATION_CODE,),
        scopes=("openid",),
        redirect_uris=(APP,),
        staff_accounts=StaffAccounts.MAPPED,
        require_pkce=False,
    )
    provider = rig.world.provider
    with rig.world.begin() as tx:
        clients.register(tx, provider, registration)
        subject = staff.subject_of(tx, CLERK.username) or ""
        for local_id in local_ids:
            account = Account(local_id, f"账号{local_id}")
            local_accounts.link(tx, provider, "app", subject, account, by="test")
    return (
        f"/oidc/authorize?response_type=code&client_id=app&redirect_uri={APP}&scope=openid&state=s"
    )


def test_staff_choose_which_of_their_accounts_it_is(rig: Rig) -> None:
    asked = application(rig, "A-17", "B-3")
    http = signed_in(rig, CLERK.username, CLERK_PASSWORD)
    location = http.get(asked).headers["Location"]
    page = http.get(location).text
    assert "账号A-17" in page
    assert "账号B-3" in page
    assert press(http, location, account="C-1").status_code == 404
    answer = press(http, location, account="B-3")
    assert "code=" in http.get(answer.headers["Location"]).headers["Location"]


def test_whoever_has_no_account_there_reads_why_and_goes_back(rig: Rig) -> None:
    asked = application(rig)
    http = signed_in(rig, CLERK.username, CLERK_PASSWORD)
    location = http.get(asked).headers["Location"]
    page = http.get(location)
    assert page.status_code == 200
    assert 'name="account"' not in page.text
    answer = press(http, location, decision="back")
    assert "error=access_denied" in http.get(answer.headers["Location"]).headers["Location"]


def test_every_role_has_a_name_in_every_language() -> None:
    for locale in LOCALES:
        assert {f"role.{role}" for role in ROLE_SCOPES} <= set(catalogue(locale))


@pytest.mark.parametrize("role", sorted(OPERATORS_ALONE))
def test_what_reaches_the_whole_service_is_not_given_at_one_body(rig: Rig, role: str) -> None:
    opened(rig, "chief", "security-administrator")
    subject = opened(rig, "someone")
    http = signed_in(rig, "chief")
    assert f'value="{role}"' not in http.get("/staff").text
    answer = press(http, "/staff", username="someone", role=role, give="1")
    assert answer.status_code == 403
    assert not scopes(rig, subject)


def test_whoever_manages_one_body_alone_manages_nobody_below_it(rig: Rig) -> None:
    provider = rig.world.provider
    lower = Body(MARKET.uscc, MARKET.name, Tier.CITY, MARKET.area_code, HOUSING.uscc)
    chief = opened(rig, "chief")
    with rig.world.begin() as tx:
        bodies.place(tx, provider, lower, by="test")
        post = Post("security-administrator", HOUSING.uscc, below=False)
        appointments.appoint(tx, provider, chief, post, by="test")
    below, beside = opened(rig, "stranger", body=MARKET.uscc), opened(rig, "someone")
    http = signed_in(rig, "chief")
    assert "stranger" not in http.get("/staff").text
    assert press(http, "/staff", close=below).status_code == 403
    give = {"role": "licence-clerk", "give": "1"}
    assert press(http, "/staff", username="stranger", **give).status_code == 403
    assert press(http, "/staff", username="someone", **give).is_redirect
    with rig.world.begin() as tx:
        assert appointments.permits(tx, provider, beside, "licence.issue", HOUSING.uscc)
        assert not appointments.permits(tx, provider, beside, "licence.issue", MARKET.uscc)


def test_what_somebody_holds_at_another_body_is_taken_there(rig: Rig) -> None:
    provider = rig.world.provider
    opened(rig, "chief", "security-administrator")
    subject = opened(rig, "someone")
    with rig.world.begin() as tx:
        post = Post("licence-clerk", MARKET.uscc)
        number = appointments.appoint(tx, provider, subject, post, by="test")
    http = signed_in(rig, "chief")
    holder = {f"holder_{number}": subject}
    assert press(http, "/staff", end=str(number), **holder).status_code == 403
    with rig.world.begin() as tx:
        assert appointments.permits(tx, provider, subject, "licence.issue", MARKET.uscc)
