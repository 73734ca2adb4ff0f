"""Asks the register that holds a person's paper whether they are as they say.

Refusals tell which kind of thing to correct, and no finer: the rest is the register's.
"""

from dataclasses import dataclass, field
from datetime import date

from idp import throttle
from idp.errors import (
    EthnicityOrSexDiffers,
    IdentityDiffers,
    NationalityOrBirthdateDiffers,
    PaperDiffers,
    SourceUnavailable,
)
from idp.identity_documents import RULES, Document
from idp.levels import FOREIGN_PARTICULARS, FOUR_PARTICULARS, EvidenceKind
from idp.provider import Provider
from idp.sources.agreement import Agreement
from idp.sources.exit_entry import ForeignDescription
from idp.sources.line import Source
from idp.sources.population_register import PersonDescription


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


def ask(provider: Provider, person: Described) -> Agreement:
    """Ask the register; call it outside any transaction.

    Raises `SourceUnavailable`, and `TooManyTries` when this number was asked about too often today.
    """
    throttle.count(provider, throttle.REGISTER_PER_NUMBER, person.number)
    try:
        if RULES[person.document].by_population_register:
            return provider.sources.population.check(
                PersonDescription(person.number, person.name, person.ethnicity, person.sex)
            )
        return provider.sources.exit_entry.check(
            ForeignDescription(
                person.document, person.number, person.name, person.nationality, person.birthdate
            )
        )
    except SourceUnavailable:
        throttle.give_back(provider, throttle.REGISTER_PER_NUMBER, person.number)
        raise


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
