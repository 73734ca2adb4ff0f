"""The ladder of natural persons, a rung a journey: what raises, what lowers, what portals are told."""

from collections.abc import Callable

import httpx2
import pytest

from idp import evidence_policy
from idp.levels import NATURAL, EvidenceKind
from service.simulators.registers import load_people
from tests import ladder
from tests.idp.standing import HASH
from tests.ladder import Office, Told
from tests.rig import Citizen, Rig
from tests.service.portals import plain, press, sent_back

Rise = Callable[[Rig, httpx2.Client, Citizen], None]
WAYS: dict[EvidenceKind, Rise] = {
    EvidenceKind.COUNTER: ladder.by_counter,
    EvidenceKind.ALIPAY: ladder.by_alipay,
    EvidenceKind.UNIONPAY: ladder.by_unionpay,
    EvidenceKind.HOUSING_FUND: ladder.by_housing_fund,
    EvidenceKind.LIVE_PERSON: ladder.by_face,
}
BASIC, INTERMEDIATE, ADVANCED = (level.acr for level in NATURAL[1:])
PHONE = "13800000077"
PASSWORD = "a long secret of theirs"
UNMET = "unmet_authentication_requirements"


@pytest.fixture
def office(rig: Rig) -> Office:
    return ladder.office(rig)


def register(rig: Rig, http: httpx2.Client, **changed: str) -> httpx2.Response:
    """Fill in the form of registration as the first of the register's people."""
    person = load_people()[0]
    form = {
        "name": person.name,
        "number": person.number,
        "ethnicity": person.ethnicity,
        "sex": person.sex,
        "phone": PHONE,
        "password": PASSWORD,
    }
    answer = press(http, "/register", **form | changed)
    if answer.is_redirect:
        code = rig.sms_code(PHONE)
        answer = press(http, answer.headers["Location"], code=code)
    return answer


def at_intermediate(rig: Rig) -> tuple[Citizen, httpx2.Client]:
    """Somebody whom a clerk saw, signed in by two factors."""
    citizen = rig.person()
    ladder.by_counter(rig, rig.http, citizen)
    return citizen, ladder.signed_in_twice(rig, citizen)


def assert_fell(rig: Rig, office: Office, http: httpx2.Client, told: Told) -> None:
    """What hung on the level is dead."""
    assert not ladder.is_signed_in(http)
    assert office.refresh(told).json()["error"] == "invalid_grant"
    assert not office.is_active(told)
    rig.check_everything()


def test_whoever_is_nobody_browses_and_verifies(rig: Rig, office: Office) -> None:
    code, http = rig.issue()["code"], rig.browser().http
    assert http.get("/").status_code == 200
    assert "有效" in plain(press(http, "/v", code=code))
    for own in ("/my/level", "/my/licences", "/my/account"):
        assert http.get(own).headers["Location"].startswith("/login")
    assert office.refused(http, prompt="none") == "login_required"
    assert office.stopped(http).startswith("/login")
    rig.check_everything()


def test_phone_and_register_together_make_the_first_level(rig: Rig, office: Office) -> None:
    http = rig.browser().http
    refused = register(rig, http, ethnicity="11")
    assert refused.status_code == 422, "three of four are not enough"
    assert press(http, "/login", username=PHONE, password=PASSWORD).status_code == 401
    done = register(rig, http)
    assert done.is_redirect, done.text
    assert press(http, "/login", username=PHONE, password=PASSWORD).is_redirect
    assert "初级" in plain(http.get("/my/level"))
    told = office.told(http)
    assert (told.natural, told.access["acr"]) == (1, BASIC)
    assert office.refused(http, **ladder.essential(INTERMEDIATE)) == UNMET
    rig.check_everything()


@pytest.mark.parametrize("state", ["deceased", "number-changed", "unknown"])
def test_the_first_level_falls_with_the_registers_word(
    rig: Rig, office: Office, state: str
) -> None:
    citizen = rig.person()
    http = ladder.signed_in(rig, citizen)
    told = office.told(http)
    rig.tell_outside("person", number=citizen.number, state=state)
    rig.watch_registers()
    assert_fell(rig, office, http, told)
    fallen = office.told(ladder.signed_in(rig, citizen))
    assert fallen.natural == 0
    assert office.refused(ladder.signed_in(rig, citizen), **ladder.essential(BASIC)) == UNMET


def test_the_first_level_falls_with_a_lost_phone(rig: Rig, office: Office) -> None:
    citizen = rig.person()
    http = ladder.signed_in(rig, citizen)
    told = office.told(http)
    ladder.withdraw(rig, citizen.subject, EvidenceKind.SMS_CODE)
    assert_fell(rig, office, http, told)
    assert office.told(ladder.signed_in(rig, citizen)).natural == 0


@pytest.mark.parametrize("kind", WAYS)
def test_each_of_five_ways_makes_the_second_level(
    rig: Rig, office: Office, kind: EvidenceKind
) -> None:
    citizen = rig.person()
    http = ladder.signed_in(rig, citizen)
    WAYS[kind](rig, http, citizen)
    assert "中级" in plain(http.get("/my/level"))
    assert office.told(http).natural == 1, "a password alone carries no more"
    asked = ladder.essential(INTERMEDIATE)
    more = office.stopped(http, **asked)
    assert more.startswith("/login/more"), "only what is missing is asked"
    told = office.redeemed(ladder.prove_phone(rig, http, citizen, more))
    assert (told.natural, told.claims["amr"]) == (2, ["pwd", "sms", "mfa"])
    rig.check_everything()
    ladder.withdraw(rig, citizen.subject, kind, "given-in-error")
    assert_fell(rig, office, http, told)
    again = ladder.signed_in_twice(rig, citizen)
    assert office.told(again).natural == 1
    assert office.refused(again, **asked) == UNMET


def test_the_second_level_stands_while_other_evidence_carries_it(rig: Rig, office: Office) -> None:
    citizen, http = at_intermediate(rig)
    ladder.by_housing_fund(rig, http, citizen)
    ladder.withdraw(rig, citizen.subject, EvidenceKind.COUNTER)
    assert ladder.is_signed_in(http)
    assert office.told(http).natural == 2
    rig.check_everything()


def test_the_second_level_falls_when_its_evidence_lapses(rig: Rig, office: Office) -> None:
    citizen, _ = at_intermediate(rig)
    lasts = evidence_policy.LASTS[EvidenceKind.COUNTER]
    assert lasts is not None
    rig.clock.tick(seconds=lasts.total_seconds() - 600)
    http = ladder.signed_in_twice(rig, citizen)
    told = office.told(http)
    assert told.natural == 2
    rig.clock.tick(minutes=11)
    assert_fell(rig, office, http, told)
    again = ladder.signed_in_twice(rig, citizen)
    assert office.told(again).natural == 1
    assert office.refused(again, **ladder.essential(INTERMEDIATE)) == UNMET


def test_the_second_level_falls_with_the_first(rig: Rig, office: Office) -> None:
    citizen, http = at_intermediate(rig)
    told = office.told(http)
    rig.tell_outside("person", number=citizen.number, state="deceased")
    rig.watch_registers()
    assert_fell(rig, office, http, told)
    assert office.told(ladder.signed_in_twice(rig, citizen)).natural == 0


@pytest.mark.parametrize("method", ["face", "voice", "video"])
def test_the_third_level_is_of_one_transaction(rig: Rig, office: Office, method: str) -> None:
    citizen, http = at_intermediate(rig)
    page = office.stopped(http, **ladder.in_person())
    told = office.redeemed(ladder.live(http, page, method))
    assert (told.natural, told.access["acr"]) == (3, ADVANCED)
    assert told.claims["transaction"]["hash"] == HASH
    assert told.answer["expires_in"] <= 600
    assert office.is_active(told)
    assert office.told(http).natural == 2, "it never stands"
    assert "高级" not in plain(http.get("/my/level")).partition("</h1>")[2].partition("依据")[0]
    office.stopped(http, **ladder.in_person("deed-2"))
    office.stopped(http, **ladder.in_person())
    rig.clock.tick(minutes=10)
    assert not office.is_active(told)
    refreshed = Told(office.refresh(told).json())
    assert refreshed.access["acr"] == INTERMEDIATE
    assert citizen.number not in str(told.claims)
    rig.check_everything()


def test_the_third_level_needs_the_second_and_the_very_person(rig: Rig, office: Office) -> None:
    http = ladder.signed_in(rig, rig.person())
    assert office.refused(http, **ladder.in_person()) == UNMET
    _, http = at_intermediate(rig)
    page = office.stopped(http, **ladder.in_person())
    page = ladder.arrive(http, press(http, page, decision="approve").headers["Location"])
    back = ladder.seen(press(http, page, method="face"), passed=False)
    assert http.get(back).status_code == 422
    given_up = press(http, page, decision="deny").headers["Location"]
    assert sent_back(ladder.arrive(http, given_up))["error"] == "access_denied"
    rig.check_everything()
