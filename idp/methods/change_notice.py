"""The SMS that tells a person of a change to how they sign in, so that nobody changes it unseen.

It goes to the phone that was the account's before the change: whoever took an account over must not
be the one who is told.
"""

from datetime import datetime, timedelta, timezone
from enum import StrEnum

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from idp import artifacts
from idp.provider import Provider
from idp.tables import PersonRow
from idp.vocabulary import Realm

JOB = "change_notice"


class Change(StrEnum):
    """What was changed, as the template of its message is called."""

    PASSWORD = "password-changed"  # noqa: S105 - the name of a template
    PHONE = "phone-changed"
    METHOD = "method-added"


_TOLD = artifacts.Kind("change-told", TypeAdapter(bool), timedelta(days=1))
"""That a notice went out, by its handle: the job may run twice."""


def note(tx: Session, provider: Provider, realm: Realm, subject: str, change: Change) -> None:
    """Let the person be told after the commit, at the phone they have until now.

    Call it before a phone is changed. Staff have no phone here.
    """
    if realm is not Realm.CITIZEN:
        return
    sealed = tx.scalar(select(PersonRow.phone_sealed).where(PersonRow.subject == subject))
    if sealed is None:
        return
    at = provider.clock().isoformat()
    told = {"notice": provider.handle(16), "phone": sealed.hex(), "change": change, "at": at}
    provider.defer(tx, JOB, told)


def tell(provider: Provider, notice: str, phone: str, change: str, at: str) -> None:
    """Send the message, once as far as we know; `phone` is sealed.

    Raises `SmsUnavailable`: the job is tried again.
    """
    if artifacts.get(provider, _TOLD, notice):
        return
    told = {"time": in_china(datetime.fromisoformat(at))}
    provider.sources.sms.send(provider.protector.open(bytes.fromhex(phone)), change, told)
    artifacts.keep(provider, _TOLD, notice, True)


def in_china(at: datetime) -> str:
    """A moment as messages tell it; China keeps one time zone."""
    return f"{at.astimezone(timezone(timedelta(hours=8))):%Y-%m-%d %H:%M}"
