"""Proving oneself to a hotline: the app shows a code for this hotline, and the caller says it aloud.

Nobody says a password over a telephone line. The person agrees in the app to what the hotline will
know; the code stands for that agreement, for this one client, a few minutes long, once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from idp import artifacts, clients, consents, method, requested_level, sessions
from idp.approval import Approval
from idp.client_metadata import Consent
from idp.clients import Client
from idp.methods import short_codes
from idp.provider import Provider
from idp.sessions import SignOn
from idp.sign_in_errors import HotlineNeedsLevel, HotlineUnknown
from idp.vocabulary import OFFLINE, GrantType
from keys import journal

LASTS = timedelta(minutes=3)
_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the person agreed to in the app, in which session, and when."""

    sid: str
    subject: str
    scopes: tuple[str, ...]
    at: datetime


_CODE = artifacts.Kind("hotline-code", TypeAdapter(Agreed), LASTS)


def hotlines(tx: Session, own: SignOn) -> list[Client]:
    """The hotlines that a person of this realm may speak to."""
    return [
        client
        for client in clients.every(tx)
        if GrantType.HOTLINE in client.grant_types and client.realm is own.realm
    ]


def items(client: Client) -> tuple[str, ...]:
    """What a hotline will know: all that it is registered for, while the person is signed in."""
    return tuple(scope for scope in client.scopes if scope not in ("openid", OFFLINE))


def agree(tx: Session, provider: Provider, own: SignOn, client_id: str) -> str:
    """The person agrees; return the code to say. Raises `HotlineUnknown`, `HotlineNeedsLevel`."""
    client = next((one for one in hotlines(tx, own) if one.client_id == client_id), None)
    if client is None:
        raise HotlineUnknown
    if own.level < requested_level.floor_of(client, own.realm):
        raise HotlineNeedsLevel
    if client.consent is Consent.BY_PERSON:
        consents.give(tx, provider, own.subject, client.client_id, items(client))
    journal.append(
        tx,
        at=provider.clock(),
        actor=own.subject,
        action="hotline-code.made",
        subject=own.subject,
        details={"client_id": client.client_id, "items": " ".join(items(client))},
    )
    scopes = tuple(scope for scope in client.scopes if scope != OFFLINE)
    agreed = Agreed(own.sid, own.subject, scopes, provider.clock())
    return short_codes.put(provider, _CODE, _DIGITS, client.client_id, agreed)


def redeem(tx: Session, provider: Provider, client: Client, told: str) -> Approval | None:
    """What the code that a hotline was told stands for, once; `None` for none of its own."""
    agreed = short_codes.take(provider, _CODE, client.client_id, told)
    if agreed is None or provider.clock() >= agreed.at + LASTS:
        return None
    session = sessions.by_sid(tx, provider, agreed.sid)
    if session is None or session.subject != agreed.subject:
        return None
    return Approval(
        grant_id=provider.handle(16),
        client_id=client.client_id,
        realm=session.realm,
        subject=session.subject,
        sid=session.sid,
        signed_in_at=session.signed_in_at,
        methods=method.amr(session.methods),
        level=session.level,
        scopes=agreed.scopes,
    )
