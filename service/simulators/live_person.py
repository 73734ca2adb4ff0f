"""The simulated live-person check (实人认证): a page where the tester says how it went."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, HTTPException, Request
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, RedirectResponse, Response

from service.simulators.contract import source
from service.simulators.outside import Outside
from service.simulators.pages import page

Method = Literal["face", "voice", "video"]
Outcome = Literal["pending", "passed", "failed"]
_THRESHOLD = 0.8
_CLERK = "沙箱视频坐席 01"
_NAMES = {"face": "人脸识别", "voice": "声纹识别", "video": "视频核验"}


class LiveQuestion(BaseModel):
    """Whom to check, how, and what for; they go back to `return_url` ("": nowhere)."""

    number: str = Field(max_length=18)
    name: str = Field(min_length=1, max_length=80)
    method: Method
    purpose: str = Field(max_length=200)
    return_url: str = Field("", pattern="^(https?://.*)?$")


class LiveOpened(BaseModel):
    """The check, and the page where the person does it."""

    id: str
    url: str


class ResultQuestion(BaseModel):
    """The check whose result is asked for."""

    session: str


class LiveAnswer(BaseModel):
    """How it ended. The photo and what was recorded stay with the provider."""

    reference: str
    outcome: Outcome
    method: Method
    liveness: bool
    score: float = Field(ge=0, le=1)
    threshold: float = Field(ge=0, le=1)
    threshold_version: str
    decided_by: str


class LiveDone(BaseModel):
    """How a tester lets a check end."""

    session: str
    passed: bool


class _Check:
    """One check: what was asked, whether the register has a photo, how it ended."""

    def __init__(self, question: LiveQuestion, has_photo: bool) -> None:
        self.question = question
        self.has_photo = has_photo
        self.outcome: Outcome = "pending"

    def end(self, passed: bool) -> None:
        self.outcome = "passed" if passed and self.has_photo else "failed"


def routers(outside: Outside) -> tuple[APIRouter, APIRouter]:
    """The contract, and the page the person sees."""
    contract, sandbox = source("live-person"), APIRouter(tags=["sandbox"])
    checks: dict[str, _Check] = {}

    def find(session: str) -> _Check:
        if session not in checks:
            raise HTTPException(404, "no such session")
        return checks[session]

    @contract.post("/sessions", operation_id="open_live_check")
    def open_live_check(question: LiveQuestion, request: Request) -> LiveOpened:
        """Open a check: the register's photo is fetched for it, compared and let go."""
        person = outside.people.get(question.number)
        papers = outside.papers.values()
        known = (
            person.name
            if person
            else next((paper.name for paper in papers if paper.number == question.number), None)
        )
        session = outside.reference("live")
        checks[session] = _Check(question, known == question.name)
        return LiveOpened(id=session, url=f"{request.base_url}sandbox/live-person/{session}")

    @contract.post("/results", operation_id="live_result")
    def live_result(question: ResultQuestion) -> LiveAnswer:
        """Say how a check ended, if it has."""
        check = find(question.session)
        passed = check.outcome == "passed"
        return LiveAnswer(
            reference=question.session,
            outcome=check.outcome,
            method=check.question.method,
            liveness=passed,
            score=0.97 if passed else 0.0,
            threshold=_THRESHOLD,
            threshold_version="sandbox-1",
            decided_by=_CLERK if check.question.method == "video" else "algorithm",
        )

    @sandbox.get(
        "/sandbox/live-person/{session}", operation_id="live_page", response_class=HTMLResponse
    )
    def live_page(session: str) -> HTMLResponse:
        """The provider's page: the tester says how it went."""
        question = find(session).question
        title = f"{_NAMES[question.method]}（沙箱）"
        choices = [("通过 · Passed", {"passed": "true"}), ("不通过 · Failed", {"passed": "false"})]
        return page(title, f"用途：{question.purpose}", choices)

    @sandbox.post("/sandbox/live-person/{session}", operation_id="live_answer")
    def live_answer(session: str, passed: Annotated[bool, Form()]) -> Response:
        """End the check and send the person back."""
        check = find(session)
        check.end(passed)
        if check.question.return_url:
            return RedirectResponse(check.question.return_url, status_code=303)
        return page("已完成 · Done", "请回到原来的页面。 Go back to the page you came from.", [])

    @sandbox.post("/sandbox/live-person", operation_id="end_live_check")
    def end_live_check(done: LiveDone) -> LiveDone:
        """End a check as the page would."""
        find(done.session).end(done.passed)
        return done

    return contract, sandbox
