"""The wire shapes of the verification API."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from seal.report import Outcome
from verification.verdict import Answer


class CodeIn(BaseModel):
    """A scanned code."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[
        str,
        Field(
            min_length=1,
            max_length=4096,
            description="The text of the printed code: the whole link, or only the part after #.",
        ),
    ]


class FindingOut(BaseModel):
    """How one check ended. `code` is stable; `message` is its sentence in the caller's language."""

    check: str
    outcome: Outcome
    code: str
    part: str = Field(description="The file entry, page, field or value the finding is about.")
    message: str


class LicenceOut(BaseModel):
    """What the public may see of a licence. Dates are ISO 8601, or empty when there is none."""

    identifier: str
    type_name: str
    number: str
    issuer_name: str
    holder_masked: str
    valid_from: str
    valid_until: str


class SealOut(BaseModel):
    """A seal or signature found in the file, as it names itself; the findings say what to believe."""

    seal_name: str
    signer_name: str
    signed_at: datetime | None
    algorithm: str


class VerdictOut(BaseModel):
    """The answer with every reason for it. `unknown` is never to be shown as valid."""

    answer: Answer
    message: str
    findings: list[FindingOut]
    seals: list[SealOut]
    licence: LicenceOut | None
    checked_at: datetime


class ProblemOut(BaseModel):
    """An error (RFC 9457). `code` is stable; `title` and `detail` are in the caller's language."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
