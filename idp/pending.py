"""Requests that wait for a person elsewhere, while their client polls (RFC 8628, CIBA Core 1.0).

The client holds an unguessable handle: a device code or an `auth_req_id`. Everybody else knows the
request by the digest of it, its `uid`: with that it can be shown and decided, but not redeemed.
All of it lives in Redis: the request until it is redeemed, and beside it the decision, made once.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from idp import artifacts
from idp.approval import Approval
from idp.fingerprint import fingerprint
from idp.provider import Provider
from idp.sign_in_errors import ApprovalGone
from idp.vocabulary import GrantType, Realm

LONGEST = timedelta(minutes=10)
"""How long a request waits at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What a client asks a person.

    `grant` is how the answer is redeemed; `subject` who alone may answer, or `None`: whoever has
    the user code; `asked_from` the address the request came from; `ping` is what a client that
    wants to be told is told with, sealed (hex).
    """

    grant: GrantType
    client_id: str
    realm: Realm
    subject: str | None
    scopes: tuple[str, ...]
    resources: tuple[str, ...]
    authorization_details: tuple[Mapping[str, Any], ...]
    acr_values: tuple[str, ...] = ()
    binding_message: str | None = None
    asked_from: str
    asked_at: datetime
    expires_at: datetime
    ping: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What the person decided; `approval` is absent when they refused."""

    approval: Approval | None


# Kept for a while after it lapsed, so that a client that comes late is told so.
_WAITING = artifacts.Kind("pending", TypeAdapter(Pending), 2 * LONGEST)
_DECIDED = artifacts.Kind("pending-decision", TypeAdapter(Decision), 2 * LONGEST)
_LINE = "pending-line"


def uid_of(handle: str) -> str:
    """The name of the request whose client holds `handle`."""
    return hashlib.sha256(handle.encode()).hexdigest()


def keep(provider: Provider, handle: str, asked: Pending) -> None:
    """Let the request wait; it joins the line of the person it is for."""
    uid = uid_of(handle)
    artifacts.keep(provider, _WAITING, uid, asked)
    if asked.subject is not None:
        line = _line(provider, asked.subject)
        provider.redis.zadd(line, {uid: asked.asked_at.timestamp()})
        provider.redis.expire(line, _WAITING.lifetime)


def find(provider: Provider, uid: str) -> Pending | None:
    """The request, undecided or decided, live or lapsed, unless it was redeemed or forgotten."""
    return artifacts.get(provider, _WAITING, uid)


def awaiting(provider: Provider, uid: str) -> Pending:
    """The request, if it waits still. Raises `ApprovalGone`."""
    found = find(provider, uid)
    if found is None or is_lapsed(provider, found) or decision(provider, uid) is not None:
        raise ApprovalGone
    return found


def is_lapsed(provider: Provider, asked: Pending) -> bool:
    """Has nobody decided in time?"""
    return provider.clock() >= asked.expires_at


def line_of(provider: Provider, subject: str) -> list[tuple[str, Pending]]:
    """The requests that wait for a person, each under its uid, the oldest first."""
    line = _line(provider, subject)
    found = []
    for member in provider.redis.zrange(line, 0, -1):
        uid = member.decode() if isinstance(member, bytes) else str(member)
        try:
            found.append((uid, awaiting(provider, uid)))
        except ApprovalGone:
            provider.redis.zrem(line, uid)
    return found


def decide(provider: Provider, uid: str, made: Decision) -> None:
    """Keep the decision, if it is the first: SET NX, one step. Raises `ApprovalGone`."""
    if not artifacts.is_first(provider, _DECIDED, uid, made, _DECIDED.lifetime):
        raise ApprovalGone


def decision(provider: Provider, uid: str) -> Decision | None:
    """What was decided, if anything was."""
    return artifacts.get(provider, _DECIDED, uid)


def take(provider: Provider, uid: str) -> bool:
    """Take the request away for good; of any number of callers one is told that it did."""
    return artifacts.take(provider, _WAITING, uid) is not None


def _line(provider: Provider, subject: str) -> str:
    return f"yinxin:idp:{_LINE}:{fingerprint(provider.secret, _LINE, subject).hex()}"
