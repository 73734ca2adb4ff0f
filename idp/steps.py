"""What stands between an authorization request and its answer: one ordered table of steps.

The first step that is needed comes next, decided from what is stored and nothing else. A step has a
page, or none when nothing can be done about it; without a page, and with `prompt=none`, the
client is told the step's error. A new step is one row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from idp import interaction, requested_level, transaction
from idp.client_metadata import Consent, StaffAccounts
from idp.clients import Client
from idp.entities.context import Stance
from idp.errors import RedirectedError
from idp.levels import ADVANCED, HIGHEST_STANDING
from idp.method import UPSTREAM
from idp.provider import Provider
from idp.request import AuthorizationRequest
from idp.requested_level import BEYOND
from idp.sessions import SignOn
from idp.staffing.local_accounts import Choice
from idp.transaction import SeenLive, Transaction
from idp.vocabulary import OAuthCode, Prompt, Realm


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides the next step.

    `reachable` is the level that proving more would reach; `made_here`: the sign-on was made
    for this very request; `missing` is what the person has never agreed to, `agreed` and `denied`
    what was said to this request on the consent page; `content`: the person would not prove more;
    `live` is the good live check for the transaction of the request; `stance` for whom they act;
    `local` by which account of their own staff go into an application that has its own.
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
    content: bool
    live: SeenLive | None
    stance: Stance
    local: Choice
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
    def transaction(self) -> Transaction | None:
        """The one transaction that the request is for, if it names one."""
        return transaction.named(self.request.authorization_details)

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
    """RFC 9470 §4, where another node answers for the person: it alone may answer for more."""
    session = situation.session
    if session is None or situation.made_here or not {*session.methods} & UPSTREAM:
        return False
    return _more_is_within_reach(situation, session)


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


def more_factors_needed(situation: Situation) -> bool:
    """RFC 9470 §4: more is asked for than this sign-on has, and proving one thing more would reach it.

    Only what is missing is asked for, and nothing of whoever would rather not.
    """
    session = situation.session
    if session is None or situation.content or {*session.methods} & UPSTREAM:
        return False
    return _more_is_within_reach(situation, session)


def level_is_not_reached(situation: Situation) -> bool:
    """OpenID Connect Core Error Code unmet_authentication_requirements §2."""
    # The highest rung is no sign-in's: `live_check_needed` sees to it.
    needed = min(situation.level_needed, HIGHEST_STANDING)
    return situation.session is None or situation.session.level < needed


def transaction_is_not_named(situation: Situation) -> bool:
    """高级, a person's or an entity's, is of one transaction: whoever demands it says which (RFC 9396)."""
    demanded = situation.level_needed == ADVANCED or situation.stance.advanced_is_wanted
    return demanded and situation.transaction is None


def context_needed(situation: Situation) -> bool:
    """The person has not said for whom they act here, or what they said is no longer open.

    Also when another entity of theirs has the level that the one they chose has not.
    """
    stance = situation.stance
    if stance.wanted.is_nothing:
        return False
    if stance.choice is not None:
        return stance.level_is_short and not stance.more_helps and stance.another_helps
    if stance.lost or not stance.wanted.oneself:
        return True
    return bool(stance.choices) and not stance.chosen and not situation.is_silent


def entity_level_is_short(situation: Situation) -> bool:
    """They act for an entity, below the rung that the client or the request wants of it."""
    return situation.stance.level_is_short


def more_factors_for_entity_needed(situation: Situation) -> bool:
    """The entity stands high enough: proving one thing more would reach it."""
    return situation.stance.more_helps and not situation.content


def entity_is_not_advanced(situation: Situation) -> bool:
    """高级 of an entity is its representative seen live, for an entity that stands on 中级."""
    stance = situation.stance
    if not stance.advanced_is_wanted:
        return False
    return situation.live is None or not stance.advanced_is_open


def application_is_apart(situation: Situation) -> bool:
    """The application has not joined: it signs its staff in by itself."""
    return situation.client.staff_accounts is StaffAccounts.NONE


def local_account_missing(situation: Situation) -> bool:
    """The application has accounts of its own, and none of them is this person's."""
    return situation.local.needed and not situation.local.accounts


def local_account_needed(situation: Situation) -> bool:
    """Several accounts there are this person's, and they have not said which it is to be."""
    return situation.local.needed and situation.local.account is None


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


def live_check_needed(situation: Situation) -> bool:
    """高级: seen live for the transaction, by whoever stands at 中级 and is signed in so.

    An entity's is its representative's: nobody else is asked to be seen for it.
    """
    session, stance = situation.session, situation.stance
    if situation.live is not None or situation.transaction is None or session is None:
        return False
    if stance.advanced_is_wanted and not stance.advanced_is_open:
        return False
    wanted = stance.advanced_is_wanted or situation.level_wanted == ADVANCED
    return wanted and session.level >= HIGHEST_STANDING


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
        application_is_apart,
        None,
        OAuthCode.UNAUTHORIZED_CLIENT,
        "this application signs its staff in by itself",
    ),
    Step(
        level_is_nobodys,
        None,
        OAuthCode.UNMET_AUTHENTICATION_REQUIREMENTS,
        "no sign-in here has the acr asked for",
    ),
    Step(
        transaction_is_not_named,
        None,
        OAuthCode.UNMET_AUTHENTICATION_REQUIREMENTS,
        "this acr is of one transaction, which authorization_details must name",
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
        more_factors_needed,
        interaction.more_url,
        OAuthCode.LOGIN_REQUIRED,
        "the person must prove more",
    ),
    Step(
        level_is_not_reached,
        None,
        OAuthCode.UNMET_AUTHENTICATION_REQUIREMENTS,
        "the sign-in does not reach the level needed",
    ),
    Step(
        local_account_missing,
        interaction.local_account_url,
        OAuthCode.ACCESS_DENIED,
        "the person has no account at this application",
    ),
    Step(
        local_account_needed,
        interaction.local_account_url,
        OAuthCode.INTERACTION_REQUIRED,
        "the person must say by which of their accounts",
    ),
    Step(
        context_needed,
        interaction.context_url,
        OAuthCode.INTERACTION_REQUIRED,
        "the person must say for whom they act",
    ),
    Step(
        more_factors_for_entity_needed,
        interaction.more_url,
        OAuthCode.LOGIN_REQUIRED,
        "the person must prove more to act for the entity",
    ),
    Step(
        entity_level_is_short,
        None,
        OAuthCode.UNMET_AUTHENTICATION_REQUIREMENTS,
        "the entity does not reach the level needed, or not through this person",
    ),
    Step(
        consent_needed,
        interaction.consent_url,
        OAuthCode.CONSENT_REQUIRED,
        "the person must agree",
    ),
    Step(
        live_check_needed,
        interaction.live_url,
        OAuthCode.LOGIN_REQUIRED,
        "the person must be seen live",
    ),
    Step(
        entity_is_not_advanced,
        None,
        OAuthCode.UNMET_AUTHENTICATION_REQUIREMENTS,
        "the entity reaches this level only by its representative, seen live",
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


def _more_is_within_reach(situation: Situation, session: SignOn) -> bool:
    return session.level < min(situation.level_wanted, situation.reachable)
