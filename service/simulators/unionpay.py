"""The simulated UnionPay check of four elements (四要素)."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from service.simulators.contract import source
from service.simulators.outside import Outside


class CardCheck(BaseModel):
    """The four elements; the card number is compared and forgotten."""

    name: str = Field(min_length=1, max_length=50)
    number: str = Field(max_length=18)
    card: str = Field(pattern="^[0-9]{16,19}$")
    phone: str = Field(pattern="^1[3-9][0-9]{9}$")


class CardAgreements(BaseModel):
    """Whether each element is as the bank holds it."""

    name: bool
    number: bool
    card: bool
    phone: bool


class CardChecked(BaseModel):
    """The answer and its reference."""

    reference: str
    agrees: CardAgreements


def router(outside: Outside) -> APIRouter:
    """The contract."""
    contract = source("unionpay")

    @contract.post("/checks", operation_id="check_card")
    def check_card(check: CardCheck) -> CardChecked:
        """Say which of the four elements agree.

        The simulated bank holds the first phone that is told with a fixture card.
        """
        account = next((a for a in outside.accounts.values() if a.card == check.card), None)
        owner = None if account is None else outside.people.get(account.number)
        if owner is None:
            agrees = CardAgreements(name=False, number=False, card=False, phone=False)
        else:
            agrees = CardAgreements(
                name=owner.name == check.name,
                number=owner.number == check.number,
                card=True,
                phone=outside.card_phones.setdefault(check.card, check.phone) == check.phone,
            )
        return CardChecked(reference=outside.reference("card"), agrees=agrees)

    return contract
