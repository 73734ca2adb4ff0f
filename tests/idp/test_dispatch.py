"""The steps between a request and its answer: what is asked of the person, and what never is."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker

from idp import clients, consents, evidence, interaction, sessions, steps
from idp.client_metadata import Consent
from idp.errors import InteractionGone
from idp.interaction import Details
from idp.levels import NATURAL, STAFF, Evidence, EvidenceKind
from idp.method import Method
from idp.methods import sign_in
from idp.methods.sign_in import Proof
from idp.tables import PersonRow, SessionRow
from idp.vocabulary import AuthMethod, GrantType, Realm
from tests.idp.signing_client import SigningClient
from tests.idp.test_fapi2 import PROFILE, Bank
from tests.idp.test_sign_in import claims_of
from tests.idp.world import PEOPLE, Browser, World, answered, mounted, served
from tests.proving import Prover

NUMBER = PEOPLE["张䶮"].number
ACR = [level.acr for level in NATURAL]
LOOKUP = {"type": "licence_lookup", "licence_type": "food_permit", "matter": "开设分店"}


def uid_of(location: str) -> str:
    return answered(location)["interaction"]


def details(browser: Browser, location: str) -> Details:
    world = browser.world
    cookie = browser.cookie(interaction.BROWSER_COOKIE)
    with world.begin() as tx:
        return interaction.details(tx, world.provider, uid_of(location), cookie)


def agree(browser: Browser, location: str) -> str:
    """Agree on the consent page; return where that leads."""
    provider, uid = browser.world.provider, uid_of(location)
    with provider.begin() as tx:
        interaction.agree(
            tx,
            provider,
            uid,
            browser.cookie(interaction.BROWSER_COOKIE),
            browser.cookie(sessions.COOKIE),
        )
    return str(browser.get(interaction.resume_url(provider, uid)).headers["location"])


def deny(browser: Browser, location: str) -> str:
    provider, uid = browser.world.provider, uid_of(location)
    interaction.deny(provider, uid, browser.cookie(interaction.BROWSER_COOKIE))
    return str(browser.get(interaction.resume_url(provider, uid)).headers["location"])


def signed_in(world: World) -> Browser:
    world.register()
    browser = world.browser()
    browser.sign_in(None, NUMBER)
    return browser


def arrive(browser: Browser, url: str) -> str:
    return str(browser.get(url).headers["location"])


def essential(*acrs: str) -> str:
    return json.dumps({"id_token": {"acr": {"essential": True, "values": acrs}}})


# Consent


def test_a_person_is_asked_once_what_a_third_party_may_know(world: World) -> None:
    browser = signed_in(world)
    portal = world.portal(world.client(consent=Consent.BY_PERSON))
    page = arrive(browser, portal.url())
    assert page.startswith(f"{world.provider.public_url}/consent?interaction=")
    assert details(browser, page).items == ("openid", "profile")
    assert "code" in answered(agree(browser, page))
    assert "code" in answered(arrive(browser, portal.url(prompt="none"))), "and never again"


def test_the_person_is_asked_again_for_what_is_new(world: World) -> None:
    browser = signed_in(world)
    portal = world.portal(world.client(consent=Consent.BY_PERSON))
    agree(browser, arrive(browser, portal.url()))
    claims = json.dumps({"userinfo": {"phone_number": None, "shoe_size": None}})
    page = arrive(browser, portal.url(claims=claims))
    assert details(browser, page).items == ("openid", "profile", "claim:phone_number")
    silent = arrive(browser, portal.url(claims=claims, prompt="none"))
    assert answered(silent)["error"] == "consent_required"


def test_what_was_taken_back_is_asked_for_again(world: World) -> None:
    subject = world.register()
    browser = world.browser()
    browser.sign_in(None, NUMBER)
    portal = world.portal(world.client(consent=Consent.BY_PERSON))
    agree(browser, arrive(browser, portal.url()))
    with world.begin() as tx:
        consents.take_back(tx, world.provider, subject, "portal-a")
    assert "/consent?" in arrive(browser, portal.url())


def test_a_portal_of_the_government_is_agreed_to_by_policy(world: World) -> None:
    browser = signed_in(world)
    portal = world.portal(world.client())
    assert "code" in answered(arrive(browser, portal.url()))
    page = arrive(browser, portal.url(prompt="consent"))
    assert "/consent?" in page, "unless it wants the person to be asked"
    assert details(browser, page).consent is Consent.BY_POLICY
    assert "code" in answered(agree(browser, page))
    with world.begin() as tx:
        (subject,) = tx.scalars(select(PersonRow.subject))
        assert consents.given(tx, subject) == [], "nothing that could be taken back"


def test_whoever_refuses_is_sent_back_with_that(world: World) -> None:
    browser = signed_in(world)
    portal = world.portal(world.client(consent=Consent.BY_PERSON))
    page = arrive(browser, portal.url())
    told = answered(deny(browser, page))
    assert told["error"] == "access_denied"
    assert told["state"] == portal.state
    assert told["iss"] == world.issuer
    assert "/consent?" in arrive(browser, portal.url()), "and nothing is remembered"


def test_sign_in_comes_before_consent(world: World) -> None:
    world.register()
    portal = world.portal(world.client(consent=Consent.BY_PERSON))
    browser = world.browser()
    page = arrive(browser, portal.url(prompt="login consent"))
    assert "/login?" in page
    consent = browser.get(browser.sign_in(page, NUMBER)).headers["location"]
    assert "/consent?" in consent
    assert "code" in answered(agree(browser, consent))


def test_consent_belongs_to_the_person_and_the_browser_that_were_asked(world: World) -> None:
    browser = signed_in(world)
    portal = world.portal(world.client(consent=Consent.BY_PERSON))
    page = arrive(browser, portal.url())
    thief = world.browser()
    thief.get(portal.url())
    with pytest.raises(InteractionGone):
        agree(thief, page)
    with pytest.raises(InteractionGone):
        deny(thief, page)
    world.register("欧阳静姝", "13800000002")
    agree(browser, page)
    page = arrive(browser, portal.url(prompt="consent"))
    provider = world.provider
    with provider.begin() as tx:
        cookie = browser.cookie(interaction.BROWSER_COOKIE)
        session = browser.cookie(sessions.COOKIE)
        interaction.agree(tx, provider, uid_of(page), cookie, session)
    browser.sign_in(None, PEOPLE["欧阳静姝"].number)
    assert "/consent?" in arrive(browser, interaction.resume_url(provider, uid_of(page)))


def test_nobody_agrees_without_being_signed_in(world: World) -> None:
    portal = world.portal(world.client(consent=Consent.BY_PERSON))
    browser = world.browser()
    page = arrive(browser, portal.url())
    with pytest.raises(InteractionGone):
        agree(browser, page)


def test_a_double_submit_is_answered_once(world: World) -> None:
    browser = signed_in(world)
    portal = world.portal(world.client(consent=Consent.BY_PERSON))
    page = arrive(browser, portal.url())
    assert "code" in answered(agree(browser, page))
    with pytest.raises(InteractionGone):
        agree(browser, page)
    with pytest.raises(InteractionGone):
        deny(browser, page)


def test_one_transaction_is_agreed_to_every_time_and_by_everybodys_portal(world: World) -> None:
    browser = signed_in(world)
    portal = world.portal(world.client(authorization_details_types=("licence_lookup",)))
    asked = json.dumps([LOOKUP])
    for _ in range(2):
        page = arrive(browser, portal.url(authorization_details=asked))
        assert "/consent?" in page
        assert details(browser, page).authorization_details == (LOOKUP,)
        assert "code" in answered(agree(browser, page))
    silent = arrive(browser, portal.url(authorization_details=asked, prompt="none"))
    assert answered(silent)["error"] == "consent_required"
    strange = arrive(browser, portal.url(authorization_details='[{"type":"licence_share"}]'))
    assert answered(strange)["error"] == "invalid_authorization_details"


def test_the_page_learns_who_asks(world: World) -> None:
    browser = signed_in(world)
    known = {
        "client_uri": "https://portal-a.example",
        "logo_uri": "https://portal-a.example/logo.svg",
        "policy_uri": "https://portal-a.example/privacy",
        "tos_uri": "https://portal-a.example/terms",
    }
    portal = world.portal(world.client(consent=Consent.BY_PERSON, **known))
    shown = details(browser, arrive(browser, portal.url()))
    assert {name: getattr(shown, name) for name in known} == known
    assert shown.because == "consent_needed"


def test_a_page_learns_why_it_comes_after_another(world: World) -> None:
    browser = signed_in(world)
    portal = world.portal(world.client(consent=Consent.BY_PERSON))
    page = arrive(browser, portal.url(max_age="60"))
    assert details(browser, page).because == "consent_needed"
    world.clock.tick(seconds=60)
    page = agree(browser, page)
    assert "/login?" in page
    assert details(browser, page).because == "signed_in_too_long_ago"


def test_a_fapi2_client_of_somebody_elses_asks_whenever_a_page_may_be_shown(world: World) -> None:
    signer = SigningClient(world)
    world.client(jwks=signer.jwks, consent=Consent.BY_PERSON, **PROFILE)
    bank = Bank(world, signer, Prover(world.clock))
    browser = signed_in(world)

    def ask(**changed: str) -> str:
        pushed = bank.push(scope="openid profile", **changed).json()["request_uri"]
        query = {"client_id": "portal-a", "request_uri": pushed}
        return arrive(browser, str(httpx2.URL(f"{world.issuer}/authorize", params=query)))

    assert "code" in answered(agree(browser, ask()))
    assert "code" in answered(ask(prompt="none")), "all was agreed to before"
    consent = ask()
    assert "/consent?" in consent
    assert answered(deny(browser, consent))["error"] == "access_denied"
    consent = arrive(browser, browser.sign_in(ask(prompt="login"), NUMBER))
    assert "code" in answered(agree(browser, consent)), "and is not asked twice"


@pytest.mark.parametrize(
    ("consent", "profile"), [(Consent.BY_POLICY, PROFILE), (Consent.BY_PERSON, {})]
)
def test_no_other_client_asks_again_for_what_was_agreed_to(
    world: World, consent: Consent, profile: Mapping[str, Any]
) -> None:
    subject = world.register()
    signer = SigningClient(world)
    of_both = {"auth_method": AuthMethod.PRIVATE_KEY_JWT}
    world.client(jwks=signer.jwks, consent=consent, **{**of_both, **profile})
    bank = Bank(world, signer, Prover(world.clock))
    with world.begin() as tx:
        consents.give(tx, world.provider, subject, "portal-a", ("openid", "profile"))
    pushed = bank.push(scope="openid profile").json()["request_uri"]
    query = {"client_id": "portal-a", "request_uri": pushed}
    url = str(httpx2.URL(f"{world.issuer}/authorize", params=query))
    assert "code" in answered(world.browser().authorize(url, NUMBER))


def test_whoever_cancels_the_sign_in_is_sent_back_with_that(world: World) -> None:
    portal = world.portal(world.client())
    browser = world.browser()
    page = arrive(browser, portal.url())
    assert "/login?" in page
    told = answered(deny(browser, page))
    assert (told["error"], told["state"], told["iss"]) == (
        "access_denied",
        portal.state,
        world.issuer,
    )
    with pytest.raises(InteractionGone):
        browser.sign_in(page, NUMBER)


def test_staying_signed_in_is_asked_for_and_remembered_for_nobody(world: World) -> None:
    browser = signed_in(world)
    refreshing = (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN)
    registered = world.client(
        consent=Consent.BY_PERSON,
        grant_types=refreshing,
        scopes=("openid", "offline_access"),
    )
    portal = world.portal(registered, "openid offline_access")
    page = arrive(browser, portal.url())
    assert details(browser, page).items == ("openid",), "it is ignored without prompt"
    assert "code" in answered(agree(browser, page))
    for _ in range(2):
        page = arrive(browser, portal.url(prompt="consent"))
        assert details(browser, page).items == ("openid", "offline_access")
        agree(browser, page)


def test_nobody_unknown_learns_silently_who_is_signed_in(world: World) -> None:
    browser = signed_in(world)
    portal = world.portal(world.client(consent=Consent.BY_PERSON), "openid")
    assert answered(arrive(browser, portal.url(prompt="none")))["error"] == "consent_required"


# Levels


def test_an_essential_acr_that_is_met_comes_back(world: World) -> None:
    world.register()
    portal = world.portal(world.client())
    answer = world.browser().authorize(portal.url(claims=essential(ACR[1])), NUMBER)
    claims_of(world, portal.token(answer)["id_token"], acr=ACR[1])


@pytest.mark.parametrize("acr", [STAFF[1].acr, "urn:strange"])
def test_an_essential_acr_that_nobody_has_is_refused_before_anybody_tries(
    world: World, acr: str
) -> None:
    portal = world.portal(world.client())
    told = answered(arrive(world.browser(), portal.url(claims=essential(acr))))
    assert told["error"] == "unmet_authentication_requirements"


@pytest.mark.parametrize("prompt", [{}, {"prompt": "none"}])
def test_an_essential_acr_that_signing_in_does_not_reach_is_told_at_once(
    world: World, prompt: dict[str, str]
) -> None:
    browser = signed_in(world)
    portal = world.portal(world.client())
    told = answered(arrive(browser, portal.url(claims=essential(ACR[3]), **prompt)))
    assert told["error"] == "unmet_authentication_requirements"


def test_an_essential_acr_not_reached_after_signing_in_is_told_then(world: World) -> None:
    world.register()
    portal = world.portal(world.client())
    answer = world.browser().authorize(portal.url(claims=essential(ACR[2])), NUMBER)
    assert answered(answer)["error"] == "unmet_authentication_requirements"


def test_a_weaker_wish_does_not_lower_the_floor_of_a_client(world: World) -> None:
    world.register()
    portal = world.portal(world.client(minimum_acr=ACR[2]))
    for asked in ({"acr_values": ACR[1]}, {"claims": essential(ACR[1])}, {}):
        answer = world.browser().authorize(portal.url(**asked), NUMBER)
        assert answered(answer)["error"] == "unmet_authentication_requirements"


def test_a_wish_that_cannot_be_met_is_no_error(world: World) -> None:
    browser = signed_in(world)
    portal = world.portal(world.client())
    for asked in (ACR[3], f"{ACR[3]} {ACR[1]}", "urn:strange"):
        assert "code" in answered(arrive(browser, portal.url(acr_values=asked)))


def raised(world: World, subject: str) -> None:
    """Let a person stand at the intermediate level."""
    seen = Evidence(
        kind=EvidenceKind.COUNTER,
        source="counter",
        reference="c-1",
        compared=("name", "number"),
        happened_at=world.clock(),
    )
    with world.begin() as tx:
        evidence.record(tx, world.provider, subject, seen)


def prove_phone(browser: Browser, location: str) -> str:
    """Prove the phone on top of the sign-on; return where that leads."""
    world = browser.world
    entry = browser.entry(location)
    with world.begin() as tx:
        opened = sign_in.enter(
            tx,
            world.provider,
            entry,
            Proof(Realm.CITIZEN, _subject(tx), (Method.SMS_CODE,), adds=True),
        )
    browser.http.cookies.set(sessions.COOKIE, opened.cookie, domain="127.0.0.1", path="/")
    return arrive(browser, interaction.resume_url(world.provider, uid_of(location)))


def _subject(tx: Session) -> str:
    return tx.scalars(select(PersonRow.subject)).one()


def test_a_sign_on_that_is_too_weak_is_asked_for_what_is_missing_and_no_more(world: World) -> None:
    browser = signed_in(world)
    with world.begin() as tx:
        subject = _subject(tx)
    raised(world, subject)
    portal = world.portal(world.client())
    wished = portal.url(acr_values=ACR[2])
    verifier, state = portal.verifier, portal.state
    page = arrive(browser, wished)
    assert page.startswith(f"{world.provider.public_url}/login/more?interaction=")
    assert details(browser, page).because == "more_factors_needed"
    silent = arrive(browser, portal.url(acr_values=ACR[2], prompt="none"))
    assert "code" in answered(silent), "a wish shows no page against prompt=none"
    needed = arrive(browser, portal.url(claims=essential(ACR[2]), prompt="none"))
    assert answered(needed)["error"] == "login_required"
    answer = prove_phone(browser, page)
    portal.verifier, portal.state = verifier, state
    claims_of(world, portal.token(answer)["id_token"], acr=ACR[2], amr=["pwd", "sms", "mfa"])


def test_whoever_signs_in_for_a_request_is_asked_for_the_second_factor_next(world: World) -> None:
    raised(world, world.register())
    browser = world.browser()
    portal = world.portal(world.client(minimum_acr=ACR[2]))
    page = arrive(browser, browser.sign_in(arrive(browser, portal.url()), NUMBER))
    assert "/login/more?" in page
    assert "code" in answered(prove_phone(browser, page))


@pytest.mark.parametrize("asked", [{"acr_values": ACR[2]}, {"claims": essential(ACR[2])}])
def test_whoever_would_rather_not_goes_on_as_they_are(world: World, asked: dict[str, str]) -> None:
    raised(world, world.register())
    browser = world.browser()
    portal = world.portal(world.client())
    page = arrive(browser, browser.sign_in(arrive(browser, portal.url(**asked)), NUMBER))
    cookie = browser.cookie(interaction.BROWSER_COOKIE)
    interaction.stay(world.provider, uid_of(page), cookie)
    told = answered(arrive(browser, interaction.resume_url(world.provider, uid_of(page))))
    if "acr_values" in asked:
        assert "code" in told
    else:
        assert told["error"] == "unmet_authentication_requirements"


def test_a_level_reached_since_signing_in_needs_no_new_proof(world: World) -> None:
    browser = signed_in(world)
    with world.begin() as tx:
        subject = _subject(tx)
    portal = world.portal(world.client(minimum_acr=ACR[2]))
    with world.begin() as tx:
        tx.query(SessionRow).update({"methods": ["pwd", "sms"]})
    world.clock.tick(minutes=3)
    raised(world, subject)
    token = portal.token(arrive(browser, portal.url()))
    signed_in_at = int(world.clock().timestamp()) - 180
    claims_of(world, token["id_token"], acr=ACR[2], auth_time=signed_in_at)


# Requests by POST, and attacks on them


def test_a_post_from_another_site_still_finds_the_sign_on(world: World) -> None:
    """Browsers leave our cookies out of it, so the answer is fetched with a GET of its own."""
    browser = signed_in(world)
    browser.http.cookies.set(interaction.BROWSER_COOKIE, "b" * 43, domain="127.0.0.1", path="/")
    portal = world.portal(world.client())
    url, _, query = portal.url(prompt="none", login_hint="13800000001").partition("?")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    posted = httpx2.post(url, content=query, headers=form)
    assert "set-cookie" not in posted.headers, "nor is a cookie of ours replaced"
    assert "13800000001" not in posted.headers["location"]
    (key,) = world.provider.redis.scan_iter("yinxin:idp:posted-request:*")
    assert b"13800000001" not in (world.provider.redis.get(key) or b"")
    assert "code" in answered(arrive(browser, posted.headers["location"]))
    assert browser.get(posted.headers["location"]).status_code == 400, "once"


def test_a_same_site_post_is_answered_at_once(world: World) -> None:
    browser = signed_in(world)
    portal = world.portal(world.client())
    browser.get(portal.url())
    url, _, query = portal.url().partition("?")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = browser.http.post(url, content=query, headers=form)
    assert "code" in answered(answer.headers["location"])


def test_a_posted_request_that_nobody_posted_is_gone(world: World) -> None:
    refused = httpx2.get(f"{world.issuer}/authorize/posted.guess")
    assert refused.status_code == 400
    assert refused.json()["error_description"] == "interaction.gone"


def test_a_sign_on_planted_in_a_browser_is_not_the_one_it_ends_with(world: World) -> None:
    world.register()
    portal = world.portal(world.client())
    attacker, victim = world.browser(), world.browser()
    attacker.sign_in(None, NUMBER)
    planted = str(attacker.cookie(sessions.COOKIE))
    victim.http.cookies.set(sessions.COOKIE, planted, domain="127.0.0.1", path="/")
    page = arrive(victim, portal.url(prompt="login"))
    victim.sign_in(page, NUMBER)
    attacker.http.cookies.set(sessions.COOKIE, planted, domain="127.0.0.1", path="/")
    assert "/login?" in arrive(attacker, portal.url())


def test_a_client_that_went_away_meanwhile_gets_no_answer(world: World) -> None:
    world.register()
    portal = world.portal(world.client())
    browser = world.browser()
    resume = browser.sign_in(arrive(browser, portal.url()), NUMBER)
    with world.begin() as tx:
        clients.remove(tx, world.provider, "portal-a", by="admin")
    assert browser.get(resume).status_code == 400


def test_a_lost_store_breaks_a_request_off_and_it_can_be_tried_again(world: World) -> None:
    browser = signed_in(world)
    portal = world.portal(world.client(consent=Consent.BY_PERSON))
    page = arrive(browser, portal.url())
    nowhere = Redis(unix_socket_path="/nowhere/valkey.sock", retry=Retry(NoBackoff(), 0))
    with served(mounted(replace(world.provider, redis=nowhere))) as base:
        for path in ("/authorize?" + portal.url().partition("?")[2], f"/authorize/{uid_of(page)}"):
            lost = httpx2.get(f"{base}/oidc{path}", cookies=dict(browser.http.cookies))
            assert lost.status_code == 503
            assert lost.headers["retry-after"]
    assert "code" in answered(agree(browser, page)), "nothing was half done"


def test_a_lost_database_breaks_a_request_off_too(world: World) -> None:
    browser = signed_in(world)
    portal = world.portal(world.client(consent=Consent.BY_PERSON))
    page = arrive(browser, portal.url())
    nowhere = create_engine("postgresql+psycopg://nobody@/nothing?host=/nowhere")
    without = replace(world.provider, begin=sessionmaker(nowhere).begin)
    with served(mounted(without)) as base:
        for path in ("/authorize?" + portal.url().partition("?")[2], f"/authorize/{uid_of(page)}"):
            lost = httpx2.get(f"{base}/oidc{path}", cookies=dict(browser.http.cookies))
            assert (lost.status_code, lost.json()["error"]) == (503, "temporarily_unavailable")
            assert lost.headers["retry-after"]
    assert "code" in answered(agree(browser, page)), "nothing was half done"


def test_every_step_and_reason_is_told_where_it_comes_from() -> None:
    tables = [*steps.SIGN_IN_REASONS, *(step.needed for step in steps.STEPS)]
    assert all(function.__doc__ for function in tables)
    described = [step.description for step in steps.STEPS]
    assert all(text.isascii() and '"' not in text for text in described)


def test_asking_for_the_head_alone_gives_no_code_away(world: World) -> None:
    browser = signed_in(world)
    portal = world.portal(world.client())
    assert browser.http.head(portal.url()).status_code == 405
