"""What a sign-in page may ask and submit while an authorization request waits.

The request waits in Redis under a uid that is the step ticket: unguessable, bound to the browser
that brought it by a cookie, and spent when the request is answered. Pages never decide what comes
next: after `sign_in` they send the browser back to `resume_url`.

Signing in has three steps: `claim` in a transaction, `prove` in none, `sign_in` in another.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from idp import (
    accounts,
    artifacts,
    clients,
    consent_items,
    consents,
    levels,
    sessions,
    staff,
    throttle,
)
from idp.accounts import Credentials
from idp.client_metadata import Consent
from idp.errors import InteractionGone, SignInRefused
from idp.fingerprint import fingerprint, matches
from idp.methods import password
from idp.provider import Provider
from idp.request import AuthorizationRequest
from idp.sessions import Opened
from idp.vocabulary import Realm

BROWSER_COOKIE = "yinxin_browser"
_FINGERPRINT = "browser-cookie"


@dataclass(frozen=True, slots=True)
class Interaction:
    """An authorization request that waits for the person; `sid` is the sign-on made for it.

    `hint` is the request's `login_hint`, taken out of it and sealed (hex): it may be an ID or a
    phone number, and none lies open in Redis. `because` is why a page is shown, `agreed` the subject
    who agreed to the request, and `denied` whether the person refused it.
    """

    request: AuthorizationRequest
    realm: Realm
    browser: str
    because: str = ""
    hint: str | None = None
    sid: str | None = None
    agreed: str | None = None
    denied: bool = False


WAITING = artifacts.Kind("interaction", TypeAdapter(Interaction), timedelta(minutes=30))


@dataclass(frozen=True, slots=True)
class Details:
    """What a page shows: for which client, in which realm, with which hints, and what is asked.

    `because` is the reason for the page, by its name in `steps.SIGN_IN_REASONS` or `STEPS`;
    `items` are `consent_items`, `authorization_details` what is asked for this once (RFC 9396).
    """

    uid: str
    realm: Realm
    client_id: str
    client_name_zh: str
    client_name_en: str
    client_uri: str | None
    logo_uri: str | None
    policy_uri: str | None
    tos_uri: str | None
    consent: Consent
    because: str
    items: tuple[str, ...]
    authorization_details: tuple[Mapping[str, Any], ...]
    login_hint: str | None = field(repr=False)
    ui_locales: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a sign-in page submits.

    `interaction` is the uid, or `None` on our own pages; `browser` and `session` are the values of
    the two cookies as they came; `address` is the peer's and `device` what its browser calls itself.
    """

    realm: Realm
    username: str = field(repr=False)
    password: str = field(repr=False)
    address: str
    device: str = ""
    interaction: str | None = None
    browser: str | None = field(default=None, repr=False)
    session: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Claim:
    """A sign-in and what it is checked against; no `credentials` when nobody has this name."""

    asked: SignIn
    realm: Realm
    credentials: Credentials | None


@dataclass(frozen=True, slots=True)
class Proven:
    """A sign-in whose password is that of `credentials`. Only `prove` makes one."""

    asked: SignIn
    realm: Realm
    credentials: Credentials


def begin(
    provider: Provider, request: AuthorizationRequest, realm: Realm, browser: str, because: str
) -> str:
    """Let a request wait for the person at this browser; return the uid."""
    bound = fingerprint(provider.secret, _FINGERPRINT, browser).hex()
    hint = _sealed(provider, request.login_hint)
    quiet = replace(request, login_hint=None)
    return artifacts.put(provider, WAITING, Interaction(quiet, realm, bound, because, hint))


def waiting(provider: Provider, uid: str, browser: str | None) -> Interaction:
    """The request that waits under `uid` for this browser. Raises `InteractionGone`."""
    found = artifacts.get(provider, WAITING, uid)
    if found is None or browser is None:
        raise InteractionGone
    if not matches(provider.secret, _FINGERPRINT, browser, bytes.fromhex(found.browser)):
        raise InteractionGone
    return found


def explain(provider: Provider, uid: str, browser: str | None, because: str) -> None:
    """Note why another page is shown. Raises `InteractionGone`."""
    found = waiting(provider, uid, browser)
    if found.because != because:
        _change(provider, uid, replace(found, because=because))


def finish(provider: Provider, uid: str) -> None:
    """Spend the uid before the request is answered. Raises `InteractionGone` for a second answer."""
    if artifacts.take(provider, WAITING, uid) is None:
        raise InteractionGone


def details(tx: Session, provider: Provider, uid: str, browser: str | None) -> Details:
    """What the page shows. Raises `InteractionGone`."""
    found = waiting(provider, uid, browser)
    client = clients.known(tx, provider, found.request.client_id)
    if client is None:
        raise InteractionGone
    return Details(
        uid=uid,
        realm=found.realm,
        client_id=client.client_id,
        client_name_zh=client.name_zh,
        client_name_en=client.name_en,
        client_uri=client.client_uri,
        logo_uri=client.logo_uri,
        policy_uri=client.policy_uri,
        tos_uri=client.tos_uri,
        consent=client.consent,
        because=found.because,
        items=consent_items.items(found.request, client),
        authorization_details=found.request.authorization_details,
        login_hint=found.hint and provider.protector.open(bytes.fromhex(found.hint)),
        ui_locales=found.request.ui_locales,
    )


def page_url(provider: Provider, uid: str) -> str:
    """Where the person signs in."""
    return f"{provider.public_url}/login?interaction={uid}"


def consent_url(provider: Provider, uid: str) -> str:
    """Where the person agrees, or does not."""
    return f"{provider.public_url}/consent?interaction={uid}"


def resume_url(provider: Provider, uid: str) -> str:
    """Where the browser goes after a step."""
    return f"{provider.issuer}/authorize/{uid}"


def agree(
    tx: Session, provider: Provider, uid: str, browser: str | None, session: str | None
) -> None:
    """The person agrees to all that is asked.

    It is remembered, but for `authorization_details`, and for what policy agrees to anyway.
    `browser` and `session` are the values of the two cookies. Raises `InteractionGone`.
    """
    found = waiting(provider, uid, browser)
    client = clients.known(tx, provider, found.request.client_id)
    signed_on = sessions.find(tx, provider, session)
    if client is None or signed_on is None or signed_on.realm is not found.realm:
        raise InteractionGone
    if client.consent is Consent.BY_PERSON:
        items = consent_items.items(found.request, client)
        consents.give(tx, provider, signed_on.subject, client.client_id, items)
    _change(provider, uid, replace(found, agreed=signed_on.subject))


def deny(provider: Provider, uid: str, browser: str | None) -> None:
    """The person refuses; the client is told so. Raises `InteractionGone`."""
    _change(provider, uid, replace(waiting(provider, uid, browser), denied=True))


def claim(tx: Session, provider: Provider, asked: SignIn) -> Claim:
    """Read what the sign-in is to be checked against. Raises `InteractionGone`."""
    found = _waiting(provider, asked)
    realm = asked.realm if found is None else found.realm
    return Claim(asked, realm, _credentials(tx, provider, realm, asked.username))


def prove(provider: Provider, claimed: Claim) -> Proven:
    """Check the password; call it outside any transaction, as it is slow on purpose.

    Raises `SignInRefused` (never which of name and password was wrong), `TooManyTries`.
    """
    asked, realm, credentials = claimed.asked, claimed.realm, claimed.credentials
    # By the name typed, whether or not it has an account, and whoever's it is: a limit shared by an
    # account's two names (ID number and phone) would tell strangers that they belong together.
    who = f"{realm}:{asked.username.strip().upper()}"
    throttle.count(provider, throttle.PASSWORD_PER_ADDRESS, asked.address)
    throttle.count(provider, throttle.PASSWORD_PER_NAME, who)
    # The password is checked even for nobody, so that an unknown name costs the same time.
    stored = credentials.password_hash if credentials else None
    right = password.is_right(asked.password, stored)
    if credentials is None or not right:
        raise SignInRefused
    throttle.give_back(provider, throttle.PASSWORD_PER_ADDRESS, asked.address)
    throttle.forgive(provider, throttle.PASSWORD_PER_NAME, who)
    return Proven(asked, realm, credentials)


def sign_in(tx: Session, provider: Provider, proven: Proven) -> Opened:
    """Open a session in place of the browser's former one.

    Raises `InteractionGone`; `SignInRefused` when the account was closed, or its password changed,
    since the claim was read.
    """
    asked, realm = proven.asked, proven.realm
    found = _waiting(provider, asked)
    if _credentials(tx, provider, realm, asked.username) != proven.credentials:
        raise SignInRefused
    subject = proven.credentials.subject
    opened = sessions.sign_on(
        tx,
        provider,
        realm,
        subject,
        (password.AMR,),
        level=reachable(tx, provider, realm, subject),
        device=asked.device,
        former=asked.session,
    )
    if asked.interaction is not None and found is not None:
        _change(provider, asked.interaction, replace(found, sid=opened.session.sid))
    return opened


def reachable(tx: Session, provider: Provider, realm: Realm, subject: str) -> int:
    """The level of a sign-in now: where the person stands, but no higher than the method reaches."""
    if realm is Realm.STAFF:
        return levels.STAFF.number
    return min(accounts.standing(tx, provider, subject).level.number, password.REACHES)


def _change(provider: Provider, uid: str, changed: Interaction) -> None:
    if not artifacts.replace(provider, WAITING, uid, changed):
        raise InteractionGone


def _waiting(provider: Provider, asked: SignIn) -> Interaction | None:
    if asked.interaction is None:
        return None
    return waiting(provider, asked.interaction, asked.browser)


def _credentials(
    tx: Session, provider: Provider, realm: Realm, username: str
) -> Credentials | None:
    if realm is Realm.STAFF:
        return staff.credentials(tx, username)
    return accounts.credentials(tx, provider, username)


def _sealed(provider: Provider, text: str | None) -> str | None:
    return None if text is None else provider.protector.seal(text, provider.random).hex()
