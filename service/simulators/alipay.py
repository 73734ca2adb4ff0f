"""The simulated Alipay (支付宝): a page where the tester says who comes, and the assertion for the code."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, HTTPException, Query
from pydantic import BaseModel
from starlette.responses import HTMLResponse, RedirectResponse

from service.simulators.contract import source
from service.simulators.outside import Outside
from service.simulators.pages import page


class Redemption(BaseModel):
    """The code that the person came back with."""

    code: str


class AssertionAnswer(BaseModel):
    """Who came, as the provider verified them."""

    reference: str
    name: str
    number: str


def routers(outside: Outside) -> tuple[APIRouter, APIRouter]:
    """The contract, and the page the person sees."""
    contract, sandbox = source("alipay"), APIRouter(tags=["sandbox"])
    codes: dict[str, str] = {}

    @contract.post("/assertions", operation_id="redeem_assertion")
    def redeem_assertion(redemption: Redemption) -> AssertionAnswer:
        """Give the assertion for a code, once."""
        person = outside.people.get(codes.pop(redemption.code, ""))
        if person is None:
            raise HTTPException(404, "no such code")
        return AssertionAnswer(
            reference=outside.reference("alipay"), name=person.name, number=person.number
        )

    @sandbox.get("/alipay-authorize", operation_id="alipay_page", response_class=HTMLResponse)
    def alipay_page(
        redirect_uri: Annotated[str, Query(pattern="^https?://")],
        state: Annotated[str, Query()],
        scope: Annotated[str, Query()] = "real_name",
    ) -> HTMLResponse:
        """The provider's page: the tester chooses who they are."""
        people = outside.people.values()
        choices = [
            (f"我是 {person.name} · I am {person.name}", {"number": person.number})
            for person in people
        ]
        refusal = [("不同意，返回 · Refuse", {"number": ""})]
        lead = "印信请求核实您的姓名和身份证号。 Yinxin asks who you are."
        return page("支付宝（沙箱） · Alipay (sandbox)", lead, choices + refusal)

    @sandbox.post("/sandbox/alipay", operation_id="alipay_code")
    def alipay_code(number: Annotated[str, Form()]) -> str:
        """A code as the page would give for this fixture person."""
        codes[code := outside.reference("alipay-code")] = number
        return code

    @sandbox.post("/alipay-authorize", operation_id="alipay_answer")
    def alipay_answer(
        redirect_uri: Annotated[str, Query(pattern="^https?://")],
        state: Annotated[str, Query()],
        number: Annotated[str, Form()] = "",
    ) -> RedirectResponse:
        """Send the person back, with a code or with their refusal."""
        answer = {"code": alipay_code(number)} if number else {"error": "access_denied"}
        joint = "&" if "?" in redirect_uri else "?"
        return RedirectResponse(
            f"{redirect_uri}{joint}{urlencode(answer | {'state': state})}", status_code=303
        )

    return contract, sandbox
