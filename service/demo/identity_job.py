"""The steps of identity, in order: a person and a company rise, an agent comes and goes, a city trusts."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import lxml.html

from keys.algorithms import ES256
from keys.signature_value import to_x509
from keys.signer import Signer
from service.demo.journey import Journey
from service.demo.people import Act, Browser, Caller, Citizen, Portal, SignedIn, WalkError, register
from service.demo.sandbox import last_sms_code

_NATURAL, _LEGAL = "urn:yinxin:level:natural:", "urn:yinxin:level:legal:"
_DEED = "转移不动产：演示路 1 号"
_ITEM = "permit.apply"


@dataclass(frozen=True, slots=True)
class Company:
    """A company of the business register, with the certificate it holds and the key to it."""

    uscc: str
    name: str
    registration_number: str
    certificate: bytes = field(repr=False)
    signer: Signer = field(repr=False)

    @property
    def page(self) -> str:
        """The page of the company, which its representative alone sees."""
        return f"/my/entities/{self.uscc}"


@dataclass(frozen=True, slots=True)
class IdentityCast:
    """The representative, the agent, their company; the clerk at a counter; the portal of an office.

    `clerk_code` reads the clerk's authenticator app.
    """

    head: Citizen
    agent: Citizen
    company: Company
    clerk: Mapping[str, str]
    clerk_code: Callable[[], str]
    counter: str
    office: Portal


@dataclass(frozen=True, slots=True)
class IdentityWalk:
    """What the walk needs to know: the province, the city, the simulators, the cast."""

    base_url: str
    city_url: str
    simulators_url: str
    cast: IdentityCast
    journey: Journey

    def sms_code(self, phone: str) -> str:
        """The code last sent to a phone."""
        return last_sms_code(self.simulators_url, phone)


def walk_identity(w: IdentityWalk) -> None:
    """Walk the whole journey. Raises at the first step that fails; the journey holds what was done."""
    with Browser(w.base_url) as head, Browser(w.base_url) as agent:
        register_people(w, head, agent)
        register_company(w, head)
        be_seen_at_counter(w)
        sign_in_by_two_factors(w, head)
        use_certificate(w, head)
        authorise_and_revoke(w, head, agent)
        be_seen_live(w, head)
        sign_in_at_city(w, head)


def register_people(w: IdentityWalk, head: Browser, agent: Browser) -> None:
    with w.journey.step("法定代表人与经办人注册 / representative and agent register") as step:
        for citizen, browser in ((w.cast.head, head), (w.cast.agent, agent)):
            register(browser, citizen, w.sms_code)
            typed = {"username": citizen.phone, "password": citizen.password}
            browser.submit(browser.get("/login"), typed)
        step.told = f"{w.cast.head.name}、{w.cast.agent.name}"


def register_company(w: IdentityWalk, head: Browser) -> None:
    with w.journey.step("法定代表人登记企业：法人初级 / the company registered") as step:
        company = w.cast.company
        form = {
            "uscc": company.uscc,
            "name": company.name,
            "registration_number": company.registration_number,
        }
        _says(head.submit(head.get("/my/entities/register"), form), "初级")
        step.told = company.name


def be_seen_at_counter(w: IdentityWalk) -> None:
    with w.journey.step("窗口核验本人：自然人中级 / seen at a counter") as step:
        with Browser(w.base_url) as clerk:
            login = clerk.get("/login?realm=staff&next=/staff/counter")
            more = clerk.submit(login, w.cast.clerk)
            if more.url.path != "/login/more":
                more = clerk.get("/login/more?realm=staff&next=/staff/counter")
            desk = clerk.submit(more, {"totp": w.cast.clerk_code()}, pressed={"by": "totp"})
            seen = {
                "counter": w.cast.counter,
                "document": "resident-id-card",
                "number": w.cast.head.id_number,
                "name": w.cast.head.name,
            }
            _says(clerk.submit(desk, seen), "已记录")
        step.told = w.cast.head.name


def sign_in_by_two_factors(w: IdentityWalk, head: Browser) -> None:
    with w.journey.step("门户要求中级，只补验短信 / asked for one thing more") as step:
        pages = {"/login/more": _by_sms(w, head, w.cast.head)}
        told = w.cast.office.sign_in(head, {}, pages=pages, claims=_essential(f"{_NATURAL}2"))
        _expect_level(told, 2)
        step.told = f"acr 中级, amr {' '.join(told.claims['amr'])}"


def use_certificate(w: IdentityWalk, head: Browser) -> None:
    with w.journey.step("企业数字证书：法人中级 / the company's certificate") as step:
        company = w.cast.company
        page = head.get("/my/entities/certificate")
        document: Any = lxml.html.fromstring(page.text)
        text = document.get_element_by_id("text").text_content()
        signature = to_x509(ES256, company.signer.sign(text.encode()))
        form = {
            "certificate": base64.b64encode(company.certificate).decode(),
            "signature": base64.b64encode(signature).decode(),
        }
        head.submit(page, form)
        _says(head.get(company.page), "中级")
        told = _for_entities(w).sign_in(head, {})
        if told.claims["entity"]["level"] != f"{_LEGAL}2":
            raise WalkError(f"the company is told as {told.claims['entity']['level']}")
        step.told = "entity.level 中级"


def authorise_and_revoke(w: IdentityWalk, head: Browser, agent: Browser) -> None:
    company, office = w.cast.company, _for_entities(w)
    with w.journey.step("授权经办人，至多法人初级 / an agent authorised") as step:
        gift = {
            "number": w.cast.agent.id_number,
            "name": w.cast.agent.name,
            "items": _ITEM,
            "until": f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}",
        }
        given = head.submit(head.get(company.page), gift, pressed={"do": "give"})
        mandate = _field(given, "mandate")
        told = office.sign_in(agent, {}, pages={"/login/context": _acting(agent, mandate)})
        block = told.claims["entity"]
        if (block["level"], block["acting_as"]) != (f"{_LEGAL}1", "agent"):
            raise WalkError(f"the agent is told as {block}")
        step.told = f"{w.cast.agent.name}：entity.level 初级"
    revoking = w.journey.step("撤销授权，令牌即刻失效 / revoked, its token dead at once")
    with revoking as step, Caller(w.base_url, told.access_token) as portal:
        portal.get("/oidc/userinfo")
        head.submit(given, {"mandate": mandate}, pressed={"do": "revoke"})
        step.told = str(portal.get("/oidc/userinfo", expect=401).status_code)


def be_seen_live(w: IdentityWalk, head: Browser) -> None:
    with w.journey.step("就一笔业务实人核验：高级 / seen live for one transaction") as step:
        pages = {"/consent": _agreeing(head), "/login/live": _seen_live(head)}
        claims, details = _essential(f"{_NATURAL}3"), json.dumps([_transaction()])
        told = w.cast.office.sign_in(
            head, {}, pages=pages, claims=claims, authorization_details=details
        )
        _expect_level(told, 3)
        if told.claims["transaction"]["hash"] != _transaction()["hash"]:
            raise WalkError("the portal was told of another transaction")
        _expect_level(w.cast.office.sign_in(head, {}), 2)
        step.told = "acr 高级，随后仍为中级"


def sign_in_at_city(w: IdentityWalk, head: Browser) -> None:
    with w.journey.step("在市级节点以省级账号登录 / at the city by the province") as step:
        _says(head.get(f"{w.city_url}/login"), "省级账号")
        arrived = head.get(f"{w.city_url}/login/upstream/province?next=/my/level")
        if not str(arrived.url).startswith(w.city_url):
            raise WalkError(f"the person stayed at {arrived.url.path}")
        _says(head.get(f"{w.city_url}/my/account"), w.cast.head.name)
        _says(head.get(f"{w.city_url}/my/level"), "中级")
        step.told = w.city_url


def _for_entities(w: IdentityWalk) -> Portal:
    return replace(w.cast.office, scope="openid entity")


def _by_sms(w: IdentityWalk, browser: Browser, citizen: Citizen) -> Act:
    def act(page: httpx2.Response, stop_at: str) -> httpx2.Response:
        sent = browser.submit(page, {}, pressed={"by": "send"})
        typed = {"sms": w.sms_code(citizen.phone)}
        return browser.submit(sent, typed, pressed={"by": "sms"}, stop_at=stop_at)

    return act


def _acting(browser: Browser, mandate: str) -> Act:
    def act(page: httpx2.Response, stop_at: str) -> httpx2.Response:
        return browser.submit(page, {"acting": mandate}, stop_at=stop_at)

    return act


def _agreeing(browser: Browser) -> Act:
    def act(page: httpx2.Response, stop_at: str) -> httpx2.Response:
        return browser.submit(page, {}, pressed={"decision": "approve"}, stop_at=stop_at)

    return act


def _seen_live(browser: Browser) -> Act:
    def act(page: httpx2.Response, stop_at: str) -> httpx2.Response:
        camera = browser.submit(page, {"method": "face"})
        return browser.submit(camera, {"passed": "true"}, stop_at=stop_at)

    return act


def _essential(acr: str) -> str:
    return json.dumps({"id_token": {"acr": {"essential": True, "values": [acr]}}})


def _transaction() -> dict[str, str]:
    digest = hashlib.sha256(_DEED.encode()).digest()
    return {
        "type": "transaction",
        "transaction_id": "demo-deed-1",
        "hash": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "description": _DEED,
    }


def _expect_level(told: SignedIn, number: int) -> None:
    if told.claims["acr"] != f"{_NATURAL}{number}":
        raise WalkError(f"acr is {told.claims['acr']}, not level {number}")


def _says(page: httpx2.Response, words: str) -> None:
    if words not in page.text:
        raise WalkError(f"{page.url.path} does not say {words}")


def _field(page: httpx2.Response, name: str) -> str:
    """The value of the page's first field of a name."""
    document: Any = lxml.html.fromstring(page.text)
    found = document.xpath(f"//input[@name='{name}']/@value")
    if not found:
        raise WalkError(f"{page.url.path} has no {name}")
    return str(found[0])
