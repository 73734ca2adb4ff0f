"""For whom somebody acts in a sign-on: chosen after signing in, switched without signing out.

A context is never believed for long: it is read anew from the mandate and the evidence whenever
tokens are made, and whenever one is asked about.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from idp import accounts, acting, levels, sessions, subjects
from idp.acting import CEILINGS, ActingAs, Context, MandateKind
from idp.clients import Client
from idp.entities import entity, legal_levels, mandates, requested_context
from idp.entities.mandates import Mandate
from idp.entities.requested_context import ENTITY, HELPING, Wanted
from idp.entity_errors import CertificateOfAnother, ContextNotOpen
from idp.levels import ADVANCED, LEGAL
from idp.provider import Provider
from idp.sessions import SignOn
from idp.vocabulary import Realm

_AS: Mapping[MandateKind, ActingAs] = {
    MandateKind.REPRESENTATIVE: ActingAs.REPRESENTATIVE,
    MandateKind.AGENT: ActingAs.AGENT,
    MandateKind.HELPER: ActingAs.HELPER,
}


@dataclass(frozen=True, slots=True)
class Choice:
    """Somebody whom a person may act for: by which mandate, what they are called, at which rung.

    `uscc` is an entity's; `level` is what this sign-on may use of the legal ladder, `reachable`
    what it could with a second factor.
    """

    mandate: str
    acting_as: ActingAs
    principal: str
    name: str
    uscc: str | None
    level: int
    reachable: int
    items: tuple[str, ...]
    until: datetime | None

    @property
    def kind(self) -> MandateKind:
        """By what kind of mandate it is."""
        return next(kind for kind, acting_as in _AS.items() if acting_as is self.acting_as)


@dataclass(frozen=True, slots=True)
class Stance:
    """What a request wants of the context, and what this sign-on offers.

    `chosen`: the person has said as whom they act; `lost`: what they chose is no longer open;
    `choice` is the one they act by, if the request wants its kind, `choices` all of those kinds.
    """

    wanted: Wanted
    chosen: bool = False
    lost: bool = False
    choice: Choice | None = None
    choices: tuple[Choice, ...] = ()

    @property
    def level(self) -> int:
        """The rung wanted of an entity, as far as one can stand on it."""
        return min(self.wanted.level, levels.HIGHEST_STANDING)

    @property
    def level_is_short(self) -> bool:
        """They act for an entity, below the rung that is wanted of it."""
        acted_for = self.choice
        return acted_for is not None and bool(acted_for.uscc) and acted_for.level < self.level

    @property
    def more_helps(self) -> bool:
        """Proving more would reach the rung in the context they chose."""
        acted_for = self.choice
        return acted_for is not None and self.level_is_short and acted_for.reachable >= self.level

    @property
    def advanced_is_wanted(self) -> bool:
        """They act for an entity, of which 高级 is wanted."""
        acted_for = self.choice
        return acted_for is not None and bool(acted_for.uscc) and self.wanted.level == ADVANCED

    @property
    def advanced_is_open(self) -> bool:
        """This person, seen live, is the entity at 高级: its representative, for one at 中级."""
        acted_for = self.choice
        if acted_for is None or acted_for.acting_as is not ActingAs.REPRESENTATIVE:
            return False
        return acted_for.level >= levels.HIGHEST_STANDING

    @property
    def another_helps(self) -> bool:
        """They might act for another entity that has the rung."""
        return any(one.uscc and one.reachable >= self.level for one in self.choices)


NO_STANCE = Stance(Wanted(frozenset(), oneself=True, level=0))


def choices(tx: Session, provider: Provider, own: SignOn) -> list[Choice]:
    """All whom the person may act for now."""
    if own.realm is not Realm.CITIZEN or not legal_levels.is_real_name(tx, provider, own.subject):
        return []
    held = mandates.of_holder(tx, own.subject)
    found = (_choice(tx, provider, own, mandate, _AS[mandate.kind]) for mandate in held)
    return [choice for choice in found if choice is not None]


def choose(tx: Session, provider: Provider, own: SignOn, mandate_id: str | None) -> SignOn:
    """Act by a mandate from now on, or with `None` as oneself. Raises `ContextNotOpen`."""
    if mandate_id is None:
        return sessions.act(tx, provider, own, acting_as=ActingAs.SELF)
    choice = next((c for c in choices(tx, provider, own) if c.mandate == mandate_id), None)
    if choice is None:
        raise ContextNotOpen
    return _act(tx, provider, own, choice, choice.acting_as)


def choose_by_certificate(
    tx: Session, provider: Provider, own: SignOn, mandate_id: str, uscc: str
) -> SignOn:
    """Act as the entity itself, whose certificate for `uscc` was used in this very sign-on.

    The certificate and its PIN are the entity's own act, so that an agent's limit does not hold;
    the mandate still says who it was. Raises `ContextNotOpen`, `CertificateOfAnother`.
    """
    choice = next((c for c in choices(tx, provider, own) if c.mandate == mandate_id), None)
    if choice is None:
        raise ContextNotOpen
    if choice.uscc != uscc:
        raise CertificateOfAnother
    return _act(tx, provider, own, choice, ActingAs.CERTIFICATE)


def of_session(tx: Session, provider: Provider, own: SignOn) -> Choice | None:
    """What the person acts by in this sign-on; `None` as themselves, or when it is no longer open."""
    if own.mandate is None or own.acting_as is None:
        return None
    mandate = mandates.find(tx, own.mandate)
    if mandate is None or mandate.holder != own.subject:
        return None
    if not legal_levels.is_real_name(tx, provider, own.subject):
        return None
    return _choice(tx, provider, own, mandate, ActingAs(own.acting_as))


def stance(tx: Session, provider: Provider, own: SignOn, wanted: Wanted) -> Stance:
    """How a sign-on meets what a request wants."""
    if wanted.is_nothing:
        return Stance(wanted)
    open_now = tuple(c for c in choices(tx, provider, own) if c.kind in wanted.kinds)
    present = of_session(tx, provider, own)
    return Stance(
        wanted=wanted,
        chosen=own.acting_as is not None,
        lost=own.mandate is not None and present is None,
        choice=present if present is not None and _kind(tx, present) in wanted.kinds else None,
        choices=open_now,
    )


def context(own: SignOn, choice: Choice) -> Context:
    """What an approval given in this sign-on carries of the choice."""
    acting_as = choice.acting_as
    reached = acting.ceiling(acting_as, own.methods)
    return Context(choice.principal, acting_as, choice.mandate, reached)


def of_claims(tx: Session, claims: Mapping[str, Any]) -> Context | None:
    """The context that a token of ours tells of."""
    block = claims.get(ENTITY) or claims.get(HELPING)
    if block is None:
        return None
    mandate = mandates.find(tx, str(block["grant_id"]))
    principal = "" if mandate is None else mandate.principal
    ceiling = requested_context.number_of(block["level"]) if ENTITY in claims else 0
    return Context(principal, ActingAs(block["acting_as"]), str(block["grant_id"]), ceiling)


def told(
    tx: Session,
    provider: Provider,
    client: Client,
    holder: str,
    acted: Context,
    *,
    live: bool = False,
) -> dict[str, Any]:
    """The claim that tells for whom `holder` acts, as things stand now.

    `live`: they were seen live for this transaction. Raises `ContextNotOpen`.
    """
    mandate = _in_force(tx, provider, acted.grant_id, holder)
    if acted.is_of_entity:
        return {ENTITY: _told_of_entity(tx, provider, mandate, acted, live=live)}
    return {HELPING: _told_of_citizen(tx, provider, client, mandate)}


def is_open(tx: Session, provider: Provider, holder: str, acted: Context | None) -> bool:
    """Whether `holder` may act so still; as oneself, always."""
    if acted is None:
        return True
    try:
        mandate = _in_force(tx, provider, acted.grant_id, holder)
    except ContextNotOpen:
        return False
    if acted.is_of_entity:
        return legal_levels.standing(tx, provider, mandate.principal).level.number >= 1
    return legal_levels.is_real_name(tx, provider, mandate.principal)


def ends_at(tx: Session, acted: Context | None) -> datetime | None:
    """When what is given in this context ends at the latest."""
    if acted is None:
        return None
    mandate = mandates.find(tx, acted.grant_id)
    return None if mandate is None else mandate.until


def still_stands(tx: Session, provider: Provider, claims: Mapping[str, Any]) -> bool:
    """Whether what a live token of ours tells of its context is still so; true of one without."""
    for name in (ENTITY, HELPING):
        block = claims.get(name)
        if block is None:
            continue
        mandate = mandates.find(tx, str(block["grant_id"]))
        if mandate is None or not mandate.live(provider.clock()):
            return False
        if not legal_levels.is_real_name(tx, provider, mandate.holder):
            return False
        if name == ENTITY and not _has_level(tx, provider, mandate.principal, block["level"]):
            return False
        if name == HELPING and not legal_levels.is_real_name(tx, provider, mandate.principal):
            return False
    return True


def _act(
    tx: Session, provider: Provider, own: SignOn, choice: Choice, acting_as: ActingAs
) -> SignOn:
    return sessions.act(
        tx,
        provider,
        own,
        acting_as=acting_as,
        entity=choice.principal if choice.uscc is not None else None,
        mandate=choice.mandate,
    )


def _choice(
    tx: Session, provider: Provider, own: SignOn, mandate: Mandate, acting_as: ActingAs
) -> Choice | None:
    """The choice of a mandate, when it is in force and its principal still somebody."""
    if not mandate.live(provider.clock()):
        return None
    if mandate.kind is MandateKind.HELPER:
        return _choice_of_citizen(tx, provider, mandate)
    stands = legal_levels.standing(tx, provider, mandate.principal).level.number
    if stands < 1:
        return None
    found = entity.get(tx, mandate.principal)
    return Choice(
        mandate=mandate.id,
        acting_as=acting_as,
        principal=mandate.principal,
        name=found.name,
        uscc=found.uscc,
        level=min(stands, acting.ceiling(acting_as, own.methods)),
        reachable=min(stands, CEILINGS[acting_as]),
        items=mandate.items,
        until=mandate.until,
    )


def _choice_of_citizen(tx: Session, provider: Provider, mandate: Mandate) -> Choice | None:
    # Of whom the register no longer knows, as of one who died, nobody is the helper.
    if not legal_levels.is_real_name(tx, provider, mandate.principal):
        return None
    name = accounts.person(tx, provider, mandate.principal).name
    return Choice(
        mandate=mandate.id,
        acting_as=ActingAs.HELPER,
        principal=mandate.principal,
        name=name,
        uscc=None,
        level=0,
        reachable=0,
        items=mandate.items,
        until=mandate.until,
    )


def _kind(tx: Session, choice: Choice) -> MandateKind | None:
    mandate = mandates.find(tx, choice.mandate)
    return None if mandate is None else mandate.kind


def _in_force(tx: Session, provider: Provider, mandate_id: str, holder: str) -> Mandate:
    mandate = mandates.find(tx, mandate_id)
    if mandate is None or mandate.holder != holder or not mandate.live(provider.clock()):
        raise ContextNotOpen
    if not legal_levels.is_real_name(tx, provider, holder):
        raise ContextNotOpen
    return mandate


def _told_of_entity(
    tx: Session, provider: Provider, mandate: Mandate, acted: Context, *, live: bool
) -> dict[str, Any]:
    found = entity.get(tx, mandate.principal)
    stands = legal_levels.standing(tx, provider, mandate.principal).level.number
    if stands < 1:
        raise ContextNotOpen
    seen = live and acted.acting_as is ActingAs.REPRESENTATIVE
    level = min(stands, acted.ceiling)
    if seen and level == levels.HIGHEST_STANDING:
        level = ADVANCED
    block: dict[str, Any] = {
        "uscc": found.uscc,
        "name": found.name,
        "level": LEGAL[level].acr,
        "acting_as": acted.acting_as.value,
        "grant_id": mandate.id,
    }
    return block | _limits(mandate)


def _told_of_citizen(
    tx: Session, provider: Provider, client: Client, mandate: Mandate
) -> dict[str, Any]:
    if not legal_levels.is_real_name(tx, provider, mandate.principal):
        raise ContextNotOpen
    block = {
        "sub": subjects.told(provider, client, mandate.principal),
        "name": accounts.person(tx, provider, mandate.principal).name,
        "acting_as": ActingAs.HELPER.value,
        "grant_id": mandate.id,
    }
    return block | _limits(mandate)


def _limits(mandate: Mandate) -> dict[str, Any]:
    """To what the holder of a mandate that was given is held; a representative is to nothing."""
    if mandate.kind is MandateKind.REPRESENTATIVE:
        return {}
    return {"items": list(mandate.items)}


def _has_level(tx: Session, provider: Provider, entity_subject: str, acr: object) -> bool:
    relied = min(requested_context.number_of(acr), levels.HIGHEST_STANDING)
    return legal_levels.standing(tx, provider, entity_subject).level.number >= relied
