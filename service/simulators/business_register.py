"""The simulated registers of legal entities (工商、质监、公安) behind one address."""

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from service.simulators.contract import source
from service.simulators.outside import EntityState, Outside


class EntityCheck(BaseModel):
    """The seven particulars to compare; 民族 by GB/T 3304."""

    name: str = Field(min_length=1, max_length=100)
    registration_number: str = Field(max_length=18)
    uscc: str = Field(min_length=18, max_length=18)
    organisation_code: str = Field(max_length=10)
    representative_name: str = Field(min_length=1, max_length=50)
    representative_number: str = Field(max_length=18)
    representative_ethnicity: str = Field(pattern="^[0-9]{2}$")


class EntityAgreements(BaseModel):
    """Whether each particular is as the registers hold it."""

    name: bool
    registration_number: bool
    uscc: bool
    organisation_code: bool
    representative_name: bool
    representative_number: bool
    representative_ethnicity: bool


class EntityChecked(BaseModel):
    """The registers' answer and its reference."""

    reference: str
    agrees: EntityAgreements


class EntityQuestion(BaseModel):
    """An entity whose state is asked for, and who is thought to represent it."""

    uscc: str = Field(min_length=18, max_length=18)
    representative_number: str = Field(max_length=18)


class EntityStateAnswer(BaseModel):
    """Whether the entity exists, and whether that person represents it."""

    reference: str
    state: EntityState
    representative_number_agrees: bool


class EntityChange(BaseModel):
    """A change in the life of a fixture entity; what is not told stays."""

    uscc: str
    state: EntityState | None = None
    representative_number: str | None = None


def routers(outside: Outside) -> tuple[APIRouter, APIRouter]:
    """The contract, and the tester's switch."""
    contract, sandbox = source("business-register"), APIRouter(tags=["sandbox"])

    @contract.post("/checks", operation_id="check_entity")
    def check_entity(check: EntityCheck) -> EntityChecked:
        """Say which of the seven particulars agree with the registers."""
        told, held = check.model_dump(), outside.entities.get(check.uscc)
        known = {} if held is None else held.model_dump()
        agrees = {name: value == known.get(name) for name, value in told.items()}
        return EntityChecked(
            reference=outside.reference("entity"), agrees=EntityAgreements(**agrees)
        )

    @contract.post("/states", operation_id="entity_state")
    def entity_state(question: EntityQuestion) -> EntityStateAnswer:
        """Say whether an entity exists and who was named represents it."""
        held = outside.entities.get(question.uscc)
        state = outside.entity_states.get(question.uscc, "active")
        same = held is not None and held.representative_number == question.representative_number
        return EntityStateAnswer(
            reference=outside.reference("entity-state"),
            state="unknown" if held is None else state,
            representative_number_agrees=same,
        )

    @sandbox.post("/sandbox/entity", operation_id="change_entity")
    def change_entity(change: EntityChange) -> EntityChange:
        """Cancel or revoke a fixture entity, or give it another of the people as representative."""
        held = outside.entities.get(change.uscc)
        if held is None:
            raise HTTPException(404, "no such fixture entity")
        if change.state is not None:
            outside.entity_states[change.uscc] = change.state
        if change.representative_number is not None:
            person = outside.people.get(change.representative_number)
            if person is None:
                raise HTTPException(404, "no such fixture person")
            representative = {
                "representative_name": person.name,
                "representative_number": person.number,
                "representative_ethnicity": person.ethnicity,
            }
            outside.entities[change.uscc] = held.model_copy(update=representative)
        return change

    return contract, sandbox
