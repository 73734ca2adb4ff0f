"""The simulated exit and entry administration (移民管理)."""

from datetime import date
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from service.simulators.contract import source
from service.simulators.outside import Outside


class PaperCheck(BaseModel):
    """The four particulars of a paper to compare; nationality by GB/T 2659, three letters."""

    document: Literal[
        "residence_permit", "hk_macao_permit", "taiwan_permit", "permanent_residence", "passport"
    ]
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


def router(outside: Outside) -> APIRouter:
    """The contract."""
    contract = source("exit-entry")

    @contract.post("/checks", operation_id="check_paper")
    def check_paper(check: PaperCheck) -> PaperChecked:
        """Say which of the four particulars agree."""
        held = outside.papers.get((check.document, check.number))
        agrees = PaperAgreements(
            number=held is not None,
            name=held is not None and held.name == check.name,
            nationality=held is not None and held.nationality == check.nationality,
            birthdate=held is not None and held.birthdate == check.birthdate,
        )
        return PaperChecked(reference=outside.reference("paper"), agrees=agrees)

    return contract
