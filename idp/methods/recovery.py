"""The way back for whoever forgot the password: the ID number, the phone, and a new password.

Knowing the number and holding the phone is as much as a sign-in by SMS proves, and so the session it
ends in reaches no further, nor does the password beside the same phone (`recovered`); every other
session of the account ends.
`begin` sends the code, `prove` checks it in no transaction, `recover` stores the password in one.
"""

import re
from dataclasses import dataclass, field

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp import outbox, passwords, sessions, throttle
from idp.accounts import PHONE
from idp.errors import FieldWrong
from idp.method import Method
from idp.methods import change_notice, lockout, password_change, phone_proof, sign_in
from idp.methods.change_notice import Change
from idp.methods.phone_proof import Ticket
from idp.methods.sign_in import Entry, Proof
from idp.provider import Provider
from idp.sessions import Ending, Opened
from idp.sign_in_errors import RecoveryRefused
from idp.tables import PersonRow
from idp.vocabulary import Realm
from keys import journal

CODE = phone_proof.purpose("recovery-code")
_NUMBER = re.compile(r"[0-9A-Z]{6,20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Proven:
    """A phone that was proven, the number typed with it, and the new password's hash."""

    phone: phone_proof.Proven
    password_hash: str = field(repr=False)


def begin(provider: Provider, number: str, phone: str, address: str) -> Ticket:
    """Send a code to whatever phone was typed.

    Raises `FieldWrong` (number, phone), `TooManyTries`, `SmsUnavailable`.
    """
    number = number.strip().upper()
    if _NUMBER.fullmatch(number) is None:
        raise FieldWrong(field="number")
    throttle.count(provider, throttle.SMS_PER_NUMBER, number)
    return phone_proof.send(provider, CODE, phone, address, beside=number)


def prove(provider: Provider, handle: str, code: str, new_password: str) -> Proven:
    """Check the code, then the new password, which may be mended with the same code.

    Call it outside any transaction. Raises `SmsCodeGone`, `SmsCodeWrong`, `TooManyTries`,
    `PasswordWeak`.
    """
    proven = phone_proof.check(provider, CODE, handle, code)
    passwords.check_strength(new_password, proven.phone, proven.beside)
    # Who reads a phone's messages must not find its owner's number by trying.
    throttle.count(provider, throttle.RECOVERY_PER_PHONE, proven.phone)
    phone_proof.spend(provider, CODE, handle, proven)
    protected = passwords.protect(provider, new_password)
    return Proven(proven, passwords.recovered(protected, proven.proven_at))


def recover(tx: Session, provider: Provider, entry: Entry, proven: Proven) -> Opened:
    """Keep the new password, end every session of the account and open one here.

    Raises `RecoveryRefused` when phone and number are not those of one account, and no finer.
    """
    row = _account(tx, provider, proven)
    subject = row.subject
    changed = update(PersonRow).where(PersonRow.subject == subject)
    tx.execute(changed.values(password_hash=proven.password_hash))
    outbox.note(tx, provider, subject)
    change_notice.note(tx, provider, Realm.CITIZEN, subject, Change.PASSWORD)
    for each in sorted(sessions.of_subject(tx, provider, subject), key=lambda one: one.sid):
        sessions.end(tx, provider, each.sid, by=subject, why=Ending.PASSWORD_RECOVERED)
    throttle.forgive(provider, throttle.RECOVERY_PER_PHONE, proven.phone.phone)
    lockout.lift(provider, Realm.CITIZEN, *password_change.names(provider, row))
    journal.append(
        tx,
        at=provider.clock(),
        actor=subject,
        action="password.recovered",
        subject=subject,
        details={"sms_reference": proven.phone.reference},
    )
    proof = Proof(Realm.CITIZEN, subject, (Method.SMS_CODE,))
    return sign_in.enter(tx, provider, entry, proof)


def _account(tx: Session, provider: Provider, proven: Proven) -> PersonRow:
    """The open account that has the phone, if the number is its own, of whatever document it is."""
    index = provider.protector.index(PHONE, proven.phone.phone)
    query = select(PersonRow).where(PersonRow.phone_index == index, PersonRow.closed_at.is_(None))
    row = tx.scalar(query.with_for_update())
    if row is None or provider.protector.open(row.number_sealed) != proven.phone.beside:
        raise RecoveryRefused
    return row
