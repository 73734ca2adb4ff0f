"""A person's browser, as far as signing in needs one: cookies, forms, redirects followed one by one."""

import base64
import hashlib
import html
import re
import secrets
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx2

from service.seed import SandboxClient

_HIDDEN = re.compile(r'<input[^>]*\btype="hidden"[^>]*>')
_ATTRIBUTE = re.compile(r'(name|value)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a portal holds after a sign-in. `asked_again`: a sign-in page was shown on the way."""

    answer: Mapping[str, Any] = field(repr=False)
    asked_again: bool

    @property
    def access_token(self) -> str:
        return str(self.answer["access_token"])

    @property
    def id_token(self) -> str:
        return str(self.answer["id_token"])


class Browser:
    """One browser with its cookies. It never leaves the service: a portal's address ends the walk."""

    def __init__(self, address: str, code_of: Callable[[str], str] | None = None) -> None:
        """`code_of` is the authenticator app in somebody's hand: the code it shows, by user name."""
        self.address = address
        self.http = client(address)
        self._code_of = code_of

    def close(self) -> None:
        self.http.close()

    def authorize(
        self,
        client: SandboxClient,
        scope: str,
        username: str = "",
        password: str = "",
        **more: str,
    ) -> Tokens:
        """Sign in to a portal by authorization code with PKCE, and return its tokens.

        `more` are further parameters of the request.
        """
        verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": client.redirect_uri,
            "scope": scope,
            "state": secrets.token_urlsafe(8),
            "nonce": secrets.token_urlsafe(8),
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **more,
        }
        answer = self.http.get(f"/oidc/authorize?{urlencode(query)}")
        asked_again = False
        while not self._is_at(answer, client.redirect_uri):
            answer = self._follow(answer)
            if answer.status_code == 200:
                asked_again = True
                answer = self._sign_in(answer, username, password)
        sent_back = parse_qs(urlsplit(answer.headers["Location"]).query)
        assert sent_back.get("state") == [query["state"]], sent_back
        assert "code" in sent_back, sent_back
        return Tokens(self._redeem(client, sent_back["code"][0], verifier), asked_again)

    def _follow(self, answer: httpx2.Response) -> httpx2.Response:
        assert answer.is_redirect, f"{answer.status_code}: {answer.text[:500]}"
        return self.http.get(urljoin(str(answer.url), answer.headers["Location"]))

    def _is_at(self, answer: httpx2.Response, redirect_uri: str) -> bool:
        return answer.is_redirect and answer.headers["Location"].startswith(f"{redirect_uri}?")

    def _sign_in(self, page: httpx2.Response, username: str, password: str) -> httpx2.Response:
        form = {"username": username, "password": password}
        if page.url.path == "/login/more" and self._code_of is not None:
            form = {"totp": self._code_of(username), "by": "totp"}
        form |= _hidden_fields(page.text)
        answer = self.http.post(str(page.url), data=form)
        assert answer.is_redirect, f"sign-in refused: {answer.status_code} {answer.text[:2000]}"
        return answer

    def _redeem(self, client: SandboxClient, code: str, verifier: str) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": client.redirect_uri,
            "code_verifier": verifier,
        }
        answer = self.http.post(
            "/oidc/token", data=form, auth=(client.client_id, client.client_secret)
        )
        assert answer.status_code == 200, answer.text
        told: Mapping[str, Any] = answer.json()
        return told


def client(address: str) -> httpx2.Client:
    """Return an HTTP client for plain http; it spends no time on roots that it would not use."""
    no_roots = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx2.Client(base_url=address, timeout=30, verify=no_roots)


def _hidden_fields(page: str) -> dict[str, str]:
    """Return the hidden fields of the last form that has any: the page's own, after the header's."""
    forms = [part for part in page.split("<form")[1:] if 'type="password"' in part]
    found = {}
    for tag in _HIDDEN.findall(forms[0] if forms else page):
        attributes = dict(_ATTRIBUTE.findall(tag))
        found[attributes["name"]] = html.unescape(attributes.get("value", ""))
    return found
