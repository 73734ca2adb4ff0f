"""The simulated exit and entry administration (移民管理)."""

from datetime import date
from typing import Literal

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from service.simulators.contract import source
from service.simulators.outside import Outside, PaperRecord, PaperState

Document = Literal[
    "residence_permit", "hk_macao_permit", "taiwan_permit", "permanent_residence", "passport"
]


class PaperCheck(BaseModel):
    """The four particulars of a paper to compare; nationality by GB/T 2659, three letters."""

    document: Document
    number: str = Field(min_length=5, max_length=18)
    name: str = Field(min_length=1, max_length=80)
    nationality: str = Field(pattern="^[A-Z]{3}$")
    birthdate: date


class PaperAgreements(BaseModel):
    """Whether each particular is as it was entered in the paper."""

    number: bool
    name: bool
    nationality: bool
    birthdate: bool


class PaperChecked(BaseModel):
    """The administration's answer and its reference."""

    reference: str
    agrees: PaperAgreements


class PaperQuestion(BaseModel):
    """A paper whose state is asked for; two states may give out one passport number."""

    document: Document
    number: str = Field(min_length=5, max_length=18)
    nationality: str = Field(pattern="^[A-Z]{3}$")


class PaperStateAnswer(BaseModel):
    """What became of the paper, or of who had it."""

    reference: str
    state: PaperState


class PaperChange(BaseModel):
    """A change in the life of a fixture paper."""

    document: Document
    number: str
    state: PaperState


def routers(outside: Outside) -> tuple[APIRouter, APIRouter]:
    """The contract, and the tester's switch."""
    contract, sandbox = source("exit-entry"), APIRouter(tags=["sandbox"])

    @contract.post("/checks", operation_id="check_paper")
    def check_paper(check: PaperCheck) -> PaperChecked:
        """Say which of the four particulars agree."""
        held = outside.papers.get((check.document, check.number))
        agrees = PaperAgreements(
            number=held is not None and _state(held) == "current",
            name=held is not None and held.name == check.name,
            nationality=held is not None and held.nationality == check.nationality,
            birthdate=held is not None and held.birthdate == check.birthdate,
        )
        return PaperChecked(reference=outside.reference("paper"), agrees=agrees)

    @contract.post("/states", operation_id="paper_state")
    def paper_state(question: PaperQuestion) -> PaperStateAnswer:
        """Say what became of a paper."""
        held = outside.papers.get((question.document, question.number))
        unknown = held is None or held.nationality != question.nationality
        state: PaperState = "unknown" if unknown or held is None else _state(held)
        return PaperStateAnswer(reference=outside.reference("paper-state"), state=state)

    @sandbox.post("/sandbox/paper", operation_id="change_paper")
    def change_paper(change: PaperChange) -> PaperChange:
        """Let a fixture paper lapse, be cancelled, or be good again."""
        if (change.document, change.number) not in outside.papers:
            raise HTTPException(404, "no such fixture paper")
        outside.paper_states[change.document, change.number] = change.state
        return change

    def _state(held: PaperRecord) -> PaperState:
        return outside.paper_states.get((held.document, held.number), "current")

    return contract, sandbox
