"""Old systems that know CAS tickets and no OpenID Connect (CAS Protocol 3.0 Specification).

To the provider an old system is a client like any other: who may enter it, how strongly, what it is
told and what the person agreed to is decided by an authorization request, which this translates from
and back to CAS. The client's redirect URI is `returned_url`; a public one with PKCE, as nobody but
this module redeems its codes.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from idp import artifacts, claims_release, clients, grant_code, parameters, releases, sessions
from idp.artifacts import Kind
from idp.call import Call
from idp.claims_release import Asked
from idp.clients import Client
from idp.errors import ClientEnded, OAuthError
from idp.fingerprint import fingerprint, matches
from idp.people_errors import AccountUnknown
from idp.provider import Provider
from idp.sign_in_errors import CasRefused, CasServiceUnknown, CasSignInGone
from idp.staff_errors import LocalAccountUnknown
from idp.staffing import local_accounts
from idp.vocabulary import OFFLINE, Prompt, Realm

_FINGERPRINT = "cas-browser"
_ADDRESS = re.compile(r"https?://[\x21-\x7e]{1,2000}")
# What servers read otherwise than it looks: other directories, other hosts.
_TWISTED = re.compile(r"\\|/\.{1,2}([/;]|$)|%2e|%2f|%5c", re.IGNORECASE)
_QUERY = re.compile(r"[?#]")


Attributes = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Start:
    """What an old system asks for (§2.1.1): `renew` a fresh sign-in, `gateway` no page at all."""

    service: str
    browser: str = field(repr=False)
    renew: bool = False
    gateway: bool = False


@dataclass(frozen=True, slots=True)
class Begun:
    """What waits until the authorization request is answered."""

    service: str
    client_id: str
    browser: str
    verifier: str
    renew: bool
    gateway: bool


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a service ticket stands for (§3.1); what the system is told is looked up when it asks."""

    service: str
    client_id: str
    realm: Realm
    subject: str
    sub: str
    sid: str
    grant_id: str
    scopes: tuple[str, ...]
    claims: Mapping[str, Any]
    local_account: str | None
    methods: tuple[str, ...]
    signed_in_at: datetime
    renewed: bool


@dataclass(frozen=True, slots=True)
class Validated:
    """Whom a ticket was for, and the attributes the system is told (§2.5.1, §2.5.7).

    `user` is what we call the person, or the system's own account where accounts are mapped: most old
    systems look at nothing else.
    """

    user: str
    attributes: Attributes


class Invalid(Exception):
    """A ticket that proves nothing; `code` is as in §2.5.3."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


BEGUN = Kind("cas-sign-in", TypeAdapter(Begun), timedelta(minutes=30))
TICKET = Kind("cas-ticket", TypeAdapter(Ticket), timedelta(seconds=30))
_PREFIX = "ST-"  # §3.1.1


def begin(provider: Provider, start: Start) -> str:
    """Return the authorization request that stands for an old system's wish.

    Raises `CasServiceUnknown`, `ClientEnded`.
    """
    client = _client(provider, start.service)
    begun = Begun(
        service=start.service,
        client_id=client.client_id,
        browser=fingerprint(provider.secret, _FINGERPRINT, start.browser).hex(),
        verifier=provider.handle(),
        renew=start.renew,
        gateway=start.gateway and not start.renew,  # §2.1.1: renew wins
    )
    prompt = Prompt.LOGIN if begun.renew else Prompt.NONE if begun.gateway else ""
    query = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": returned_url(provider),
        "scope": " ".join(scope for scope in client.scopes if scope != OFFLINE),
        "state": artifacts.put(provider, BEGUN, begun),
        "code_challenge": _challenge(begun.verifier),
        "code_challenge_method": "S256",
        "prompt": prompt,
    }
    told = urlencode({name: value for name, value in query.items() if value})
    return f"{provider.issuer}/authorize?{told}"


def finish(provider: Provider, state: str, code: str, error: str, browser: str | None) -> str:
    """Return where the browser goes with its ticket, or without one when no page was to be shown.

    Raises `CasSignInGone`, `CasRefused`, `CasServiceUnknown`.
    """
    begun = artifacts.get(provider, BEGUN, state)
    if begun is None or browser is None:
        raise CasSignInGone
    if not matches(provider.secret, _FINGERPRINT, browser, bytes.fromhex(begun.browser)):
        raise CasSignInGone
    if artifacts.take(provider, BEGUN, state) is None:
        raise CasSignInGone
    if error and begun.gateway:
        return begun.service  # §2.1.1: "with no ticket"
    if error or not code:
        raise CasRefused
    ticket = f"{_PREFIX}{provider.handle()}"
    with provider.begin() as tx:
        held = _held(tx, provider, begun, code)
    artifacts.keep(provider, TICKET, ticket, held)
    return _with_ticket(begun.service, ticket)


def validate(provider: Provider, ticket: str, service: str, *, renew: bool = False) -> Validated:
    """Spend a ticket (§2.5): once, by the system it was for, while the sign-on lives.

    Raises `Invalid`.
    """
    if not ticket or not service:
        raise Invalid("INVALID_REQUEST")
    held = artifacts.take(provider, TICKET, ticket) if ticket.startswith(_PREFIX) else None
    if held is None:
        raise Invalid("INVALID_TICKET")
    if held.service != service:
        raise Invalid("INVALID_SERVICE")
    if renew and not held.renewed:
        raise Invalid("INVALID_TICKET")
    with provider.begin() as tx:
        return _validated(tx, provider, held)


def returned_url(provider: Provider) -> str:
    """The redirect URI of every client that is an old system."""
    return f"{provider.public_url}/cas/granted"


def end_url(provider: Provider, service: str) -> str:
    """Where a system sends people to sign out (§2.3): to our own question, and back if it may be."""
    query = {}
    if client_id := _registered(provider, service):
        query["client_id"] = client_id
        client = clients.named(provider, client_id)
        if client is not None and service in client.post_logout_redirect_uris:
            query["post_logout_redirect_uri"] = service
    told = f"?{urlencode(query)}" if query else ""
    return f"{provider.issuer}/end_session{told}"


def _client(provider: Provider, service: str) -> Client:
    client_id = _registered(provider, service)
    client = clients.named(provider, client_id) if client_id else None
    if client is None or returned_url(provider) not in client.redirect_uris:
        raise CasServiceUnknown
    if client.has_ended(provider.clock()):
        raise ClientEnded
    return client


def _registered(provider: Provider, service: str) -> str | None:
    """The client whose address this is, or begins with when it ends in a slash: the longest first."""
    if not _ADDRESS.fullmatch(service) or _TWISTED.search(_QUERY.split(service)[0]):
        return None
    for known in sorted(provider.cas_services, key=len, reverse=True):
        if service == known or (known.endswith("/") and service.startswith(known)):
            return provider.cas_services[known]
    return None


def _held(tx: Session, provider: Provider, begun: Begun, code: str) -> Ticket:
    client = clients.known(tx, provider, begun.client_id)
    if client is None:
        raise CasServiceUnknown
    form = {
        "code": code,
        "redirect_uri": returned_url(provider),
        "code_verifier": begun.verifier,
    }
    call = Call("POST", f"{provider.issuer}/token", parameters.gather(form.items()))
    try:
        entitlement = grant_code.authorise(tx, provider, client, call)
    except OAuthError:
        raise CasRefused from None
    approval = entitlement.approval
    if approval is None:
        raise CasRefused
    return Ticket(
        service=begun.service,
        client_id=client.client_id,
        realm=approval.realm,
        subject=approval.subject,
        sub=entitlement.sub,
        sid=approval.sid,
        grant_id=approval.grant_id,
        scopes=entitlement.scopes,
        claims=approval.claims.userinfo,
        local_account=approval.local_account,
        methods=approval.methods,
        signed_in_at=approval.signed_in_at,
        renewed=begun.renew,
    )


def _validated(tx: Session, provider: Provider, held: Ticket) -> Validated:
    client = clients.known(tx, provider, held.client_id)
    if client is None or client.has_ended(provider.clock()):
        raise Invalid("INVALID_TICKET")
    if sessions.by_sid(tx, provider, held.sid) is None:
        raise Invalid("INVALID_TICKET")
    asked = Asked(held.realm, held.subject, held.scopes, held.claims)
    try:
        claims = claims_release.released(tx, provider, client, asked)
        if held.realm is Realm.STAFF:
            claims |= local_accounts.told(tx, client, held.subject, held.local_account)
    except (AccountUnknown, LocalAccountUnknown):
        raise Invalid("INVALID_TICKET") from None
    releases.record(
        tx,
        provider,
        client_id=held.client_id,
        subject=held.subject,
        grant_id=held.grant_id,
        place="cas",
        claims=claims,
    )
    own: Attributes = {
        "authenticationDate": held.signed_in_at.isoformat(),
        "isFromNewLogin": str(held.renewed).lower(),
        "amr": held.methods,
    }
    user = claims.get(local_accounts.CLAIM, held.sub)
    return Validated(user, MappingProxyType({**dict(_flat(claims)), **own}))


def _flat(claims: Mapping[str, Any], before: str = "") -> list[tuple[str, str | tuple[str, ...]]]:
    """Claims as attributes: texts, and lists of them; what is within another claim by a longer name."""
    found: list[tuple[str, str | tuple[str, ...]]] = []
    for name, value in claims.items():
        match value:
            case bool():
                found.append((before + name, str(value).lower()))
            case str() | int() | float():
                found.append((before + name, str(value)))
            case list() | tuple():
                found.append((before + name, tuple(map(str, value))))
            case Mapping():
                found += _flat(value, f"{before}{name}_")
    return found


def _with_ticket(service: str, ticket: str) -> str:
    """The address with the ticket at the end of its query, before the fragment (§2.2.4)."""
    address, mark, fragment = service.partition("#")
    query = "&" if "?" in address else "?"
    return f"{address}{query}{urlencode({'ticket': ticket})}{mark}{fragment}"


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
