"""What stands between an authorization request and its answer: one ordered table of steps.

The first step that is needed comes next, decided from what is stored and nothing else. A step has a
page, or none when nothing can be done about it; without a page, and with `prompt=none`, the
client is told the step's error. A new step is one row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from idp import interaction, requested_level
from idp.client_metadata import Consent
from idp.clients import Client
from idp.errors import RedirectedError
from idp.provider import Provider
from idp.request import AuthorizationRequest
from idp.requested_level import BEYOND
from idp.sessions import SignOn
from idp.vocabulary import OAuthCode, Prompt, Realm


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides the next step.

    `reachable` is the level that signing in again would reach; `made_here`: the sign-on was made
    for this very request; `missing` is what the person has never agreed to, `agreed` and `denied`
    what was said to this request on the consent page.
    """

    request: AuthorizationRequest
    client: Client
    realm: Realm
    session: SignOn | None
    reachable: int
    made_here: bool
    missing: tuple[str, ...]
    agreed: bool
    denied: bool
    now: datetime

    @property
    def is_silent(self) -> bool:
        """No page may be shown (OpenID Connect Core §3.1.2.1 `prompt` none)."""
        return Prompt.NONE in self.request.prompts

    @property
    def sign_on(self) -> SignOn:
        """The sign-on that answers; there is one when no step is needed. Raises `LookupError`."""
        if self.session is None:
            raise LookupError("nobody is signed in")
        return self.session

    @property
    def level_needed(self) -> int:
        """The level without which there is no answer."""
        return requested_level.needed(self.request, self.client, self.realm)

    @property
    def level_wanted(self) -> int:
        """What is worth a page: a mere wish is none when no page may be shown."""
        if self.is_silent:
            return self.level_needed
        return requested_level.wanted(self.request, self.client, self.realm)


def nobody_is_signed_in(situation: Situation) -> bool:
    """OpenID Connect Core §3.1.2.3."""
    return situation.session is None


def other_realm(situation: Situation) -> bool:
    """A citizen's sign-on opens no staff system, nor the other way round."""
    return situation.session is not None and situation.session.realm is not situation.realm


def asked_to_sign_in_again(situation: Situation) -> bool:
    """OpenID Connect Core §3.1.2.1 `prompt`; choosing another account is signing in again."""
    again = {Prompt.LOGIN, Prompt.SELECT_ACCOUNT} & set(situation.request.prompts)
    return bool(again) and not situation.made_here


def signed_in_too_long_ago(situation: Situation) -> bool:
    """OpenID Connect Core §3.1.2.1 `max_age`; a sign-on made for this very request is fresh."""
    if situation.request.max_age is None or situation.session is None or situation.made_here:
        return False
    age = situation.now - situation.session.signed_in_at
    # Times are kept in whole seconds: an age of just max_age may be a fraction more.
    return age >= timedelta(seconds=situation.request.max_age)


def other_person(situation: Situation) -> bool:
    """OpenID Connect Core §3.1.2.1 `id_token_hint`: the client means somebody else."""
    return _is_somebody_else(situation) and not situation.made_here


def stronger_sign_in_helps(situation: Situation) -> bool:
    """RFC 9470 §4: more is asked for than this sign-on has, and signing in again would reach more."""
    session = situation.session
    if session is None or situation.made_here:
        return False
    return session.level < situation.level_wanted and session.level < situation.reachable


SIGN_IN_REASONS: tuple[Callable[[Situation], bool], ...] = (
    nobody_is_signed_in,
    other_realm,
    asked_to_sign_in_again,
    signed_in_too_long_ago,
    other_person,
    stronger_sign_in_helps,
)


def person_refused(situation: Situation) -> bool:
    """RFC 6749 §4.1.2.1 `access_denied`."""
    return situation.denied


def level_is_nobodys(situation: Situation) -> bool:
    """An essential `acr` that no sign-in here can have: nobody is asked to try."""
    return situation.level_needed >= BEYOND


def sign_in_needed(situation: Situation) -> bool:
    """Does any reason hold?"""
    return any(reason(situation) for reason in SIGN_IN_REASONS)


def somebody_else_signed_in(situation: Situation) -> bool:
    """OpenID Connect Core §3.1.2.1: whoever the hint does not mean gets an error, such as this."""
    return _is_somebody_else(situation)


def level_is_not_reached(situation: Situation) -> bool:
    """OpenID Connect Core Error Code unmet_authentication_requirements §2."""
    return situation.session is None or situation.session.level < situation.level_needed


def consent_needed(situation: Situation) -> bool:
    """OpenID Connect Core §3.1.2.4: for what was not agreed to before, and when the client wants it.

    Details of one transaction (RFC 9396) are agreed to every time, and what a FAPI 2.0 client of
    somebody else's asks, whenever a page may be shown: what such clients move is worth the question.
    """
    return bool(situation.missing) or (_asked_every_time(situation) and not situation.agreed)


def _asked_every_time(situation: Situation) -> bool:
    """Whether an agreement of before is not enough."""
    asked = situation.request
    return (
        Prompt.CONSENT in asked.prompts
        or bool(asked.authorization_details)
        or (_is_somebody_elses_fapi2(situation.client) and not situation.is_silent)
    )


def _is_somebody_elses_fapi2(client: Client) -> bool:
    return client.is_fapi2 and client.consent is Consent.BY_PERSON


@dataclass(frozen=True, slots=True)
class Step:
    """A step: when it is needed, its page if there is one, and what the client is told instead."""

    needed: Callable[[Situation], bool]
    page_url: Callable[[Provider, str], str] | None
    error: OAuthCode
    description: str

    @property
    def refusal(self) -> RedirectedError:
        """What to raise in place of the step."""
        return RedirectedError(self.error, self.description)


STEPS: tuple[Step, ...] = (
    Step(person_refused, None, OAuthCode.ACCESS_DENIED, "the person did not agree"),
    Step(
        level_is_nobodys,
        None,
        OAuthCode.UNMET_AUTHENTICATION_REQUIREMENTS,
        "no sign-in here has the acr asked for",
    ),
    Step(
        sign_in_needed,
        interaction.page_url,
        OAuthCode.LOGIN_REQUIRED,
        "the person must sign in",
    ),
    Step(
        somebody_else_signed_in,
        None,
        OAuthCode.LOGIN_REQUIRED,
        "another person signed in than the one meant",
    ),
    Step(
        level_is_not_reached,
        None,
        OAuthCode.UNMET_AUTHENTICATION_REQUIREMENTS,
        "the sign-in does not reach the level needed",
    ),
    Step(
        consent_needed,
        interaction.consent_url,
        OAuthCode.CONSENT_REQUIRED,
        "the person must agree",
    ),
)


def next_step(situation: Situation) -> Step | None:
    """The first step that is needed; `None` when the request can be answered."""
    return next((step for step in STEPS if step.needed(situation)), None)


def reason(situation: Situation, step: Step) -> str:
    """Why the step's page is shown: the name of the first reason, or of the step."""
    found = (why.__name__ for why in SIGN_IN_REASONS if why(situation))
    return next(found, step.needed.__name__)


def _is_somebody_else(situation: Situation) -> bool:
    meant = situation.request.hinted_subject
    session = situation.session
    return meant is not None and session is not None and session.subject != meant
