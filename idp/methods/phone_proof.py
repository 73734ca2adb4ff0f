"""A phone proven by a code sent to it: sent for one purpose, typed within minutes, good once.

Whatever the purpose, the code goes to the phone that was typed, whether or not anybody has an
account with it, so that neither the answer nor its time tells strangers who has.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import TypeAdapter

from idp import artifacts, throttle
from idp.accounts import MOBILE, mask_phone
from idp.artifacts import Kind
from idp.errors import FieldWrong
from idp.levels import Evidence, EvidenceKind
from idp.methods import sms_code
from idp.people_errors import SmsCodeWrong
from idp.provider import Provider
from idp.sign_in_errors import SmsCodeGone


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in Redis: phone and what belongs to it sealed, the code as a fingerprint."""

    sealed: str
    code: str
    reference: str


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a code is sent for: the SMS template, and where it waits. None is good for another."""

    template: str
    waiting: Kind[Waiting]


def purpose(template: str) -> Purpose:
    """A purpose by its SMS template."""
    return Purpose(template, Kind(template, TypeAdapter(Waiting), sms_code.LIFETIME))


@dataclass(frozen=True, slots=True)
class Ticket:
    """A code under way: its handle, where it went (masked), and how long it is good."""

    handle: str = field(repr=False)
    phone: str
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class Proven:
    """A phone that its holder holds now, and what was kept beside it. Only `check` makes one."""

    phone: str = field(repr=False)
    beside: str = field(repr=False)
    reference: str
    proven_at: datetime

    def evidence(self, by: str) -> Evidence:
        """It, as what a level stands on."""
        return Evidence(
            kind=EvidenceKind.SMS_CODE,
            source="sms-gateway",
            reference=self.reference,
            compared=("phone",),
            happened_at=self.proven_at,
            by=by,
        )


def send(
    provider: Provider, purpose: Purpose, phone: str, address: str, beside: str = ""
) -> Ticket:
    """Send a code to a phone; `beside` is kept with it, sealed.

    Raises `FieldWrong` (phone), `TooManyTries`, `SmsUnavailable`.
    """
    phone = phone.strip()
    if MOBILE.fullmatch(phone) is None:
        raise FieldWrong(field="phone")
    throttle.count(provider, throttle.SMS_PER_ADDRESS, address)
    throttle.count(provider, throttle.SMS_PER_PHONE, phone)
    code = sms_code.make(provider)
    reference = sms_code.send(provider, phone, purpose.template, code)
    sealed = provider.protector.seal(json.dumps([phone, beside]), provider.random).hex()
    waiting = Waiting(sealed, sms_code.remembered(provider, phone, code), reference)
    handle = artifacts.put(provider, purpose.waiting, waiting)
    return Ticket(handle, mask_phone(phone), purpose.waiting.lifetime)


def check(provider: Provider, purpose: Purpose, handle: str, code: str) -> Proven:
    """Check the code, which goes on waiting until it is spent.

    Raises `SmsCodeGone`, `SmsCodeWrong`, `TooManyTries`.
    """
    waiting = artifacts.get(provider, purpose.waiting, handle)
    if waiting is None:
        raise SmsCodeGone
    phone, beside = json.loads(provider.protector.open(bytes.fromhex(waiting.sealed)))
    left = throttle.count(provider, throttle.SMS_CODE_PER_TICKET, handle)
    if not sms_code.is_right(provider, phone, code, waiting.code):
        raise SmsCodeWrong(left=left)
    throttle.give_back(provider, throttle.SMS_CODE_PER_TICKET, handle)
    return Proven(phone, beside, waiting.reference, provider.clock())


def spend(provider: Provider, purpose: Purpose, handle: str, proven: Proven) -> None:
    """Let nobody use the code again. Raises `SmsCodeGone` when somebody has."""
    if artifacts.take(provider, purpose.waiting, handle) is None:
        raise SmsCodeGone
    # Whoever reads their messages is not who the limit is for.
    throttle.give_back(provider, throttle.SMS_PER_PHONE, proven.phone)
