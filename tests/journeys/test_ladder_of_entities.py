"""The ladder of legal entities, a rung a journey: what raises, what lowers, what portals are told."""

import json
from collections.abc import Callable

import httpx2
import pytest

from idp.levels import LEGAL, EvidenceKind
from tests import company as companies
from tests import ladder
from tests.company import Company
from tests.idp.companies import BUILDER
from tests.ladder import Office, Told
from tests.rig import Citizen, Rig
from tests.service.portals import plain, press, sent_back

WAYS: dict[EvidenceKind, Callable[[Company], None]] = {
    EvidenceKind.COUNTER: companies.by_hall,
    EvidenceKind.TAX_FILER: companies.by_tax,
    EvidenceKind.ENTERPRISE_CERTIFICATE: companies.by_certificate,
}
UNMET = "unmet_authentication_requirements"


@pytest.fixture
def office(rig: Rig) -> Office:
    return ladder.office_for_entities(rig)


@pytest.fixture
def company(rig: Rig) -> Company:
    return companies.registered_company(rig)


def of_entity(acr: str) -> dict[str, str]:
    """What a portal asks that takes no entity below a rung."""
    asked = {"entity": {"essential": True, "value": {"level": acr}}}
    return {"claims": json.dumps({"id_token": asked})}


def agent_of(rig: Rig, company: Company) -> tuple[Citizen, httpx2.Client, str]:
    """Somebody of 中级, signed in by two factors, whom the representative has authorised."""
    agent = rig.person()
    ladder.by_counter(rig, rig.http, agent)
    mandate = company.authorise(agent)
    http = ladder.signed_in_twice(rig, agent)
    companies.act(http)
    return agent, http, mandate


def assert_ended(rig: Rig, office: Office, http: httpx2.Client, told: Told) -> None:
    """Nobody acts any more by what was given; whoever did is still somebody."""
    assert not office.is_active(told)
    assert office.refresh(told).json()["error"] == "invalid_grant"
    rig.check_everything()
    page = office.stopped(http)
    assert page.startswith("/login/context"), "there is nothing to choose"
    given_up = press(http, page, acting="deny").headers["Location"]
    assert sent_back(ladder.arrive(http, given_up))["error"] == "access_denied"


def test_an_entity_that_nobody_registered_is_nobody(rig: Rig, office: Office) -> None:
    company = companies.company(rig)
    assert office.stopped(rig.browser().http).startswith("/login")
    stranger = ladder.signed_in(rig, rig.person())
    refused = press(stranger, "/my/entities/register", **companies.COMPANY_FORM)
    assert refused.status_code == 403
    assert company.head.name not in plain(refused), "the register's data stays there"
    assert office.stopped(stranger).startswith("/login/context")
    assert stranger.get(company.page, headers={"Accept": "text/html"}).status_code in (403, 404)
    rig.check_everything()


def test_its_representative_registers_it_at_the_first_level(rig: Rig, office: Office) -> None:
    company = companies.company(rig)
    wrong = {"name": "示例市另一家有限公司"}
    refused = press(company.http, "/my/entities/register", **companies.COMPANY_FORM | wrong)
    assert refused.status_code == 422
    assert company.register().headers["Location"].endswith("registered")
    assert "初级" in plain(company.http.get(company.page))
    companies.act(company.http)
    told = office.told(company.http)
    assert told.legal == 1
    block = told.claims["entity"]
    assert (block["uscc"], block["acting_as"]) == (BUILDER.uscc, "representative")
    assert told.access["entity"]["grant_id"] == block["grant_id"]
    assert office.refused(company.http, **of_entity(LEGAL[2].acr)) == UNMET
    rig.check_everything()


def test_whoever_has_no_level_registers_no_entity(rig: Rig) -> None:
    company = companies.company(rig)
    ladder.withdraw(rig, company.head.subject, EvidenceKind.SMS_CODE)
    http = ladder.signed_in(rig, company.head)
    assert press(http, "/my/entities/register", **companies.COMPANY_FORM).status_code >= 400
    rig.check_everything()


@pytest.mark.parametrize("state", ["cancelled", "revoked"])
def test_the_first_level_ends_with_the_entity(
    rig: Rig, office: Office, company: Company, state: str
) -> None:
    companies.act(company.http)
    told = office.told(company.http)
    rig.tell_outside("entity", uscc=BUILDER.uscc, state=state)
    rig.watch_registers()
    http = ladder.signed_in_twice(rig, company.head)
    assert_ended(rig, office, http, told)


def test_another_representative_takes_over_and_old_mandates_wait(
    rig: Rig, office: Office, company: Company
) -> None:
    agent, http, mandate = agent_of(rig, company)
    told = office.told(http)
    successor = rig.person()
    rig.tell_outside("entity", uscc=BUILDER.uscc, representative_number=successor.number)
    rig.watch_registers()
    http = ladder.signed_in_twice(rig, agent)
    assert_ended(rig, office, http, told)
    assert company.http.get(company.page).status_code in (303, 403)
    theirs = ladder.signed_in_twice(rig, successor)
    taken_over = Company(rig, successor, theirs)
    assert taken_over.register().headers["Location"].endswith("registered")
    assert office.stopped(http).startswith("/login/context"), "the mandate is frozen"
    press(theirs, taken_over.page, do="confirm", mandate=mandate)
    companies.act(http)
    assert office.told(http).legal == 1
    rig.check_everything()


def test_an_entity_falls_with_its_representative(
    rig: Rig, office: Office, company: Company
) -> None:
    agent, http, _ = agent_of(rig, company)
    told = office.told(http)
    rig.tell_outside("person", number=company.head.number, state="deceased")
    rig.watch_registers()
    http = ladder.signed_in_twice(rig, agent)
    assert_ended(rig, office, http, told)


def test_an_agent_never_goes_beyond_the_first_level(
    rig: Rig, office: Office, company: Company
) -> None:
    companies.by_tax(company)
    _, http, _ = agent_of(rig, company)
    told = office.told(http)
    assert (told.natural, told.legal) == (2, 1), "whatever their own level is"
    block = told.claims["entity"]
    assert (block["acting_as"], block["items"]) == ("agent", ["permit.apply"])
    assert office.refused(http, **of_entity(LEGAL[2].acr)) == UNMET
    page = office.stopped(http, **ladder.in_person())
    seen = office.redeemed(ladder.live(http, page))
    assert (seen.natural, seen.legal) == (3, 1), "seen live, it is the agent who was"
    rig.check_everything()


def test_an_agents_level_ends_with_the_mandate(rig: Rig, office: Office, company: Company) -> None:
    _, http, mandate = agent_of(rig, company)
    told = office.told(http)
    company.revoke(mandate)
    assert ladder.is_signed_in(http), "as themselves"
    assert_ended(rig, office, http, told)


def test_an_agent_may_end_it_as_well(rig: Rig, office: Office, company: Company) -> None:
    _, http, mandate = agent_of(rig, company)
    told = office.told(http)
    press(http, "/my/entities", revoke=mandate)
    assert_ended(rig, office, http, told)


def test_an_agents_level_ends_on_the_day_that_was_said(
    rig: Rig, office: Office, company: Company
) -> None:
    agent, http, _ = agent_of(rig, company)
    told = office.told(http)
    rig.clock.tick(days=32)
    assert_ended(rig, office, ladder.signed_in_twice(rig, agent), told)


def test_an_agents_level_ends_with_their_own(rig: Rig, office: Office, company: Company) -> None:
    agent, http, _ = agent_of(rig, company)
    told = office.told(http)
    ladder.withdraw(rig, agent.subject, EvidenceKind.SMS_CODE)
    assert not ladder.is_signed_in(http)
    assert_ended(rig, office, ladder.signed_in(rig, agent), told)


@pytest.mark.parametrize("kind", WAYS)
def test_each_of_three_ways_makes_the_second_level(
    rig: Rig, office: Office, company: Company, kind: EvidenceKind
) -> None:
    ladder.by_counter(rig, rig.http, company.head)
    company = Company(rig, company.head, ladder.signed_in_twice(rig, company.head))
    WAYS[kind](company)
    assert "中级" in plain(company.http.get(company.page))
    if kind is not EvidenceKind.ENTERPRISE_CERTIFICATE:
        companies.act(company.http)
    told = office.told(company.http, **of_entity(LEGAL[2].acr))
    assert told.legal == 2
    rig.check_everything()
    rig.clock.tick(days=5 * 365 + 1)
    http = ladder.signed_in_twice(rig, company.head)
    companies.act(http)
    assert office.refused(http, **of_entity(LEGAL[2].acr)) == UNMET
    assert office.told(http).legal == 1
    rig.check_everything()


def test_the_second_level_falls_when_no_taxes_are_filed(
    rig: Rig, office: Office, company: Company
) -> None:
    companies.by_tax(company)
    companies.act(company.http)
    told = office.told(company.http)
    assert told.legal == 2
    rig.tell_outside("tax", uscc=BUILDER.uscc, files_taxes_for_days=None)
    rig.watch_registers()
    assert not ladder.is_signed_in(company.http)
    assert not office.is_active(told)
    http = ladder.signed_in_twice(rig, company.head)
    companies.act(http)
    assert office.told(http).legal == 1
    rig.check_everything()


def test_the_companys_certificate_lifts_an_agents_limit(
    rig: Rig, office: Office, company: Company
) -> None:
    _, http, mandate = agent_of(rig, company)
    companies.act_by_certificate(rig, http)
    told = office.told(http, **of_entity(LEGAL[2].acr))
    assert (told.legal, told.claims["entity"]["acting_as"]) == (2, "certificate")
    company.revoke(mandate)
    assert_ended(rig, office, http, told)


def test_the_third_level_is_the_representative_seen_live(
    rig: Rig, office: Office, company: Company
) -> None:
    ladder.by_counter(rig, rig.http, company.head)
    company = Company(rig, company.head, ladder.signed_in_twice(rig, company.head))
    companies.act(company.http)
    asked = ladder.in_person() | {"claims": json.dumps(_both())}
    assert office.refused(company.http, **asked) == UNMET, "the company itself is at 初级"
    companies.by_tax(company)
    page = office.stopped(company.http, **asked)
    told = office.redeemed(ladder.live(company.http, page))
    assert (told.natural, told.legal) == (3, 3)
    assert told.answer["expires_in"] <= 600
    assert office.told(company.http).legal == 2, "it never stands"
    rig.clock.tick(minutes=10)
    assert not office.is_active(told)
    rig.check_everything()


def _both() -> dict[str, object]:
    """Seen live, and for an entity of 高级."""
    person = json.loads(ladder.in_person()["claims"])["id_token"]
    entity = json.loads(of_entity(LEGAL[3].acr)["claims"])["id_token"]
    return {"id_token": person | entity}
