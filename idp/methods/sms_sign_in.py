"""Signing in by a code sent to the account's phone: `begin`, `prove` in no transaction, `enter` in one."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.accounts import PHONE
from idp.method import Method
from idp.methods import phone_proof, sign_in
from idp.methods.phone_proof import Proven, Ticket
from idp.methods.sign_in import Entry, Proof
from idp.people_errors import AccountUnknown
from idp.provider import Provider
from idp.sessions import Opened, SignOn
from idp.sign_in_errors import PhoneUnknown
from idp.tables import PersonRow
from idp.vocabulary import Realm

CODE = phone_proof.purpose("sign-in-code")


def begin(provider: Provider, phone: str, address: str) -> Ticket:
    """Send a code, to whatever phone was typed.

    Raises `FieldWrong` (phone), `TooManyTries`, `SmsUnavailable`.
    """
    return phone_proof.send(provider, CODE, phone, address)


def own_phone(tx: Session, provider: Provider, own: SignOn) -> str:
    """The phone to send a code to for whoever is signed in. Raises `AccountUnknown`."""
    row = tx.get(PersonRow, own.subject)
    if row is None or own.realm is not Realm.CITIZEN or row.closed_at is not None:
        raise AccountUnknown
    return provider.protector.open(row.phone_sealed)


def prove(provider: Provider, handle: str, code: str) -> Proven:
    """Check the code, once. Raises `SmsCodeGone`, `SmsCodeWrong`, `TooManyTries`."""
    proven = phone_proof.check(provider, CODE, handle, code)
    phone_proof.spend(provider, CODE, handle, proven)
    return proven


def enter(
    tx: Session, provider: Provider, entry: Entry, proven: Proven, *, adds: bool = False
) -> Opened:
    """Open a session for whoever's phone it is, or go on with theirs when it `adds` a factor.

    Raises `InteractionGone`; `PhoneUnknown`, which only the phone's holder gets to hear.
    """
    index = provider.protector.index(PHONE, proven.phone)
    whose = select(PersonRow.subject).where(PersonRow.phone_index == index)
    subject = tx.scalar(whose.where(PersonRow.closed_at.is_(None)))
    if subject is None:
        raise PhoneUnknown
    proof = Proof(Realm.CITIZEN, subject, (Method.SMS_CODE,), adds=adds)
    return sign_in.enter(tx, provider, entry, proof)
