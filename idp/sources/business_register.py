"""The registers of legal entities (工商、质监、公安): is the entity as described, and does it still exist?

All seven particulars are answered one by one (企业名称、注册号、统一社会信用代码、组织机构代码 and the
representative's 姓名、身份证号、民族); what a register holds is never sent.
"""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Protocol

from idp.sources.agreement import Agreement, compare
from idp.sources.line import Answer, Line

PARTICULARS = (
    "name",
    "registration_number",
    "uscc",
    "organisation_code",
    "representative_name",
    "representative_number",
    "representative_ethnicity",
)


@dataclass(frozen=True, slots=True)
class EntityDescription:
    """What is compared; 民族 by GB/T 3304."""

    name: str
    registration_number: str
    uscc: str
    organisation_code: str
    representative_name: str = field(repr=False)
    representative_number: str = field(repr=False)
    representative_ethnicity: str


class EntityState(StrEnum):
    """Whether the entity exists: 存续、注销、吊销."""

    ACTIVE = "active"
    CANCELLED = "cancelled"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class EntityStatus:
    """The state of an entity now, and whether its representative is still the one we asked about."""

    reference: str
    state: EntityState
    representative_number_agrees: bool


class BusinessRegister(Protocol):
    """The port. Raises `SourceUnavailable` when there is no answer to rely on."""

    def check(self, entity: EntityDescription) -> Agreement: ...

    def status(self, uscc: str, representative_number: str) -> EntityStatus: ...


class _Status(Answer):
    reference: str
    state: EntityState
    representative_number_agrees: bool


class HttpBusinessRegister:
    """The registers over HTTP, behind one address."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def check(self, entity: EntityDescription) -> Agreement:
        """Compare the seven particulars."""
        return compare(self._line, "/business-register/checks", asdict(entity), PARTICULARS)

    def status(self, uscc: str, representative_number: str) -> EntityStatus:
        """Ask whether the entity exists and is still represented by the person of this number."""
        question = {"uscc": uscc, "representative_number": representative_number}
        answer = self._line.ask("/business-register/states", question, _Status)
        return EntityStatus(answer.reference, answer.state, answer.representative_number_agrees)
