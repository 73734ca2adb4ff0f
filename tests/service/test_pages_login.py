"""The sign-in page, as long as a portal waits: the way back without signing in."""

import pytest

from idp.steps import SIGN_IN_REASONS
from service.locale import LOCALES, catalogue
from tests.rig import Rig
from tests.service.portals import press, sent_back, shop, sign_in, token

_CANCEL = 'id="deny" name="decision" value="deny"'


def test_whoever_cancels_goes_back_to_the_portal_with_an_error(rig: Rig) -> None:
    portal = shop(rig, "shop-cancelled")
    http = rig.browser().http
    login = http.get(portal.url()).headers["Location"]
    assert _CANCEL in http.get(login).text
    answer = press(http, login, username="", password="", decision="deny")
    told = sent_back(http.get(answer.headers["Location"]).headers["Location"])
    assert (told["error"], told["state"]) == ("access_denied", "state")
    assert told["iss"] == f"{rig.address}/oidc"
    assert http.get(login).status_code == 400, "the request is answered"


def test_cancelling_signs_nobody_in_whatever_was_typed(rig: Rig) -> None:
    portal, citizen = shop(rig, "shop-cancelled-late"), rig.person()
    http = rig.browser().http
    login = http.get(portal.url()).headers["Location"]
    answer = press(http, login, username=citizen.phone, password=citizen.password, decision="deny")
    assert "Set-Cookie" not in answer.headers
    assert "/login?" in http.get(portal.url()).headers["Location"]


@pytest.mark.parametrize("forged", [{}, {"csrf": "0" * 64}])
def test_another_sites_form_cancels_nothing(rig: Rig, forged: dict[str, str]) -> None:
    portal = shop(rig, f"shop-cancel-forged-{len(forged)}")
    http = rig.browser().http
    login = http.get(portal.url()).headers["Location"]
    assert http.post(login, data={"decision": "deny", **forged}).status_code == 403
    assert http.get(f"{login}&decision=deny").status_code == 200, "nor does an address"
    assert "/consent?" in sign_in(http, login, rig.person())


def test_another_browser_cancels_nothing(rig: Rig) -> None:
    portal = shop(rig, "shop-cancel-elsewhere")
    http, elsewhere = rig.browser().http, rig.browser().http
    login = http.get(portal.url()).headers["Location"]
    form = {"csrf": token(elsewhere.get("/login").text), "decision": "deny"}
    assert elsewhere.post(login, data=form).status_code == 400
    assert "/consent?" in sign_in(http, login, rig.person())


def test_on_our_own_account_there_is_nothing_to_cancel(rig: Rig) -> None:
    assert _CANCEL not in rig.browser().http.get("/login").text


@pytest.mark.parametrize("locale", LOCALES)
def test_every_reason_to_sign_in_again_has_a_sentence(locale: str) -> None:
    told = {key.removeprefix("login.why.") for key in catalogue(locale) if "login.why." in key}
    assert told == {reason.__name__ for reason in SIGN_IN_REASONS}
