"""What the simulated outside knows and remembers: fixtures of made-up people, and outages told by a tester.

All of it is in memory until the sandbox ends; none of it is anybody's.
"""

import itertools
import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from keys.signer import PublicKey

_FOLDER = Path(__file__).parent
_LARGEST_INBOX = 1000

Source = Literal[
    "population-register",
    "exit-entry",
    "business-register",
    "tax",
    "alipay",
    "unionpay",
    "housing-fund",
    "live-person",
    "sms-gateway",
]
PersonState = Literal["current", "deceased", "number-changed", "unknown"]
PaperState = Literal["current", "expired", "cancelled", "deceased", "unknown"]
EntityState = Literal["active", "cancelled", "revoked", "unknown"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PersonRecord(_Record):
    """A person as the population register holds them: 民族 by GB/T 3304, 性别 by GB/T 2261.1."""

    number: str
    name: str
    ethnicity: str
    sex: str


class PaperRecord(_Record):
    """A paper of somebody without a resident identity card; nationality by GB/T 2659."""

    document: str
    number: str
    name: str
    nationality: str
    birthdate: date


class EntityRecord(_Record):
    """A legal entity with its representative, and how long it still files its taxes, if it does."""

    uscc: str
    name: str
    registration_number: str
    organisation_code: str
    representative_name: str
    representative_number: str
    representative_ethnicity: str
    files_taxes_for_days: int | None


class AccountRecord(_Record):
    """A person's bank card and housing fund account."""

    number: str
    card: str
    fund_account: str


class Delivered(BaseModel):
    """A message as the phone shows it."""

    message_id: str
    phone: str
    template: str
    parameters: dict[str, str]
    text: str


class Outage(BaseModel):
    """Let a source fail, or come back.

    `calls` is how many calls fail before it is back by itself (all, without), `seconds` how long each
    call waits first, `senseless` whether it answers rubbish in place of 503.
    """

    source: Source
    down: bool
    calls: int | None = None
    seconds: float = 0
    senseless: bool = False


Kind = TypeVar("Kind", bound=_Record)


class Outside:
    """The world of one simulator; `callers` are the keys that may sign requests, by kid."""

    def __init__(
        self,
        people: Iterable[PersonRecord],
        callers: Callable[[], Mapping[str, PublicKey]],
        clock: Callable[[], datetime],
    ) -> None:
        self.people = {person.number: person for person in people}
        self.papers = {(p.document, p.number): p for p in load(PaperRecord, "papers")}
        self.entities = {entity.uscc: entity for entity in load(EntityRecord, "entities")}
        self.accounts = {account.number: account for account in load(AccountRecord, "accounts")}
        self.person_states: dict[str, PersonState] = {}
        self.paper_states: dict[tuple[str, str], PaperState] = {}
        self.entity_states: dict[str, EntityState] = {}
        self.card_phones: dict[str, str] = {}
        self.inbox: deque[Delivered] = deque(maxlen=_LARGEST_INBOX)
        self.outages: dict[str, Outage] = {}
        self.callers = callers
        self.clock = clock
        self._numbers = itertools.count(1)

    def reference(self, kind: str) -> str:
        """A new reference of an answer."""
        return f"{kind}-{next(self._numbers)}"

    def outage_of(self, source: str) -> Outage | None:
        """The outage that this call of a source meets, counted."""
        outage = self.outages.get(source)
        if outage is not None and outage.calls is not None:
            if outage.calls <= 1:
                self.outages.pop(source)
            else:
                self.outages[source] = outage.model_copy(update={"calls": outage.calls - 1})
        return outage


def load(record: type[Kind], name: str) -> list[Kind]:
    """The fixtures of a file."""
    rows = json.loads((_FOLDER / f"{name}.json").read_text("utf-8"))
    return [record.model_validate(row) for row in rows]
