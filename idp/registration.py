"""A citizen registers: what was typed is well formed, the phone is theirs, the register agrees.

Three steps with the person or the outside between them: `begin_registration` sends a code to the
phone, `prove_registration` checks the code and asks the population register, `open_account`
stores the person and the evidence. Until the last, everything waits sealed in Redis and lapses
by itself, so a refusal at any step leaves nothing behind.
"""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from idp import artifacts, throttle
from idp.accounts import MOBILE, NUMBER, PHONE, Person, mask_phone, person
from idp.code_tables import ETHNICITIES, SEXES
from idp.errors import (
    EthnicityOrSexDiffers,
    FieldWrong,
    IdentityDiffers,
    NumberTaken,
    PhoneTaken,
    RegisterUnavailable,
    SmsCodeWrong,
    TicketGone,
)
from idp.levels import EvidenceKind
from idp.methods import password, sms_code
from idp.provider import Provider
from idp.sources.population_register import PARTICULARS, Agreement, PersonDescription
from idp.tables import EvidenceRow, PersonRow
from keys import journal
from keys.identity_numbers import resident_id

SMS_TEMPLATE = "registration-code"
_LONGEST_NAME = 50
_NAME_MARKS = "·•.'- "


@dataclass(frozen=True, slots=True)
class Form:
    """What a citizen types; 民族 by GB/T 3304 code, 性别 by GB/T 2261.1 code."""

    number: str = field(repr=False)
    name: str = field(repr=False)
    ethnicity: str
    sex: str
    phone: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A registration under way: its handle, and where the code went."""

    handle: str = field(repr=False)
    phone: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Applicant:
    """A checked form with the password already hashed."""

    number: str = field(repr=False)
    name: str = field(repr=False)
    ethnicity: str
    sex: str
    phone: str = field(repr=False)
    password_hash: str = field(repr=False)


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
    register_reference: str
    proven_at: datetime


PENDING = artifacts.Kind("registration", TypeAdapter(Pending), sms_code.LIFETIME)


def begin_registration(provider: Provider, form: Form, address: str) -> Ticket:
    """Check the form and send a code to the phone; the same answer whether or not an account exists.

    Raises `NumberWrong`, `FieldWrong`, `PasswordWeak`, `TooManyTries`, `SmsUnavailable`.
    """
    checked = _checked(form)
    throttle.count(provider, throttle.SMS_PER_ADDRESS, address)
    throttle.count(provider, throttle.SMS_PER_PHONE, checked.phone)
    throttle.count(provider, throttle.SMS_PER_NUMBER, checked.number)
    # Hashing is dear on purpose: only now, or anyone could keep us busy with it.
    applicant = Applicant(
        number=checked.number,
        name=checked.name,
        ethnicity=checked.ethnicity,
        sex=checked.sex,
        phone=checked.phone,
        password_hash=password.protect(provider, checked.password),
    )
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

    Raises `TicketGone`, `SmsCodeWrong`, `TooManyTries`; `RegisterUnavailable`, after which the
    same code may be tried again; `IdentityDiffers` or `EthnicityOrSexDiffers`, which end the
    registration, so that the register cannot be asked again and again.
    """
    pending = artifacts.get(provider, PENDING, handle)
    if pending is None:
        raise TicketGone
    applicant = Applicant(**json.loads(provider.protector.open(bytes.fromhex(pending.sealed))))
    left = throttle.count(provider, throttle.SMS_CODE_PER_TICKET, handle)
    if not sms_code.is_right(provider, applicant.phone, code, pending.code):
        raise SmsCodeWrong(left=left)
    throttle.give_back(provider, throttle.SMS_CODE_PER_TICKET, handle)
    agreement = _ask_register(provider, applicant)
    if artifacts.take(provider, PENDING, handle) is None:
        raise TicketGone
    _require_agreement(agreement)
    return Proven(applicant, pending.sms_reference, agreement.reference, provider.clock())


def open_account(tx: Session, provider: Provider, proven: Proven) -> Person:
    """Store the person and the evidence. One number has one subject, whoever comes first.

    Raises `NumberTaken`, `PhoneTaken`.
    """
    applicant = proven.applicant
    subject = provider.random(16).hex()
    row = {
        "subject": subject,
        "number_index": provider.protector.index(NUMBER, applicant.number),
        "number_sealed": provider.protector.seal(applicant.number, provider.random),
        "phone_index": provider.protector.index(PHONE, applicant.phone),
        "phone_sealed": provider.protector.seal(applicant.phone, provider.random),
        "name": applicant.name,
        "ethnicity": applicant.ethnicity,
        "sex": applicant.sex,
        "password_hash": applicant.password_hash,
        "profile": {},
        "registered_at": proven.proven_at,
    }
    # The unique indexes decide between registrations of the same instant; the loser waits here
    # for the winner's commit and then finds the row.
    statement = insert(PersonRow).values(row).on_conflict_do_nothing().returning(PersonRow.subject)
    if tx.scalar(statement) is None:
        raise _why_taken(tx, provider, applicant)
    tx.add_all(_evidence(subject, proven))
    tx.flush()
    journal.append(
        tx,
        at=proven.proven_at,
        actor=subject,
        action="account.registered",
        subject=subject,
        details={"register_reference": proven.register_reference},
    )
    return person(tx, provider, subject)


def _checked(form: Form) -> Form:
    """Return the form as it is stored and compared; its numbers normalised."""
    number = resident_id(form.number)
    name = form.name.strip()
    phone = form.phone.strip()
    wellformed = {
        "name": 0 < len(name) <= _LONGEST_NAME
        and all(c.isalpha() or c in _NAME_MARKS for c in name),
        "ethnicity": form.ethnicity in ETHNICITIES,
        "sex": form.sex in SEXES,
        "phone": MOBILE.fullmatch(phone) is not None,
    }
    for name_of_field, good in wellformed.items():
        if not good:
            raise FieldWrong(field=name_of_field)
    password.check_strength(form.password, number, phone)
    return Form(number, name, form.ethnicity, form.sex, phone, form.password)


def _ask_register(provider: Provider, applicant: Applicant) -> Agreement:
    throttle.count(provider, throttle.REGISTER_PER_NUMBER, applicant.number)
    described = PersonDescription(
        applicant.number, applicant.name, applicant.ethnicity, applicant.sex
    )
    try:
        return provider.population_register.check(described)
    except RegisterUnavailable:
        throttle.give_back(provider, throttle.REGISTER_PER_NUMBER, applicant.number)
        raise


def _require_agreement(agreement: Agreement) -> None:
    """Number and name are told apart from ethnicity and sex, and no finer: the rest is the register's."""
    if not (agreement.agrees["number"] and agreement.agrees["name"]):
        raise IdentityDiffers
    if not agreement.complete:
        raise EthnicityOrSexDiffers


def _why_taken(tx: Session, provider: Provider, applicant: Applicant) -> NumberTaken | PhoneTaken:
    index = provider.protector.index(NUMBER, applicant.number)
    same = tx.scalar(select(PersonRow.subject).where(PersonRow.number_index == index))
    return PhoneTaken() if same is None else NumberTaken()


def _evidence(subject: str, proven: Proven) -> tuple[EvidenceRow, EvidenceRow]:
    return (
        EvidenceRow(
            subject=subject,
            kind=EvidenceKind.SMS_CODE,
            source="sms-gateway",
            reference=proven.sms_reference,
            compared=["phone"],
            happened_at=proven.proven_at,
        ),
        EvidenceRow(
            subject=subject,
            kind=EvidenceKind.POPULATION_REGISTER,
            source="population-register",
            reference=proven.register_reference,
            compared=list(PARTICULARS),
            happened_at=proven.proven_at,
        ),
    )
