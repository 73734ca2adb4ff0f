"""Signing in with another node's word: OpenID Connect Core §3.1 as the relying party, FAPI-strict.

`begin` says where the browser goes; `taken` and `prove` judge what it came back with, outside any
transaction as the upstream is asked; `enter` opens the session. The state is bound to the browser and
spent once, the code to our verifier (RFC 7636), the ID Token to our nonce.
"""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from idp import artifacts, client_assertion, client_tokens, clients, interaction, requested_level
from idp.artifacts import Kind
from idp.call import JSON
from idp.fingerprint import fingerprint, matches
from idp.levels import HIGHEST_STANDING
from idp.method import Method
from idp.methods import sign_in
from idp.methods.sign_in import Entry, Proof
from idp.node_errors import UpstreamForCitizens, UpstreamRefused, UpstreamSignInGone
from idp.nodes import upstream_id_token, upstream_metadata, upstream_people, upstream_sessions
from idp.nodes.upstream_id_token import Asserted, Expected, refused
from idp.nodes.upstream_people import Told
from idp.outgoing import OutgoingFailed
from idp.provider import Provider
from idp.sessions import Opened
from idp.upstream import Upstream
from idp.vocabulary import Prompt, Realm

_FINGERPRINT = "upstream-browser"
_ASSERTION_TYPE = "client-authentication+jwt"
_ASSERTED_FOR = 60
_FRESH = 300
"""`max_age` of a sign-in that must be a new one, in seconds: what it takes to make."""

_FORM = "application/x-www-form-urlencoded"
_METHODS = {2: Method.UPSTREAM_TWO_FACTORS}


@dataclass(frozen=True, slots=True)
class Start:
    """Where a sign-in upstream begins: at which browser, for which waiting request or page of ours."""

    browser: str = field(repr=False)
    interaction: str | None = None
    next: str = ""
    locale: str = ""


@dataclass(frozen=True, slots=True)
class Begun:
    """What waits in Redis until the browser comes back."""

    upstream: str
    browser: str
    nonce: str
    verifier: str
    interaction: str | None
    next: str
    max_age: int | None


@dataclass(frozen=True, slots=True)
class Returned:
    """What the browser brought back (RFC 6749 §4.1.2, RFC 9207 §2)."""

    code: str = field(repr=False)
    error: str = ""
    issuer: str = ""


@dataclass(frozen=True, slots=True)
class Proven:
    """A sign-in that the upstream asserts, and whose. Only `prove` makes one."""

    upstream: Upstream
    asserted: Asserted
    person: Told | None
    known_as: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Demands:
    """What the waiting request asks of a sign-in: which rung, and how fresh."""

    level: int = 0
    max_age: int | None = None
    again: bool = False


BEGUN = Kind("upstream-sign-in", TypeAdapter(Begun), timedelta(minutes=15))


def begin(provider: Provider, name: str, start: Start) -> str:
    """Return where the browser goes to sign in.

    Raises `UpstreamUnknown`, `UpstreamUnavailable`, `UpstreamForCitizens`, `InteractionGone`.
    """
    upstream = provider.node.upstream(name)
    demands = _demands(provider, start)
    endpoint = upstream_metadata.metadata(provider, upstream).authorization_endpoint
    begun = Begun(
        upstream=upstream.name,
        browser=fingerprint(provider.secret, _FINGERPRINT, start.browser).hex(),
        nonce=provider.handle(),
        verifier=provider.handle(),
        interaction=start.interaction,
        next=start.next,
        max_age=demands.max_age,
    )
    query = {
        "response_type": "code",
        "client_id": upstream.client_id,
        "redirect_uri": redirect_uri(provider, upstream),
        "scope": " ".join(upstream.scopes),
        "state": artifacts.put(provider, BEGUN, begun),
        "nonce": begun.nonce,
        "code_challenge": _challenge(begun.verifier),
        "code_challenge_method": "S256",
        "acr_values": " ".join(upstream.levels.reaching(demands.level)) if demands.level else "",
        "max_age": "" if demands.max_age is None else str(demands.max_age),
        "prompt": Prompt.LOGIN if demands.again else "",
        "ui_locales": start.locale,
    }
    mark = "&" if "?" in endpoint else "?"
    return f"{endpoint}{mark}{urlencode({name: value for name, value in query.items() if value})}"


def taken(provider: Provider, name: str, state: str, browser: str | None) -> Begun:
    """What this browser began under `state`, once. Raises `UpstreamSignInGone`."""
    begun = artifacts.get(provider, BEGUN, state)
    if begun is None or begun.upstream != name or browser is None:
        raise UpstreamSignInGone
    if not matches(provider.secret, _FINGERPRINT, browser, bytes.fromhex(begun.browser)):
        raise UpstreamSignInGone
    # Only now: a stranger who learnt the state cannot spend it.
    if artifacts.take(provider, BEGUN, state) is None:
        raise UpstreamSignInGone
    return begun


def prove(provider: Provider, begun: Begun, returned: Returned) -> Proven:
    """Redeem the code and judge what comes; call it outside any transaction.

    Raises `UpstreamRefused`, `UpstreamAnswerWrong`, `UpstreamUnavailable`, `UpstreamUnknown`.
    """
    upstream = provider.node.upstream(begun.upstream)
    metadata = upstream_metadata.metadata(provider, upstream)
    # RFC 9207 §2.4: before anything else it says is used.
    told = metadata.authorization_response_iss_parameter_supported or returned.issuer
    if told and returned.issuer != upstream.issuer:
        raise refused(upstream, "iss of the answer")
    if returned.error in ("temporarily_unavailable", "server_error"):
        raise upstream_metadata.unavailable(upstream, returned.error)
    if returned.error or not returned.code:
        raise UpstreamRefused
    tokens = _redeemed(provider, upstream, metadata.token_endpoint, begun, returned.code)
    expected = Expected(begun.nonce, begun.max_age)
    asserted = upstream_id_token.read(
        provider, upstream, _text(upstream, tokens, "id_token"), expected
    )
    bearer = {"Authorization": f"Bearer {_text(upstream, tokens, 'access_token')}"}
    claims = _asked(provider, upstream, "GET", metadata.userinfo_endpoint, bearer)
    if claims.get("sub") != asserted.sub:  # Core §5.3.2
        raise refused(upstream, "userinfo is about somebody else")
    told_of = {**asserted.claims, **claims}
    person = upstream_people.told(upstream, told_of)
    return Proven(upstream, asserted, person, upstream_people.handle(upstream, told_of))


def enter(tx: Session, provider: Provider, proven: Proven, entry: Entry) -> Opened:
    """Open a session for whoever the upstream signed in, no higher than its word counts for.

    Raises `UpstreamPersonUntold`, `UpstreamPersonDiffers`, `InteractionGone`.
    """
    upstream, asserted = proven.upstream, proven.asserted
    subject = upstream_people.settled(
        tx, provider, upstream, asserted.sub, proven.person, proven.known_as
    )
    level = upstream_people.answer_for(tx, provider, upstream, subject, asserted)
    proof = Proof(
        Realm.CITIZEN,
        subject,
        (_METHODS.get(level, Method.UPSTREAM),),
        ceiling=level,
        signed_in_at=asserted.signed_in_at,
    )
    opened = sign_in.enter(tx, provider, entry, proof)
    upstream_sessions.note(tx, upstream, opened.session.sid, asserted.sid)
    return opened


def keep_conflict(tx: Session, provider: Provider, proven: Proven) -> None:
    """Let somebody decide about a sign-in that `enter` refused with `UpstreamPersonDiffers`."""
    if proven.person is not None:
        sub = proven.asserted.sub
        upstream_people.keep_conflict(tx, provider, proven.upstream, sub, proven.person)


def redirect_uri(provider: Provider, upstream: Upstream) -> str:
    """Where the upstream sends the browser back to: what we are registered with there."""
    return f"{provider.public_url}/login/upstream/{upstream.name}/callback"


def _demands(provider: Provider, start: Start) -> _Demands:
    if start.interaction is None:
        return _Demands()
    found = interaction.waiting(provider, start.interaction, start.browser)
    if found.realm is not Realm.CITIZEN:
        raise UpstreamForCitizens
    asked = found.request
    client = clients.named(provider, asked.client_id)
    wanted = requested_level.wanted(asked, client, found.realm) if client else 0
    again = bool({Prompt.LOGIN, Prompt.SELECT_ACCOUNT} & set(asked.prompts))
    again = again or found.because == "other_person"
    max_age = _FRESH if again and asked.max_age is None else asked.max_age
    return _Demands(min(wanted, HIGHEST_STANDING), max_age, again)


def _redeemed(
    provider: Provider, upstream: Upstream, endpoint: str, begun: Begun, code: str
) -> dict[str, Any]:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri(provider, upstream),
        "code_verifier": begun.verifier,
        "client_id": upstream.client_id,
        "client_assertion_type": client_assertion.TYPE,
        "client_assertion": _assertion(provider, upstream),
    }
    body = urlencode(form).encode("ascii")
    return _asked(provider, upstream, "POST", endpoint, {"Content-Type": _FORM}, body)


def _assertion(provider: Provider, upstream: Upstream) -> str:
    """Who we are there (RFC 7523 §3), under a type of its own, so that it passes for nothing else."""
    now = int(provider.clock().timestamp())
    claims = {
        "iss": upstream.client_id,
        "sub": upstream.client_id,
        "aud": upstream.issuer,
        "iat": now,
        "exp": now + _ASSERTED_FOR,
        "jti": provider.handle(16),
    }
    return client_tokens.signed(provider, claims, upstream.key_algorithm, _ASSERTION_TYPE)


def _asked(
    provider: Provider,
    upstream: Upstream,
    method: str,
    url: str,
    headers: dict[str, str],
    body: bytes | None = None,
) -> dict[str, Any]:
    """What the upstream answers, an object of JSON. What it refuses is told to the log."""
    try:
        status, answer = provider.node.line.ask(method, url, {"Accept": JSON, **headers}, body)
    except OutgoingFailed as failed:
        raise upstream_metadata.unavailable(upstream, failed.reason.value) from None
    if status >= 500 or status == 429:
        raise upstream_metadata.unavailable(upstream, f"status {status}")
    if status != 200:
        raise refused(upstream, f"status {status}")
    try:
        told = json.loads(answer)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise refused(upstream, "no object of JSON")
    return told


def _text(upstream: Upstream, told: dict[str, Any], name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise refused(upstream, f"no {name}")
    return value


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
