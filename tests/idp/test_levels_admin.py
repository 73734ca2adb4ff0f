"""Levels over the administration API: decisions for portals, policies, evidence, counters, live checks."""

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
import rfc8785

import idp.admin.http
from idp import accounts, live_checks, sessions
from idp.admin.http import audience
from idp.entities import context, promotions
from idp.levels import NATURAL
from keys import access_token, jose
from keys.access_token import Caller
from keys.compact import TokenError
from service import problems
from service.token_check import caller_check
from tests.idp.companies import found, head, mandate_of
from tests.idp.companies import signed_in as acting_in
from tests.idp.standing import HASH, level_of, raised, signed_in
from tests.idp.test_live_checks import at_live_page, begun, land_office, resumed, settle
from tests.idp.world import BODY, Portal, World, served

Ask = Callable[..., httpx2.Response]
DEED = {"name_zh": "不动产转移登记", "name_en": "Deed", "natural": 3, "legal": 3}
PAYMENT = {"name_zh": "网上缴费", "name_en": "Pay", "natural": 2, "legal": None}


def machine_token(world: World, client_id: str, scope: str) -> str:
    """An access token of a machine for this API."""
    resource = audience(world.provider.public_url)
    machine = world.machine(client_id=client_id, scopes=(scope,), resources=(resource,))
    answer = httpx2.post(
        f"{world.issuer}/token",
        data={"grant_type": "client_credentials", "scope": scope, "resource": resource},
        auth=(machine.client_id, str(machine.client_secret)),
    )
    return str(answer.json()["access_token"])


@pytest.fixture
def ask(world: World) -> Iterator[Ask]:
    """Ask the API something, as the administrator or with another token."""

    def check(text: str) -> Caller:
        return access_token.check(
            text,
            world.provider.token_keys(),
            issuer=world.issuer,
            audience=audience(world.provider.public_url),
            now=world.clock(),
        )

    api = idp.admin.http.app(world.provider, caller_check(world.provider, check))
    manager = machine_token(world, "manager", "level.manage")
    with served(problems.install(api)) as url:

        def ask(method: str, path: str, json: Any = None, token: str = manager) -> httpx2.Response:
            headers = {"Authorization": f"Bearer {token}"}
            return httpx2.request(method, f"{url}{path}", json=json, headers=headers)

        yield ask


def decided(
    ask: Ask, world: World, token: object, item: str, named: dict[str, str] | None = None
) -> httpx2.Response:
    """Ask as the portal whose access token it is: it may, by a resource of its own."""
    asked = {"item": item, "token": str(token), **(named or {})}
    decider = machine_token(world, f"decider-{world.provider.handle(4)}", "level.decide")
    return ask("POST", "/decisions", asked, decider)


def portal_of_decider(world: World) -> Portal:
    """A portal whose tokens are for the API that decides."""
    resource = audience(world.provider.public_url)
    return land_office(world, resources=(resource,))


def in_deed(world: World, portal: Portal) -> Any:
    """An access token of somebody who was seen live for a deed."""
    where = {"resource": audience(world.provider.public_url)}
    browser, page = at_live_page(world, portal, **where)
    settle(world, begun(browser, page))
    return portal.token(resumed(browser, page))["access_token"]


def test_policies_are_put_listed_and_forgotten(ask: Ask) -> None:
    assert ask("PUT", "/item-policies/deed", DEED).json()["item"] == "deed"
    assert [one["item"] for one in ask("GET", "/item-policies").json()["policies"]] == ["deed"]
    wrong = ask("PUT", "/item-policies/x", {**DEED, "agents": True})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "item_policy.wrong")
    assert ask("DELETE", "/item-policies/deed").status_code == 204
    assert ask("DELETE", "/item-policies/deed").json()["code"] == "item_policy.unknown"


def test_a_portal_is_told_whether_and_why(world: World, ask: Ask) -> None:
    ask("PUT", "/item-policies/deed", DEED)
    ask("PUT", "/item-policies/payment", PAYMENT)
    token = in_deed(world, portal_of_decider(world))
    named = {"transaction_id": "deed-1", "hash": HASH}
    told = decided(ask, world, token, "deed", named).json()
    assert (told["allowed"], told["reason"]) == (True, "level_is_enough")
    assert set(told["explanation"]) == {"zh-CN", "en"}
    assert decided(ask, world, token, "payment").json()["allowed"]


@pytest.mark.parametrize(
    "named", [{}, {"transaction_id": "deed-2", "hash": HASH}, {"transaction_id": "deed-1"}]
)
def test_seen_live_for_one_transaction_is_not_for_another(
    world: World, ask: Ask, named: dict[str, str]
) -> None:
    ask("PUT", "/item-policies/deed", DEED)
    token = in_deed(world, portal_of_decider(world))
    told = decided(ask, world, token, "deed", named).json()
    assert (told["allowed"], told["reason"]) == (False, "live_check_needed")
    assert told["acr"] == NATURAL[3].acr


def test_a_token_that_is_dead_nobodys_or_anothers_decides_nothing(world: World, ask: Ask) -> None:
    ask("PUT", "/item-policies/deed", DEED)
    token = in_deed(world, portal_of_decider(world))
    assert decided(ask, world, "nonsense", "deed").json()["code"] == "decision.token"
    assert decided(ask, world, token, "nothing").json()["code"] == "item_policy.unknown"
    with world.begin() as tx:
        sid = sessions.of_subject(tx, world.provider, subject_of(world))[0].sid
        sessions.end(tx, world.provider, sid, by="a-test", why=sessions.Ending.SIGNED_OUT)
    assert decided(ask, world, token, "deed").json()["code"] == "decision.token"


def subject_of(world: World) -> str:
    with world.begin() as tx:
        known = accounts.credentials(tx, world.provider, "13800000001")
    assert known is not None
    return known.subject


def test_deciding_is_not_managing(world: World, ask: Ask) -> None:
    decider = machine_token(world, "decider", "level.decide")
    assert ask("GET", "/item-policies", token=decider).status_code == 403
    assert ask("POST", "/decisions", {"item": "x", "token": "y"}).status_code == 403


def test_evidence_is_seen_and_withdrawn_and_the_sign_on_ends(world: World, ask: Ask) -> None:
    subject = world.register()
    number = raised(world, subject)
    browser = signed_in(world, subject)
    told = ask("GET", f"/people/{subject}/standing").json()
    assert told["acr"] == NATURAL[2].acr
    assert [one["kind"] for one in told["evidence"]][-1] == "counter"
    why = {"why": "document-was-forged"}
    assert ask("POST", f"/evidence/{number}/withdrawal", why).status_code == 204
    assert level_of(world, subject) == 1
    with world.begin() as tx:
        assert sessions.find(tx, world.provider, browser.cookie(sessions.COOKIE)) is None
    again = ask("POST", f"/evidence/{number}/withdrawal", why)
    assert (again.status_code, again.json()["code"]) == (404, "evidence.unknown")
    assert ask("GET", "/people/nobody/standing").status_code == 404


def test_withdrawn_evidence_of_a_company_ends_the_sign_ons_that_acted_at_its_level(
    world: World, ask: Ask
) -> None:
    company = found(world, head(world))
    status = promotions.ask_tax(world.provider, company)
    chief = mandate_of(world, company)
    opened = acting_in(world, chief.holder)
    with world.begin() as tx:
        standing = promotions.by_tax(tx, world.provider, company, status, by="chief")
        context.choose(tx, world.provider, opened.session, chief.id)
    (number,) = (piece.id for piece in standing.because if piece.kind == "tax-filer")
    why = {"why": "entered-by-mistake"}
    assert ask("POST", f"/evidence/{number}/withdrawal", why).status_code == 204
    with world.begin() as tx:
        assert sessions.find(tx, world.provider, opened.cookie) is None


def test_counters_are_named(ask: Ask) -> None:
    hall = {"name": "示例市政务服务中心", "body": BODY, "tier": "city", "region": "990100"}
    assert ask("PUT", "/counters/hall-1", hall).json() == {"code": "hall-1", **hall}
    assert len(ask("GET", "/counters").json()["counters"]) == 1
    assert ask("PUT", "/counters/hall-1", {**hall, "tier": "moon"}).status_code == 422


def test_a_live_check_is_told_whole_for_a_dispute(world: World, ask: Ask) -> None:
    portal = land_office(world)
    browser, page = at_live_page(world, portal)
    check = begun(browser, page)
    settle(world, check)
    portal.token(resumed(browser, page))
    told = ask("GET", f"/live-checks/{check.id}").json()
    assert told["record"]["transaction"]["hash"] == HASH
    assert len(told["evidence_hash"]) == 64
    assert told["used_at"] is not None
    keys = world.provider.token_keys()
    signed = json.loads(
        jose.verify_bytes(told["signed"], keys, content_type=live_checks.BUNDLE).decode()
    )
    assert signed["iss"] == world.issuer
    assert signed["record"] == told["record"]
    hashed = hashlib.sha256(rfc8785.dumps(signed["record"])).hexdigest()
    assert hashed == signed["evidence_hash"] == told["evidence_hash"]
    with pytest.raises(TokenError):
        jose.verify_bytes(told["signed"][:-8] + "AAAAAAAA", keys)
    assert ask("GET", "/live-checks/none").json()["code"] == "live_check.gone"


@pytest.mark.parametrize("number", ["0", "-1", str(2**63), "1" * 40, "x"])
def test_evidence_that_cannot_be_is_refused_before_it_is_looked_for(ask: Ask, number: str) -> None:
    assert ask("POST", f"/evidence/{number}/withdrawal", {"why": "mistaken"}).status_code == 422
