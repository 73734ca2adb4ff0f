"""高级: seen live for one transaction, and for nothing else."""

import base64
import json
import threading
from dataclasses import replace
from typing import Any

import pytest

from idp import interaction, live_checks, sessions
from idp.level_errors import LiveCheckGone, LiveCheckPending
from idp.levels import NATURAL
from idp.live_checks import Check
from idp.people_errors import SourceUnavailable
from idp.sources.live_person import LiveMethod, LiveOutcome, LiveResult
from idp.tables import LiveCheckRow
from idp.vocabulary import GrantType
from tests.idp.standing import (
    DEED,
    FACE,
    HASH,
    end_live_check,
    raised,
    signed_in,
    transaction,
)
from tests.idp.test_dispatch import agree, arrive, essential, uid_of
from tests.idp.test_sign_in import claims_of
from tests.idp.world import Browser, Portal, World, answered

ADVANCED = NATURAL[3].acr
RESULT = LiveResult("r-1", LiveOutcome.PASSED, FACE, True, 0.9, 0.8, "v1", "algorithm")


def land_office(world: World, **changed: Any) -> Portal:
    asked: dict[str, Any] = {"authorization_details_types": ("transaction",)}
    return world.portal(world.client(**(asked | changed)))


def url(portal: Portal, **changed: str) -> str:
    demand = {"claims": essential(ADVANCED), "authorization_details": transaction()}
    return portal.url(**(demand | changed))


def claimed(browser: Browser, location: str) -> live_checks.Claim:
    provider, session = browser.world.provider, own(browser)
    found = interaction.waiting(
        provider, uid_of(location), browser.cookie(interaction.BROWSER_COOKIE)
    )
    with provider.begin() as tx:
        details = found.request.authorization_details
        return live_checks.claim(tx, provider, session, found.request.client_id, details)


def own(browser: Browser) -> sessions.SignOn:
    with browser.world.begin() as tx:
        session = sessions.find(tx, browser.world.provider, browser.cookie(sessions.COOKIE))
    assert session is not None
    return session


def begun(browser: Browser, location: str, method: LiveMethod = FACE) -> Check:
    """Begin a live check on the page at `location`."""
    provider, to_see = browser.world.provider, claimed(browser, location)
    started = live_checks.start(provider, to_see, method, "")
    with provider.begin() as tx:
        check = live_checks.begin(tx, provider, to_see, method, started)
        assert live_checks.awaited(tx, provider, to_see) == check
    return check


def seen(world: World, session: sessions.SignOn, client: str = "portal-a", **named: str) -> bool:
    """Whether a good check of this sign-on is there for a transaction."""
    with world.begin() as tx:
        details = json.loads(transaction(**named))
        return live_checks.seen(tx, world.provider, session, client, details) is not None


def settle(world: World, check: Check, *, passed: bool = True) -> bool:
    end_live_check(world, check.at_source, passed=passed)
    result = live_checks.ask(world.provider, check)
    with world.begin() as tx:
        return live_checks.decide(tx, world.provider, check, result)


def at_live_page(world: World, portal: Portal, **changed: str) -> tuple[Browser, str]:
    """A person of 中级 who agreed to the transaction and is now to be seen."""
    subject = world.register()
    raised(world, subject)
    browser = signed_in(world, subject)
    page = agree(browser, arrive(browser, url(portal, **changed)))
    assert "/login/live?interaction=" in page
    return browser, page


def resumed(browser: Browser, page: str) -> str:
    return arrive(browser, interaction.resume_url(browser.world.provider, uid_of(page)))


def told_in(world: World, token: dict[str, Any]) -> dict[str, Any]:
    """The claims of the ID Token."""
    return claims_of(world, token["id_token"])


def in_access_token(token: dict[str, Any]) -> dict[str, Any]:
    body = token["access_token"].split(".")[1]
    told: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=="))
    return told


def test_a_person_seen_live_stands_at_the_highest_level_for_the_transaction(world: World) -> None:
    portal = land_office(world)
    browser, page = at_live_page(world, portal)
    assert settle(world, begun(browser, page))
    token = portal.token(resumed(browser, page))
    claims = told_in(world, token)
    assert claims["acr"] == ADVANCED
    assert claims["amr"] == ["pwd", "sms", "mfa", "face"]
    assert claims["transaction"]["transaction_id"] == "deed-1"
    assert claims["transaction"]["hash"] == HASH
    access = in_access_token(token)
    assert (access["acr"], access["transaction"]) == (ADVANCED, claims["transaction"])
    assert access["authorization_details"][0]["description"] == DEED


def test_tokens_of_a_transaction_end_with_the_live_check(world: World) -> None:
    portal = land_office(world)
    browser, page = at_live_page(world, portal)
    settle(world, begun(browser, page))
    world.clock.tick(minutes=8)
    token = portal.token(resumed(browser, page))
    assert int(str(token["expires_in"])) <= 120
    access = in_access_token(token)
    assert access["exp"] == access["transaction"]["until"]
    assert told_in(world, token)["exp"] == access["exp"]


def test_a_live_check_that_lapsed_is_done_again(world: World) -> None:
    portal = land_office(world)
    browser, page = at_live_page(world, portal)
    settle(world, begun(browser, page))
    world.clock.tick(minutes=10)
    assert "/login/live?" in resumed(browser, page)


def test_a_code_that_comes_after_the_live_check_lapsed_is_worth_nothing(world: World) -> None:
    portal = land_office(world)
    browser, page = at_live_page(world, portal)
    settle(world, begun(browser, page))
    world.clock.tick(minutes=9, seconds=50)
    answer = resumed(browser, page)
    world.clock.tick(seconds=20)
    with pytest.raises(Exception, match="invalid_grant"):
        portal.token(answer)


def test_the_next_request_is_back_at_the_level_of_the_sign_in(world: World) -> None:
    portal = land_office(world)
    browser, page = at_live_page(world, portal)
    settle(world, begun(browser, page))
    portal.token(resumed(browser, page))
    claims = told_in(world, portal.token(arrive(browser, portal.url())))
    assert claims["acr"] == NATURAL[2].acr
    assert "transaction" not in claims
    another = url(portal, authorization_details=transaction(transaction_id="deed-2"))
    assert "/login/live?" in agree(browser, arrive(browser, another)), "each is seen for itself"


def test_a_refreshed_token_is_of_no_transaction(world: World) -> None:
    portal = land_office(world, grant_types=(GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN))
    browser, page = at_live_page(world, portal)
    settle(world, begun(browser, page))
    first = portal.token(resumed(browser, page))
    again = portal.oauth.refresh_token(
        f"{world.issuer}/token", refresh_token=first["refresh_token"]
    )
    told = in_access_token(again)
    assert told["acr"] == NATURAL[2].acr
    assert told["amr"] == ["pwd", "sms", "mfa"]
    assert "transaction" not in told
    assert "authorization_details" not in told


def test_whoever_demands_it_names_the_transaction(world: World) -> None:
    portal = land_office(world)
    subject = world.register()
    raised(world, subject)
    browser = signed_in(world, subject)
    told = answered(arrive(browser, portal.url(claims=essential(ADVANCED))))
    assert told["error"] == "unmet_authentication_requirements"
    two = json.dumps([*json.loads(transaction()), *json.loads(transaction(transaction_id="b"))])
    told = answered(arrive(browser, url(portal, authorization_details=two)))
    assert told["error"] == "unmet_authentication_requirements"


@pytest.mark.parametrize(
    "wrong", [{"hash": "short"}, {"transaction_id": "with spaces"}, {"description": ""}]
)
def test_a_transaction_is_named_whole(world: World, wrong: dict[str, str]) -> None:
    portal = land_office(world)
    told = answered(
        arrive(world.browser(), url(portal, authorization_details=transaction(**wrong)))
    )
    assert told["error"] == "invalid_authorization_details"


def test_nobody_below_the_intermediate_level_is_seen(world: World) -> None:
    portal = land_office(world)
    browser = signed_in(world, world.register(), level=1)
    told = answered(arrive(browser, url(portal)))
    assert told["error"] == "unmet_authentication_requirements"


def test_no_page_is_shown_against_the_clients_will(world: World) -> None:
    portal = land_office(world)
    subject = world.register()
    raised(world, subject)
    told = answered(arrive(signed_in(world, subject), url(portal, prompt="none")))
    assert told["error"] in {"consent_required", "login_required"}


def test_a_failed_check_gives_nothing_and_another_may_be_begun(world: World) -> None:
    portal = land_office(world)
    browser, page = at_live_page(world, portal)
    assert not settle(world, begun(browser, page), passed=False)
    assert "/login/live?" in resumed(browser, page)
    assert settle(world, begun(browser, page))
    assert "code" in answered(resumed(browser, page))


def test_a_check_that_is_not_done_yet_decides_nothing(world: World) -> None:
    browser, page = at_live_page(world, land_office(world))
    check = begun(browser, page)
    with pytest.raises(LiveCheckPending):
        live_checks.ask(world.provider, check)
    assert "/login/live?" in resumed(browser, page)


def test_a_source_that_is_down_gives_no_level(world: World) -> None:
    browser, page = at_live_page(world, land_office(world))
    check = begun(browser, page)
    world.outage("live-person")
    with pytest.raises(SourceUnavailable):
        live_checks.ask(world.provider, check)
    with pytest.raises(SourceUnavailable):
        live_checks.start(world.provider, claimed(browser, page), FACE, "")
    assert "/login/live?" in resumed(browser, page)


def test_a_check_is_decided_once(world: World) -> None:
    browser, page = at_live_page(world, land_office(world))
    check = begun(browser, page)
    assert not settle(world, check, passed=False)
    with world.begin() as tx, pytest.raises(LiveCheckGone):
        live_checks.decide(tx, world.provider, check, RESULT)


def test_a_check_is_of_one_sign_on_one_client_and_one_transaction(world: World) -> None:
    portal = land_office(world)
    browser, page = at_live_page(world, portal)
    settle(world, begun(browser, page))
    session = own(browser)
    assert seen(world, session)
    assert not seen(world, replace(session, sid="another"))
    assert not seen(world, replace(session, subject="another"))
    assert not seen(world, session, "portal-b")
    assert not seen(world, session, hash="A" * 43)
    assert not seen(world, session, transaction_id="deed-2")


def test_a_check_is_used_once_however_many_try_at_once(world: World) -> None:
    portal = land_office(world)
    browser, page = at_live_page(world, portal)
    settle(world, begun(browser, page))
    with world.begin() as tx:
        details = json.loads(transaction())
        live = live_checks.seen(tx, world.provider, own(browser), "portal-a", details)
    assert live is not None
    outcomes: list[bool] = []

    def use() -> None:
        with world.begin() as tx:
            outcomes.append(live_checks.use(tx, world.provider, live))

    threads = [threading.Thread(target=use) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False] * 5 + [True]


def test_all_that_a_dispute_asks_for_is_kept_and_no_face(world: World) -> None:
    browser, page = at_live_page(world, land_office(world))
    check = begun(browser, page)
    settle(world, check)
    with world.begin() as tx:
        row = tx.get(LiveCheckRow, check.id)
        assert row is not None
        kept = live_checks.record(row)
    assert kept["transaction"] == {"id": "deed-1", "hash": HASH, "shown": DEED}
    assert (kept["method"], kept["outcome"]) == ("face", "passed")
    assert kept["source"]["threshold_version"] == "sandbox-1"
    assert row.evidence_hash is not None


@pytest.mark.parametrize("method", list(LiveMethod))
def test_every_way_to_be_seen_is_told_by_its_own_amr(world: World, method: LiveMethod) -> None:
    portal = land_office(world)
    browser, page = at_live_page(world, portal)
    settle(world, begun(browser, page, method))
    told = told_in(world, portal.token(resumed(browser, page)))
    expected = {"face": ["face"], "voice": ["vbm"], "video": []}
    assert told["amr"] == ["pwd", "sms", "mfa", *expected[method]]


def test_a_machine_must_reach_its_threshold_and_see_a_living_person() -> None:
    assert live_checks.is_good(RESULT, FACE)
    assert not live_checks.is_good(replace(RESULT, score=0.79), FACE)
    assert not live_checks.is_good(replace(RESULT, liveness=False), FACE)
    assert not live_checks.is_good(replace(RESULT, outcome=LiveOutcome.FAILED), FACE)
    assert not live_checks.is_good(RESULT, LiveMethod.VOICE), "not another method than asked for"


def test_a_video_is_judged_by_a_clerk_who_is_named() -> None:
    video = replace(RESULT, method=LiveMethod.VIDEO)
    assert not live_checks.is_good(video, LiveMethod.VIDEO)
    assert live_checks.is_good(replace(video, decided_by="clerk-7"), LiveMethod.VIDEO)


def test_a_wish_for_it_is_asked_of_whoever_can_meet_it(world: World) -> None:
    portal = land_office(world)
    browser, page = at_live_page(world, portal, claims="{}", acr_values=ADVANCED)
    settle(world, begun(browser, page))
    assert told_in(world, portal.token(resumed(browser, page)))["acr"] == ADVANCED
