"""The simulated outside speaks its contract, and keeps fixture people and entities only."""

from datetime import date
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from idp.code_tables import ETHNICITIES, SEXES
from idp.people_errors import SmsUnavailable, SourceUnavailable
from idp.sources.business_register import EntityDescription, EntityState
from idp.sources.exit_entry import ForeignDescription
from idp.sources.live_person import LiveMethod, LiveOutcome
from idp.sources.population_register import PersonDescription, PersonState
from idp.sources.sources import Sources, over_http
from keys.identity_numbers import resident_id, uscc
from service.simulators.outside import EntityRecord, PersonRecord
from service.simulators.registers import load_accounts, load_entities, load_papers, load_people
from tests.idp.world import signed, source_line

PEOPLE = load_people()
COMPANY = load_entities()[0]


@pytest.fixture
def outside(sources: httpx2.Client) -> Sources:
    return over_http(lambda source: source_line(source, sources))


def described(entity: EntityRecord) -> EntityDescription:
    return EntityDescription(**entity.model_dump(exclude={"files_taxes_for_days"}))


def question(sources: httpx2.Client, company: str) -> httpx2.Request:
    request = sources.build_request("POST", "/tax/states", json={"uscc": company})
    request.headers.update(signed("POST", str(request.url), request.read()))
    return request


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: str(person.name))
def test_no_living_person_can_have_a_fixture_number(person: PersonRecord) -> None:
    assert resident_id(person.number) == person.number
    assert date.fromisoformat(person.number[6:14]).year < 1900
    assert person.ethnicity in ETHNICITIES
    assert person.sex in SEXES
    # GB 11643 §4.3: the seventeenth digit is odd for men and even for women.
    assert (int(person.number[16]) % 2 == 1) is (person.sex == "1")


def test_no_paper_card_or_company_is_anybodys() -> None:
    assert all(paper.birthdate.year < 1900 for paper in load_papers())
    numbers = {person.number for person in PEOPLE}
    assert {account.number for account in load_accounts()} == numbers
    for entity in load_entities():
        # No such division was ever given out (GB/T 2260).
        assert uscc(entity.uscc) == entity.uscc
        assert entity.uscc[2:8] == "990100"
        assert entity.organisation_code == entity.uscc[8:17]
        assert entity.representative_number in numbers


def test_the_register_says_what_agrees_and_nothing_else(outside: Sources) -> None:
    person = PEOPLE[0]
    asked = PersonDescription(person.number, person.name, "55", person.sex)
    answer = outside.population.check(asked)
    assert answer.agrees == {"number": True, "name": True, "ethnicity": False, "sex": True}
    assert not answer.complete


def test_an_unknown_number_agrees_in_nothing(outside: Sources) -> None:
    person = PEOPLE[0]
    asked = PersonDescription("440524188001010014", person.name, person.ethnicity, person.sex)
    assert set(outside.population.check(asked).agrees.values()) == {False}
    assert outside.population.status("440524188001010014").state is PersonState.UNKNOWN


def test_the_dead_agree_no_more(outside: Sources, sources: httpx2.Client) -> None:
    person = PEOPLE[0]
    assert outside.population.status(person.number).state is PersonState.CURRENT
    sources.post("/sandbox/person", json={"number": person.number, "state": "deceased"})
    assert outside.population.status(person.number).state is PersonState.DECEASED
    asked = PersonDescription(person.number, person.name, person.ethnicity, person.sex)
    assert not outside.population.check(asked).complete


def test_papers_are_compared_by_four_particulars(outside: Sources) -> None:
    for paper in load_papers():
        asked = ForeignDescription(**paper.model_dump())
        assert outside.exit_entry.check(asked).complete
    other = ForeignDescription(**(paper.model_dump() | {"nationality": "ZZZ"}))
    assert outside.exit_entry.check(other).agrees == {
        "number": True,
        "name": True,
        "nationality": False,
        "birthdate": True,
    }


def test_a_company_is_compared_by_seven_particulars(outside: Sources) -> None:
    assert outside.business.check(described(COMPANY)).complete
    renamed = described(COMPANY.model_copy(update={"name": "别的公司"}))
    differing = [n for n, same in outside.business.check(renamed).agrees.items() if not same]
    assert differing == ["name"]


def test_a_company_may_change_its_representative_and_end(
    outside: Sources, sources: httpx2.Client
) -> None:
    before = outside.business.status(COMPANY.uscc, COMPANY.representative_number)
    assert (before.state, before.representative_number_agrees) == (EntityState.ACTIVE, True)
    change = {
        "uscc": COMPANY.uscc,
        "state": "revoked",
        "representative_number": PEOPLE[0].number,
    }
    sources.post("/sandbox/entity", json=change).raise_for_status()
    after = outside.business.status(COMPANY.uscc, COMPANY.representative_number)
    assert (after.state, after.representative_number_agrees) == (EntityState.REVOKED, False)
    unknown = outside.business.status("1" * 18, COMPANY.representative_number)
    assert unknown.state is EntityState.UNKNOWN


def test_a_company_files_its_taxes_until_it_does_not(
    outside: Sources, sources: httpx2.Client
) -> None:
    filing = outside.tax.status(COMPANY.uscc)
    assert filing.is_filer
    assert filing.valid_until is not None
    change = {"uscc": COMPANY.uscc, "files_taxes_for_days": None}
    sources.post("/sandbox/tax", json=change).raise_for_status()
    stopped = outside.tax.status(COMPANY.uscc)
    assert (stopped.is_filer, stopped.valid_until) == (False, None)


def test_a_card_is_its_owners_with_one_phone(outside: Sources) -> None:
    person, card = PEOPLE[0], load_accounts()[0].card
    check = outside.unionpay.check
    assert check(person.name, person.number, card, "13800000001").complete
    other = check(person.name, person.number, card, "13800000002").agrees
    assert other == {"name": True, "number": True, "card": True, "phone": False}
    assert not any(check(person.name, person.number, "6" * 16, "13800000001").agrees.values())


def test_a_fund_account_is_its_owners(outside: Sources) -> None:
    account, owner, other = load_accounts()[0], PEOPLE[0], PEOPLE[1]
    assert outside.housing_fund.check(owner.name, owner.number, account.fund_account).complete
    assert not outside.housing_fund.check(other.name, other.number, account.fund_account).complete


def test_alipay_sends_the_person_back_with_a_code_for_one_assertion(
    outside: Sources, sources: httpx2.Client
) -> None:
    person = PEOPLE[0]
    url = outside.alipay.begin("https://city.example/back?x=1", "the state")
    assert person.name in sources.get(url).text
    back = sources.post(url, data={"number": person.number}).headers["location"]
    told = parse_qs(urlsplit(back).query)
    assert told["state"] == ["the state"]
    assertion = outside.alipay.redeem(told["code"][0])
    assert (assertion.name, assertion.number) == (person.name, person.number)
    with pytest.raises(SourceUnavailable):
        outside.alipay.redeem(told["code"][0])


def test_who_refuses_alipay_comes_back_too(outside: Sources, sources: httpx2.Client) -> None:
    url = outside.alipay.begin("https://city.example/back", "s")
    back = sources.post(url, data={"number": ""}).headers["location"]
    assert parse_qs(urlsplit(back).query) == {"error": ["access_denied"], "state": ["s"]}


@pytest.mark.parametrize("method", LiveMethod)
@pytest.mark.parametrize("passed", [True, False])
def test_a_live_check_ends_as_the_tester_says(
    outside: Sources, sources: httpx2.Client, method: LiveMethod, passed: bool
) -> None:
    person = PEOPLE[0]
    session = outside.live_person.begin(person.number, person.name, method, "领取补贴")
    assert outside.live_person.result(session.id).outcome is LiveOutcome.PENDING
    assert "领取补贴" in sources.get(session.url).text
    sources.post(session.url, data={"passed": str(passed).lower()}).raise_for_status()
    result = outside.live_person.result(session.id)
    assert result.outcome is (LiveOutcome.PASSED if passed else LiveOutcome.FAILED)
    assert result.liveness is passed
    assert (result.score >= result.threshold) is passed
    assert (result.decided_by == "algorithm") is (method is not LiveMethod.VIDEO)


def test_nobody_passes_for_whom_the_register_has_no_photo(
    outside: Sources, sources: httpx2.Client
) -> None:
    session = outside.live_person.begin(PEOPLE[0].number, "张三", LiveMethod.FACE, "领取补贴")
    sources.post("/sandbox/live-person", json={"session": session.id, "passed": True})
    assert outside.live_person.result(session.id).outcome is LiveOutcome.FAILED


def test_a_message_reaches_the_inbox_of_its_phone_only(
    outside: Sources, sources: httpx2.Client
) -> None:
    told = {"code": "123456", "minutes": "5"}
    assert outside.sms.send("13800000001", "registration-code", told)
    inbox = sources.get("/sms-gateway/messages", params={"phone": "13800000001"}).json()
    assert [m["text"] for m in inbox] == ["【印信】注册验证码 123456，5 分钟内有效。请勿告诉他人。"]
    assert sources.get("/sms-gateway/messages", params={"phone": "13900000001"}).json() == []
    with pytest.raises(SmsUnavailable):
        outside.sms.send("13800000001", "no such template", told)


@pytest.mark.parametrize("fault", [{"down": True}, {"down": False, "senseless": True}], ids=str)
def test_a_source_fails_until_told_otherwise(
    outside: Sources, sources: httpx2.Client, fault: dict[str, bool]
) -> None:
    sources.post("/sandbox/outage", json={"source": "tax"} | fault).raise_for_status()
    with pytest.raises(SourceUnavailable):
        outside.tax.status(COMPANY.uscc)
    assert outside.population.status(PEOPLE[0].number).state is PersonState.CURRENT
    sources.post("/sandbox/outage", json={"source": "tax", "down": False}).raise_for_status()
    assert outside.tax.status(COMPANY.uscc).is_filer


def test_a_source_that_stumbles_is_not_noticed(outside: Sources, sources: httpx2.Client) -> None:
    stumble = {"source": "tax", "down": True, "calls": 2}
    sources.post("/sandbox/outage", json=stumble).raise_for_status()
    assert outside.tax.status(COMPANY.uscc).is_filer


def test_who_does_not_sign_is_not_answered(sources: httpx2.Client) -> None:
    answer = sources.post("/tax/states", json={"uscc": COMPANY.uscc})
    assert (answer.status_code, answer.text) == (401, "request_signature.wrong")


def test_a_signature_is_taken_once(sources: httpx2.Client) -> None:
    request = question(sources, COMPANY.uscc)
    assert [sources.send(request).status_code for _ in range(2)] == [200, 401]


def test_a_question_asked_again_is_answered_as_before_and_another_refused(
    sources: httpx2.Client,
) -> None:
    def ask(company: str) -> httpx2.Response:
        request = question(sources, company)
        request.headers["Idempotency-Key"] = '"one question"'
        return sources.send(request)

    first, again, other = ask(COMPANY.uscc), ask(COMPANY.uscc), ask("9" * 18)
    assert first.json() == again.json()
    assert other.status_code == 422
