"""The wire shapes of the licence API."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from license_store.licence import State

# One line of text: no control characters, which a database, a log or a header would trip over.
_PRINTABLE = r"^[^\x00-\x1f\x7f]+$"
Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=_PRINTABLE)
]
CaseNumber = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=_PRINTABLE)
]
TypeCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{21}$")]
Number = Annotated[str, StringConstraints(min_length=1, max_length=64)]
FileKind = Literal["ofd", "pdf", "png", "data"]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CaseIn(_In):
    """The approval case. Only an approved one can become a licence."""

    number: CaseNumber
    decision: Literal["approved", "refused", "pending"]
    decided_on: date


class HolderIn(_In):
    """Who the licence is for. `number_type`: 001 统一社会信用代码, 111 公民身份号码."""

    name: Line
    number_type: Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")]
    number: Number


class IssueIn(_In):
    """A decided approval case. Which `fields` a type has is told by `GET /types`."""

    type_code: TypeCode
    case: CaseIn
    holders: Annotated[list[HolderIn], Field(max_length=100)]
    fields: Annotated[
        dict[str, Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)]],
        Field(max_length=100),
    ]
    valid_from: date | None = Field(None, description="First valid day. Default: the day of issue.")


class RevocationIn(_In):
    """The end of a licence. 吊销 is a penalty, 撤销 undoes a wrong issue, 注销 is the natural end."""

    kind: Literal["吊销", "撤销", "注销"]
    reason: Line


class LookupHolderIn(_In):
    """Whose licences: by number only, never by name."""

    number_type: Literal["001", "111"]
    number: Number


class LookupIn(_In):
    """A look-up in the course of a case. Purpose and case number are recorded."""

    holder: LookupHolderIn
    type_code: TypeCode
    purpose: Line
    case_number: CaseNumber


class HolderOut(BaseModel):
    """A holder; a person's ID number is masked."""

    name: str
    number_type: str
    number_masked: str


class FileOut(BaseModel):
    """A file of a licence. `sha256` is in hex; `size` in bytes."""

    kind: FileKind
    media_type: str
    sha256: str
    size: int


class LicenceOut(BaseModel):
    """A licence as it stands. `state_code` is the code its type's own standard gives the state.

    `code` is the text of the printed code and `files` what can be downloaded; both are empty while
    the licence is being sealed.
    """

    identifier: str
    type_code: str
    type_name: str
    number: str
    version: str
    issuer: str
    issuer_name: str
    case_number: str
    holders: list[HolderOut]
    fields: dict[str, str]
    state: State
    state_code: str
    issued_at: datetime
    valid_from: date
    valid_until: date | None
    sealed_at: datetime | None
    ended_at: datetime | None
    ended_reason: str
    code: str
    files: list[FileOut]


class FoundOut(BaseModel):
    """A licence found: the least a review needs. `in_force` holds for the day of the look-up.

    `fields` are those of the face that the asking body's right names.
    """

    identifier: str
    type_code: str
    type_name: str
    number: str
    issuer: str
    issuer_name: str
    state: State
    valid_from: date
    valid_until: date | None
    in_force: bool
    fields: dict[str, str]


class LookupOut(BaseModel):
    """What a look-up found, and the moment it is true of."""

    licences: list[FoundOut]
    as_of: datetime


class FieldOut(BaseModel):
    """A field of a licence type. `max_length` counts characters."""

    name: str
    zh: str
    en: str
    kind: Literal["text", "choice"]
    required: bool
    max_length: int
    choices: list[str]


class TypeOut(BaseModel):
    """A licence type. `holder_kinds` are the holder number types it takes."""

    code: str
    name: str
    name_en: str
    definer: str
    definer_name: str
    holder_kinds: list[str]
    max_holders: int
    fields: list[FieldOut]


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
