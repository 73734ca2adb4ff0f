"""A person decides on what waits for them: shown in full, decided once, by a sign-on strong enough.

The facts of the sign-in that tokens tell are those of the sign-on in which the person agreed. What
is shown is asked anew every time, whatever was agreed to before: the person did not begin here.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from idp import (
    backchannel_ping,
    clients,
    consents,
    levels,
    live_checks,
    method,
    pending,
    requested_level,
    transaction,
)
from idp.acting import Context
from idp.approval import Approval
from idp.clients import Client, Consent
from idp.entities import context, requested_context
from idp.entity_errors import ApprovalNeedsContext
from idp.levels import Level
from idp.pending import Decision, Pending
from idp.provider import Provider
from idp.sessions import SignOn
from idp.sign_in_errors import ApprovalGone, ApprovalNeedsLevel, ApprovalOfOtherRealm
from idp.transaction import SeenLive
from keys import journal

_APPROVED = "approval.given"
_DENIED = "approval.refused"


@dataclass(frozen=True, slots=True)
class Question:
    """What a page shows. `items` are those of `consent_items`; `level` is needed and not reached;
    `live_helps`: it would be, if the person were seen live for the transaction asked about.
    """

    uid: str
    client: Client
    items: tuple[str, ...]
    authorization_details: tuple[Mapping[str, Any], ...]
    binding_message: str | None
    asked_from: str
    asked_at: datetime
    expires_at: datetime
    level: Level | None
    live_helps: bool


def question(tx: Session, provider: Provider, uid: str, session: SignOn) -> Question:
    """What waits under `uid`. Raises `ApprovalGone`, `ApprovalOfOtherRealm`."""
    asked, client = _for(tx, provider, uid, session)
    needed = needed_level(asked, client)
    reached = _reached(session, _seen(tx, provider, asked, session))
    return Question(
        uid=uid,
        client=client,
        items=_items(asked),
        authorization_details=asked.authorization_details,
        binding_message=asked.binding_message,
        asked_from=asked.asked_from,
        asked_at=asked.asked_at,
        expires_at=asked.expires_at,
        level=None if reached >= needed else levels.of_number(asked.realm, needed),
        live_helps=_live_helps(asked, needed, reached),
    )


def questions(tx: Session, provider: Provider, session: SignOn) -> list[Question]:
    """Everything that waits for the person of this sign-on, the oldest first."""
    found = []
    for uid, _ in pending.line_of(provider, session.subject):
        # Somebody may decide meanwhile, at another browser.
        with suppress(ApprovalGone):
            found.append(question(tx, provider, uid, session))
    return found


def approve(
    tx: Session, provider: Provider, uid: str, session: SignOn, *, by: str | None = None
) -> None:
    """The person agrees; `by` is who did it in their place.

    Raises `ApprovalGone`, `ApprovalOfOtherRealm`, `ApprovalNeedsLevel`, `ApprovalNeedsContext`.
    """
    asked, client = _for(tx, provider, uid, session)
    live = _seen(tx, provider, asked, session)
    if _reached(session, live) < needed_level(asked, client):
        raise ApprovalNeedsLevel
    if live is not None and not live_checks.use(tx, provider, live):
        raise ApprovalNeedsLevel
    acted = _context(tx, provider, asked, client, session)
    if client.consent is Consent.BY_PERSON:
        consents.give(tx, provider, session.subject, client.client_id, _items(asked))
    _settle(
        tx,
        provider,
        uid,
        asked,
        Decision(_approval(provider, asked, session, acted, live)),
        session,
        by,
    )


def deny(
    tx: Session, provider: Provider, uid: str, session: SignOn, *, by: str | None = None
) -> None:
    """The person refuses. Raises `ApprovalGone`, `ApprovalOfOtherRealm`."""
    asked, _ = _for(tx, provider, uid, session)
    _settle(tx, provider, uid, asked, Decision(None), session, by)


def needed_level(asked: Pending, client: Client) -> int:
    """The rung without which nobody can agree: the client's floor, or the least `acr` asked for.

    CIBA Core 1.0 §7.1 leaves it to the provider what becomes of `acr_values`. There is no browser
    to sign in again with, so here they are a demand; values that are not ours ask for nothing.
    """
    floor = requested_level.floor_of(client, asked.realm)
    return max(floor, min(_numbers(asked), default=0))


def told_level(asked: Pending, reached: int) -> int:
    """The rung to tell of a sign-on: the highest of those asked for that it meets, else its own."""
    return max((number for number in _numbers(asked) if number <= reached), default=reached)


def _for(tx: Session, provider: Provider, uid: str, session: SignOn) -> tuple[Pending, Client]:
    asked = pending.awaiting(provider, uid)
    client = clients.find(tx, asked.client_id)
    # Another person's is answered like one that is not there.
    if client is None or asked.subject not in (None, session.subject):
        raise ApprovalGone
    if asked.realm is not session.realm:
        raise ApprovalOfOtherRealm
    return asked, client


def _settle(
    tx: Session,
    provider: Provider,
    uid: str,
    asked: Pending,
    made: Decision,
    session: SignOn,
    by: str | None,
) -> None:
    journal.append(
        tx,
        at=provider.clock(),
        actor=by or session.subject,
        action=_DENIED if made.approval is None else _APPROVED,
        subject=session.subject,
        details={
            "client_id": asked.client_id,
            "grant_type": asked.grant.value,
            "items": " ".join(_items(asked)),
        },
    )
    if asked.ping is not None:
        backchannel_ping.announce(tx, provider, asked.client_id, asked.ping, asked.expires_at)
    # Last, so that whoever decided second, and a store that is away, undo all of the above.
    pending.decide(provider, uid, made)


def to_see(tx: Session, provider: Provider, uid: str, session: SignOn) -> live_checks.Claim:
    """Who is to be seen live before they agree. Raises `ApprovalGone`, `LiveCheckGone`."""
    asked, client = _for(tx, provider, uid, session)
    details = asked.authorization_details
    return live_checks.claim(tx, provider, session, client.client_id, details)


def _seen(tx: Session, provider: Provider, asked: Pending, session: SignOn) -> SeenLive | None:
    details = asked.authorization_details
    return live_checks.seen(tx, provider, session, asked.client_id, details)


def _reached(session: SignOn, live: SeenLive | None) -> int:
    return session.level if live is None else levels.ADVANCED


def _live_helps(asked: Pending, needed: int, reached: int) -> bool:
    named = transaction.named(asked.authorization_details) is not None
    return named and needed == levels.ADVANCED and reached == levels.HIGHEST_STANDING


def _approval(
    provider: Provider,
    asked: Pending,
    session: SignOn,
    acted: Context | None,
    live: SeenLive | None,
) -> Approval:
    return Approval(
        grant_id=provider.handle(16),
        client_id=asked.client_id,
        realm=session.realm,
        subject=session.subject,
        sid=session.sid,
        signed_in_at=session.signed_in_at,
        methods=(*method.amr(session.methods), *(live.amr if live else ())),
        level=told_level(asked, _reached(session, live)),
        scopes=asked.scopes,
        resources=asked.resources,
        authorization_details=asked.authorization_details,
        context=acted,
        live=live,
    )


def _context(
    tx: Session, provider: Provider, asked: Pending, client: Client, session: SignOn
) -> Context | None:
    """For whom the person acts in the sign-on in which they agree, where the client asks.

    There is no page to choose on in between. Raises `ApprovalNeedsContext`.
    """
    wanted = requested_context.wanted(client, asked.scopes, {})
    stance = context.stance(tx, provider, session, wanted)
    if stance.level_is_short or (stance.choice is None and not wanted.oneself):
        raise ApprovalNeedsContext
    return None if stance.choice is None else context.context(session, stance.choice)


def _items(asked: Pending) -> tuple[str, ...]:
    return tuple(scope for scope in asked.scopes if scope != "openid")


def _numbers(asked: Pending) -> list[int]:
    found = (requested_level.number_of(asked.realm, acr) for acr in asked.acr_values)
    return [number for number in found if number != requested_level.BEYOND]
