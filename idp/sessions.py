"""Sign-ons: one browser, one account, one moment of signing in that later requests do not move.

The cookie is random and known to the browser only; a new one is made at every sign-in, so a
cookie planted before it is worth nothing after it. Signing in again as the same person goes on with
the same session: the portals that know it need not be told that it ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from idp import backchannel_logout, revocations
from idp.clients import Client
from idp.fingerprint import fingerprint
from idp.provider import Provider
from idp.tables import SessionClientRow, SessionRow
from idp.vocabulary import Realm
from keys import journal

COOKIE = "yinxin_session"
_FINGERPRINT = "session-cookie"
_BESIDE = "~"
_NOTED_EVERY = timedelta(minutes=1)
_BY_CERTIFICATE = "certificate"  # `acting.ActingAs.CERTIFICATE`


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a sign-on lasts: unused, and at all."""

    idle: timedelta
    absolute: timedelta


LIMITS: Mapping[tuple[Realm, int], Limits] = MappingProxyType(
    {
        (Realm.CITIZEN, 0): Limits(timedelta(hours=2), timedelta(hours=8)),
        (Realm.CITIZEN, 1): Limits(timedelta(hours=2), timedelta(hours=8)),
        (Realm.CITIZEN, 2): Limits(timedelta(hours=1), timedelta(hours=8)),
        (Realm.STAFF, 0): Limits(timedelta(minutes=5), timedelta(minutes=10)),
        (Realm.STAFF, 1): Limits(timedelta(minutes=30), timedelta(hours=8)),
    }
)
"""By realm and the number of the level that the sign-in reached: the higher, the shorter."""


class Ending(StrEnum):
    """Why a session ended, as the journal has it."""

    SIGNED_OUT = "signed-out"
    REPLACED = "replaced"
    FROM_ANOTHER_DEVICE = "from-another-device"
    BY_ADMINISTRATOR = "by-administrator"
    LEVEL_LOWERED = "level-lowered"
    ACCOUNT_CLOSED = "account-closed"
    PASSWORD_RECOVERED = "password-recovered"  # noqa: S105 - a reason
    UPSTREAM = "ended-upstream"
    ACCOUNT_SUSPENDED = "account-suspended"
    TRANSFERRED = "transferred"
    CERTIFICATE_REVOKED = "certificate-revoked"


@dataclass(frozen=True, slots=True)
class SignOn:
    """A live session. `signed_in_at` is the honest `auth_time`; `methods` are `Method` values.

    `acting_as` is as what the person chose to act, `None` until they have; then `entity` is whom
    they act for, if an entity, and `mandate` what they act by (`entities.context`).
    """

    sid: str
    realm: Realm
    subject: str
    methods: tuple[str, ...]
    level: int
    signed_in_at: datetime
    expires_at: datetime
    seen_at: datetime
    device: str
    entity: str | None = None
    mandate: str | None = None
    acting_as: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A sign-on and the cookie to set: HttpOnly, SameSite=Lax, Path=/, Secure over https."""

    cookie: str = field(repr=False)
    session: SignOn


@dataclass(frozen=True, slots=True)
class Told:
    """A client that was told of a session: the `sub` it knows the person by, and since when."""

    client_id: str
    sub: str
    since: datetime


def sign_on(
    tx: Session,
    provider: Provider,
    realm: Realm,
    subject: str,
    methods: tuple[str, ...],
    *,
    level: int,
    device: str,
    former: str | None,
    signed_in_at: datetime | None = None,
    stands_until: datetime | None = None,
) -> Opened:
    """Open a session for an account that has just signed in, at the level the sign-in reached.

    `former` is the cookie the browser came with. A session of the same account goes on under the
    same `sid` with a new cookie, `auth_time` and level; anybody else's ends. `signed_in_at` is when that
    was, if not now; `stands_until` when what carries the level lapses, if it does.
    """
    # Held until the commit: whoever ends it meanwhile waits, and then ends the one gone on with.
    row = _unended(tx, provider, former, held=True)
    if row is not None and (row.realm, row.subject) == (realm, subject):
        return _renew(tx, provider, row, methods, level, device, signed_in_at, stands_until)
    if row is not None:
        end(tx, provider, row.sid, by=row.subject, why=Ending.REPLACED)
    return open_session(
        tx,
        provider,
        realm,
        subject,
        methods,
        level=level,
        device=device,
        signed_in_at=signed_in_at,
        stands_until=stands_until,
    )


def open_session(
    tx: Session,
    provider: Provider,
    realm: Realm,
    subject: str,
    methods: tuple[str, ...],
    *,
    level: int = 1,
    device: str = "",
    signed_in_at: datetime | None = None,
    stands_until: datetime | None = None,
) -> Opened:
    """Open a session beside any other."""
    now = provider.clock()
    cookie = provider.handle()
    row = SessionRow(
        sid=provider.handle(16),
        cookie_fingerprint=_of(provider, cookie),
        realm=realm,
        subject=subject,
        methods=list(methods),
        level=level,
        device=device,
        signed_in_at=signed_in_at or now,
        seen_at=now,
        expires_at=_ends_at(now, realm, level, stands_until),
    )
    tx.add(row)
    tx.flush()
    _journal(tx, provider, "session.opened", subject, row, {"methods": " ".join(methods)})
    return Opened(cookie, _sign_on_of(row))


def raise_level(
    tx: Session, provider: Provider, own: SignOn, level: int, *, stands_until: datetime | None
) -> SignOn:
    """Let a live session use more of what its person stands on, until what carries it lapses.

    Nobody signed in, so nothing else moves.
    """
    row = tx.get_one(SessionRow, own.sid)
    row.level = level
    row.expires_at = min(row.expires_at, stands_until or row.expires_at)
    tx.flush()
    _journal(tx, provider, "session.raised", own.subject, row, {"level": str(level)})
    return _sign_on_of(row)


def latest_end(sign_on: SignOn, level: int) -> datetime:
    """When a session ends at the latest that goes on from a sign-on, at what level it may be."""
    return sign_on.signed_in_at + LIMITS[sign_on.realm, level].absolute


def beside(cookie: str, certificate: str | None) -> str:
    """What a browser shows: its cookie, and the thumbprint of its connection's certificate, if any.

    What the browser itself wrote beside the cookie is left out.
    """
    value = cookie.partition(_BESIDE)[0]
    return value if certificate is None else f"{value}{_BESIDE}{certificate}"


def bind(tx: Session, sid: str, certificate: str | None, serial: str | None) -> None:
    """Let a session be used with this certificate (thumbprint) only; `None` frees it.

    `serial` is of the certificate it was signed in by: when that counts no more, the session ends.
    """
    row = tx.get_one(SessionRow, sid)
    row.certificate, row.certificate_serial = certificate, serial
    tx.flush()


def act(
    tx: Session,
    provider: Provider,
    own: SignOn,
    *,
    acting_as: str,
    entity: str | None = None,
    mandate: str | None = None,
) -> SignOn:
    """Go on with a session as somebody in particular; whether they may was seen to before."""
    row = tx.get_one(SessionRow, own.sid)
    row.acting_as, row.entity, row.mandate = acting_as, entity, mandate
    tx.flush()
    details = {"acting_as": acting_as, "entity": entity or "", "mandate": mandate or ""}
    told = {name: value for name, value in details.items() if value}
    _journal(tx, provider, "session.context-chosen", own.subject, row, told)
    return _sign_on_of(row)


def acting_for(tx: Session, entity: str) -> list[SignOn]:
    """Every session that nobody ended in which somebody acts for this entity."""
    query = select(SessionRow).where(SessionRow.entity == entity, SessionRow.ended_at.is_(None))
    return [_sign_on_of(row) for row in tx.scalars(query)]


def find(tx: Session, provider: Provider, cookie: str | None) -> SignOn | None:
    """The live session of a cookie; looking it up is using it."""
    row = _unended(tx, provider, cookie)
    return _used(tx, provider, row)


def hold(tx: Session, provider: Provider, cookie: str | None) -> SignOn | None:
    """The live session of a cookie, which nobody ends before this transaction does."""
    return _used(tx, provider, _unended(tx, provider, cookie, held=True))


def of_cookie(tx: Session, provider: Provider, cookie: str | None) -> SignOn | None:
    """The session of a cookie that nobody ended, lapsed or not: whoever signs out ends it."""
    row = _unended(tx, provider, cookie)
    return None if row is None else _sign_on_of(row)


def by_sid(tx: Session, provider: Provider, sid: str) -> SignOn | None:
    """The live session of an identifier, for what was given during it; this too is using it."""
    return _used(tx, provider, tx.get(SessionRow, sid))


def of_subject(tx: Session, provider: Provider, subject: str) -> list[SignOn]:
    """Every live session of an account, the latest used first."""
    query = select(SessionRow).where(SessionRow.subject == subject, SessionRow.ended_at.is_(None))
    live = [row for row in tx.scalars(query) if _is_live(provider, row)]
    return [_sign_on_of(row) for row in sorted(live, key=lambda row: row.seen_at, reverse=True)]


def seen_by(tx: Session, provider: Provider, sid: str, client: Client, told: str) -> None:
    """Note that `client` was told of the session, under the `sub` `told`: it is told of its end."""
    row = {
        "sid": sid,
        "client_id": client.client_id,
        "told": told,
        "first_at": provider.clock(),
    }
    tx.execute(insert(SessionClientRow).values(row).on_conflict_do_nothing())


def told_to(tx: Session, sid: str) -> list[Told]:
    """The clients that were told of a session, by identifier."""
    query = select(SessionClientRow).where(SessionClientRow.sid == sid)
    rows = tx.scalars(query.order_by(SessionClientRow.client_id))
    return [Told(row.client_id, row.told, row.first_at) for row in rows]


def end(tx: Session, provider: Provider, sid: str, *, by: str, why: Ending) -> bool:
    """End a session, once: what was given in it dies, and its clients are told in the background.

    `by` is who ends it. Says whether this call ended it.
    """
    query = select(SessionRow).where(SessionRow.sid == sid, SessionRow.ended_at.is_(None))
    # The lock of a deletion, which also waits for whoever is just noting that a client was told.
    row = tx.scalar(query.with_for_update())
    if row is None:
        return False
    row.ended_at = provider.clock()
    tx.flush()
    revocations.revoke(tx, provider, revocations.session(sid))
    for told in told_to(tx, sid):
        backchannel_logout.announce(tx, provider, sid, told.client_id, told.sub)
    _journal(tx, provider, "session.ended", by, row, {"why": why})
    return True


def end_others(tx: Session, provider: Provider, own: SignOn) -> int:
    """End every session of an account but its `own`, and say how many."""
    others = {each.sid for each in of_subject(tx, provider, own.subject)} - {own.sid}
    why = Ending.FROM_ANOTHER_DEVICE
    # In one order for everybody: two browsers that do this at once do not wait for each other.
    return sum(end(tx, provider, sid, by=own.subject, why=why) for sid in sorted(others))


def _renew(
    tx: Session,
    provider: Provider,
    row: SessionRow,
    methods: tuple[str, ...],
    level: int,
    device: str,
    signed_in_at: datetime | None,
    stands_until: datetime | None,
) -> Opened:
    now = provider.clock()
    cookie = provider.handle()
    row.cookie_fingerprint = _of(provider, cookie)
    row.methods = list(methods)
    row.level = level
    row.device = device
    if row.acting_as == _BY_CERTIFICATE:
        # Whose certificate it was is proven by this very sign-in, or no longer.
        row.acting_as = row.entity = row.mandate = None
    row.signed_in_at, row.seen_at = signed_in_at or now, now
    row.expires_at = _ends_at(now, Realm(row.realm), level, stands_until)
    tx.flush()
    details = {"methods": " ".join(methods)}
    _journal(tx, provider, "session.renewed", row.subject, row, details)
    return Opened(cookie, _sign_on_of(row))


def _ends_at(now: datetime, realm: Realm, level: int, stands_until: datetime | None) -> datetime:
    """When a session that begins now ends at the latest: with what its level stands on."""
    longest = now + LIMITS[realm, level].absolute
    return longest if stands_until is None else min(longest, stands_until)


def _unended(
    tx: Session, provider: Provider, cookie: str | None, *, held: bool = False
) -> SessionRow | None:
    """The session of a cookie that nobody ended; it may have lapsed."""
    if cookie is None:
        return None
    value, _, certificate = cookie.partition(_BESIDE)
    query = select(SessionRow).where(
        SessionRow.cookie_fingerprint == _of(provider, value), SessionRow.ended_at.is_(None)
    )
    row = tx.scalar(query.with_for_update() if held else query)
    # One that began by a certificate is nobody's without it.
    return row if row is None or row.certificate in (None, certificate) else None


def _used(tx: Session, provider: Provider, row: SessionRow | None) -> SignOn | None:
    if row is None or not _is_live(provider, row):
        return None
    now = provider.clock()
    if now - row.seen_at >= _NOTED_EVERY:
        # By statement, not by the row: whoever ends it meanwhile has the last word.
        tx.execute(
            update(SessionRow)
            .where(SessionRow.sid == row.sid, SessionRow.seen_at < now)
            .values(seen_at=now)
        )
    return _sign_on_of(row)


def _is_live(provider: Provider, row: SessionRow) -> bool:
    now = provider.clock()
    idle = LIMITS[Realm(row.realm), row.level].idle
    return row.ended_at is None and now < row.expires_at and now < row.seen_at + idle


def _of(provider: Provider, cookie: str) -> bytes:
    return fingerprint(provider.secret, _FINGERPRINT, cookie)


def _journal(
    tx: Session, provider: Provider, action: str, by: str, row: SessionRow, also: dict[str, str]
) -> None:
    journal.append(
        tx,
        at=provider.clock(),
        actor=by,
        action=action,
        subject=row.subject,
        details={"realm": row.realm, **also},
    )


def _sign_on_of(row: SessionRow) -> SignOn:
    return SignOn(
        sid=row.sid,
        realm=Realm(row.realm),
        subject=row.subject,
        methods=tuple(row.methods),
        level=row.level,
        signed_in_at=row.signed_in_at,
        expires_at=row.expires_at,
        seen_at=row.seen_at,
        device=row.device,
        entity=row.entity,
        mandate=row.mandate,
        acting_as=row.acting_as,
    )
