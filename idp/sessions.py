"""Sign-ons: one browser, one account, one moment of signing in that later requests do not move.

The cookie is random and known to the browser only; a new one is made at every sign-in, so a
cookie planted before it is worth nothing after it.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp.fingerprint import fingerprint
from idp.provider import Provider
from idp.tables import SessionRow
from idp.vocabulary import Realm
from keys import journal

COOKIE = "yinxin_session"
LIFETIME = timedelta(hours=8)
_FINGERPRINT = "session-cookie"


@dataclass(frozen=True, slots=True)
class SignOn:
    """A live session. `signed_in_at` is the honest `auth_time`; `methods` are RFC 8176 values."""

    sid: str
    realm: Realm
    subject: str
    methods: tuple[str, ...]
    signed_in_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """A new sign-on and the cookie to set: HttpOnly, SameSite=Lax, Path=/, Secure over https."""

    cookie: str = field(repr=False)
    session: SignOn


def open_session(
    tx: Session, provider: Provider, realm: Realm, subject: str, methods: tuple[str, ...]
) -> Opened:
    """Open a session for an account that has just signed in."""
    now = provider.clock()
    cookie = provider.handle()
    session = SignOn(provider.handle(16), realm, subject, methods, now, now + LIFETIME)
    tx.add(
        SessionRow(
            sid=session.sid,
            cookie_fingerprint=fingerprint(provider.secret, _FINGERPRINT, cookie),
            realm=realm,
            subject=subject,
            methods=list(methods),
            signed_in_at=now,
            expires_at=session.expires_at,
        )
    )
    tx.flush()
    journal.append(
        tx,
        at=now,
        actor=subject,
        action="session.opened",
        subject=subject,
        details={"realm": realm, "methods": " ".join(methods)},
    )
    return Opened(cookie, session)


def find(tx: Session, provider: Provider, cookie: str | None) -> SignOn | None:
    """The live session of a cookie."""
    if cookie is None:
        return None
    found = fingerprint(provider.secret, _FINGERPRINT, cookie)
    row = tx.scalar(select(SessionRow).where(SessionRow.cookie_fingerprint == found))
    return _live(provider, row)


def by_sid(tx: Session, provider: Provider, sid: str) -> SignOn | None:
    """The live session of an identifier, for what was given during it."""
    return _live(provider, tx.get(SessionRow, sid))


def end(tx: Session, provider: Provider, cookie: str | None) -> None:
    """End the session of a cookie, if there is one: sign out, or make room for a new sign-in."""
    session = find(tx, provider, cookie)
    if session is None:
        return
    now = provider.clock()
    tx.execute(update(SessionRow).where(SessionRow.sid == session.sid).values(ended_at=now))
    journal.append(
        tx,
        at=now,
        actor=session.subject,
        action="session.ended",
        subject=session.subject,
        details={"realm": session.realm},
    )


def _live(provider: Provider, row: SessionRow | None) -> SignOn | None:
    if row is None or row.ended_at is not None or row.expires_at <= provider.clock():
        return None
    return SignOn(
        sid=row.sid,
        realm=Realm(row.realm),
        subject=row.subject,
        methods=tuple(row.methods),
        signed_in_at=row.signed_in_at,
        expires_at=row.expires_at,
    )
