"""Giving a mandate: an entity's representative to an agent, a citizen to a helper.

Whoever gives has just signed in, or stands at a counter before a clerk who says so; whoever is
given one is found by ID number and name together, and is real-name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from idp import accounts, recent, throttle
from idp.acting import MandateKind
from idp.entities import legal_levels, mandates
from idp.entities.mandates import ALL_ITEMS, Ended, Mandate
from idp.errors import (
    AccountUnknown,
    MandateConsentMissing,
    MandateHolderUnknown,
    MandateItemsWrong,
    MandateToOneself,
    MandateUnknown,
    MandateUntilWrong,
    NotRepresentative,
)
from idp.provider import Provider
from idp.sessions import SignOn
from idp.vocabulary import Realm

LONGEST_YEARS = 3
_LONGEST = timedelta(days=LONGEST_YEARS * 365)
_MOST_ITEMS = 50
_ITEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Gift:
    """To whom, by ID number and name, on which items, until when (aware UTC)."""

    number: str = field(repr=False)
    name: str = field(repr=False)
    items: tuple[str, ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class Witness:
    """A clerk before whom a citizen agreed: who, at which counter, what document was seen."""

    clerk: str
    counter: str
    document: str


def to_agent(tx: Session, provider: Provider, own: SignOn, entity: str, gift: Gift) -> Mandate:
    """The representative lets somebody act for the entity, up to 初级.

    Raises `SignInTooOld`, `NotRepresentative`, `MandateHolderUnknown`, `MandateToOneself`,
    `MandateItemsWrong`, `MandateUntilWrong`, `TooManyTries`.
    """
    _require_representative(tx, provider, own, entity)
    holder = _holder(tx, provider, own.subject, gift)
    return mandates.add(
        tx,
        provider,
        MandateKind.AGENT,
        principal=entity,
        holder=holder,
        by=own.subject,
        items=_items(gift.items),
        until=_until(provider, gift.until),
        consent={"how": "own-session", "sid": own.sid},
    )


def confirm(tx: Session, provider: Provider, own: SignOn, mandate_id: str) -> Mandate:
    """A new representative lets a frozen mandate go on, as one of their own.

    Raises `SignInTooOld`, `NotRepresentative`, `MandateUnknown`, `MandateHolderUnknown`.
    """
    frozen = mandates.find(tx, mandate_id)
    if frozen is None or frozen.frozen_at is None or frozen.ended_at is not None:
        raise MandateUnknown
    _require_representative(tx, provider, own, frozen.principal)
    if not legal_levels.is_real_name(tx, provider, frozen.holder):
        raise MandateHolderUnknown
    if not mandates.end(tx, provider, frozen.id, by=own.subject, why=Ended.CONFIRMED):
        raise MandateUnknown
    return mandates.add(
        tx,
        provider,
        MandateKind.AGENT,
        principal=frozen.principal,
        holder=frozen.holder,
        by=own.subject,
        items=frozen.items,
        until=frozen.until,
        consent={"how": "own-session", "sid": own.sid, "confirms": frozen.id},
    )


def to_helper(tx: Session, provider: Provider, own: SignOn, gift: Gift) -> Mandate:
    """A citizen lets somebody act for them, by their own sign-in.

    Raises as `to_agent` does, but for `NotRepresentative`.
    """
    recent.require_recent(provider, own)
    consent = {"how": "own-session", "sid": own.sid}
    return _help(tx, provider, own.subject, gift, by=own.subject, consent=consent)


def to_helper_at_counter(
    tx: Session, provider: Provider, citizen: Gift, helper: Gift, witness: Witness
) -> Mandate:
    """A citizen agrees in person, before a clerk, that somebody acts for them.

    `citizen` says who agrees (`number` and `name` alone count). Raises `MandateConsentMissing`,
    and as `to_helper` does.
    """
    if not witness.counter.strip() or not witness.document.strip():
        raise MandateConsentMissing
    principal = _holder(tx, provider, witness.clerk, citizen)
    consent = {
        "how": "in-person",
        "clerk": witness.clerk,
        "counter": witness.counter.strip(),
        "document": witness.document.strip(),
    }
    return _help(tx, provider, principal, helper, by=witness.clerk, consent=consent)


def _help(
    tx: Session,
    provider: Provider,
    citizen: str,
    gift: Gift,
    *,
    by: str,
    consent: Mapping[str, str],
) -> Mandate:
    holder = _holder(tx, provider, by, gift)
    if holder == citizen:
        raise MandateToOneself
    return mandates.add(
        tx,
        provider,
        MandateKind.HELPER,
        principal=citizen,
        holder=holder,
        by=by,
        items=_items(gift.items),
        until=_until(provider, gift.until),
        consent=consent,
    )


def _require_representative(tx: Session, provider: Provider, own: SignOn, entity: str) -> None:
    recent.require_recent(provider, own)
    present = mandates.representative(tx, entity)
    if own.realm is not Realm.CITIZEN or present is None or present.holder != own.subject:
        raise NotRepresentative
    if not legal_levels.is_real_name(tx, provider, own.subject):
        raise NotRepresentative


def _holder(tx: Session, provider: Provider, by: str, gift: Gift) -> str:
    """The subject of a number and a name; one answer for all that is wrong with them."""
    throttle.count(provider, throttle.MANDATE_PER_PERSON, by)
    known = accounts.credentials(tx, provider, gift.number)
    if known is None:
        raise MandateHolderUnknown
    try:
        named = accounts.person(tx, provider, known.subject).name == gift.name.strip()
    except AccountUnknown:
        raise MandateHolderUnknown from None
    if not named or not legal_levels.is_real_name(tx, provider, known.subject):
        raise MandateHolderUnknown
    if known.subject == by:
        raise MandateToOneself
    throttle.give_back(provider, throttle.MANDATE_PER_PERSON, by)
    return known.subject


def _items(items: tuple[str, ...]) -> tuple[str, ...]:
    known = tuple(dict.fromkeys(item.strip() for item in items if item.strip()))
    sound = all(item == ALL_ITEMS or _ITEM.fullmatch(item) for item in known)
    if not 0 < len(known) <= _MOST_ITEMS or not sound:
        raise MandateItemsWrong
    return known


def _until(provider: Provider, until: datetime) -> datetime:
    now = provider.clock()
    if not now < until <= now + _LONGEST:
        raise MandateUntilWrong(years=LONGEST_YEARS)
    return until
