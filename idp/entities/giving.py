"""Giving a mandate: an entity's representative to an agent, a citizen to a helper.

Whoever gives has just signed in, or stands at a counter before a clerk who says so; whoever is
given one is found by ID number and name together, and is real-name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from idp import accounts, counter, recent, throttle
from idp.acting import MandateKind
from idp.counter import Document
from idp.entities import legal_levels, mandates
from idp.entities.mandates import ALL_ITEMS, Ended, Mandate
from idp.entity_errors import (
    MandateCitizenUnknown,
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
class Named:
    """Somebody, by ID number and name."""

    number: str = field(repr=False)
    name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Gift(Named):
    """To whom, on which items, until when (aware UTC)."""

    items: tuple[str, ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class Witness:
    """A clerk before whom a citizen agreed: who, at which counter (its code), what they held up."""

    clerk: str
    counter: str
    document: Document


def to_agent(tx: Session, provider: Provider, own: SignOn, entity: str, gift: Gift) -> Mandate:
    """The representative lets somebody act for the entity, up to 初级.

    Raises `SignInTooOld`, `NotRepresentative`, `MandateHolderUnknown`, `MandateToOneself`,
    `MandateItemsWrong`, `MandateUntilWrong`, `TooManyTries`.
    """
    _require_representative(tx, provider, own, entity)
    holder = _named(tx, provider, own.subject, gift)
    if holder == own.subject:
        raise MandateToOneself
    consent = {"how": "own-session", "sid": own.sid}
    return _give(
        tx, provider, MandateKind.AGENT, entity, holder, gift, by=own.subject, consent=consent
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
    tx: Session, provider: Provider, citizen: Named, helper: Gift, witness: Witness
) -> Mandate:
    """A citizen agrees in person, before a clerk, that somebody acts for them.

    `citizen` says who agrees. Raises `CounterUnknown`, `CounterIsNotTheirs`; `MandateCitizenUnknown` for
    nobody of that number and name; and as `to_helper` does, but for `SignInTooOld`.
    """
    at = counter.serving(tx, provider, witness.clerk, witness.counter)
    try:
        principal = _named(tx, provider, witness.clerk, citizen)
    except MandateHolderUnknown:
        raise MandateCitizenUnknown from None
    consent = {"how": "in-person", "clerk": witness.clerk, "document": witness.document, **at.told}
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
    accounts.hold(tx, citizen)
    holder = _named(tx, provider, by, gift)
    if holder == citizen:
        raise MandateToOneself
    return _give(tx, provider, MandateKind.HELPER, citizen, holder, gift, by=by, consent=consent)


def _give(
    tx: Session,
    provider: Provider,
    kind: MandateKind,
    principal: str,
    holder: str,
    gift: Gift,
    *,
    by: str,
    consent: Mapping[str, str],
) -> Mandate:
    """Give what was not given yet: a form that is sent twice makes one mandate, which one end ends.

    Whoever gives for the principal is held until the commit, so that nobody does at the same time.
    """
    items, until = _items(gift.items), _until(provider, gift.until)
    for former in mandates.of_principal(tx, principal):
        same = (former.kind, former.holder, former.items, former.until)
        if former.frozen_at is None and same == (kind, holder, items, until):
            return former
    return mandates.add(
        tx,
        provider,
        kind,
        principal=principal,
        holder=holder,
        by=by,
        items=items,
        until=until,
        consent=consent,
    )


def _require_representative(tx: Session, provider: Provider, own: SignOn, entity: str) -> None:
    recent.require_recent(provider, own)
    # Held until the commit: whoever ends it meanwhile then freezes what was given as well.
    mandates.hold_representative(tx, entity)
    present = mandates.representative(tx, entity)
    if own.realm is not Realm.CITIZEN or present is None or present.holder != own.subject:
        raise NotRepresentative
    if not legal_levels.is_real_name(tx, provider, own.subject):
        raise NotRepresentative


def _named(tx: Session, provider: Provider, by: str, who: Named) -> str:
    """The subject of a number and a name; one answer for all that is wrong with them."""
    throttle.count(provider, throttle.MANDATE_PER_PERSON, by)
    known = accounts.credentials(tx, provider, who.number)
    if known is None:
        raise MandateHolderUnknown
    person = accounts.particulars(tx, provider, known.subject)
    # Not by phone or user name, of which nobody should learn here whose they are.
    if (person.number, person.name) != (who.number.strip().upper(), who.name.strip()):
        raise MandateHolderUnknown
    if not legal_levels.is_real_name(tx, provider, known.subject):
        raise MandateHolderUnknown
    throttle.give_back(provider, throttle.MANDATE_PER_PERSON, by)
    return known.subject


def _items(items: tuple[str, ...]) -> tuple[str, ...]:
    known = tuple(sorted({item.strip() for item in items if item.strip()}))
    sound = all(item == ALL_ITEMS or _ITEM.fullmatch(item) for item in known)
    if not 0 < len(known) <= _MOST_ITEMS or not sound:
        raise MandateItemsWrong
    return known


def _until(provider: Provider, until: datetime) -> datetime:
    now = provider.clock()
    if not now < until <= now + _LONGEST:
        raise MandateUntilWrong(years=LONGEST_YEARS)
    return until
