"""What a sign-in page may ask and submit while an authorization request waits.

The request waits in Redis under a uid that is the step ticket: unguessable, bound to the browser
that brought it by a cookie, and spent when the request is answered. Pages never decide what comes
next: after a step they send the browser back to `resume_url`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from idp import artifacts, clients, consent_items, consents, sessions
from idp.client_metadata import Consent
from idp.errors import InteractionGone
from idp.fingerprint import fingerprint, matches
from idp.provider import Provider
from idp.request import AuthorizationRequest
from idp.vocabulary import Realm

BROWSER_COOKIE = "yinxin_browser"
BROWSER_LASTS = timedelta(days=400)
"""How long a browser is known again (`methods.devices`); browsers keep no cookie longer."""
_FINGERPRINT = "browser-cookie"


@dataclass(frozen=True, slots=True)
class Interaction:
    """An authorization request that waits for the person; `sid` is the sign-on made for it.

    `hint` is the request's `login_hint`, taken out of it and sealed (hex): it may be an ID or a
    phone number, and none lies open in Redis. `because` is why a page is shown, `agreed` the subject
    who agreed to the request, `denied` whether the person refused it, `content` whether they
    would rather go on with the sign-in as it is than prove more, and
    `local_account` by which of their accounts staff go in.
    """

    request: AuthorizationRequest
    realm: Realm
    browser: str
    because: str = ""
    hint: str | None = None
    sid: str | None = None
    agreed: str | None = None
    denied: bool = False
    content: bool = False
    local_account: str | None = None


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


def more_url(provider: Provider, uid: str) -> str:
    """Where whoever is signed in proves more."""
    return f"{provider.public_url}/login/more?interaction={uid}"


def live_url(provider: Provider, uid: str) -> str:
    """Where the person is told how to be seen live, and comes back to."""
    return f"{provider.public_url}/login/live?interaction={uid}"


def context_url(provider: Provider, uid: str) -> str:
    """Where the person says for whom they act."""
    return f"{provider.public_url}/login/context?interaction={uid}"


def local_account_url(provider: Provider, uid: str) -> str:
    """Where staff choose by which of their accounts they go into an application."""
    return f"{provider.public_url}/login/local-account?interaction={uid}"


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


def stay(provider: Provider, uid: str, browser: str | None) -> None:
    """The person would rather prove no more. Raises `InteractionGone`."""
    _change(provider, uid, replace(waiting(provider, uid, browser), content=True))


def go_in_by(provider: Provider, uid: str, browser: str | None, local_account: str) -> None:
    """Note the account that was chosen. Raises `InteractionGone`."""
    found = waiting(provider, uid, browser)
    _change(provider, uid, replace(found, local_account=local_account))


def signed_in(provider: Provider, uid: str, found: Interaction, sid: str) -> None:
    """Note the sign-on that was made for the request. Raises `InteractionGone`."""
    _change(provider, uid, replace(found, sid=sid))


def _change(provider: Provider, uid: str, changed: Interaction) -> None:
    if not artifacts.replace(provider, WAITING, uid, changed):
        raise InteractionGone


def _sealed(provider: Provider, text: str | None) -> str | None:
    return None if text is None else provider.protector.seal(text, provider.random).hex()
