"""For whom one acts, at portals: asked once, switched freely, told in tokens, and gone with the mandate."""

import json
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from idp import evidence, interaction, pruning, sessions
from idp.client_errors import ClientMetadataWrong
from idp.client_metadata import ContextKind
from idp.entities import context, giving, mandates, promotions
from idp.entities.entity import Entity
from idp.entities.mandates import Mandate
from idp.levels import LEGAL, NATURAL, EvidenceKind
from idp.sessions import Opened
from idp.vocabulary import GrantType, Realm
from tests.idp.companies import (
    AGENT,
    BUILDER,
    ITEM,
    agent,
    found,
    gift,
    head,
    mandate_of,
    signed_in,
)
from tests.idp.standing import HASH, transaction
from tests.idp.standing import raised as raised_person
from tests.idp.test_dispatch import agree
from tests.idp.test_live_checks import begun, resumed, settle
from tests.idp.test_sign_in import claims_of
from tests.idp.world import CALLBACK, Browser, Portal, World, answered

SCOPES = ("openid", "profile", "entity", "helping", "offline_access")
ASKED = "openid entity"


@pytest.fixture
def company(world: World) -> Entity:
    return found(world, head(world))


def portal(world: World, kind: ContextKind = ContextKind.ANY, **changed: Any) -> Portal:
    grants = (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN)
    asked = {"context": kind, "scopes": SCOPES, "grant_types": grants}
    return world.portal(world.client(**(asked | changed)), ASKED)


def browser_of(world: World, opened: Opened) -> Browser:
    browser = world.browser()
    browser.http.cookies.set(sessions.COOKIE, opened.cookie, domain="127.0.0.1", path="/")
    return browser


def of_head(world: World, company: Entity, *methods: str) -> Browser:
    return browser_of(world, signed_in(world, mandate_of(world, company).holder, *methods))


def arrive(browser: Browser, url: str) -> str:
    return str(browser.get(url).headers["location"])


def page_of(location: str) -> str:
    return location.partition("?")[0].rpartition("/login/")[2]


def choose(browser: Browser, mandate: Mandate | None, location: str = "") -> str:
    """Choose on the page at `location`, or on our own, and return where that leads."""
    provider, cookie = browser.world.provider, browser.cookie(sessions.COOKIE)
    with provider.begin() as tx:
        own = sessions.find(tx, provider, cookie)
        assert own is not None
        context.choose(tx, provider, own, None if mandate is None else mandate.id)
    if not location:
        return ""
    uid = answered(location)["interaction"]
    return arrive(browser, interaction.resume_url(provider, uid))


def introspected(world: World, registered: Portal, token: object) -> dict[str, Any]:
    secret = registered.oauth.client_secret
    answer = httpx2.post(
        f"{world.issuer}/introspect",
        data={"token": str(token)},
        auth=(registered.oauth.client_id, secret),
    )
    members: dict[str, Any] = answer.json()
    return members


def told(world: World, token: object) -> dict[str, Any]:
    """The claims of a token."""
    return dict(claims_of(world, token))


def userinfo(world: World, token: object) -> httpx2.Response:
    return httpx2.get(f"{world.issuer}/userinfo", headers={"Authorization": f"Bearer {token}"})


def essential(level: str) -> str:
    wanted = {"entity": {"essential": True, "value": {"level": level}}}
    return json.dumps({"id_token": wanted})


def test_a_portal_for_anybody_asks_who_represents_somebody_once(
    world: World, company: Entity
) -> None:
    to, browser = portal(world), of_head(world, company)
    location = arrive(browser, to.url())
    assert page_of(location) == "context"
    answer = choose(browser, mandate_of(world, company), location)
    token = to.token(answer)
    block = told(world, token["id_token"])["entity"]
    assert block == {
        "uscc": BUILDER.uscc,
        "name": BUILDER.name,
        "level": LEGAL[1].acr,
        "acting_as": "representative",
        "grant_id": mandate_of(world, company).id,
    }
    assert told(world, token["access_token"])["entity"] == block
    assert introspected(world, to, token["access_token"])["entity"] == block
    assert userinfo(world, token["access_token"]).json()["entity"] == block
    assert arrive(browser, to.url()).startswith(CALLBACK)


def test_who_acts_as_themselves_is_told_as_themselves_and_not_asked_again(
    world: World, company: Entity
) -> None:
    to, browser = portal(world), of_head(world, company)
    answer = choose(browser, None, arrive(browser, to.url()))
    assert "entity" not in told(world, to.token(answer)["id_token"])
    assert arrive(browser, to.url()).startswith(CALLBACK)


def test_who_represents_nobody_is_not_asked(world: World) -> None:
    to, browser = portal(world), browser_of(world, signed_in(world, world.register()))
    assert arrive(browser, to.url()).startswith(CALLBACK)


def test_a_portal_for_people_knows_of_no_company(world: World, company: Entity) -> None:
    to, browser = portal(world, ContextKind.NATURAL), of_head(world, company)
    choose(browser, mandate_of(world, company))
    token = to.token(arrive(browser, to.url()))
    assert "entity" not in told(world, token["access_token"])


def test_a_portal_for_companies_lets_nobody_in_as_themselves(world: World, company: Entity) -> None:
    to, browser = portal(world, ContextKind.LEGAL), of_head(world, company)
    location = arrive(browser, to.url())
    location = choose(browser, None, location)
    assert page_of(location) == "context"
    answer = choose(browser, mandate_of(world, company), location)
    assert told(world, to.token(answer)["id_token"])["entity"]["uscc"] == BUILDER.uscc


def test_nothing_is_asked_silently(world: World, company: Entity) -> None:
    browser = of_head(world, company)
    to = portal(world)
    assert "code" in answered(arrive(browser, to.url(prompt="none")))
    only = portal(world, ContextKind.LEGAL, client_id="portal-b")
    refused = answered(arrive(browser, only.url(prompt="none")))
    assert refused["error"] == "interaction_required"


def test_switching_signs_nobody_out(world: World, company: Entity) -> None:
    to, browser = portal(world), of_head(world, company)
    first = to.token(choose(browser, mandate_of(world, company), arrive(browser, to.url())))
    choose(browser, None)
    second = to.token(arrive(browser, to.url()))
    one, other = (told(world, token["id_token"]) for token in (first, second))
    assert (one["sid"], one["auth_time"]) == (other["sid"], other["auth_time"])
    assert ("entity" in one, "entity" in other) == (True, False)


def agents_portal(world: World, company: Entity, **changed: Any) -> tuple[Portal, Browser, Mandate]:
    clerk = world.register(AGENT)
    given = agent(world, signed_in(world, mandate_of(world, company).holder), company)
    browser = browser_of(world, signed_in(world, clerk))
    choose(browser, given)
    return portal(world, **changed), browser, given


def test_an_agent_is_told_with_what_they_may_do(world: World, company: Entity) -> None:
    to, browser, given = agents_portal(world, company)
    block = told(world, to.token(arrive(browser, to.url()))["id_token"])["entity"]
    assert (block["acting_as"], block["grant_id"], block["items"]) == ("agent", given.id, [ITEM])
    with world.begin() as tx:
        (use,) = mandates.uses(tx, company.subject)
    assert (use.mandate, use.client_id) == (given.id, "portal-a")


def test_what_was_given_by_a_mandate_dies_with_it(world: World, company: Entity) -> None:
    to, browser, given = agents_portal(world, company)
    token = to.token(arrive(browser, to.url(scope=f"{ASKED} offline_access")))
    access, refresh = token["access_token"], str(token["refresh_token"])
    assert introspected(world, to, access)["active"]
    with world.begin() as tx:
        mandates.revoke(tx, world.provider, given.id, by=given.given_by)
    assert introspected(world, to, access) == {"active": False}
    assert introspected(world, to, refresh) == {"active": False}
    assert userinfo(world, access).status_code == 401
    answer = httpx2.post(
        f"{world.issuer}/token",
        data={"grant_type": "refresh_token", "refresh_token": refresh},
        auth=(to.oauth.client_id, to.oauth.client_secret),
    )
    assert answer.json()["error"] == "invalid_grant"
    assert page_of(arrive(browser, to.url())) == "context"


def test_a_code_of_a_mandate_that_ended_meanwhile_is_worth_nothing(
    world: World, company: Entity
) -> None:
    to, browser, given = agents_portal(world, company)
    answer = arrive(browser, to.url())
    with world.begin() as tx:
        mandates.revoke(tx, world.provider, given.id, by=given.given_by)
    with pytest.raises(Exception, match="invalid_grant"):
        to.token(answer)


def test_a_token_lasts_no_longer_than_its_mandate(world: World, company: Entity) -> None:
    to, browser, given = agents_portal(world, company)
    assert given.until is not None
    world.clock.now = given.until - timedelta(minutes=3)
    browser = browser_of(world, signed_in(world, given.holder))
    choose(browser, given)
    claims = told(world, to.token(arrive(browser, to.url()))["access_token"])
    assert claims["exp"] == int(given.until.timestamp())


def raised(world: World, company: Entity) -> None:
    status = promotions.ask_tax(world.provider, company)
    with world.begin() as tx:
        promotions.by_tax(tx, world.provider, company, status, by="chief")


def test_a_portal_may_demand_a_level_of_the_company(world: World, company: Entity) -> None:
    to = portal(world, minimum_entity_level=LEGAL[2].acr)
    browser = of_head(world, company)
    choose(browser, mandate_of(world, company))
    refused = answered(arrive(browser, to.url()))
    assert refused["error"] == "unmet_authentication_requirements"
    raised(world, company)
    block = told(world, to.token(arrive(browser, to.url()))["id_token"])["entity"]
    assert block["level"] == LEGAL[2].acr


def test_a_request_may_demand_a_level_of_the_company(world: World, company: Entity) -> None:
    to, browser = portal(world), of_head(world, company)
    choose(browser, mandate_of(world, company))
    assert "code" in answered(arrive(browser, to.url(claims=essential(LEGAL[1].acr))))
    for level in (LEGAL[2].acr, "urn:yinxin:level:natural:1"):
        refused = answered(arrive(browser, to.url(claims=essential(level))))
        assert refused["error"] == "unmet_authentication_requirements"


def test_an_agent_never_reaches_the_intermediate_level(world: World, company: Entity) -> None:
    raised(world, company)
    to, browser, _ = agents_portal(world, company)
    block = told(world, to.token(arrive(browser, to.url()))["id_token"])["entity"]
    assert block["level"] == LEGAL[1].acr
    refused = answered(arrive(browser, to.url(claims=essential(LEGAL[2].acr))))
    assert refused["error"] == "unmet_authentication_requirements"


def test_one_factor_is_asked_for_one_more(world: World, company: Entity) -> None:
    raised(world, company)
    to = portal(world, minimum_entity_level=LEGAL[2].acr)
    browser = of_head(world, company, "pwd")
    choose(browser, mandate_of(world, company))
    assert page_of(arrive(browser, to.url())) == "more"


def test_the_highest_level_is_not_had_without_being_seen_live(
    world: World, company: Entity
) -> None:
    raised(world, company)
    to, browser = portal(world), of_head(world, company)
    choose(browser, mandate_of(world, company))
    refused = answered(arrive(browser, to.url(claims=essential(LEGAL[3].acr))))
    assert refused["error"] == "unmet_authentication_requirements"


def test_a_lowered_company_takes_its_tokens_along(world: World, company: Entity) -> None:
    raised(world, company)
    to, browser = portal(world), of_head(world, company)
    choose(browser, mandate_of(world, company))
    token = to.token(arrive(browser, to.url()))["access_token"]
    with world.begin() as tx:
        # No sign-on is ended here: the token itself no longer tells the truth.
        kinds = (EvidenceKind.TAX_FILER,)
        (piece,) = evidence.of_kinds(tx, company.subject, kinds, world.clock())
        evidence.withdraw(tx, world.provider, piece.id or 0, by="clerk", why="mistaken")
    assert introspected(world, to, token) == {"active": False}


def test_a_helper_is_told_with_whom_they_help(world: World) -> None:
    citizen, helper = world.register("李㛃", "13800000002"), world.register(AGENT)
    with world.begin() as tx:
        own = signed_in(world, citizen).session
        given = giving.to_helper(tx, world.provider, own, gift(world))
    to, browser = portal(world), browser_of(world, signed_in(world, helper))
    assert arrive(browser, to.url()).startswith(CALLBACK)
    location = arrive(browser, to.url(scope="openid helping"))
    assert page_of(location) == "context"
    token = to.token(choose(browser, given, location))
    claims = told(world, token["id_token"])
    assert claims["helping"] == {
        "sub": citizen,
        "name": "李㛃",
        "acting_as": "helper",
        "grant_id": given.id,
        "items": [ITEM],
    }
    assert claims["sub"] == helper
    with world.begin() as tx:
        assert [use.client_id for use in mandates.uses(tx, citizen)] == ["portal-a"]
        mandates.revoke(tx, world.provider, given.id, by=helper)
    assert introspected(world, to, token["access_token"]) == {"active": False}


@pytest.mark.parametrize(
    "changed",
    [
        {"context": ContextKind.LEGAL, "scopes": ("openid",)},
        {"context": ContextKind.ANY, "realm": Realm.STAFF},
        {"minimum_entity_level": LEGAL[3].acr},
        {"minimum_entity_level": "urn:yinxin:level:natural:1"},
        {"context": ContextKind.LEGAL, "grant_types": (GrantType.HOTLINE,), "redirect_uris": ()},
    ],
    ids=["no-scope", "staff", "not-standing", "other-ladder", "hotline"],
)
def test_a_client_says_soundly_for_whom_people_act_there(
    world: World, changed: dict[str, Any]
) -> None:
    with pytest.raises(ClientMetadataWrong):
        world.client(**({"scopes": ("openid", "entity")} | changed))


def test_a_token_leads_back_to_whom_one_acts_for(world: World, company: Entity) -> None:
    to, browser, given = agents_portal(world, company)
    token = to.token(arrive(browser, to.url()))["access_token"]
    with world.begin() as tx:
        found_again = context.of_claims(tx, told(world, token))
    assert found_again is not None
    assert (found_again.principal, found_again.grant_id) == (company.subject, given.id)
    assert found_again.ceiling == 1


# 高级: the representative seen live, for one transaction


def deeds(world: World, **changed: Any) -> Portal:
    return portal(world, authorization_details_types=("transaction",), **changed)


def demand(to: Portal, **changed: str) -> str:
    asked = {"claims": essential(LEGAL[3].acr), "authorization_details": transaction()}
    return to.url(**(asked | changed))


@pytest.fixture
def representative(world: World, company: Entity) -> Browser:
    """The representative, at 中级 and signed in so, acting for a company at 中级."""
    raised(world, company)
    chief = mandate_of(world, company).holder
    raised_person(world, chief)
    browser = browser_of(world, signed_in(world, chief, level=2))
    choose(browser, mandate_of(world, company))
    return browser


def test_a_representative_seen_live_is_the_company_at_the_highest_level_for_the_transaction(
    world: World, representative: Browser
) -> None:
    to = deeds(world)
    page = agree(representative, arrive(representative, demand(to)))
    assert page_of(page) == "live"
    settle(world, begun(representative, page))
    token = to.token(resumed(representative, page))
    claims, access = told(world, token["id_token"]), token["access_token"]
    assert claims["entity"]["level"] == LEGAL[3].acr
    assert (claims["transaction"]["hash"], claims["entity"]["acting_as"]) == (
        HASH,
        "representative",
    )
    assert introspected(world, to, access)["entity"] == claims["entity"]
    assert userinfo(world, access).json()["entity"] == claims["entity"]
    again = told(world, to.token(arrive(representative, to.url()))["id_token"])
    assert again["entity"]["level"] == LEGAL[2].acr, "of the next request it is nothing"


def test_what_is_renewed_is_of_no_transaction(world: World, representative: Browser) -> None:
    to = deeds(world)
    page = agree(representative, arrive(representative, demand(to)))
    settle(world, begun(representative, page))
    first = to.token(resumed(representative, page))
    url, token = f"{world.issuer}/token", first["refresh_token"]
    access = to.oauth.refresh_token(url, refresh_token=token)["access_token"]
    assert told(world, access)["entity"]["level"] == LEGAL[2].acr
    assert userinfo(world, access).json()["entity"]["level"] == LEGAL[2].acr


def test_the_highest_level_of_a_company_names_its_transaction(
    world: World, representative: Browser
) -> None:
    to = deeds(world)
    refused = answered(arrive(representative, to.url(claims=essential(LEGAL[3].acr))))
    assert refused["error"] == "unmet_authentication_requirements"
    assert "authorization_details" in refused["error_description"]


@pytest.mark.parametrize("acr", [False, True], ids=["of-the-entity", "of-both"])
def test_an_agent_is_not_even_asked_to_be_seen(world: World, company: Entity, acr: bool) -> None:
    raised(world, company)
    clerk = world.register(AGENT)
    raised_person(world, clerk)
    given = agent(world, signed_in(world, mandate_of(world, company).holder), company)
    browser = browser_of(world, signed_in(world, clerk, level=2))
    choose(browser, given)
    wanted: dict[str, Any] = json.loads(essential(LEGAL[3].acr))
    if acr:
        wanted["id_token"]["acr"] = {"essential": True, "value": NATURAL[3].acr}
    refused = answered(arrive(browser, demand(deeds(world), claims=json.dumps(wanted))))
    assert refused["error"] == "unmet_authentication_requirements"


def test_a_person_seen_live_as_an_agent_leaves_the_company_where_it_was(
    world: World, company: Entity
) -> None:
    raised(world, company)
    clerk = world.register(AGENT)
    raised_person(world, clerk)
    given = agent(world, signed_in(world, mandate_of(world, company).holder), company)
    browser, to = browser_of(world, signed_in(world, clerk, level=2)), deeds(world)
    choose(browser, given)
    own = json.dumps({"id_token": {"acr": {"essential": True, "value": NATURAL[3].acr}}})
    page = agree(browser, arrive(browser, demand(to, claims=own)))
    settle(world, begun(browser, page))
    token = to.token(resumed(browser, page))
    claims = told(world, token["id_token"])
    assert (claims["acr"], claims["entity"]["level"]) == (NATURAL[3].acr, LEGAL[1].acr)
    assert userinfo(world, token["access_token"]).json()["entity"] == claims["entity"]


# What is dead stays dead


def test_a_refresh_token_is_dead_long_after_its_mandate_ended(
    world: World, company: Entity
) -> None:
    to, browser, given = agents_portal(world, company)
    refresh = to.token(arrive(browser, to.url(scope=f"{ASKED} offline_access")))["refresh_token"]
    with world.begin() as tx:
        mandates.revoke(tx, world.provider, given.id, by=given.given_by)
    world.clock.tick(hours=2)
    pruning.run(world.begin, world.clock())
    assert introspected(world, to, refresh) == {"active": False}


def test_a_refresh_token_is_dead_when_its_mandate_has_lapsed(world: World, company: Entity) -> None:
    until = world.clock() + timedelta(days=1)
    clerk, chief = world.register(AGENT), mandate_of(world, company).holder
    given = agent(world, signed_in(world, chief), company, gift(world, until=until))
    browser, to = browser_of(world, signed_in(world, clerk)), portal(world)
    choose(browser, given)
    refresh = to.token(arrive(browser, to.url(scope=f"{ASKED} offline_access")))["refresh_token"]
    assert introspected(world, to, refresh)["active"]
    world.clock.tick(days=1)
    assert introspected(world, to, refresh) == {"active": False}


def test_a_helper_of_somebody_the_register_no_longer_knows_has_a_dead_token(world: World) -> None:
    citizen, helper = world.register("李㛃", "13800000002"), world.register(AGENT)
    with world.begin() as tx:
        own = signed_in(world, citizen).session
        given = giving.to_helper(tx, world.provider, own, gift(world))
    to, browser = portal(world), browser_of(world, signed_in(world, helper))
    location = arrive(browser, to.url(scope="openid helping"))
    token = to.token(choose(browser, given, location))["access_token"]
    assert introspected(world, to, token)["active"]
    with world.begin() as tx:
        kinds = (EvidenceKind.POPULATION_REGISTER,)
        (piece,) = evidence.of_kinds(tx, citizen, kinds, world.clock())
        evidence.withdraw(tx, world.provider, piece.id or 0, by="register-watch", why="deceased")
    world.clock.tick(seconds=2)
    assert introspected(world, to, token) == {"active": False}
    assert userinfo(world, token).status_code == 401
