"""The population register (公安人口库): does it hold a person exactly as described, and live they still?

The register answers which of the four particulars agree and never sends its own data.
"""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Protocol

from idp.sources.agreement import Agreement, compare
from idp.sources.line import Answer, Line

PARTICULARS = ("number", "name", "ethnicity", "sex")


@dataclass(frozen=True, slots=True)
class PersonDescription:
    """What is compared: 身份证号、姓名、民族 (GB/T 3304)、性别 (GB/T 2261.1)."""

    number: str = field(repr=False)
    name: str = field(repr=False)
    ethnicity: str
    sex: str


class PersonState(StrEnum):
    """What became of the person who had a number."""

    CURRENT = "current"
    DECEASED = "deceased"
    NUMBER_CHANGED = "number-changed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PersonStatus:
    """The state of a number now, and the register's reference of the answer."""

    reference: str
    state: PersonState


class PopulationRegister(Protocol):
    """The port. Raises `RegisterUnavailable` when there is no answer to rely on."""

    def check(self, person: PersonDescription) -> Agreement: ...

    def status(self, number: str) -> PersonStatus: ...


class _Status(Answer):
    reference: str
    state: PersonState


class HttpPopulationRegister:
    """The register over HTTP."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def check(self, person: PersonDescription) -> Agreement:
        """Compare the four particulars."""
        return compare(self._line, "/population-register/checks", asdict(person), PARTICULARS)

    def status(self, number: str) -> PersonStatus:
        """Ask whether the number is still that of a living person."""
        answer = self._line.ask("/population-register/states", {"number": number}, _Status)
        return PersonStatus(answer.reference, answer.state)
