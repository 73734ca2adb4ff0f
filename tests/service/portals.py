"""A portal of somebody else's, registered with the service under test, and a browser's way through it."""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
from starlette.types import Receive, Scope, Send

from idp import clients
from idp.client_metadata import Consent
from idp.clients import Registration
from idp.vocabulary import GrantType, Realm
from tests.rig import Citizen, Rig

CALLBACK = "https://shop.example/callback"
BACK = "https://shop.example/signed-out"
_VERIFIER = "v" * 43
_WORD = b'<!doctype html><link rel="icon" href="data:,"><title>portal</title>portal'
_PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"></svg>'


@dataclass
class Place:
    """A portal's pages: a picture for whoever asks for one, else a word; `paths` is what was asked.

    The first `refusing` times it answers 503.
    """

    refusing: int = 0
    paths: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.paths.append(scope["path"] + "?" + scope["query_string"].decode())
        kind, body = (b"text/html", _WORD)
        if scope["path"].endswith(".svg"):
            kind, body = (b"image/svg+xml", _PICTURE)
        status = 503 if len(self.paths) <= self.refusing else 200
        headers = [(b"content-type", kind)]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@dataclass(frozen=True, slots=True)
class Shop:
    """A portal that each person is asked about."""

    rig: Rig
    client_id: str
    secret: str
    callback: str = CALLBACK

    def url(self, **more: str) -> str:
        """Where it sends a browser to sign in."""
        digest = hashlib.sha256(_VERIFIER.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.callback,
            "scope": "openid profile phone",
            "state": "state",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return f"/oidc/authorize?{urlencode(query | more)}"

    def id_token(self, callback: str) -> str:
        """What it gets for the code that `callback` carries."""
        return str(self.tokens(callback)["id_token"])

    def tokens(self, callback: str) -> dict[str, Any]:
        """All that it gets for the code that `callback` carries."""
        form = {
            "grant_type": "authorization_code",
            "code": dict(parse_qsl(urlsplit(callback).query))["code"],
            "redirect_uri": self.callback,
            "code_verifier": _VERIFIER,
        }
        answer = self.rig.http.post("/oidc/token", data=form, auth=(self.client_id, self.secret))
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told


def shop(rig: Rig, client_id: str, **changes: Any) -> Shop:
    """Register a portal that asks for consent."""
    asked: dict[str, Any] = {
        "client_id": client_id,
        "name_zh": "示例便民商城",
        "name_en": "Example Shop",
        "realm": Realm.CITIZEN,
        "consent": Consent.BY_PERSON,
        "grant_types": (GrantType.AUTHORIZATION_CODE,),
        "scopes": ("openid", "profile", "phone"),
        "redirect_uris": (CALLBACK,),
        "post_logout_redirect_uris": (BACK,),
        "logo_uri": "https://shop.example/logo.png",
        "policy_uri": "https://shop.example/privacy",
        "tos_uri": "https://shop.example/terms",
    }
    registration = Registration(**(asked | changes))
    with rig.world.begin() as tx:
        made = clients.register(tx, rig.world.provider, registration)
    assert made.client_secret
    return Shop(rig, client_id, made.client_secret, registration.redirect_uris[0])


def token(page: str) -> str:
    """Return the CSRF token of the page's forms."""
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
    assert found
    return found[1]


def press(http: httpx2.Client, path: str, **fields: str) -> httpx2.Response:
    """Open the page at `path`, and send its form with a button pressed."""
    page = http.get(path)
    assert page.status_code == 200, f"{page.status_code} {page.headers.get('Location')}"
    # For whom one agrees, which the form of the consent page carries along.
    acting = re.findall(r'<input type="hidden" name="acting" value="([^"]+)"', page.text)
    carried = {"acting": acting[0]} if acting else {}
    return http.post(path, data={"csrf": token(page.text), **carried, **fields})


def sign_in(http: httpx2.Client, location: str, citizen: Citizen) -> str:
    """Fill in the sign-in page at `location`, and return where the browser goes after it."""
    answer = press(http, location, username=citizen.phone, password=citizen.password)
    assert answer.is_redirect, answer.text
    return str(http.get(answer.headers["Location"]).headers["Location"])


def sent_back(location: str) -> dict[str, str]:
    """The parameters that a portal gets."""
    assert location.startswith((CALLBACK, BACK)), location
    return dict(parse_qsl(urlsplit(location).query))


def plain(page: httpx2.Response) -> str:
    """The page's text, entities resolved."""
    return unescape(page.text)
