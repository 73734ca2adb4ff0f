"""How people rise and fall over the real pages, and what a portal is told of them meanwhile."""

import base64
import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import httpx2

import idp.admin.http
from idp import clients
from idp.client_metadata import Consent, ContextKind
from idp.clients import Registration
from idp.levels import LEGAL, NATURAL, EvidenceKind
from idp.vocabulary import GrantType
from service.sandbox_counter import CLERKS, COUNTER
from service.seed import CLERK_PASSWORD, REVIEWING
from service.simulators.outside import AccountRecord, load
from tests.idp.standing import transaction
from tests.rig import Citizen, Rig
from tests.service.portals import Shop, press, sent_back, shop

BOTH = (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN)
ACCOUNTS = {account.number: account for account in load(AccountRecord, "accounts")}
_MANAGER, _SECRET = "level-manager", "a-secret-of-the-manager"


@dataclass(frozen=True, slots=True)
class Told:
    """What a portal holds after a sign-in: the tokens and their claims."""

    answer: dict[str, Any]

    @property
    def claims(self) -> dict[str, Any]:
        """The claims of the ID token."""
        return _claims(self.answer["id_token"])

    @property
    def access(self) -> dict[str, Any]:
        """The claims of the access token."""
        return _claims(self.answer["access_token"])

    @property
    def natural(self) -> int:
        """The rung of the person."""
        return [level.acr for level in NATURAL].index(self.claims["acr"])

    @property
    def legal(self) -> int:
        """The rung of the entity they act for."""
        return [level.acr for level in LEGAL].index(self.claims["entity"]["level"])


@dataclass(frozen=True)
class Office:
    """A portal of the government, for people and for entities."""

    shop: Shop

    def told(self, http: httpx2.Client, **asked: str) -> Told:
        """Let somebody who is signed in go there; no page may come up."""
        location = arrive(http, self.shop.url(**self._asked(asked)))
        return self.redeemed(location)

    def stopped(self, http: httpx2.Client, **asked: str) -> str:
        """The page that comes up instead."""
        location = arrive(http, self.shop.url(**self._asked(asked)))
        assert location.startswith("/"), location
        return location

    def refused(self, http: httpx2.Client, **asked: str) -> str:
        """The error that the portal is told."""
        return self.error(arrive(http, self.shop.url(**self._asked(asked))))

    def error(self, location: str) -> str:
        """The error in where a browser was sent back to."""
        return sent_back(location)["error"]

    def redeemed(self, location: str) -> Told:
        """The tokens for the code in where a browser was sent back to."""
        return Told(self.shop.tokens(location))

    def refresh(self, told: Told) -> httpx2.Response:
        """Ask for new tokens."""
        form = {
            "grant_type": GrantType.REFRESH_TOKEN,
            "refresh_token": told.answer["refresh_token"],
        }
        return self._post("/oidc/token", form)

    def is_active(self, told: Told) -> bool:
        """Whether the access token is still worth anything."""
        form = {"token": told.answer["access_token"]}
        return bool(self._post("/oidc/introspect", form).json()["active"])

    def _post(self, path: str, form: dict[str, str]) -> httpx2.Response:
        http = self.shop.rig.http
        return http.post(path, data=form, auth=(self.shop.client_id, self.shop.secret))

    def _asked(self, asked: dict[str, str]) -> dict[str, str]:
        return {"scope": self._scope, **asked}

    @cached_property
    def _scope(self) -> str:
        return "openid entity" if self.shop.client_id.endswith("entities") else "openid"


def office(rig: Rig, client_id: str = "office", **changes: Any) -> Office:
    """Register a portal that serves people as themselves."""
    asked: dict[str, Any] = {
        "consent": Consent.BY_POLICY,
        "grant_types": BOTH,
        "scopes": ("openid",),
        "authorization_details_types": ("transaction",),
    }
    return Office(shop(rig, client_id, **(asked | changes)))


def office_for_entities(rig: Rig) -> Office:
    """Register a portal that serves legal entities alone."""
    context = ContextKind.LEGAL
    return office(rig, "office-for-entities", context=context, scopes=("openid", "entity"))


def arrive(http: httpx2.Client, location: str) -> str:
    """Follow a browser until a page comes up (its path and query), or to the portal (its address)."""
    answer = http.get(location)
    while answer.is_redirect:
        location = answer.headers["Location"]
        if location.startswith("https://"):
            return location
        answer = http.get(location)
    assert answer.status_code == 200, f"{answer.url.path}: {answer.status_code} {answer.text[:900]}"
    return str(answer.url.raw_path, "ascii")


def path(location: str) -> str:
    """The path and query of an address."""
    parts = urlsplit(location)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


# signing in


def signed_in(rig: Rig, citizen: Citizen) -> httpx2.Client:
    """A browser in which somebody is signed in by password: one factor."""
    http = rig.browser().http
    answer = press(http, "/login", username=citizen.phone, password=citizen.password)
    assert answer.is_redirect, answer.text
    return http


def signed_in_twice(rig: Rig, citizen: Citizen) -> httpx2.Client:
    """A browser in which somebody is signed in by password and SMS: two factors."""
    http = signed_in(rig, citizen)
    prove_phone(rig, http, citizen, "/login/more?next=/my/level")
    return http


def prove_phone(rig: Rig, http: httpx2.Client, citizen: Citizen, page: str) -> str:
    """Answer a page that asks for one thing more, by SMS; return where it leads."""
    code = press(http, page, by="send")
    assert code.status_code == 303, code.text
    answer = press(http, code.headers["Location"], by="sms", sms=rig.sms_code(citizen.phone))
    assert answer.status_code == 303, answer.text
    return arrive(http, answer.headers["Location"])


def is_signed_in(http: httpx2.Client) -> bool:
    """Whether the browser's session is live."""
    return http.get("/my/account").status_code == 200


def clerk(rig: Rig, username: str = CLERKS[0][0]) -> httpx2.Client:
    """A browser in which a clerk of the service hall is signed in, by password and app."""
    http = rig.browser().http
    login = "/login?realm=staff&next=/staff/counter"
    answer = press(http, login, username=username, password=CLERK_PASSWORD)
    more = path(str(answer.headers["Location"]))
    if not more.startswith("/login/more"):
        more = path(http.get(more).headers["Location"])
    answer = press(http, more, by="totp", totp=rig.code_of(username))
    assert answer.status_code == 303, answer.text
    return http


# rising


def by_counter(rig: Rig, _: httpx2.Client, citizen: Citizen) -> None:
    """Be seen by a clerk of the service hall with one's identity card."""
    form = {"document": "resident-id-card", "number": citizen.number, "name": citizen.name}
    answer = press(clerk(rig), "/staff/counter", counter=COUNTER, **form)
    assert answer.status_code == 303, answer.text


def by_alipay(_: Rig, http: httpx2.Client, citizen: Citizen) -> None:
    """Let Alipay say who one is."""
    away = press(http, "/my/level", way="alipay").headers["Location"]
    back = httpx2.post(away, data={"number": citizen.number}).headers["Location"]
    _raised(http.get(path(back)))


def by_unionpay(_: Rig, http: httpx2.Client, citizen: Citizen) -> None:
    """Show a bank card of one's own."""
    card = ACCOUNTS[citizen.number].card
    _raised(press(http, "/my/level", way="unionpay", card=card))


def by_housing_fund(_: Rig, http: httpx2.Client, citizen: Citizen) -> None:
    """Show a housing fund account of one's own."""
    account = ACCOUNTS[citizen.number].fund_account
    _raised(press(http, "/my/level", way="housing-fund", account=account))


def by_face(_: Rig, http: httpx2.Client, __: Citizen) -> None:
    """Be compared with the photo of the register."""
    started = press(http, "/my/level", way="face")
    _raised(http.get(seen(started)))


def seen(started: httpx2.Response, *, passed: bool = True) -> str:
    """Be seen live where a page sent the person; return the page that they come back to."""
    assert started.status_code == 303, started.text
    answer = httpx2.post(started.headers["Location"], data={"passed": str(passed).lower()})
    return path(answer.headers["Location"])


def live(http: httpx2.Client, page: str, method: str = "face") -> str:
    """Agree to a transaction, be seen live for it, and return where that leads."""
    if page.startswith("/consent"):
        page = arrive(http, press(http, page, decision="approve").headers["Location"])
    assert page.startswith("/login/live"), page
    return arrive(http, http.get(seen(press(http, page, method=method))).headers["Location"])


def essential(acr: str, **more: str) -> dict[str, str]:
    """What a portal asks that takes nothing below `acr`."""
    return {
        "claims": json.dumps({"id_token": {"acr": {"essential": True, "values": [acr]}}}),
        **more,
    }


def in_person(number: str = "deed-1") -> dict[str, str]:
    """What a portal asks that wants a person seen live for the transaction of this number."""
    details = transaction(transaction_id=number)
    return essential(NATURAL[3].acr, authorization_details=details)


def _raised(answer: httpx2.Response) -> None:
    assert answer.headers.get("Location") == "/my/level?done=raised", answer.text


# falling


def withdraw(rig: Rig, subject: str, kind: EvidenceKind, why: str = "phone-lost") -> None:
    """Let an administrator withdraw the live evidence of a kind."""
    headers = {"Authorization": f"Bearer {_manager_token(rig)}"}
    standing = rig.http.get(f"/api/identity/people/{subject}/standing", headers=headers).json()
    held = [e["id"] for e in standing["evidence"] if e["kind"] == kind and not e["withdrawn_at"]]
    assert held, standing
    for number in held:
        answer = rig.http.post(
            f"/api/identity/evidence/{number}/withdrawal", json={"why": why}, headers=headers
        )
        assert answer.status_code == 204, answer.text


def _manager_token(rig: Rig) -> str:
    resource = idp.admin.http.audience(rig.address)
    with rig.world.begin() as tx:
        if clients.find(tx, _MANAGER) is None:
            asked = Registration(
                client_id=_MANAGER,
                client_secret=_SECRET,
                name_zh="等级管理",
                name_en="Level administration",
                grant_types=(GrantType.CLIENT_CREDENTIALS,),
                scopes=("level.manage",),
                organisation=REVIEWING.uscc,
                resources=(resource,),
            )
            clients.register(tx, rig.world.provider, asked)
    form = {"grant_type": GrantType.CLIENT_CREDENTIALS, "scope": "level.manage"}
    answer = rig.http.post("/oidc/token", data=form, auth=(_MANAGER, _SECRET))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def _claims(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    told: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return told


def buttons(page: httpx2.Response, name: str) -> list[str]:
    """The values of the page's buttons and fields of a name."""
    return re.findall(rf'name="{name}" value="([^"]+)"', page.text)
