"""By SMS, both sides of a mandate learn that it was given or has ended; not whoever did it themselves.

What a clerk recorded in somebody's name does not stay unseen until they look at their own page. A
message is sent in the background, one job each, and tells names, which the two sides know anyway.
"""

from datetime import timedelta, timezone

from sqlalchemy.orm import Session

from idp import accounts, throttle
from idp.acting import MandateKind
from idp.entities import entity, mandates
from idp.entities.mandates import Mandate
from idp.errors import TooManyTries
from idp.people_errors import AccountUnknown
from idp.provider import Provider
from idp.throttle import Limit

PER_PERSON = Limit("mandate-notice-person", 10, timedelta(hours=1))
"""Nobody is sent more: giving and ending again and again is no way to ring somebody's phone."""

_CLOSED = "已注销的账号"
_CHINA = timezone(timedelta(hours=8))


def tell(provider: Provider, mandate: str, to: str, template: str) -> None:
    """Send one message: the job `mandates.NOTICE_JOB`, `to` being whose phone it is.

    Raises `SmsUnavailable`, after which it is tried again.
    """
    with provider.begin() as tx:
        found = mandates.find(tx, mandate)
        try:
            phone = accounts.particulars(tx, provider, to).phone
        except AccountUnknown:
            return
        if found is None:
            return
        told = _told(tx, provider, found)
    try:
        throttle.count(provider, PER_PERSON, to)
    except TooManyTries:
        return
    provider.sources.sms.send(phone, template, told)


def _told(tx: Session, provider: Provider, mandate: Mandate) -> dict[str, str]:
    """What the templates may say."""
    if mandate.kind is MandateKind.HELPER:
        principal = _name(tx, provider, mandate.principal)
    else:
        principal = entity.get(tx, mandate.principal).name
    return {
        "principal": principal,
        "holder": _name(tx, provider, mandate.holder),
        "until": "" if mandate.until is None else f"{mandate.until.astimezone(_CHINA):%Y-%m-%d}",
    }


def _name(tx: Session, provider: Provider, subject: str) -> str:
    try:
        return accounts.person(tx, provider, subject).name
    except AccountUnknown:
        return _CLOSED
