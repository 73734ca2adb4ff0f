"""Simulated outside systems of the sandbox: the population register and the SMS gateway.

A separate small ASGI app that speaks the contract of `openapi/sources.yaml`. Its people are
fixtures with made-up ID numbers; what it is sent stays in its memory and is bounded.
"""

import itertools
import json
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from fastapi import FastAPI, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field

_PEOPLE = Path(__file__).with_name("people.json")
_LARGEST_INBOX = 1000

Source = Literal["population-register", "sms-gateway"]

SMS_TEXTS = {
    "registration-code": "【印信】注册验证码 {code}，{minutes} 分钟内有效。请勿告诉他人。",
}
"""What each message template says."""


class PersonRecord(BaseModel):
    """A person as the register holds them: 民族 by GB/T 3304, 性别 by GB/T 2261.1."""

    model_config = ConfigDict(frozen=True)

    number: str
    name: str
    ethnicity: str
    sex: str


class Check(BaseModel):
    """The four particulars to compare with the register."""

    number: str = Field(min_length=18, max_length=18)
    name: str = Field(min_length=1, max_length=50)
    ethnicity: str = Field(pattern="^[0-9]{2}$")
    sex: str = Field(pattern="^[0-9]$")


class Agreements(BaseModel):
    """Whether each particular is as the register holds it. The register's own data is never sent."""

    number: bool
    name: bool
    ethnicity: bool
    sex: bool


class CheckResult(BaseModel):
    """The register's answer and the reference under which it keeps it."""

    reference: str
    agrees: Agreements


class Message(BaseModel):
    """A message to one phone, by template."""

    phone: str = Field(pattern="^1[3-9][0-9]{9}$")
    template: str
    parameters: dict[str, str]


class Accepted(BaseModel):
    """The message was taken for delivery."""

    message_id: str


class Delivered(BaseModel):
    """A message as the phone shows it."""

    message_id: str
    phone: str
    template: str
    parameters: dict[str, str]
    text: str


class Outage(BaseModel):
    """Let a source fail, or come back."""

    source: Source
    down: bool


class _World:
    """What the simulator remembers."""

    def __init__(self, people: Iterable[PersonRecord]) -> None:
        self.people = {person.number: person for person in people}
        self.inbox: deque[Delivered] = deque(maxlen=_LARGEST_INBOX)
        self.down: set[Source] = set()
        self.numbers = itertools.count(1)

    def require(self, source: Source) -> None:
        if source in self.down:
            raise HTTPException(503, f"{source} is down")


def load_people() -> list[PersonRecord]:
    """The fixture people of the sandbox."""
    return [PersonRecord.model_validate(row) for row in json.loads(_PEOPLE.read_text("utf-8"))]


def create_app(people: Iterable[PersonRecord]) -> FastAPI:
    """A simulator that knows `people`."""
    world = _World(people)
    simulator = FastAPI(title="Yinxin outside sources", version="1")
    _mount_population_register(simulator, world)
    _mount_sms_gateway(simulator, world)
    _mount_sandbox(simulator, world)
    return simulator


def _mount_population_register(simulator: FastAPI, world: _World) -> None:
    @simulator.post(
        "/population-register/checks",
        operation_id="check_person",
        tags=["population-register"],
        responses={503: {"description": "The register is down."}},
    )
    def check_person(check: Check) -> CheckResult:
        """Say which of the four particulars agree with the register."""
        world.require("population-register")
        held = world.people.get(check.number)
        agrees = Agreements(
            number=held is not None,
            name=held is not None and held.name == check.name,
            ethnicity=held is not None and held.ethnicity == check.ethnicity,
            sex=held is not None and held.sex == check.sex,
        )
        return CheckResult(reference=f"check-{next(world.numbers)}", agrees=agrees)


def _mount_sms_gateway(simulator: FastAPI, world: _World) -> None:
    @simulator.post(
        "/sms-gateway/messages",
        operation_id="send_message",
        tags=["sms-gateway"],
        status_code=202,
        responses={503: {"description": "The gateway is down."}},
    )
    def send_message(message: Message) -> Accepted:
        """Take a message for delivery."""
        world.require("sms-gateway")
        if message.template not in SMS_TEXTS:
            raise HTTPException(422, "unknown template")
        text = SMS_TEXTS[message.template]
        for name, value in message.parameters.items():
            text = text.replace(f"{{{name}}}", value)
        message_id = f"message-{next(world.numbers)}"
        world.inbox.append(Delivered(message_id=message_id, text=text, **message.model_dump()))
        return Accepted(message_id=message_id)

    @simulator.get("/sms-gateway/messages", operation_id="read_inbox", tags=["sandbox"])
    def read_inbox(phone: Annotated[str | None, Query()] = None) -> list[Delivered]:
        """The sandbox's phones: every message sent, oldest first, or those of one phone."""
        return [message for message in world.inbox if phone in (None, message.phone)]


def _mount_sandbox(simulator: FastAPI, world: _World) -> None:
    @simulator.post("/sandbox/outage", operation_id="set_outage", tags=["sandbox"])
    def set_outage(outage: Outage) -> Outage:
        """Let a source answer 503 until told otherwise."""
        if outage.down:
            world.down.add(outage.source)
        else:
            world.down.discard(outage.source)
        return outage


app = create_app(load_people())
