"""An entity registers through its legal representative, who is real-name first, and through nobody else.

`prepare` reads who asks, `ask` asks the registers with the applicant's own particulars in the place
of the representative's, `open_entity` stores what they agreed to. An entity that is here already is
taken over: by the same person for newer evidence, by another as its new representative.
"""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from idp import accounts, evidence, throttle
from idp.acting import MandateKind
from idp.entities import entity, legal_levels, mandates
from idp.entities.entity import Alias, Entity
from idp.entities.mandates import Ended
from idp.entities.tables import EntityRow
from idp.entity_errors import (
    EntityDiffers,
    EntityEnded,
    EntityFieldWrong,
    NotRepresentative,
    RepresentativeNotRealName,
)
from idp.levels import Evidence, EvidenceKind
from idp.people_errors import SourceUnavailable
from idp.provider import Provider
from idp.sources.agreement import Agreement
from idp.sources.business_register import (
    PARTICULARS,
    EntityDescription,
    EntityState,
    EntityStatus,
)
from keys import journal
from keys.identity_numbers import uscc

_LONGEST_NAME = 100
_LONGEST_NUMBER = 30
_OF_ENTITY = ("name", "registration_number", "uscc", "organisation_code")


@dataclass(frozen=True, slots=True)
class Form:
    """What the representative types; all else is known of them, or stands in the code."""

    uscc: str
    name: str
    registration_number: str


@dataclass(frozen=True, slots=True)
class Application:
    """A checked form, and who says to be the representative."""

    subject: str
    described: EntityDescription = field(repr=False)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """An application to which the registers agreed in all seven particulars. Only `ask` makes one."""

    application: Application
    reference: str
    confirmed_at: datetime


def prepare(tx: Session, provider: Provider, subject: str, form: Form) -> Application:
    """Check the form and read the applicant's own particulars.

    Raises `NumberWrong`, `EntityFieldWrong`, `RepresentativeNotRealName`.
    """
    code = uscc(form.uscc)
    name = form.name.strip()
    number = form.registration_number.strip().upper()
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise EntityFieldWrong(field="name")
    if not 0 < len(number) <= _LONGEST_NUMBER or not (number.isascii() and number.isalnum()):
        raise EntityFieldWrong(field="registration_number")
    if not legal_levels.is_real_name(tx, provider, subject):
        raise RepresentativeNotRealName
    person = accounts.person(tx, provider, subject)
    described = EntityDescription(
        name=name,
        registration_number=number,
        uscc=code,
        organisation_code=entity.organisation_code(code),
        representative_name=person.name,
        representative_number=accounts.reveal_number(tx, provider, subject),
        representative_ethnicity=person.ethnicity,
    )
    return Application(subject, described)


def ask(provider: Provider, application: Application) -> Confirmed:
    """Ask the registers; call it outside any transaction.

    Raises `EntityDiffers`, `NotRepresentative`, `EntityEnded`, `TooManyTries`; `SourceUnavailable`,
    after which it may be tried again.
    """
    throttle.count(provider, throttle.ENTITY_PER_PERSON, application.subject)
    try:
        agreement, status = _answers(provider, application.described)
    except SourceUnavailable:
        throttle.give_back(provider, throttle.ENTITY_PER_PERSON, application.subject)
        raise
    # The entity's particulars are told apart from the representative's, and no finer.
    if not all(agreement.agrees[particular] for particular in _OF_ENTITY):
        raise EntityDiffers
    if not agreement.complete:
        raise NotRepresentative
    if status.state is not EntityState.ACTIVE:
        raise EntityEnded
    return Confirmed(application, agreement.reference, provider.clock())


def open_entity(tx: Session, provider: Provider, confirmed: Confirmed) -> Entity:
    """Store the entity, what its level rests on, and who represents it.

    One code has one subject, whoever comes first. A former representative's mandate ends, and the
    mandates they gave are frozen.
    """
    described, applicant = confirmed.application.described, confirmed.application.subject
    subject = _subject(tx, provider, confirmed)
    _succeed(tx, provider, subject, applicant)
    evidence.record(
        tx,
        provider,
        subject,
        Evidence(
            kind=EvidenceKind.BUSINESS_REGISTER,
            source="business-register",
            reference=confirmed.reference,
            compared=PARTICULARS,
            happened_at=confirmed.confirmed_at,
            by=applicant,
        ),
    )
    found = entity.get(tx, subject)
    for kind, number in (
        (Alias.REGISTRATION, described.registration_number),
        (Alias.ORGANISATION, described.organisation_code),
    ):
        if number != found.uscc:
            entity.record_alias(tx, provider, found, kind, number, source="business-register")
    return found


def _answers(provider: Provider, described: EntityDescription) -> tuple[Agreement, EntityStatus]:
    register = provider.sources.business
    return (
        register.check(described),
        register.status(described.uscc, described.representative_number),
    )


def _subject(tx: Session, provider: Provider, confirmed: Confirmed) -> str:
    """The subject of the code, new or known; its row is held until the commit."""
    described, applicant = confirmed.application.described, confirmed.application.subject
    told = {
        "uscc": described.uscc,
        "name": described.name,
        "registration_number": described.registration_number,
    }
    row = {**told, "subject": provider.random(16).hex(), "registered_at": confirmed.confirmed_at}
    statement = insert(EntityRow).values(row).on_conflict_do_nothing(index_elements=["uscc"])
    made: str | None = tx.scalar(statement.returning(EntityRow.subject))
    if made is None:
        query = select(EntityRow).where(EntityRow.uscc == described.uscc).with_for_update()
        known = tx.scalars(query.execution_options(populate_existing=True)).one()
        known.name, known.registration_number = described.name, described.registration_number
        tx.flush()
        return known.subject
    journal.append(
        tx,
        at=confirmed.confirmed_at,
        actor=applicant,
        action="entity.registered",
        subject=made,
        details={"uscc": described.uscc, "register_reference": confirmed.reference},
    )
    return made


def _succeed(tx: Session, provider: Provider, subject: str, applicant: str) -> None:
    """Make the applicant the representative, in place of whoever was."""
    now = provider.clock()
    former = mandates.representative(tx, subject)
    for piece in evidence.of_kinds(tx, subject, (EvidenceKind.BUSINESS_REGISTER,), now):
        if piece.id is not None:
            evidence.withdraw(tx, provider, piece.id, by=applicant, why="registered anew")
    if former is not None and former.holder == applicant and former.live(now):
        return
    if former is not None:
        mandates.end(tx, provider, former.id, by=applicant, why=Ended.SUCCEEDED)
        mandates.freeze(tx, provider, subject, by=applicant)
    mandates.add(
        tx,
        provider,
        MandateKind.REPRESENTATIVE,
        principal=subject,
        holder=applicant,
        by="business-register",
    )
