"""The simulated population register (公安人口库)."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from service.simulators.contract import source
from service.simulators.outside import Outside, PersonState


class PersonCheck(BaseModel):
    """The four particulars to compare with the register."""

    number: str = Field(min_length=18, max_length=18)
    name: str = Field(min_length=1, max_length=50)
    ethnicity: str = Field(pattern="^[0-9]{2}$")
    sex: str = Field(pattern="^[0-9]$")


class PersonAgreements(BaseModel):
    """Whether each particular is as the register holds it. The register's own data is never sent."""

    number: bool
    name: bool
    ethnicity: bool
    sex: bool


class PersonChecked(BaseModel):
    """The register's answer and the reference under which it keeps it."""

    reference: str
    agrees: PersonAgreements


class PersonQuestion(BaseModel):
    """A number whose state is asked for."""

    number: str = Field(min_length=18, max_length=18)


class PersonStateAnswer(BaseModel):
    """What became of the person of that number."""

    reference: str
    state: PersonState


class PersonChange(BaseModel):
    """A change in the life of a fixture person."""

    number: str
    state: PersonState


def routers(outside: Outside) -> tuple[APIRouter, APIRouter]:
    """The contract, and the tester's switch."""
    contract, sandbox = source("population-register"), APIRouter(tags=["sandbox"])

    @contract.post("/checks", operation_id="check_person")
    def check_person(check: PersonCheck) -> PersonChecked:
        """Say which of the four particulars agree with the register."""
        held = outside.people.get(check.number)
        agrees = PersonAgreements(
            number=held is not None and _state(check.number) == "current",
            name=held is not None and held.name == check.name,
            ethnicity=held is not None and held.ethnicity == check.ethnicity,
            sex=held is not None and held.sex == check.sex,
        )
        return PersonChecked(reference=outside.reference("check"), agrees=agrees)

    @contract.post("/states", operation_id="person_state")
    def person_state(question: PersonQuestion) -> PersonStateAnswer:
        """Say what became of the person of a number."""
        state = _state(question.number)
        return PersonStateAnswer(reference=outside.reference("state"), state=state)

    @sandbox.post("/sandbox/person", operation_id="change_person")
    def change_person(change: PersonChange) -> PersonChange:
        """Let a fixture person die, get another number, or live again."""
        outside.person_states[change.number] = change.state
        return change

    def _state(number: str) -> PersonState:
        if number not in outside.people:
            return "unknown"
        return outside.person_states.get(number, "current")

    return contract, sandbox
