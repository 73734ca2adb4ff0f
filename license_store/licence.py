"""What a licence is, the states it passes through and the moves between them: pure.

撤销 (withdrawn: issued wrongly, void from the start), 吊销 (revoked: a penalty) and 注销
(cancelled: its natural end) differ in law, so they are three states and not one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from license_store.errors import MoveNotAllowed
from seal.status_list import Status

# The dates on a licence are civil dates in China, which keeps one time zone.
CHINA = timezone(timedelta(hours=8))


class State(StrEnum):
    """Where a licence stands. `sealing`: decided on and numbered, its files not made yet."""

    SEALING = "sealing"
    VALID = "valid"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"


ENDED = frozenset({State.REVOKED, State.WITHDRAWN, State.CANCELLED})

_MOVES: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        State.SEALING: frozenset({State.VALID}),
        State.VALID: ENDED,
        State.REVOKED: frozenset(),
        State.WITHDRAWN: frozenset(),
        State.CANCELLED: frozenset(),
    }
)


def move(state: State, target: State) -> State:
    """Return `target` if a licence may go there from `state`. Raises `MoveNotAllowed`."""
    if target not in _MOVES[state]:
        raise MoveNotAllowed(state=state, target=target)
    return target


def published_status(state: State) -> Status:
    """Return what a status list says of a licence in `state`."""
    return Status.INVALID if state in ENDED else Status.VALID


def local_date(at: datetime) -> date:
    """Return the civil date in China at the moment `at`."""
    return at.astimezone(CHINA).date()


@dataclass(frozen=True, slots=True)
class Issuer:
    """A body that issues licences. `area_code` is its six-digit division (GB/T 2260)."""

    uscc: str
    name: str
    area_code: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Who a licence is for. `number_type` is a GB/T 36903 holder code type: 001 USCC, 111 resident ID."""

    name: str
    number_type: str
    number: str

    def __repr__(self) -> str:
        return f"Holder(number_type={self.number_type!r})"


@dataclass(frozen=True, slots=True)
class Licence:
    """The content of one licence, whatever state it is in. `fields` is what the approval brought.

    `version` has three digits and rises with every new issue of one serial.
    """

    id: UUID
    type_code: str
    issuer: Issuer
    case_number: str
    holders: tuple[Holder, ...]
    fields: Mapping[str, str]
    issued_at: datetime
    valid_from: date
    valid_until: date | None
    number: str = ""
    identifier: str = ""
    version: str = "001"
    status_list: int = 0
    status_index: int = 0
