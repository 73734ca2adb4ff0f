"""Browsers that an account was signed in at, and the notice of one that is new.

A browser is known again by its cookie. The first of an account is nobody's news; of each new one the
person is told by SMS, and sees it on their own page.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from idp.fingerprint import fingerprint
from idp.methods import change_notice
from idp.methods.tables import DeviceRow
from idp.provider import Provider
from idp.tables import PersonRow
from idp.vocabulary import Realm
from keys import journal

JOB = "new_device_notice"
SMS_TEMPLATE = "new-device"
KEPT = timedelta(days=400)
"""How long a browser is known that is not used: no longer than its cookie lives."""

_FINGERPRINT = "device"


@dataclass(frozen=True, slots=True)
class Device:
    """A browser as its person sees it: `method` is how they signed in there first."""

    fingerprint: bytes
    name: str
    method: str
    first_at: datetime
    seen_at: datetime


def notice(
    tx: Session,
    provider: Provider,
    realm: Realm,
    subject: str,
    browser: str | None,
    name: str,
    method: str,
) -> bool:
    """Note that an account was signed in at this browser; says whether that is news to it.

    Its person is told in the background, after the commit. Without a cookie it is no browser.
    """
    if browser is None:
        return False
    now = provider.clock()
    device = fingerprint(provider.secret, _FINGERPRINT, f"{realm}:{subject}:{browser}")
    # Known, as most are: one statement.
    again = update(DeviceRow).where(DeviceRow.fingerprint == device)
    again = again.values(seen_at=func.greatest(DeviceRow.seen_at, now), name=name)
    if tx.scalar(again.returning(DeviceRow.fingerprint)) is not None:
        return False
    others = tx.scalar(select(DeviceRow.name).where(_of(realm, subject)).limit(1)) is not None
    row = {
        "fingerprint": device,
        "realm": realm,
        "subject": subject,
        "name": name,
        "method": method,
        "first_at": now,
        "seen_at": now,
    }
    statement = insert(DeviceRow).values(row).on_conflict_do_nothing()
    if tx.scalar(statement.returning(DeviceRow.fingerprint)) is None or not others:
        return False
    details = {"realm": realm, "method": method}
    journal.append(tx, at=now, actor=subject, action="device.new", subject=subject, details=details)
    provider.defer(tx, JOB, {"device": device.hex()})
    return True


def tell(provider: Provider, device: str) -> None:
    """Tell the person of a new device by SMS, once as far as we know.

    Raises `SmsUnavailable`: the job is tried again. Staff have no phone here: their page tells them.
    """
    with provider.begin() as tx:
        row = tx.get(DeviceRow, bytes.fromhex(device))
        if row is None or row.noticed_at is not None or row.realm != Realm.CITIZEN:
            return
        person = tx.get(PersonRow, row.subject)
        if person is None or person.closed_at is not None:
            return
        phone = provider.protector.open(person.phone_sealed)
        at, name = row.first_at, row.name
    provider.sources.sms.send(phone, SMS_TEMPLATE, _told(at, name))
    told = update(DeviceRow).where(DeviceRow.fingerprint == bytes.fromhex(device))
    with provider.begin() as tx:
        tx.execute(told.values(noticed_at=provider.clock()))


def of_account(tx: Session, realm: Realm, subject: str) -> list[Device]:
    """The browsers an account was signed in at, the latest used first."""
    query = select(DeviceRow).where(_of(realm, subject))
    return [
        Device(row.fingerprint, row.name, row.method, row.first_at, row.seen_at)
        for row in tx.scalars(query.order_by(DeviceRow.seen_at.desc(), DeviceRow.fingerprint))
    ]


def forget(tx: Session, realm: Realm, subject: str, device: bytes) -> None:
    """Know a browser no more: a sign-in there is news again."""
    tx.execute(delete(DeviceRow).where(_of(realm, subject) & (DeviceRow.fingerprint == device)))


def is_this(provider: Provider, device: Device, realm: Realm, subject: str, browser: str) -> bool:
    """Is it the browser with this cookie?"""
    own = fingerprint(provider.secret, _FINGERPRINT, f"{realm}:{subject}:{browser}")
    return device.fingerprint == own


def _told(at: datetime, name: str) -> dict[str, str]:
    """What the message says."""
    return {"time": change_notice.in_china(at), "device": name or "未知设备"}


def _of(realm: Realm, subject: str) -> ColumnElement[bool]:
    return and_(DeviceRow.realm == realm, DeviceRow.subject == subject)
