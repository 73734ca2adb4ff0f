"""Proving oneself at a counter by one's own phone: the phone shows a code, the clerk scans or types it.

The clerk learns who it is, and no more than that: the number stays masked. A code lasts a minute, so
that a picture of it is soon worth nothing, and tells of the phone's session, which must still be live.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from idp import accounts, artifacts, counter, levels, sessions, throttle
from idp.accounts import Person
from idp.level_errors import CounterIsNotTheirs
from idp.levels import Level
from idp.methods import short_codes
from idp.people_errors import AccountUnknown
from idp.provider import Provider
from idp.sessions import SignOn
from idp.sign_in_errors import CounterCodeNotOffered, CounterCodeWrong
from idp.vocabulary import Realm
from keys import journal

LASTS = timedelta(seconds=60)
_DIGITS = 12
_READER = "counter"


@dataclass(frozen=True, slots=True)
class Shown:
    """Whose phone shows the code, and since when."""

    sid: str
    subject: str
    at: datetime


_CODE = artifacts.Kind("counter-code", TypeAdapter(Shown), LASTS)


@dataclass(frozen=True, slots=True)
class Present:
    """Who is at the counter, at the level their phone signed in with."""

    person: Person = field(repr=False)
    level: Level


def make(provider: Provider, own: SignOn) -> str:
    """A fresh code for the person of this session. Raises `CounterCodeNotOffered` to staff."""
    if own.realm is not Realm.CITIZEN:
        raise CounterCodeNotOffered
    content = Shown(own.sid, own.subject, provider.clock())
    return short_codes.put(provider, _CODE, _DIGITS, _READER, content)


def redeem(tx: Session, provider: Provider, clerk: SignOn, at: str, typed: str) -> Present:
    """A clerk at the counter `at` reads the code; once, and both are noted.

    Raises `CounterIsNotTheirs`, `CounterCodeWrong`, `TooManyTries`.
    """
    served = next((c for c in counter.of_clerk(tx, provider, clerk.subject) if c.code == at), None)
    # Who has shown one factor only is not signed in yet, whoever they are.
    if clerk.realm is not Realm.STAFF or clerk.level < 1 or served is None:
        raise CounterIsNotTheirs
    throttle.count(provider, throttle.COUNTER_CODE_PER_CLERK, clerk.subject)
    found = short_codes.take(provider, _CODE, _READER, typed)
    if found is None or provider.clock() >= found.at + LASTS:
        raise CounterCodeWrong
    phone = sessions.by_sid(tx, provider, found.sid)
    if phone is None or phone.subject != found.subject:
        raise CounterCodeWrong
    try:
        person = accounts.person(tx, provider, phone.subject)
    except AccountUnknown:
        raise CounterCodeWrong from None
    throttle.give_back(provider, throttle.COUNTER_CODE_PER_CLERK, clerk.subject)
    journal.append(
        tx,
        at=provider.clock(),
        actor=clerk.subject,
        action="counter-code.read",
        subject=person.subject,
        details={"counter": served.code, "body": served.body},
    )
    return Present(person, levels.of_number(phone.realm, phone.level))
