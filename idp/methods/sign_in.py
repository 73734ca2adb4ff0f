"""How a sign-in by any method ends: a session for whoever proved who they are.

A method (`idp/methods/`, one file each) proves and knows nothing of sessions; only its `prove`
makes a `Proof`. `enter` turns the proof into a session at this browser and, when an authorization
request waits for it, tells that request. Proving is slow or asks the outside, and so happens
between transactions; `enter` is within one.
"""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from idp import accounts, interaction, sessions
from idp.levels import HIGHEST_STANDING
from idp.method import UPSTREAM, Method, reach
from idp.methods import devices, more_factors
from idp.provider import Provider
from idp.sessions import Opened, SignOn
from idp.vocabulary import Realm


@dataclass(frozen=True, slots=True)
class Entry:
    """Where somebody signs in.

    `interaction` is the uid of the request that waits, or `None` on our own pages; `browser` and
    `session` are the values of the two cookies as they came; `address` is the peer's and `device`
    what its browser calls itself.
    """

    address: str
    device: str = ""
    interaction: str | None = None
    browser: str | None = field(default=None, repr=False)
    session: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Proof:
    """Who has just been proven to be at the browser, and by what.

    `adds`: the methods come on top of those of the session that the browser is in, which goes on
    with both; a proof of somebody else than the session's own replaces it all the same. `ceiling` is
    the highest rung this sign-in may use whatever the methods prove, as an upstream's word may;
    `signed_in_at` when the person did sign in, if not now; `certificate` (thumbprint) what the session
    is bound to.
    """

    realm: Realm
    subject: str
    methods: tuple[Method, ...]
    adds: bool = False
    ceiling: int = HIGHEST_STANDING
    signed_in_at: datetime | None = None
    certificate: str | None = None


def enter(tx: Session, provider: Provider, entry: Entry, proof: Proof) -> Opened:
    """Open a session in place of the browser's former one, or go on with it.

    Raises `InteractionGone`, and `SignInElsewhere` where citizens sign in upstream only.
    """
    found = None
    if entry.interaction is not None:
        found = interaction.waiting(provider, entry.interaction, entry.browser)
    methods: tuple[str, ...] = proof.methods
    if proof.adds:
        methods = tuple(dict.fromkeys((*_former_methods(tx, provider, entry, proof), *methods)))
    if proof.realm is Realm.CITIZEN and not {*methods} & UPSTREAM:
        provider.node.require_sign_in()
    reached = level(tx, provider, proof.realm, proof.subject, methods, proof.ceiling)
    opened = sessions.sign_on(
        tx,
        provider,
        proof.realm,
        proof.subject,
        methods,
        level=reached,
        stands_until=_stands_until(tx, provider, proof.realm, proof.subject, reached),
        device=entry.device,
        former=entry.session,
        signed_in_at=proof.signed_in_at,
    )
    if proof.certificate is not None or not proof.adds:
        sessions.bind(tx, opened.session.sid, proof.certificate)
    devices.notice(
        tx,
        provider,
        proof.realm,
        proof.subject,
        entry.browser,
        entry.device,
        " ".join(methods),
    )
    if found is not None and entry.interaction is not None:
        interaction.signed_in(provider, entry.interaction, found, opened.session.sid)
    return opened


def level(
    tx: Session,
    provider: Provider,
    realm: Realm,
    subject: str,
    methods: tuple[str, ...],
    ceiling: int = HIGHEST_STANDING,
) -> int:
    """The level of a sign-in now: where the person stands, and no higher than the methods reach."""
    reached = min(reach(realm, methods), ceiling)
    if realm is Realm.STAFF:
        return reached
    return min(accounts.standing(tx, provider, subject).level.number, reached)


def reachable(tx: Session, provider: Provider, own: SignOn) -> int:
    """The level that proving whatever else the account has would reach."""
    if own.realm is Realm.STAFF:
        return 1
    if {*own.methods} & UPSTREAM:
        return HIGHEST_STANDING  # how much more it would answer for, the upstream alone knows
    everything = (*own.methods, *more_factors.offers(tx, own))
    return level(tx, provider, own.realm, own.subject, everything)


def caught_up(tx: Session, provider: Provider, own: SignOn) -> SignOn:
    """The sign-on at the level that what was proven carries now: the person may have been raised since.

    A sign-on that another node answers for stays as that node's word made it.
    """
    if {*own.methods} & UPSTREAM:
        return own
    now = level(tx, provider, own.realm, own.subject, own.methods)
    if now <= own.level:
        return own
    until = _stands_until(tx, provider, own.realm, own.subject, now)
    return sessions.raise_level(tx, provider, own, now, stands_until=until)


def _stands_until(
    tx: Session, provider: Provider, realm: Realm, subject: str, number: int
) -> datetime | None:
    """When what carries the level of a sign-on lapses, and the sign-on with it; `None` for never."""
    if realm is Realm.STAFF:
        return None
    return accounts.standing(tx, provider, subject, number).until


def _former_methods(tx: Session, provider: Provider, entry: Entry, proof: Proof) -> tuple[str, ...]:
    """The methods of the browser's live session, if it is this account's.

    Nothing of ours is added to another node's word, which counts no further than its map says.
    """
    former = sessions.find(tx, provider, entry.session)
    if former is None or (former.realm, former.subject) != (proof.realm, proof.subject):
        return ()
    return () if {*former.methods} & UPSTREAM else former.methods
