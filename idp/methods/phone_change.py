"""A person has another phone: a code proves the new one, and the evidence of the old one goes.

`begin` sends the code, `prove` checks it in no transaction, `keep` stores it in one.
"""

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp import evidence, lowering, recent
from idp.accounts import PHONE
from idp.levels import EvidenceKind
from idp.method import METHODS, Method, factors
from idp.methods import change_notice, phone_proof
from idp.methods.change_notice import Change
from idp.methods.phone_proof import Proven, Ticket
from idp.people_errors import AccountUnknown, PhoneTaken
from idp.provider import Provider
from idp.sessions import SignOn
from idp.sign_in_errors import SecondFactorNeeded, SmsCodeGone
from idp.tables import PersonRow
from idp.vocabulary import Realm
from keys import journal

CODE = phone_proof.purpose("phone-change-code")
_WHY = "phone-changed"


def check_may_change(provider: Provider, own: SignOn) -> None:
    """Raise `SignInTooOld`; `SecondFactorNeeded` for a sign-in by nothing but the old phone.

    Whoever was given somebody's number by the operator gets no further with it than a sign-in.
    """
    recent.require_recent(provider, own)
    if factors(own.methods) <= METHODS[Method.SMS_CODE].factors:
        raise SecondFactorNeeded


def begin(provider: Provider, own: SignOn, phone: str, address: str) -> Ticket:
    """Send a code to the new phone.

    Raises as `check_may_change`; `FieldWrong` (phone), `TooManyTries`, `SmsUnavailable`.
    """
    check_may_change(provider, own)
    return phone_proof.send(provider, CODE, phone, address, beside=own.subject)


def prove(provider: Provider, own: SignOn, handle: str, code: str) -> Proven:
    """Check the code, once. Raises `SmsCodeGone`, `SmsCodeWrong`, `TooManyTries`, `SignInTooOld`."""
    check_may_change(provider, own)
    proven = phone_proof.check(provider, CODE, handle, code)
    if proven.beside != own.subject:
        raise SmsCodeGone
    phone_proof.spend(provider, CODE, handle, proven)
    return proven


def keep(tx: Session, provider: Provider, own: SignOn, proven: Proven) -> None:
    """Store the new phone, and new evidence in place of the old. Raises `PhoneTaken`, `AccountUnknown`."""
    if own.realm is not Realm.CITIZEN:
        raise AccountUnknown
    change_notice.note(tx, provider, own.realm, own.subject, Change.PHONE)
    try:
        with tx.begin_nested():
            changed = _set(tx, provider, own.subject, proven.phone)
    except IntegrityError:
        # The unique index has the last word, also between two who take a phone at once.
        raise PhoneTaken from None
    if not changed:
        raise AccountUnknown
    for old in evidence.of_kinds(tx, own.subject, (EvidenceKind.SMS_CODE,), provider.clock()):
        if old.id is not None:
            evidence.withdraw(tx, provider, old.id, by=own.subject, why=_WHY)
    evidence.record(tx, provider, own.subject, proven.evidence(own.subject))
    lowering.settle(tx, provider, own.subject, by=own.subject)
    journal.append(
        tx,
        at=provider.clock(),
        actor=own.subject,
        action="phone.changed",
        subject=own.subject,
        details={"sms_reference": proven.reference},
    )


def _set(tx: Session, provider: Provider, subject: str, phone: str) -> bool:
    """Store the phone; says whether there is an open account to store it with."""
    whose = (PersonRow.subject == subject, PersonRow.closed_at.is_(None))
    statement = update(PersonRow).where(*whose)
    sealed = {
        "phone_index": provider.protector.index(PHONE, phone),
        "phone_sealed": provider.protector.seal(phone, provider.random),
    }
    return tx.scalar(statement.values(**sealed).returning(PersonRow.subject)) is not None
