"""A citizen registers: what was typed is well formed, the phone is theirs, the register agrees.

Three steps with the person or the outside between them: `begin_registration` sends a code to the
phone, `prove_registration` checks the code and asks the register of their paper, `open_account`
stores the person and the evidence. Until the last, everything waits sealed in Redis and lapses
by itself, so a refusal at any step leaves nothing behind.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp import artifacts, evidence, passwords, register_check, throttle
from idp.accounts import MOBILE, PHONE, Person, is_username, mask_phone, person
from idp.errors import FieldWrong
from idp.identity_documents import RULES, Document
from idp.levels import Evidence, EvidenceKind
from idp.methods import sms_code
from idp.people_errors import NumberTaken, PhoneTaken, SmsCodeWrong, TicketGone, UsernameTaken
from idp.provider import Provider
from idp.register_check import Confirmed, Described
from idp.tables import PersonRow
from keys import journal
from keys.errors import DomainError

SMS_TEMPLATE = "registration-code"


@dataclass(frozen=True, slots=True)
class Form:
    """What a citizen types; 民族 by GB/T 3304 code, 性别 by GB/T 2261.1 code.

    `document` is what the number is of; `nationality` (three letters) and `birthdate` (ISO 8601) are
    for papers whose number does not tell them. `username` may be left out.
    """

    number: str = field(repr=False)
    name: str = field(repr=False)
    ethnicity: str
    sex: str
    phone: str = field(repr=False)
    password: str = field(repr=False)
    document: str = Document.RESIDENT_ID
    nationality: str = ""
    birthdate: str = field(default="", repr=False)
    username: str = ""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A registration under way: its handle, and where the code went."""

    handle: str = field(repr=False)
    phone: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Applicant:
    """A checked form with the password already hashed; `birthdate` is ISO 8601."""

    number: str = field(repr=False)
    name: str = field(repr=False)
    ethnicity: str
    sex: str
    phone: str = field(repr=False)
    password_hash: str = field(repr=False)
    document: str = Document.RESIDENT_ID
    nationality: str = "CHN"
    birthdate: str = field(default="", repr=False)
    username: str = ""

    @property
    def described(self) -> Described:
        """The person, as a register is asked about them."""
        return Described(
            document=Document(self.document),
            number=self.number,
            name=self.name,
            ethnicity=self.ethnicity,
            sex=self.sex,
            nationality=self.nationality,
            birthdate=date.fromisoformat(self.birthdate),
        )


@dataclass(frozen=True, slots=True)
class Pending:
    """What waits in Redis: the applicant sealed, the code as a fingerprint."""

    sealed: str
    code: str
    sms_reference: str


@dataclass(frozen=True, slots=True)
class Proven:
    """An applicant whose phone and particulars are proven, and by what."""

    applicant: Applicant
    sms_reference: str
    confirmed: Confirmed
    proven_at: datetime


PENDING = artifacts.Kind("registration", TypeAdapter(Pending), sms_code.LIFETIME)


def begin_registration(provider: Provider, form: Form, address: str) -> Ticket:
    """Check the form and send a code to the phone; the same answer whether or not an account exists.

    Raises `NumberWrong`, `FieldWrong`, `PasswordWeak`, `TooManyTries`, `SmsUnavailable`, and
    `RegistrationElsewhere` where no accounts are made.
    """
    provider.node.require_registration()
    checked = _checked(provider, form)
    throttle.count(provider, throttle.SMS_PER_ADDRESS, address)
    throttle.count(provider, throttle.SMS_PER_PHONE, checked.phone)
    throttle.count(provider, throttle.SMS_PER_NUMBER, checked.number)
    # Hashing is dear on purpose: only now, or anyone could keep us busy with it.
    applicant = replace(checked, password_hash=passwords.protect(provider, form.password))
    code = sms_code.make(provider)
    reference = sms_code.send(provider, applicant.phone, SMS_TEMPLATE, code)
    pending = Pending(
        sealed=provider.protector.seal(json.dumps(asdict(applicant)), provider.random).hex(),
        code=sms_code.remembered(provider, applicant.phone, code),
        sms_reference=reference,
    )
    handle = artifacts.put(provider, PENDING, pending)
    return Ticket(handle, mask_phone(applicant.phone), int(PENDING.lifetime.total_seconds()))


def prove_registration(provider: Provider, handle: str, code: str) -> Proven:
    """Check the code, then ask the register; call it outside any transaction.

    Raises `TicketGone`, `SmsCodeWrong`, `TooManyTries`; `SourceUnavailable`, after which the same
    code may be tried again; `ParticularsDiffer`, which ends the registration, so that the register
    cannot be asked again and again.
    """
    pending = artifacts.get(provider, PENDING, handle)
    if pending is None:
        raise TicketGone
    applicant = Applicant(**json.loads(provider.protector.open(bytes.fromhex(pending.sealed))))
    left = throttle.count(provider, throttle.SMS_CODE_PER_TICKET, handle)
    if not sms_code.is_right(provider, applicant.phone, code, pending.code):
        raise SmsCodeWrong(left=left)
    throttle.give_back(provider, throttle.SMS_CODE_PER_TICKET, handle)
    agreement = register_check.ask(provider, applicant.described)
    if artifacts.take(provider, PENDING, handle) is None:
        raise TicketGone
    confirmed = register_check.confirmed(applicant.described, agreement)
    return Proven(applicant, pending.sms_reference, confirmed, provider.clock())


def open_account(tx: Session, provider: Provider, proven: Proven) -> Person:
    """Store the person and the evidence. One number has one subject, whoever comes first and however
    often: an account that was closed is opened again.

    Raises `NumberTaken`, `PhoneTaken`, `UsernameTaken`, and `RegistrationElsewhere` where no accounts
    are made.
    """
    provider.node.require_registration()
    subject = _stored(tx, provider, proven)
    for piece in _evidence(subject, proven):
        evidence.record(tx, provider, subject, piece)
    journal.append(
        tx,
        at=proven.proven_at,
        actor=subject,
        action="account.registered",
        subject=subject,
        details={"register_reference": proven.confirmed.reference},
    )
    return person(tx, provider, subject)


def _stored(tx: Session, provider: Provider, proven: Proven) -> str:
    row = _row(provider, proven)
    # The unique indexes decide between registrations of the same instant; the loser waits here
    # for the winner's commit and then finds the row.
    made = insert(PersonRow).values(subject=provider.random(16).hex(), **row)
    made = made.on_conflict_do_nothing()
    again = update(PersonRow).where(
        PersonRow.number_index == row["number_index"], PersonRow.closed_at.is_not(None)
    )
    try:
        with tx.begin_nested():
            subject = tx.scalar(made.returning(PersonRow.subject)) or tx.scalar(
                again.values(row).returning(PersonRow.subject)
            )
    except IntegrityError:
        # The phone or the user name is another's by now; the cause would quote the row.
        subject = None
    if subject is None:
        raise _why_taken(tx, provider, proven.applicant) from None
    return str(subject)


def _row(provider: Provider, proven: Proven) -> dict[str, Any]:
    applicant = proven.applicant
    return {
        "document": applicant.document,
        "nationality": applicant.nationality,
        "birthdate": register_check.told_birthdate(applicant.described),
        "number_index": register_check.number_index(provider, applicant.described),
        "number_sealed": provider.protector.seal(applicant.number, provider.random),
        "phone_index": provider.protector.index(PHONE, applicant.phone),
        "phone_sealed": provider.protector.seal(applicant.phone, provider.random),
        "name": applicant.name,
        "ethnicity": applicant.ethnicity,
        "sex": applicant.sex,
        "username": applicant.username or None,
        "password_hash": applicant.password_hash,
        "profile": {},
        "registered_at": proven.proven_at,
        "closed_at": None,
    }


def _checked(provider: Provider, form: Form) -> Applicant:
    """Return the form as it is stored and compared, its numbers normalised, without the password.

    Raises `NumberWrong`, `FieldWrong`, `PasswordWeak`.
    """
    if form.document not in set(Document):
        raise FieldWrong(field="document")
    rule = RULES[Document(form.document)]
    number, today = rule.read(form.number), provider.clock().date()
    person = register_check.described(rule, number, asdict(form), today)
    applicant = Applicant(
        number=number,
        name=person.name,
        ethnicity=person.ethnicity,
        sex=person.sex,
        phone=form.phone.strip(),
        password_hash="",
        document=person.document,
        nationality=person.nationality,
        birthdate=person.birthdate.isoformat(),
        username=form.username.strip(),
    )
    if MOBILE.fullmatch(applicant.phone) is None:
        raise FieldWrong(field="phone")
    if applicant.username and not is_username(applicant.username):
        raise FieldWrong(field="username")
    passwords.check_strength(form.password, number, applicant.phone)
    return applicant


def _why_taken(tx: Session, provider: Provider, applicant: Applicant) -> DomainError:
    number, phone = (
        PersonRow.number_index == register_check.number_index(provider, applicant.described),
        PersonRow.phone_index == provider.protector.index(PHONE, applicant.phone),
    )
    query = select(PersonRow.subject).where(PersonRow.closed_at.is_(None))
    if tx.scalar(query.where(number)) is not None:
        return NumberTaken()
    return UsernameTaken() if tx.scalar(query.where(phone)) is None else PhoneTaken()


def _evidence(subject: str, proven: Proven) -> tuple[Evidence, Evidence]:
    return (
        Evidence(
            kind=EvidenceKind.SMS_CODE,
            source="sms-gateway",
            reference=proven.sms_reference,
            compared=("phone",),
            happened_at=proven.proven_at,
            by=subject,
        ),
        proven.confirmed.evidence(proven.proven_at),
    )
