"""The registers are asked again, every day: who died, changed their number or differs falls at once.

The level goes with the evidence that the register gave (`lowering`). A register that does not answer
takes nothing from anybody: it is asked at the next round.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from idp import accounts, evidence, lowering
from idp.accounts import Person
from idp.errors import AccountUnknown, SourceUnavailable
from idp.levels import EvidenceKind
from idp.provider import Provider
from idp.sources.population_register import PersonDescription, PersonState
from idp.tables import EvidenceRow, RegisterWatchRow

EVERY = timedelta(days=1)
"""How old the answer about a person may become."""

AT_ONCE = 500
"""How many people one round of the job asks about."""

JOB = "watch_population_register"
BY = "register-watch"
DIFFERS = "differs"

_KIND = EvidenceKind.POPULATION_REGISTER
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the register says of a person now: `current`, `differs` or why not; and its reference."""

    state: str
    reference: str

    @property
    def confirms(self) -> bool:
        """Is everything as it was?"""
        return self.state == PersonState.CURRENT


@dataclass(frozen=True, slots=True)
class Round:
    """How many were asked about, how many fell, and how many got no answer."""

    asked: int
    fallen: int
    silent: int


def run(provider: Provider) -> None:
    """Let one round go by: the job."""
    watch(provider)


def watch(provider: Provider, at_once: int = AT_ONCE) -> Round:
    """Ask about those whose answer is the oldest; each in transactions of their own."""
    with provider.begin() as tx:
        subjects = due(tx, provider, at_once)
    fallen = silent = 0
    for subject in subjects:
        try:
            fallen += not look(provider, subject).confirms
        except SourceUnavailable:
            silent += 1
        except AccountUnknown:  # closed since
            continue
    told = Round(len(subjects), fallen, silent)
    _log.info("registers.watched", extra={"asked": told.asked, "fallen": fallen, "silent": silent})
    return told


def due(tx: Session, provider: Provider, limit: int) -> list[str]:
    """Who stands on the register's word and was not asked about for a day, the longest ago first."""
    before = provider.clock() - EVERY
    query = (
        select(EvidenceRow.subject, RegisterWatchRow.asked_at)
        .outerjoin(RegisterWatchRow, RegisterWatchRow.subject == EvidenceRow.subject)
        .where(EvidenceRow.kind == _KIND, EvidenceRow.withdrawn_at.is_(None))
        .where(EvidenceRow.happened_at <= before)
        .where(or_(RegisterWatchRow.asked_at.is_(None), RegisterWatchRow.asked_at <= before))
        .distinct()
        .order_by(RegisterWatchRow.asked_at.asc().nulls_first(), EvidenceRow.subject)
        .limit(limit)
    )
    return [row.subject for row in tx.execute(query)]


def look(provider: Provider, subject: str) -> Answer:
    """Ask the register about one person, and let the level fall if it says so.

    Raises `AccountUnknown`; `SourceUnavailable`, and nothing is changed.
    """
    with provider.begin() as tx:
        person = accounts.person(tx, provider, subject)
        number = accounts.reveal_number(tx, provider, subject)
    answer = _asked(provider, person, number)
    with provider.begin() as tx:
        note(tx, provider, subject, answer)
    return answer


def note(tx: Session, provider: Provider, subject: str, answer: Answer) -> None:
    """Keep the answer; without the register's word the level goes, and the sign-ons with it."""
    row = {
        "subject": subject,
        "asked_at": provider.clock(),
        "state": answer.state,
        "reference": answer.reference,
    }
    statement = insert(RegisterWatchRow).values(row)
    tx.execute(statement.on_conflict_do_update(index_elements=["subject"], set_=row))
    if answer.confirms:
        return
    for piece in evidence.of_kinds(tx, subject, (_KIND,), provider.clock()):
        if piece.id is not None:
            evidence.withdraw(tx, provider, piece.id, by=BY, why=answer.state)
    lowering.settle(tx, provider, subject, by=BY)


def _asked(provider: Provider, person: Person, number: str) -> Answer:
    register = provider.sources.population
    status = register.status(number)
    if status.state is not PersonState.CURRENT:
        return Answer(status.state.value, status.reference)
    described = PersonDescription(number, person.name, person.ethnicity, person.sex)
    agreement = register.check(described)
    state = PersonState.CURRENT.value if agreement.complete else DIFFERS
    return Answer(state, agreement.reference)
