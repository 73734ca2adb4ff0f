"""The wire shapes of the seal API. Lengths are mm, times RFC 3339, bytes base64."""

from datetime import MAXYEAR, MINYEAR, UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Base64Bytes,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)

from seal.life.application import SealKind
from seal.life.grants import HolderKind
from seal.life.register import LONGEST_REASON
from seal.seal_states import SealState

# One line of text: no control characters, which a database, a log or a header would trip over.
PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
_LINES = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
Text = Annotated[str, StringConstraints(max_length=1000, pattern=PRINTABLE)]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=PRINTABLE)
]
_MOST_USES = 2**31 - 1


def _as_clocks_tell(moment: datetime) -> datetime:
    # In another zone the first and the last year of the calendar end in a year that there is not.
    if not MINYEAR < moment.year < MAXYEAR:
        raise ValueError("no clock tells this time")
    return moment.astimezone(UTC).replace(microsecond=0)


Moment = Annotated[AwareDatetime, AfterValidator(_as_clocks_tell)]
"""A time with its zone, taken in whole seconds of UTC."""


class Asked(BaseModel):
    """What is sent: fields that nobody knows are refused."""

    model_config = ConfigDict(extra="forbid")


class ApplicationIn(Asked):
    """What is applied for. `owner` is a 统一社会信用代码, `keeper` the subject of a member of staff.

    What is wrong with it is told field by field (`seal.application.wrong`).
    """

    owner: Text
    owner_name: Text
    name: Text
    kind: SealKind
    legal_basis: Text
    keeper: Text
    picture_png: Base64Bytes = Field(
        description="A PNG with transparency, of the seal's proportions."
    )
    picture_ofd: Base64Bytes = Field(
        b"", description="The same as a one-page OFD, carried instead."
    )
    width: int
    height: int
    until: Moment = Field(description="When the seal is to end.")


class RemakingIn(Asked):
    """Another seal in the place of one; what is left out stays as it was."""

    until: Moment
    owner_name: Text | None = None
    name: Text | None = None
    keeper: Text | None = None
    picture_png: Base64Bytes | None = None
    picture_ofd: Base64Bytes | None = None


class ReasonIn(Asked):
    """Why. It stays in the seal's history and is seen by its body's staff only."""

    reason: Annotated[
        str,
        StringConstraints(strip_whitespace=True, max_length=LONGEST_REASON, pattern=_LINES),
    ]


class LossIn(ReasonIn):
    """The seal is lost since a moment, from which on nothing that it stamped counts."""

    since: Moment


class EntrustingIn(ReasonIn):
    """Somebody else is to keep the seal; the subject of a member of staff."""

    keeper: Name


class GrantIn(Asked):
    """Who may stamp: a system by its client's name, or a person of staff by their subject."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "holder_kind": "system",
                "holder": "housing-system",
                "until": "2027-12-31T16:00:00Z",
                "most": 1000,
            }
        }
    )
    holder_kind: HolderKind
    holder: Name
    licence_types: Annotated[list[Name], Field(max_length=100)] = Field(
        [], description="Types of licence; none: any."
    )
    since: Moment | None = Field(None, description="Default: now.")
    until: Moment
    most: Annotated[int, Field(le=_MOST_USES)] | None = Field(
        None, description="How often; null: without end."
    )


class EventOut(BaseModel):
    """A change of a seal, recorded `at`, counting from `since`; `witness` names custodians."""

    number: int
    at: datetime
    since: datetime
    state: SealState
    by: str
    witness: str
    reason: str


class SealOut(BaseModel):
    """A seal in the register. `esid` is given with the approval, `record_number` with the recording."""

    id: UUID
    esid: str | None
    record_number: str | None
    state: SealState
    owner: str
    owner_name: str
    name: str
    kind: SealKind
    legal_basis: str
    keeper: str
    applied_by: str
    width: int
    height: int
    until: datetime
    predecessor: UUID | None
    changed_at: datetime


class SealWithHistoryOut(SealOut):
    """A seal and everything that happened to it, in the order recorded."""

    history: list[EventOut]


class SealsOut(BaseModel):
    """Seals of the register, the last changed first; `next` turns the page when there is more."""

    seals: list[SealOut]
    next: str | None


class GrantOut(BaseModel):
    """A grant; `ended_at` when somebody ended it before its term."""

    id: UUID
    holder_kind: HolderKind
    holder: str
    licence_types: list[str]
    since: datetime
    until: datetime
    most: int | None
    used: int
    granted_by: str
    ended_at: datetime | None


class GrantsOut(BaseModel):
    """Every grant of a seal, the newest first."""

    grants: list[GrantOut]


class UseOut(BaseModel):
    """One stamp. `digest` (hex) is of what was stamped, before it was."""

    number: int
    at: datetime
    by: str
    grant: UUID
    form: str
    licence_type: str
    reference: str
    digest: str


class UsageOut(BaseModel):
    """How often a seal was used, and the uses, the newest first; `before` turns the page."""

    total: int
    by_form: dict[str, int]
    by_licence_type: dict[str, int]
    last_at: datetime | None
    uses: list[UseOut]


class ChangeOut(BaseModel):
    """A state, and since when."""

    state: SealState
    since: datetime


class StatusOut(BaseModel):
    """What everybody may know of a seal: whose it is, and how it stood. `then` is null before that."""

    esid: str
    name: str
    kind: str
    owner: str
    owner_name: str
    record_number: str
    valid_until: datetime
    replaces: str
    replaced_by: str
    origin: str = Field(description="The node that told of it; empty: this one.")
    at: datetime
    then: ChangeOut | None
    now: ChangeOut
    history: list[ChangeOut]


class FaultOut(BaseModel):
    """One field at fault, and why."""

    field: str
    code: str
    detail: str


class ProblemOut(BaseModel):
    """An error (RFC 9457). `code` is stable; `title` and `detail` are in the caller's language."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FaultOut] | None = None
