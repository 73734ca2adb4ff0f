"""What a sign-in page may ask and submit while an authorization request waits.

The request waits in Redis under a uid that is the step ticket: unguessable, bound to the browser
that brought it by a cookie, and spent when the request is answered. Pages never decide what comes
next: after `sign_in` they send the browser back to `resume_url`.
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from idp import accounts, artifacts, clients, sessions, staff, throttle
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
    """An authorization request that waits for the person; `sid` is the sign-on made for it."""

    request: AuthorizationRequest
    realm: Realm
    browser: str
    sid: str | None = None


WAITING = artifacts.Kind("interaction", TypeAdapter(Interaction), timedelta(minutes=30))


@dataclass(frozen=True, slots=True)
class Details:
    """What a sign-in page shows: for which client, in which realm, with which hints."""

    uid: str
    realm: Realm
    client_id: str
    client_name_zh: str
    client_name_en: str
    login_hint: str | None
    ui_locales: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a sign-in page submits.

    `interaction` is the uid, or `None` on our own pages; `browser` and `session` are the values of
    the two cookies as they came; `address` is the peer's.
    """

    realm: Realm
    username: str = field(repr=False)
    password: str = field(repr=False)
    address: str
    interaction: str | None = None
    browser: str | None = field(default=None, repr=False)
    session: str | None = field(default=None, repr=False)


def begin(provider: Provider, request: AuthorizationRequest, realm: Realm, browser: str) -> str:
    """Let a request wait for the person at this browser; return the uid."""
    bound = fingerprint(provider.secret, _FINGERPRINT, browser).hex()
    return artifacts.put(provider, WAITING, Interaction(request, realm, bound))


def waiting(provider: Provider, uid: str, browser: str | None) -> Interaction:
    """The request that waits under `uid` for this browser. Raises `InteractionGone`."""
    found = artifacts.get(provider, WAITING, uid)
    if found is None or browser is None:
        raise InteractionGone
    if not matches(provider.secret, _FINGERPRINT, browser, bytes.fromhex(found.browser)):
        raise InteractionGone
    return found


def finish(provider: Provider, uid: str) -> None:
    """Spend the uid before the request is answered. Raises `InteractionGone` for a second answer."""
    if artifacts.take(provider, WAITING, uid) is None:
        raise InteractionGone


def details(tx: Session, provider: Provider, uid: str, browser: str | None) -> Details:
    """What the page shows. Raises `InteractionGone`."""
    found = waiting(provider, uid, browser)
    client = clients.find(tx, found.request.client_id)
    if client is None:
        raise InteractionGone
    return Details(
        uid=uid,
        realm=found.realm,
        client_id=client.client_id,
        client_name_zh=client.name_zh,
        client_name_en=client.name_en,
        login_hint=found.request.login_hint,
        ui_locales=found.request.ui_locales,
    )


def page_url(provider: Provider, uid: str) -> str:
    """Where the person signs in."""
    return f"{provider.public_url}/login?interaction={uid}"


def resume_url(provider: Provider, uid: str) -> str:
    """Where the browser goes after a step."""
    return f"{provider.issuer}/authorize/{uid}"


def sign_in(tx: Session, provider: Provider, asked: SignIn) -> Opened:
    """Check name and password and open a session in place of the browser's former one.

    Raises `SignInRefused` (never which of the two was wrong), `TooManyTries`, `InteractionGone`.
    """
    found = None
    if asked.interaction is not None:
        found = waiting(provider, asked.interaction, asked.browser)
    realm = asked.realm if found is None else found.realm
    subject = _subject(tx, provider, realm, asked)
    sessions.end(tx, provider, asked.session)
    opened = sessions.open_session(tx, provider, realm, subject, (password.AMR,))
    if asked.interaction is not None and found is not None:
        signed = replace(found, sid=opened.session.sid)
        if not artifacts.replace(provider, WAITING, asked.interaction, signed):
            raise InteractionGone
    return opened


def _subject(tx: Session, provider: Provider, realm: Realm, asked: SignIn) -> str:
    account = (
        staff.credentials(tx, asked.username)
        if realm is Realm.STAFF
        else accounts.credentials(tx, provider, asked.username)
    )
    # By the name typed, whether or not it has an account, and whoever's it is: a limit shared by an
    # account's two names (ID number and phone) would tell strangers that they belong together.
    who = f"{realm}:{asked.username.strip().upper()}"
    throttle.count(provider, throttle.PASSWORD_PER_ADDRESS, asked.address)
    throttle.count(provider, throttle.PASSWORD_PER_NAME, who)
    # The password is checked even for nobody, so that an unknown name costs the same time.
    right = password.is_right(asked.password, account.password_hash if account else None)
    if account is None or not right:
        raise SignInRefused
    throttle.give_back(provider, throttle.PASSWORD_PER_ADDRESS, asked.address)
    throttle.forgive(provider, throttle.PASSWORD_PER_NAME, who)
    return account.subject
