"""The authorization endpoint: a request goes to its next step, or is answered.

Steps never lead to one another: after each the browser comes back here (`resume`), and `steps`
decides anew. Looking up keys, signing and writing to Redis happen outside transactions.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from idp import (
    artifacts,
    clients,
    consent_items,
    consents,
    grant_code,
    interaction,
    live_checks,
    method,
    pushed_requests,
    request,
    requested_level,
    resolving,
    responses,
    sealed_parameters,
    sessions,
    steps,
)
from idp.approval import Approval
from idp.call import Answer, Browser, Call, sent_to
from idp.clients import Client
from idp.entities import context, requested_context
from idp.entities.context import Stance
from idp.errors import (
    ClientEnded,
    ClientUnknown,
    InteractionGone,
    RedirectedError,
    RequestObjectRefused,
    RequestUriRefused,
)
from idp.interaction import Interaction
from idp.levels import ADVANCED
from idp.methods import sign_in
from idp.parameters import Parameters
from idp.provider import Provider
from idp.request import AuthorizationRequest
from idp.sessions import SignOn
from idp.staffing import local_accounts
from idp.steps import Situation, Step
from idp.submission import Submission
from idp.transaction import SeenLive
from idp.vocabulary import OAuthCode, Realm

_POSTED = artifacts.Kind("posted-request", TypeAdapter(str), timedelta(minutes=5))
_POSTED_MARK = "posted."


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request on its way to its answer; `uid` when it waits for the person already."""

    client: Client
    request: AuthorizationRequest
    realm: Realm
    uid: str | None = None
    sid: str | None = None
    agreed: str | None = None
    denied: bool = False
    content: bool = False
    local_account: str | None = None


def start(provider: Provider, call: Call) -> Answer:
    """Take a new authorization request and send the browser to its next step.

    Raises a `DisplayedError`.
    """
    if call.method == "POST" and call.browser.browser is None:
        return _come_again(provider, call.sent)
    return _with_cookie(provider, call.sent, call.browser)


def resume(provider: Provider, call: Call) -> Answer:
    """Take up the request that waits under `call.path` after a step. Raises `InteractionGone`."""
    if call.path.startswith(_POSTED_MARK):
        return _with_cookie(provider, _posted(provider, call.path), call.browser)
    found = interaction.waiting(provider, call.path, call.browser.browser)
    with provider.begin() as tx:
        waiting = _taken_up(tx, provider, call.path, found)
        situation = _situation(tx, provider, waiting, call.browser)
    return _advance(provider, waiting, situation, call.browser)


def _approval(
    provider: Provider,
    client: Client,
    asked: AuthorizationRequest,
    session: SignOn,
    live: SeenLive | None,
    stance: Stance,
    local_account: str | None,
) -> Approval:
    """What answering the request in this session, or live in it, allows its client."""
    reached = session.level if live is None else ADVANCED
    return Approval(
        grant_id=provider.handle(16),
        client_id=asked.client_id,
        realm=session.realm,
        subject=session.subject,
        sid=session.sid,
        signed_in_at=session.signed_in_at,
        methods=(*method.amr(session.methods), *(live.amr if live else ())),
        level=requested_level.told(asked, client, session.realm, reached),
        scopes=asked.scopes,
        resources=asked.resources,
        claims=asked.claims,
        authorization_details=asked.authorization_details,
        nonce=asked.nonce,
        confirmation={"jkt": asked.dpop_jkt} if asked.dpop_jkt else {},
        live=live,
        context=None if stance.choice is None else context.context(session, stance.choice),
        local_account=local_account,
    )


def _come_again(provider: Provider, sent: Parameters) -> Answer:
    """Let the browser fetch the answer to a POST with a GET of its own.

    No browser sends our cookies (SameSite=Lax) along with a POST from another site: here the person
    would look signed out, and a new browser cookie would break off what waits in other tabs.
    """
    uid = artifacts.put(provider, _POSTED, sealed_parameters.seal(provider, sent))
    return sent_to(interaction.resume_url(provider, f"{_POSTED_MARK}{uid}"))


def _posted(provider: Provider, path: str) -> Parameters:
    kept = artifacts.take(provider, _POSTED, path.removeprefix(_POSTED_MARK))
    if kept is None:
        raise InteractionGone
    return sealed_parameters.opened(provider, kept)


def _with_cookie(provider: Provider, sent: Parameters, browser: Browser) -> Answer:
    known = browser.browser or provider.handle()
    answer = _start(provider, sent, Browser(known, browser.session))
    fresh = {} if browser.browser else {interaction.BROWSER_COOKIE: known}
    return replace(answer, cookies=fresh)


def _start(provider: Provider, sent: Parameters, browser: Browser) -> Answer:
    client = clients.named(provider, sent.get("client_id") or "")
    if client is None:
        request.trust(Submission(sent), client)  # tells one that is missing from one unknown
        raise ClientUnknown
    if client.has_ended(provider.clock()):
        raise ClientEnded
    try:
        asked = resolving.resolved(provider, client, sent)
    except RedirectedError as reason:
        return _unresolved(provider, client, sent, reason)
    to = request.trust(asked, client)
    try:
        checked = request.read_trusted(asked, client, to)
    except RedirectedError as reason:
        return responses.refusal(provider, client, to, reason)
    waiting = Waiting(client, checked, client.realm or Realm.CITIZEN)
    with provider.begin() as tx:
        situation = _situation(tx, provider, waiting, browser)
    return _advance(provider, waiting, situation, browser)


def _unresolved(
    provider: Provider, client: Client, sent: Parameters, reason: RedirectedError
) -> Answer:
    """What stands beside a request that cannot be read is believed only so far as it is registered."""
    to = request.trusted(Submission(sent), client)
    if to is not None:
        return responses.refusal(provider, client, to, reason)
    if reason.error is OAuthCode.INVALID_REQUEST_URI:
        raise RequestUriRefused
    raise RequestObjectRefused


def _taken_up(tx: Session, provider: Provider, uid: str, found: Interaction) -> Waiting:
    client = clients.known(tx, provider, found.request.client_id)
    if client is None:
        raise InteractionGone
    return Waiting(
        client,
        found.request,
        found.realm,
        uid,
        found.sid,
        found.agreed,
        found.denied,
        found.content,
        found.local_account,
    )


def _situation(tx: Session, provider: Provider, waiting: Waiting, browser: Browser) -> Situation:
    asked, client = waiting.request, waiting.client
    session = sessions.find(tx, provider, browser.session)
    subject = "" if session is None else session.subject
    ours = session is not None and session.realm is waiting.realm
    items = consent_items.items(asked, client)
    wanted = requested_level.wanted(asked, client, waiting.realm)
    reachable = 0
    if session is not None and ours and session.level < wanted:
        session = sign_in.caught_up(tx, provider, session)
        reachable = sign_in.reachable(tx, provider, session)
    return Situation(
        request=asked,
        client=client,
        realm=waiting.realm,
        session=session,
        reachable=reachable,
        made_here=session is not None and session.sid == waiting.sid,
        missing=consents.missing(tx, client, subject, items) if ours else (),
        agreed=ours and subject == waiting.agreed,
        denied=waiting.denied,
        content=waiting.content,
        live=live_checks.seen(tx, provider, session, asked.client_id, asked.authorization_details),
        stance=_stance(tx, provider, waiting, session if ours else None),
        local=local_accounts.choice(tx, client, subject, waiting.local_account),
        now=provider.clock(),
    )


def _stance(tx: Session, provider: Provider, waiting: Waiting, session: SignOn | None) -> Stance:
    asked = waiting.request
    wanted = requested_context.wanted(waiting.client, asked.scopes, asked.claims.id_token)
    if session is None:
        return Stance(wanted)
    return context.stance(tx, provider, session, wanted)


def _advance(
    provider: Provider, waiting: Waiting, situation: Situation, browser: Browser
) -> Answer:
    step = steps.next_step(situation)
    if step is None or step.page_url is None or situation.is_silent:
        return _answered(provider, waiting, situation, step)
    uid, because = waiting.uid, steps.reason(situation, step)
    if uid is None:
        uid = interaction.begin(
            provider, waiting.request, waiting.realm, browser.browser or "", because
        )
    else:
        interaction.explain(provider, uid, browser.browser, because)
    return sent_to(step.page_url(provider, uid))


def _answered(
    provider: Provider, waiting: Waiting, situation: Situation, unmet: Step | None
) -> Answer:
    """Answer once, well or with the error of a step: what waited and what was pushed is spent before."""
    asked, client = waiting.request, waiting.client
    if waiting.uid is not None:
        interaction.finish(provider, waiting.uid)
    try:
        if asked.pushed is not None:
            pushed_requests.spend(provider, asked.pushed)
        if unmet is not None:
            raise unmet.refusal
    except RedirectedError as reason:
        return responses.refusal(provider, client, asked.destination, reason)
    live = situation.live
    if live is not None:
        with provider.begin() as tx:
            if not live_checks.use(tx, provider, live):
                raise InteractionGone
    stance, account = situation.stance, situation.local.account
    approval = _approval(provider, client, asked, situation.sign_on, live, stance, account)
    code = grant_code.give(provider, approval, asked)
    return responses.answer(provider, client, asked.destination, {"code": code})
