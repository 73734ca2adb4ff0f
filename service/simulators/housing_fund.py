"""The simulated housing fund (公积金)."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from service.simulators.contract import source
from service.simulators.outside import Outside


class FundCheck(BaseModel):
    """The three particulars to compare."""

    name: str = Field(min_length=1, max_length=50)
    number: str = Field(max_length=18)
    account: str = Field(pattern="^[0-9]{6,20}$")


class FundAgreements(BaseModel):
    """Whether each particular is as the fund holds it."""

    name: bool
    number: bool
    account: bool


class FundChecked(BaseModel):
    """The answer and its reference."""

    reference: str
    agrees: FundAgreements


def router(outside: Outside) -> APIRouter:
    """The contract."""
    contract = source("housing-fund")

    @contract.post("/checks", operation_id="check_fund")
    def check_fund(check: FundCheck) -> FundChecked:
        """Say which of the three particulars agree."""
        accounts = outside.accounts.values()
        account = next((a for a in accounts if a.fund_account == check.account), None)
        owner = None if account is None else outside.people.get(account.number)
        agrees = FundAgreements(
            name=owner is not None and owner.name == check.name,
            number=owner is not None and owner.number == check.number,
            account=owner is not None,
        )
        return FundChecked(reference=outside.reference("fund"), agrees=agrees)

    return contract
