"""A person closes their account: nobody signs in with it, and nothing given under it works any more.

The row stays, as its journal does, and so does the index of its number: whoever registers again with
that number is the same subject again. The phone is free for whoever has it next.
"""

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from idp import consents, evidence, outbox, recent, revocations, sessions
from idp.accounts import hold
from idp.entities import mandates
from idp.methods.tables import DeviceRow, PasskeyRow, SocialBindingRow, TotpRow
from idp.provider import Provider
from idp.sessions import Ending, SignOn
from idp.tables import PersonRow, RefreshTokenRow
from keys import journal

WHY = "account-closed"
_NOBODYS = "closed-account"


def close(tx: Session, provider: Provider, own: SignOn) -> None:
    """Close the account of this sign-on. Raises `SignInTooOld`, `AccountUnknown`."""
    recent.require_recent(provider, own)
    subject, now = own.subject, provider.clock()
    # Held until the commit: nobody gives anything for an account that is being closed.
    hold(tx, subject)
    for piece in evidence.of_subject(tx, subject):
        if piece.id is not None and piece.live(now):
            evidence.withdraw(tx, provider, piece.id, by=subject, why=WHY)
    for given in consents.given(tx, subject):
        consents.take_back(tx, provider, subject, given.client_id)
    mandates.end_all_of(tx, provider, subject)
    _end_grants(tx, provider, subject)
    _forget_methods(tx, subject)
    tx.execute(
        update(PersonRow).where(PersonRow.subject == subject).values(_emptied(provider, own))
    )
    outbox.note(tx, provider, subject)
    for each in sorted(sessions.of_subject(tx, provider, subject), key=lambda one: one.sid):
        sessions.end(tx, provider, each.sid, by=subject, why=Ending.ACCOUNT_CLOSED)
    journal.append(tx, at=now, actor=subject, action="account.closed", subject=subject, details={})


def _emptied(provider: Provider, own: SignOn) -> dict[str, object]:
    """What the row keeps nothing of: how to sign in, how to be reached, what was said of oneself."""
    return {
        "closed_at": provider.clock(),
        "username": None,
        "password_hash": "",
        "profile": {},
        "phone_index": provider.protector.index(_NOBODYS, own.subject),
        "phone_sealed": provider.protector.seal("", provider.random),
    }


def _forget_methods(tx: Session, subject: str) -> None:
    """Who registers again is the same subject: no key of before may sign them in."""
    for row in (DeviceRow, PasskeyRow, SocialBindingRow, TotpRow):
        tx.execute(delete(row).where(row.subject == subject))


def _end_grants(tx: Session, provider: Provider, subject: str) -> None:
    of_theirs = RefreshTokenRow.subject == subject
    grants = tx.scalars(select(RefreshTokenRow.grant_id).where(of_theirs).distinct())
    for grant_id in sorted(grants):
        revocations.revoke(tx, provider, revocations.grant(grant_id))
    tx.execute(delete(RefreshTokenRow).where(of_theirs))
