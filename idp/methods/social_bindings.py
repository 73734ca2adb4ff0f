"""Accounts at WeChat and Alipay, bound by a person to their account here.

A social account is not a proof of who somebody is: it is bound by whoever proved two factors, and a
sign-in by it reaches nothing above 匿名 until the person proves more. One that is bound to nobody
signs nobody in. The platform's own identifier is kept as a keyed index only.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from idp import accounts, recent
from idp.method import Method, factors
from idp.methods import sign_in
from idp.methods.sign_in import Entry, Proof
from idp.methods.tables import SocialBindingRow
from idp.people_errors import AccountUnknown
from idp.provider import Provider
from idp.sessions import Opened, SignOn
from idp.sign_in_errors import SecondFactorNeeded, SocialAccountTaken, SocialAccountUnbound
from idp.vocabulary import Realm
from keys import journal

_INDEX = "social-account"


class Platform(StrEnum):
    """Where the other account is."""

    WECHAT = "wechat"
    ALIPAY = "alipay"


@dataclass(frozen=True, slots=True)
class SocialAccount:
    """An account as its platform has just told it, to us and for us (its `openid`)."""

    platform: Platform
    openid: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bound:
    """A binding as its person sees it."""

    platform: Platform
    since: datetime


def bind(tx: Session, provider: Provider, own: SignOn, account: SocialAccount) -> None:
    """Bind a social account to the person of this sign-on; one of each platform, the newest.

    Raises `SignInTooOld`, `SecondFactorNeeded`; `SocialAccountTaken` when it is somebody else's.
    """
    recent.require_recent(provider, own)
    if own.realm is not Realm.CITIZEN or len(factors(own.methods)) < 2:
        raise SecondFactorNeeded
    unbind(tx, provider, own, account.platform)
    row = {
        "account_index": _index(provider, account),
        "platform": account.platform,
        "subject": own.subject,
        "bound_at": provider.clock(),
    }
    statement = insert(SocialBindingRow).values(row).on_conflict_do_nothing()
    if tx.scalar(statement.returning(SocialBindingRow.subject)) is None:
        raise SocialAccountTaken
    _journal(tx, provider, own, "social-account.bound", account.platform)


def unbind(tx: Session, provider: Provider, own: SignOn, platform: Platform) -> bool:
    """Take a binding away, and say whether there was one."""
    statement = delete(SocialBindingRow).where(
        SocialBindingRow.subject == own.subject, SocialBindingRow.platform == platform
    )
    was = tx.scalar(statement.returning(SocialBindingRow.subject)) is not None
    if was:
        _journal(tx, provider, own, "social-account.unbound", platform)
    return was


def of_subject(tx: Session, subject: str) -> list[Bound]:
    """The bindings of a person."""
    query = select(SocialBindingRow).where(SocialBindingRow.subject == subject)
    rows = tx.scalars(query.order_by(SocialBindingRow.platform))
    return [Bound(Platform(row.platform), row.bound_at) for row in rows]


def enter(tx: Session, provider: Provider, account: SocialAccount, entry: Entry) -> Opened:
    """Open a session of the person the account is bound to, at 匿名 until they prove more.

    Raises `InteractionGone`, `SocialAccountUnbound`.
    """
    query = select(SocialBindingRow.subject)
    subject = tx.scalar(query.where(SocialBindingRow.account_index == _index(provider, account)))
    if subject is None:
        raise SocialAccountUnbound
    try:
        accounts.check_open(tx, subject)
    except AccountUnknown:
        raise SocialAccountUnbound from None
    return sign_in.enter(tx, provider, entry, Proof(Realm.CITIZEN, subject, (Method.SOCIAL,)))


def _index(provider: Provider, account: SocialAccount) -> bytes:
    return provider.protector.index(_INDEX, f"{account.platform}:{account.openid}")


def _journal(tx: Session, provider: Provider, own: SignOn, action: str, platform: Platform) -> None:
    journal.append(
        tx,
        at=provider.clock(),
        actor=own.subject,
        action=action,
        subject=own.subject,
        details={"platform": platform},
    )
