"""How a client learns at the token endpoint what a person decided (RFC 8628 §3.5, CIBA Core 1.0 §11)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from idp import artifacts, entitlements, pending, sessions
from idp.approval import Approval
from idp.clients import Client
from idp.entitlement import Entitlement
from idp.errors import OAuthError
from idp.provider import Provider
from idp.vocabulary import GrantType, OAuthCode

INTERVAL = 5
"""Seconds between two questions, as clients are told."""

_SLOWER_BY = 5
_LEEWAY = timedelta(seconds=1)
"""A question may come so much early: times are whole seconds, and networks delay unevenly."""


@dataclass(frozen=True, slots=True)
class Pace:
    """When a client asked last, and how many seconds it must let pass."""

    asked_at: datetime
    interval: int


_PACE = artifacts.Kind("pending-pace", TypeAdapter(Pace), 2 * pending.LONGEST)


def authorise(
    tx: Session, provider: Provider, client: Client, grant: GrantType, handle: str
) -> Entitlement:
    """Redeem a device code or an `auth_req_id`, once. Raises `OAuthError`."""
    approval = _redeemed(provider, client, grant, handle)
    if sessions.by_sid(tx, provider, approval.sid) is None:
        raise _invalid("the person has signed out")
    entitlement = entitlements.of_person(tx, provider, client, approval)
    sessions.seen_by(tx, provider, approval.sid, client, entitlement.sub)
    return entitlement


def kept_pace(before: Pace | None, now: datetime) -> tuple[Pace, bool]:
    """The pace from now on, and whether this question came in time.

    Each one that comes too early makes the client wait five seconds more (RFC 8628 §3.5).
    """
    if before is None:
        return Pace(now, INTERVAL), True
    if now - before.asked_at >= timedelta(seconds=before.interval) - _LEEWAY:
        return Pace(now, before.interval), True
    return Pace(now, before.interval + _SLOWER_BY), False


def _redeemed(provider: Provider, client: Client, grant: GrantType, handle: str) -> Approval:
    uid = pending.uid_of(handle)
    asked = pending.find(provider, uid)
    if asked is None or (asked.client_id, asked.grant) != (client.client_id, grant):
        raise _invalid("it is unknown, used, or of another client")
    if pending.is_lapsed(provider, asked):
        raise OAuthError(OAuthCode.EXPIRED_TOKEN, "nobody decided and redeemed it in time")
    made = pending.decision(provider, uid)
    if made is None:
        raise _not_yet(provider, uid)
    if made.approval is None:
        raise OAuthError(OAuthCode.ACCESS_DENIED, "the person did not agree")
    if not pending.take(provider, uid):
        raise _invalid("it is used")
    return made.approval


def _not_yet(provider: Provider, uid: str) -> OAuthError:
    pace, in_time = kept_pace(artifacts.get(provider, _PACE, uid), provider.clock())
    artifacts.keep(provider, _PACE, uid, pace)
    if in_time:
        return OAuthError(OAuthCode.AUTHORIZATION_PENDING, "the person has not decided yet")
    return OAuthError(OAuthCode.SLOW_DOWN, f"ask again after {pace.interval} seconds")


def _invalid(description: str) -> OAuthError:
    return OAuthError(OAuthCode.INVALID_GRANT, description)
