"""Asks the register that holds a person's paper whether they are as they say.

Refusals tell which kind of thing to correct, and no finer: the rest is the register's.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.orm import Session

from idp import accounts, evidence_policy, throttle
from idp.accounts import is_name
from idp.code_tables import ETHNICITIES, SEXES
from idp.errors import FieldWrong
from idp.identity_documents import RULES, Document, Rule, birthdate
from idp.levels import FOREIGN_PARTICULARS, FOUR_PARTICULARS, Evidence, EvidenceKind
from idp.people_errors import (
    AccountUnknown,
    EthnicityOrSexDiffers,
    IdentityDiffers,
    NationalityOrBirthdateDiffers,
    PaperDiffers,
    SourceUnavailable,
)
from idp.provider import Provider
from idp.sources.agreement import Agreement
from idp.sources.exit_entry import ForeignDescription
from idp.sources.line import Source
from idp.sources.population_register import PersonDescription
from idp.tables import PersonRow
from keys.identity_numbers import ResidentIdDate

_SEX_UNKNOWN = "0"
"""GB/T 2261.1 for what a paper was not asked about."""

_STATE = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Described:
    """A person and their paper, well formed; ethnicity and sex are of those with a resident ID card."""

    document: Document
    number: str = field(repr=False)
    name: str = field(repr=False)
    ethnicity: str
    sex: str
    nationality: str
    birthdate: date = field(repr=False)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A register's yes: which one's, under what reference, to what."""

    kind: EvidenceKind
    source: str
    reference: str
    compared: tuple[str, ...]

    def evidence(self, at: datetime) -> Evidence:
        """It, as what a level stands on."""
        until = evidence_policy.valid_until(self.kind, at)
        return Evidence(self.kind, self.source, self.reference, self.compared, at, until)


def described(rule: Rule, number: str, typed: Mapping[str, str], today: date) -> Described:
    """Read the particulars that the paper's rule asks for, typed beside a `number` that it has read.

    Raises `FieldWrong`; `ResidentIdDate` for a number of somebody who is not born yet.
    """
    asked = {name: typed[name].strip() for name in rule.asks}
    person = Described(
        document=rule.document,
        number=number,
        name=as_printed(rule, typed["name"]),
        ethnicity=asked.get("ethnicity", ""),
        sex=asked.get("sex", _SEX_UNKNOWN),
        nationality=rule.nationality(number) or asked["nationality"].upper(),
        birthdate=_born(number, asked, today),
    )
    wellformed = {
        "name": is_name(person.name),
        "ethnicity": "ethnicity" not in asked or person.ethnicity in ETHNICITIES,
        "sex": "sex" not in asked or person.sex in SEXES,
        "nationality": _STATE.fullmatch(person.nationality) is not None,
    }
    for wrong in (name for name, good in wellformed.items() if not good):
        raise FieldWrong(field=wrong)
    return person


def of_account(tx: Session, provider: Provider, subject: str) -> Described:
    """The person of an open account whom a register has confirmed. Raises `AccountUnknown`."""
    accounts.check_open(tx, subject)
    row = tx.get_one(PersonRow, subject)
    rule, number = RULES[Document(row.document)], provider.protector.open(row.number_sealed)
    nationality = rule.nationality(number) or row.nationality
    born = birthdate(number) or row.birthdate
    if nationality is None or born is None:
        raise AccountUnknown
    return Described(rule.document, number, row.name, row.ethnicity, row.sex, nationality, born)


def ask(provider: Provider, person: Described) -> Agreement:
    """Ask the register on the person's behalf; call it outside any transaction.

    Raises `SourceUnavailable`, and `TooManyTries` when this number was asked about too often today.
    """
    throttle.count(provider, throttle.REGISTER_PER_NUMBER, person.number)
    try:
        return compare(provider, person)
    except SourceUnavailable:
        throttle.give_back(provider, throttle.REGISTER_PER_NUMBER, person.number)
        raise


def compare(provider: Provider, person: Described) -> Agreement:
    """Which particulars agree, by the register of the paper. Raises `SourceUnavailable`."""
    if RULES[person.document].by_population_register:
        return provider.sources.population.check(
            PersonDescription(person.number, person.name, person.ethnicity, person.sex)
        )
    return provider.sources.exit_entry.check(
        ForeignDescription(
            person.document, person.number, person.name, person.nationality, person.birthdate
        )
    )


def number_index(provider: Provider, person: Described) -> bytes:
    """What finds the number of their paper, in its space of numbers."""
    rule = RULES[person.document]
    key = rule.key(person.number, person.nationality)
    return provider.protector.index(rule.space(person.number), key)


def told_birthdate(person: Described) -> date | None:
    """The birth date where it does not stand in the number: what an account has to keep."""
    return None if birthdate(person.number) else person.birthdate


def confirmed(person: Described, agreement: Agreement) -> Confirmed:
    """What a complete agreement is evidence of. Raises `ParticularsDiffer` for any other."""
    known = agreement.agrees["number"] and agreement.agrees["name"]
    if RULES[person.document].by_population_register:
        if not agreement.complete:
            raise EthnicityOrSexDiffers if known else IdentityDiffers
        kind, source = EvidenceKind.POPULATION_REGISTER, Source.POPULATION
        return Confirmed(kind, source, agreement.reference, FOUR_PARTICULARS)
    if not agreement.complete:
        raise NationalityOrBirthdateDiffers if known else PaperDiffers
    kind, source = EvidenceKind.EXIT_ENTRY_REGISTER, Source.EXIT_ENTRY
    return Confirmed(kind, source, agreement.reference, FOREIGN_PARTICULARS)


def as_printed(rule: Rule, name: str) -> str:
    """A name in Latin letters is compared as papers print it: in capitals, with single spaces."""
    typed = name.strip()
    return " ".join(typed.upper().split()) if "nationality" in rule.asks else typed


def _born(number: str, asked: Mapping[str, str], today: date) -> date:
    """The birth date of the number, or as typed, which must agree. Raises `FieldWrong`."""
    held = birthdate(number)
    if "birthdate" not in asked and held is not None:
        if held > today:
            raise ResidentIdDate
        return held
    try:
        typed = date.fromisoformat(asked["birthdate"])
    except ValueError:
        raise FieldWrong(field="birthdate") from None
    if typed > today or held not in (None, typed):
        raise FieldWrong(field="birthdate")
    return typed
