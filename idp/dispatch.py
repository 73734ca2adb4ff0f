"""The next step of an authorization request, decided from what is stored and nothing else.

Sign in, or answer: steps never lead to one another, they all come back here. A new step is one
row in `SIGN_IN_REASONS` or one more question in `_advance`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from idp import clients, grant_code, interaction, request, sessions
from idp.errors import RedirectedError
from idp.interaction import Interaction
from idp.parameters import Parameters
from idp.provider import Provider
from idp.request import AuthorizationRequest
from idp.sessions import SignOn
from idp.vocabulary import OAuthCode, Prompt, Realm


@dataclass(frozen=True, slots=True)
class Browser:
    """The cookies of the browser in front of us: its own, and that of its sign-on."""

    browser: str | None
    session: str | None


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides whether the person must sign in: the request, the sign-on if any, the moment."""

    request: AuthorizationRequest
    realm: Realm
    session: SignOn | None
    made_here: bool
    now: datetime


def nobody_is_signed_in(situation: Situation) -> bool:
    """OpenID Connect Core §3.1.2.3."""
    return situation.session is None


def other_realm(situation: Situation) -> bool:
    """A citizen's sign-on opens no staff system, nor the other way round."""
    return situation.session is not None and situation.session.realm is not situation.realm


def asked_to_sign_in_again(situation: Situation) -> bool:
    """OpenID Connect Core §3.1.2.1 `prompt`; choosing another account is signing in again.

    `consent` asks for nothing here: first-party clients are agreed to by policy.
    """
    again = {Prompt.LOGIN, Prompt.SELECT_ACCOUNT} & set(situation.request.prompts)
    return bool(again) and not situation.made_here


def signed_in_too_long_ago(situation: Situation) -> bool:
    """OpenID Connect Core §3.1.2.1 `max_age`; a sign-on made for this very request is fresh."""
    if situation.request.max_age is None or situation.session is None or situation.made_here:
        return False
    age = situation.now - situation.session.signed_in_at
    # Times are kept in whole seconds: an age of just max_age may be a fraction more.
    return age >= timedelta(seconds=situation.request.max_age)


SIGN_IN_REASONS: tuple[Callable[[Situation], bool], ...] = (
    nobody_is_signed_in,
    other_realm,
    asked_to_sign_in_again,
    signed_in_too_long_ago,
)


def sign_in_needed(situation: Situation) -> bool:
    """Does any reason hold?"""
    return any(reason(situation) for reason in SIGN_IN_REASONS)


def start(tx: Session, provider: Provider, sent: Parameters, browser: Browser) -> str:
    """Take a new authorization request and return the URL of its next step.

    Raises a `DisplayedError`. `browser.browser` must be set: the edge makes one if none came.
    """
    client = clients.find(tx, sent.get("client_id") or "")
    try:
        asked = request.read(sent, client)
    except RedirectedError as reason:
        return _refusal_url(provider, sent.get("redirect_uri") or "", sent.get("state"), reason)
    realm = client.realm if client is not None and client.realm is not None else Realm.CITIZEN
    session = sessions.find(tx, provider, browser.session)
    situation = Situation(asked, realm, session, made_here=False, now=provider.clock())
    if session is not None and not sign_in_needed(situation):
        return _answer(provider, situation.request, session)
    if Prompt.NONE in asked.prompts:
        silence = RedirectedError(OAuthCode.LOGIN_REQUIRED, "the person must sign in")
        return _refusal_url(provider, asked.redirect_uri, asked.state, silence)
    uid = interaction.begin(provider, asked, realm, browser.browser or "")
    return interaction.page_url(provider, uid)


def resume(tx: Session, provider: Provider, uid: str, browser: Browser) -> str:
    """Take up a waiting request after a step and return the URL of the next. Raises `InteractionGone`."""
    waiting = interaction.waiting(provider, uid, browser.browser)
    session = sessions.find(tx, provider, browser.session)
    situation = _situation(provider, waiting, session)
    if session is None or sign_in_needed(situation):
        return interaction.page_url(provider, uid)
    interaction.finish(provider, uid)
    return _answer(provider, waiting.request, session)


def _situation(provider: Provider, waiting: Interaction, session: SignOn | None) -> Situation:
    made_here = session is not None and session.sid == waiting.sid
    return Situation(waiting.request, waiting.realm, session, made_here, provider.clock())


def _answer(provider: Provider, asked: AuthorizationRequest, session: SignOn) -> str:
    code = grant_code.give(provider, asked, session)
    return request.answer_url(provider.issuer, asked.redirect_uri, asked.state, {"code": code})


def _refusal_url(
    provider: Provider, redirect_uri: str, state: str | None, reason: RedirectedError
) -> str:
    answer = {"error": str(reason.error), "error_description": reason.description}
    return request.answer_url(provider.issuer, redirect_uri, state, answer)
