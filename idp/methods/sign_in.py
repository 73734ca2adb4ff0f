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
from idp.method import UPSTREAM, Method, factors, reach, together
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
    with both; a proof of somebody else than the session's own replaces it all the same. One factor
    that is added makes nothing before it any newer: the session stays as old as its first, and ends
    when it would have. `ceiling` is the highest rung this sign-in may use whatever the methods prove,
    as an upstream's word may; `signed_in_at` when the person did sign in, if not now; `until` when
    what was proven lapses, if it does; `certificate` (thumbprint) what the session is bound to, and
    `serial` the number of the one that was shown, bound or not.
    """

    realm: Realm
    subject: str
    methods: tuple[Method, ...]
    adds: bool = False
    ceiling: int = HIGHEST_STANDING
    signed_in_at: datetime | None = None
    until: datetime | None = None
    certificate: str | None = None
    serial: str | None = None


def enter(tx: Session, provider: Provider, entry: Entry, proof: Proof) -> Opened:
    """Open a session in place of the browser's former one, or go on with it.

    Raises `InteractionGone`, and `SignInElsewhere` where citizens sign in upstream only.
    """
    found = None
    if entry.interaction is not None:
        found = interaction.waiting(provider, entry.interaction, entry.browser)
    former = _added_to(tx, provider, entry, proof)
    methods: tuple[str, ...] = proof.methods
    if former is not None:
        methods = together(former.methods, methods)
    if proof.realm is Realm.CITIZEN and not {*methods} & UPSTREAM:
        provider.node.require_sign_in()
    reached, stands_until = _carried(
        tx, provider, proof.realm, proof.subject, methods, proof.ceiling
    )
    goes_on = former if former is not None and len(factors(proof.methods)) < 2 else None
    signed_in_at = proof.signed_in_at if goes_on is None else goes_on.signed_in_at
    lasts_until = None if goes_on is None else sessions.latest_end(goes_on, reached)
    opened = sessions.sign_on(
        tx,
        provider,
        proof.realm,
        proof.subject,
        methods,
        level=reached,
        stands_until=_earliest(stands_until, proof.until, lasts_until),
        device=entry.device,
        former=entry.session,
        signed_in_at=signed_in_at,
    )
    if proof.serial is not None or not proof.adds:
        sessions.bind(tx, opened.session.sid, proof.certificate, proof.serial)
    devices.notice(
        tx,
        provider,
        proof.realm,
        proof.subject,
        entry.browser,
        entry.device,
        " ".join(methods),
    )
    # What only goes on was not made for the request, which may want somebody fresher (`max_age`).
    if found is not None and entry.interaction is not None and goes_on is None:
        interaction.signed_in(provider, entry.interaction, found, opened.session.sid)
    return opened


def level(
    tx: Session, provider: Provider, realm: Realm, subject: str, methods: tuple[str, ...]
) -> int:
    """The level of a sign-in now: where the person stands, and no higher than the methods reach."""
    return _carried(tx, provider, realm, subject, methods)[0]


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
    now, until = _carried(tx, provider, own.realm, own.subject, own.methods)
    if now <= own.level:
        return own
    return sessions.raise_level(tx, provider, own, now, stands_until=until)


def _carried(
    tx: Session,
    provider: Provider,
    realm: Realm,
    subject: str,
    methods: tuple[str, ...],
    ceiling: int = HIGHEST_STANDING,
) -> tuple[int, datetime | None]:
    """The level of a sign-in, and when what carries it lapses, and the sign-on with it; `None` for never.

    What another node answers for is about a sign-in there, and lends nothing to one by ways of ours.
    """
    reached = min(reach(realm, methods), ceiling)
    if realm is Realm.STAFF:
        return reached, None
    by_them = bool({*methods} & UPSTREAM)
    standing = accounts.standing(tx, provider, subject, reached, by_others_too=by_them)
    return standing.level.number, standing.until


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


def _added_to(tx: Session, provider: Provider, entry: Entry, proof: Proof) -> SignOn | None:
    """The browser's live session, if a proof adds to it: it is this account's.

    Nothing of ours is added to another node's word, which counts no further than its map says.
    """
    # Held: one that somebody ends at this moment must not live on in what is added to it.
    former = sessions.hold(tx, provider, entry.session) if proof.adds else None
    if former is None or (former.realm, former.subject) != (proof.realm, proof.subject):
        return None
    return None if {*former.methods} & UPSTREAM else former
