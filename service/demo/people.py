"""Who walks the demo: a person at a browser, a portal that is an OpenID Connect client, an API caller.

They know the service by its public addresses alone. The portal is `authlib`, a client library
written by others; pages are read as HTML and their forms filled in by field name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
import lxml.html
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.jwk import KeySet

TIMEOUT = 30.0
"""Seconds to wait for any one answer."""


Act = Callable[[httpx2.Response, str], httpx2.Response]
"""What a person does at a page, following the answer up to an address: it returns where that leads."""


class WalkError(Exception):
    """The service did not do what the walk expects; the text says what it did instead."""


@dataclass(frozen=True, slots=True)
class Citizen:
    """What a citizen types to register and to sign in. All of them are invented."""

    name: str
    id_number: str
    ethnicity: str
    sex: str
    phone: str
    password: str


class Browser:
    """One person's browser: cookies, links, forms; no JavaScript."""

    def __init__(self, base_url: str) -> None:
        self._http = httpx2.Client(
            base_url=base_url,
            timeout=TIMEOUT,
            trust_env=False,
            headers={"Accept-Language": "zh-CN"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, url: str, *, stop_at: str = "\0") -> httpx2.Response:
        """Open `url` and follow redirects, but not to an address that begins with `stop_at`."""
        return self._follow(self._http.get(url), stop_at)

    def submit(
        self,
        page: httpx2.Response,
        fields: Mapping[str, str],
        *,
        pressed: Mapping[str, str] | None = None,
        stop_at: str = "\0",
    ) -> httpx2.Response:
        """Fill in and send the page's form that has all of `fields`, hidden ones included.

        `pressed` is the name and value of the button that sends it, if that matters.
        """
        document: Any = lxml.html.fromstring(page.text)
        for form in document.forms:
            buttons = {button.get("name") for button in form.iter("button")}
            if set(fields) <= set(form.fields.keys()) and set(pressed or {}) <= buttons:
                values = {name: value or "" for name, value in form.form_values()}
                address = urljoin(str(page.url), form.action or "")
                answer = self._http.post(address, data={**values, **fields, **(pressed or {})})
                return self._follow(answer, stop_at)
        wanted = ", ".join({**fields, **(pressed or {})})
        raise WalkError(f"{page.url.path} has no form with {wanted}")

    def _follow(self, answer: httpx2.Response, stop_at: str) -> httpx2.Response:
        while answer.has_redirect_location:
            target = urljoin(str(answer.url), answer.headers["Location"])
            if target.startswith(stop_at):
                return answer
            answer = self._http.get(target)
        if answer.is_error:
            raise WalkError(f"{answer.url.path} answered {answer.status_code}: {_words(answer)}")
        return answer


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a portal knows after a sign-in: the ID token's claims, checked, and the access token."""

    claims: Mapping[str, Any]
    access_token: str


@dataclass(frozen=True, slots=True)
class Portal:
    """A relying party: authorization code with PKCE (RFC 7636), ID token checked against the JWKS."""

    base_url: str
    client_id: str
    client_secret: str
    redirect_uri: str
    scope: str
    resource: str | None = None

    def sign_in(
        self,
        browser: Browser,
        credentials: Mapping[str, str],
        code: Callable[[], str] | None = None,
        pages: Mapping[str, Act] | None = None,
        **asked: str,
    ) -> SignedIn:
        """Send the person to sign in; fill in the sign-in page if it appears.

        With empty `credentials` a sign-in page is an error: the person should be signed in already.
        `code` reads the authenticator app, for who needs a second factor; `pages` is what the person
        does at further pages, by their paths.
        """
        metadata = self._get(f"{self.base_url}/oidc/.well-known/openid-configuration")
        verifier, nonce = generate_token(48), generate_token()
        with self._client() as client:
            extra = {"resource": self.resource} if self.resource else {}
            url, state = client.create_authorization_url(
                metadata["authorization_endpoint"],
                code_verifier=verifier,
                nonce=nonce,
                **extra,
                **asked,
            )
            answer = browser.get(url, stop_at=self.redirect_uri)
            if not answer.has_redirect_location and answer.url.path == "/login":
                if not credentials:
                    raise WalkError("the person was asked to sign in again")
                answer = browser.submit(answer, credentials, stop_at=self.redirect_uri)
            if code is not None and not answer.has_redirect_location:
                answer = browser.submit(
                    answer, {"totp": code()}, pressed={"by": "totp"}, stop_at=self.redirect_uri
                )
            while not answer.has_redirect_location and answer.url.path in (pages or {}):
                answer = (pages or {})[answer.url.path](answer, self.redirect_uri)
            if not answer.has_redirect_location:
                raise WalkError(f"sign-in did not return to the portal: {_words(answer)}")
            back = answer.headers["Location"]
            returned = parse_qs(urlsplit(back).query)
            if returned.get("iss") != [metadata["issuer"]]:  # RFC 9207 §2.4
                raise WalkError("the answer does not name the issuer")
            token = client.fetch_token(
                metadata["token_endpoint"],
                authorization_response=back,
                state=state,
                code_verifier=verifier,
            )
        claims = self._check_id_token(metadata, token["id_token"], nonce)
        return SignedIn(claims, token["access_token"])

    def own_token(self) -> str:
        """Return an access token for the portal itself (client credentials, RFC 6749 §4.4)."""
        metadata = self._get(f"{self.base_url}/oidc/.well-known/openid-configuration")
        with self._client() as client:
            extra = {"resource": self.resource} if self.resource else {}
            token = client.fetch_token(
                metadata["token_endpoint"], grant_type="client_credentials", **extra
            )
        return str(token["access_token"])

    def _client(self) -> OAuth2Client:
        return OAuth2Client(
            self.client_id,
            self.client_secret,
            scope=self.scope,
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
            timeout=TIMEOUT,
            trust_env=False,
        )

    def _check_id_token(
        self, metadata: Mapping[str, Any], id_token: str, nonce: str
    ) -> Mapping[str, Any]:
        keys = KeySet.import_key_set(self._get(metadata["jwks_uri"]))
        claims: dict[str, Any] = jwt.decode(id_token, keys, algorithms=["ES256"]).claims
        rules = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": metadata["issuer"]},
            aud={"essential": True, "value": self.client_id},
            nonce={"essential": True, "value": nonce},
            exp={"essential": True},
            iat={"essential": True},
            leeway=5,
        )
        rules.validate(claims)
        return claims

    def _get(self, url: str) -> Any:
        with httpx2.Client(timeout=TIMEOUT, trust_env=False) as http:
            return http.get(url).raise_for_status().json()


class Caller:
    """A system that calls an API with an access token."""

    def __init__(self, base_url: str, access_token: str = "") -> None:
        headers = {"Accept-Language": "zh-CN"}
        if access_token:
            headers["Authorization"] = f"Bearer {access_token}"
        self._http = httpx2.Client(
            base_url=base_url, timeout=TIMEOUT, headers=headers, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def post(self, path: str, body: object, expect: int = 200) -> Any:
        """Post JSON and return the JSON answer. Raises WalkError for another status."""
        return _expected(self._http.post(path, json=body), expect).json()

    def attempt(self, path: str, body: object) -> httpx2.Response:
        """Post JSON and return the answer whatever it is."""
        return self._http.post(path, json=body)

    def post_file(self, path: str, name: str, data: bytes, expect: int = 200) -> Any:
        """Post one file as a form and return the JSON answer."""
        return _expected(self._http.post(path, files={"file": (name, data)}), expect).json()

    def get(self, path: str, expect: int = 200) -> httpx2.Response:
        """Return the answer to a GET. Raises WalkError for another status."""
        return _expected(self._http.get(path), expect)


def register(browser: Browser, citizen: Citizen, sms_inbox: Callable[[str], str]) -> None:
    """Register a citizen on the pages; `sms_inbox` returns the code last sent to a phone."""
    form = browser.get("/register")
    asked = browser.submit(
        form,
        {
            "name": citizen.name,
            "number": citizen.id_number,
            "ethnicity": citizen.ethnicity,
            "sex": citizen.sex,
            "phone": citizen.phone,
            "password": citizen.password,
        },
    )
    browser.submit(asked, {"code": sms_inbox(citizen.phone)})


def _expected(answer: httpx2.Response, status: int) -> httpx2.Response:
    if answer.status_code != status:
        path = answer.request.url.path
        raise WalkError(f"{path} answered {answer.status_code}, not {status}: {_words(answer)}")
    return answer


def _words(answer: httpx2.Response) -> str:
    """Return what an answer says, in a line."""
    text = answer.text
    if "html" in answer.headers.get("Content-Type", ""):
        document: Any = lxml.html.fromstring(text)
        text = " ".join(document.text_content().split())
    return text[:300]
