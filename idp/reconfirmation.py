"""Somebody whom the register does not confirm has it asked again: 初级 for who lost it or never had it.

Their register evidence was withdrawn, or they came by an import or from another node. As at
registration, a code proves the phone and the register compares every particular; what it confirms
is what the account says from then on. `begin` sends the code, `prove` asks the register in no
transaction, `keep` stores what came of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp import accounts, evidence, lowering, recent, register_check
from idp.accounts import PHONE
from idp.identity_documents import RULES, Document, Rule
from idp.levels import Standing
from idp.methods import phone_proof
from idp.methods.phone_proof import Proven, Ticket
from idp.people_errors import AccountUnknown, NumberTaken, PhoneTaken
from idp.provider import Provider
from idp.register_check import Confirmed, Described
from idp.sessions import SignOn
from idp.sign_in_errors import SmsCodeGone
from idp.tables import PersonRow
from idp.vocabulary import Realm
from keys import journal

CODE = phone_proof.purpose("reconfirmation-code")
_NAME_CHANGED = "name-changed"


@dataclass(frozen=True, slots=True)
class Known:
    """What the account says now: the number and the phone stay, the particulars may be put right.

    `phone` is "" where none was ever told; `particulars` are by field, as they are typed.
    """

    session: SignOn
    rule: Rule
    number: str = field(repr=False)
    phone: str = field(repr=False)
    phone_index: bytes = field(repr=False)
    particulars: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reconfirmed:
    """What the register says yes to, and the phone that was proven. Only `prove` makes one."""

    known: Known
    person: Described
    phone: Proven
    confirmed: Confirmed


def known(tx: Session, provider: Provider, session: SignOn) -> Known:
    """Read the account of a citizen's sign-on. Raises `AccountUnknown`."""
    if session.realm is not Realm.CITIZEN:
        raise AccountUnknown
    accounts.check_open(tx, session.subject)
    row = tx.get_one(PersonRow, session.subject)
    particulars = {
        "name": row.name,
        "ethnicity": row.ethnicity,
        "sex": row.sex,
        "nationality": row.nationality or "",
        "birthdate": "" if row.birthdate is None else row.birthdate.isoformat(),
    }
    return Known(
        session=session,
        rule=RULES[Document(row.document)],
        number=provider.protector.open(row.number_sealed),
        phone=provider.protector.open(row.phone_sealed),
        phone_index=row.phone_index,
        particulars=MappingProxyType(particulars),
    )


def begin(provider: Provider, known: Known, phone: str, address: str) -> Ticket:
    """Send a code to the account's phone, or to `phone` where it has none.

    Raises `FieldWrong` (phone), `TooManyTries`, `SmsUnavailable`; `SignInTooOld` where a phone comes
    to the account, as whoever holds it can sign in from then on.
    """
    if not known.phone:
        recent.require_recent(provider, known.session)
    beside = known.session.subject
    return phone_proof.send(provider, CODE, known.phone or phone, address, beside=beside)


def prove(
    provider: Provider, known: Known, handle: str, code: str, typed: Mapping[str, str]
) -> Reconfirmed:
    """Check the code, then ask the register; call it outside any transaction.

    Raises `FieldWrong`, `ResidentIdDate`, `SmsCodeGone`, `SmsCodeWrong`, `TooManyTries`;
    `SourceUnavailable`, after which the same code may be tried again; `ParticularsDiffer`, which
    uses it up.
    """
    person = register_check.described(known.rule, known.number, typed, provider.clock().date())
    phone = phone_proof.check(provider, CODE, handle, code)
    if phone.beside != known.session.subject or known.phone not in ("", phone.phone):
        raise SmsCodeGone
    agreement = register_check.ask(provider, person)
    phone_proof.spend(provider, CODE, handle, phone)
    return Reconfirmed(known, person, phone, register_check.confirmed(person, agreement))


def keep(tx: Session, provider: Provider, found: Reconfirmed) -> Standing:
    """Store what the register confirmed and the evidence of it; return where the person stands.

    What anybody vouched for by a former name goes. Raises `SmsCodeGone` when the account has got
    another phone meanwhile, `PhoneTaken`, `NumberTaken`.
    """
    subject = found.known.session.subject
    try:
        with tx.begin_nested():
            _store(tx, provider, found)
    except IntegrityError:
        # The cause would quote the row. A phone that was the account's before is nobody else's.
        raise (NumberTaken if found.known.phone else PhoneTaken) from None
    if found.person.name != found.known.particulars["name"]:
        _withdraw_by_name(tx, provider, subject)
    evidence.record(tx, provider, subject, found.phone.evidence(subject))
    evidence.record(tx, provider, subject, found.confirmed.evidence(found.phone.proven_at))
    lowering.settle(tx, provider, subject, by=subject)
    journal.append(
        tx,
        at=provider.clock(),
        actor=subject,
        action="account.reconfirmed",
        subject=subject,
        details={"register_reference": found.confirmed.reference},
    )
    return accounts.standing(tx, provider, subject)


def _store(tx: Session, provider: Provider, found: Reconfirmed) -> None:
    person, subject = found.person, found.known.session.subject
    told = {
        "name": person.name,
        "ethnicity": person.ethnicity,
        "sex": person.sex,
        "nationality": person.nationality,
        "birthdate": register_check.told_birthdate(person),
        "number_index": register_check.number_index(provider, person),
        "phone_index": provider.protector.index(PHONE, found.phone.phone),
        "phone_sealed": provider.protector.seal(found.phone.phone, provider.random),
    }
    same = (
        PersonRow.subject == subject,
        PersonRow.closed_at.is_(None),
        PersonRow.phone_index == found.known.phone_index,
    )
    statement = update(PersonRow).where(*same).values(told).returning(PersonRow.subject)
    if tx.scalar(statement) is None:
        raise SmsCodeGone


def _withdraw_by_name(tx: Session, provider: Provider, subject: str) -> None:
    for piece in evidence.of_subject(tx, subject):
        if piece.id is not None and "name" in piece.compared and piece.live(provider.clock()):
            evidence.withdraw(tx, provider, piece.id, by=subject, why=_NAME_CHANGED)
