"""The simulated tax administration (税务)."""

from datetime import timedelta

from fastapi import APIRouter, HTTPException
from pydantic import AwareDatetime, BaseModel, Field

from service.simulators.contract import source
from service.simulators.outside import Outside


class TaxQuestion(BaseModel):
    """An entity whose tax status is asked for."""

    uscc: str = Field(min_length=18, max_length=18)


class TaxAnswer(BaseModel):
    """Whether it is a filer (报税用户), and until when that stands."""

    reference: str
    is_filer: bool
    valid_until: AwareDatetime | None


class TaxChange(BaseModel):
    """From now on the entity files taxes for so many days, or not at all."""

    uscc: str
    files_taxes_for_days: int | None


def routers(outside: Outside) -> tuple[APIRouter, APIRouter]:
    """The contract, and the tester's switch."""
    contract, sandbox = source("tax"), APIRouter(tags=["sandbox"])

    @contract.post("/states", operation_id="tax_state")
    def tax_state(question: TaxQuestion) -> TaxAnswer:
        """Say whether the entity files its taxes."""
        held = outside.entities.get(question.uscc)
        days = None if held is None else held.files_taxes_for_days
        until = None if days is None else outside.clock() + timedelta(days=days)
        return TaxAnswer(
            reference=outside.reference("tax"),
            is_filer=until is not None,
            valid_until=None if until is None else until.replace(microsecond=0),
        )

    @sandbox.post("/sandbox/tax", operation_id="change_tax")
    def change_tax(change: TaxChange) -> TaxChange:
        """Let a fixture entity begin or stop filing its taxes."""
        held = outside.entities.get(change.uscc)
        if held is None:
            raise HTTPException(404, "no such fixture entity")
        days = {"files_taxes_for_days": change.files_taxes_for_days}
        outside.entities[change.uscc] = held.model_copy(update=days)
        return change

    return contract, sandbox
