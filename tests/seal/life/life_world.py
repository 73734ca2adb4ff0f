"""A desk where seals are kept, on real keys and a real database, and the persons who go there."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from keys import vault
from keys.algorithms import Purpose
from keys.tables import journal
from keys.two_person import Consent
from seal.life import (
    application,
    destroying,
    handing_over,
    making,
    recording,
    register,
    review,
    stopping,
)
from seal.life.application import Draft
from seal.life.desk import SealDesk
from seal.life.register import Event
from seal.life.tables import SealRow
from seal.seal_states import SealState
from tests.license_store.world import NOON, Clock, sandbox_random, vault_of
from tests.seals import APPLICANT, KEEPER, MAKER, REVIEWER, SEAL_MM, picture

OWNER, OWNER_NAME = "11990100MBXX90018M", "示例市住房和城乡建设局"
REGISTRAR, MAKING = "seal-registrar", "seal-maker"
WHY = "示例理由"
YEAR = timedelta(days=365)

DRAFT = Draft(
    owner=OWNER,
    owner_name=OWNER_NAME,
    name=f"{OWNER_NAME}电子证照专用章",
    kind="licence",
    legal_basis="示例依据第一条",
    keeper=KEEPER,
    picture_png=picture(OWNER_NAME),
    width=SEAL_MM,
    height=SEAL_MM,
    until=NOON + 2 * YEAR,
    by=APPLICANT,
)

_WAY = (
    SealState.DRAFT,
    SealState.SUBMITTED,
    SealState.APPROVED,
    SealState.MADE,
    SealState.RECORDED,
    SealState.ISSUED,
    SealState.IN_USE,
)


@dataclass
class World:
    """The desk and its clock. Every verb is one transaction."""

    desk: SealDesk
    clock: Clock

    def begin(self) -> AbstractContextManager[Session]:
        return self.desk.begin()

    def do(self, use_case: Callable[..., Any], command: Any) -> Any:
        with self.begin() as tx:
            return use_case(tx, self.desk, command)

    def draft(self, **changes: Any) -> UUID:
        return UUID(str(self.do(application.draft, replace(DRAFT, **changes))))

    def seal_in(self, state: SealState, **changes: Any) -> UUID:
        """Return a new seal that came to a state by the way there is."""
        seal = self.draft(**changes)
        steps = _WAY[: _WAY.index(state) + 1] if state in _WAY else _WAY
        for step in steps[1:]:
            self.step(seal, step, changes.get("keeper", KEEPER))
        if state not in _WAY:
            self.end(seal, state)
        return seal

    def step(self, seal: UUID, to: SealState, keeper: str = KEEPER) -> None:
        """Bring a seal one step further on the way into use."""
        steps: dict[SealState, tuple[Callable[..., Any], Any]] = {
            SealState.SUBMITTED: (application.submit, application.Submission(seal, APPLICANT)),
            SealState.APPROVED: (review.approve, review.Review(seal, REVIEWER, WHY)),
            SealState.MADE: (making.make, making.Making(seal, MAKING, self.making_consent())),
            SealState.RECORDED: (recording.record, recording.Recording(seal, REGISTRAR)),
            SealState.ISSUED: (handing_over.issue, handing_over.HandOver(seal, REGISTRAR)),
            SealState.IN_USE: (handing_over.accept, handing_over.Acceptance(seal, keeper)),
        }
        self.do(*steps[to])

    def end(self, seal: UUID, state: SealState) -> None:
        """Bring a seal in use to one of the states after that."""
        if state is SealState.SUSPENDED:
            self.do(stopping.suspend, stopping.Stop(seal, KEEPER, WHY))
        elif state is SealState.LOST:
            loss = stopping.Loss(seal, KEEPER, WHY, self.clock())
            self.do(stopping.report_lost, loss)
        else:
            self.destroy(seal)

    def destroy(self, seal: UUID) -> None:
        consents = self.destruction_consents(seal)
        self.do(destroying.destroy, destroying.Destruction(seal, REGISTRAR, WHY, consents))

    def making_consent(self) -> Consent:
        about = vault.subject(Purpose.SEAL_MAKER, MAKER)
        return Consent(vault.USE, about, "first", "second", self.clock())

    def destruction_consents(self, seal: UUID) -> tuple[Consent, ...]:
        with self.begin() as tx:
            subjects = destroying.subjects_of(tx, self.desk, seal)
        now = self.clock()
        return tuple(Consent(vault.DESTROY, about, "first", "second", now) for about in subjects)

    def row(self, seal: UUID) -> SealRow:
        with self.begin() as tx:
            return register.find(tx, seal)

    def state(self, seal: UUID) -> SealState:
        return SealState(self.row(seal).state)

    def history(self, seal: UUID) -> tuple[Event, ...]:
        with self.begin() as tx:
            return register.history(tx, seal)

    def journalled(self, seal: UUID) -> list[str]:
        """Return what was journalled of a seal, in order."""
        about = journal.c.details["seal"].astext == str(seal)
        with self.begin() as tx:
            return list(tx.scalars(select(journal.c.action).where(about).order_by(journal.c.id)))


def world_on(engine: Engine, seed: int, now: Clock | None = None) -> World:
    clock = now or Clock()
    vault_ = vault_of(clock, sandbox_random(seed))
    begin = sessionmaker(engine, expire_on_commit=False).begin
    return World(SealDesk(begin, clock, vault_.random, vault_, MAKER, "yinxin"), clock)
