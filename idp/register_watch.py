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

from idp import evidence, lowering, register_check
from idp.identity_documents import RULES
from idp.levels import EvidenceKind
from idp.people_errors import AccountUnknown, SourceUnavailable
from idp.provider import Provider
from idp.register_check import Described
from idp.sources.population_register import PersonState
from idp.tables import EvidenceRow, PersonRow, RegisterWatchRow

EVERY = timedelta(days=1)
"""How old the answer about a person may become."""

AT_ONCE = 500
"""How many people one round of the job asks each register about."""

JOB = "watch_registers"
BY = "register-watch"
DIFFERS = "differs"

_KINDS = (EvidenceKind.POPULATION_REGISTER, EvidenceKind.EXIT_ENTRY_REGISTER)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What their register says of a person now: `current`, `differs` or why not; and its reference."""

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
    """Ask about those whose answer is the oldest; each in transactions of their own.

    The registers have queues of their own: one that is down keeps nobody from the other.
    """
    with provider.begin() as tx:
        subjects = [who for kind in _KINDS for who in due(tx, provider, kind, at_once)]
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


def due(tx: Session, provider: Provider, kind: EvidenceKind, limit: int) -> list[str]:
    """Who stands on this register's word and was not asked about for a day, the longest ago first."""
    before = provider.clock() - EVERY
    query = (
        select(EvidenceRow.subject, RegisterWatchRow.asked_at)
        .outerjoin(RegisterWatchRow, RegisterWatchRow.subject == EvidenceRow.subject)
        .join(PersonRow, PersonRow.subject == EvidenceRow.subject)
        .where(PersonRow.closed_at.is_(None))
        .where(EvidenceRow.kind == kind, EvidenceRow.withdrawn_at.is_(None))
        .where(EvidenceRow.happened_at <= before)
        .where(or_(RegisterWatchRow.asked_at.is_(None), RegisterWatchRow.asked_at <= before))
        .distinct()
        .order_by(RegisterWatchRow.asked_at.asc().nulls_first(), EvidenceRow.subject)
        .limit(limit)
    )
    return [row.subject for row in tx.execute(query)]


def look(provider: Provider, subject: str) -> Answer:
    """Ask their register about one person, and let the level fall if it says so.

    Raises `AccountUnknown`; `SourceUnavailable`, and nothing is changed.
    """
    with provider.begin() as tx:
        person = register_check.of_account(tx, provider, subject)
    answer = _asked(provider, person)
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
    for piece in evidence.of_kinds(tx, subject, _KINDS, provider.clock()):
        if piece.id is not None:
            evidence.withdraw(tx, provider, piece.id, by=BY, why=answer.state)
    lowering.settle(tx, provider, subject, by=BY)


def _asked(provider: Provider, person: Described) -> Answer:
    """Whether the paper is still good, and if so whether every particular still agrees."""
    status = _status(provider, person)
    if not status.confirms:
        return status
    agreement = register_check.compare(provider, person)
    state = PersonState.CURRENT if agreement.complete else DIFFERS
    return Answer(state, agreement.reference)


def _status(provider: Provider, person: Described) -> Answer:
    sources = provider.sources
    if RULES[person.document].by_population_register:
        of_person = sources.population.status(person.number)
        return Answer(of_person.state, of_person.reference)
    of_paper = sources.exit_entry.status(person.document, person.number, person.nationality)
    return Answer(of_paper.state, of_paper.reference)
