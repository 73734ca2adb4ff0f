"""The exit and entry administration (移民管理): the papers of people without a resident identity card."""

from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from idp.sources.agreement import Agreement, compare
from idp.sources.line import Line

PARTICULARS = ("number", "name", "nationality", "birthdate")


@dataclass(frozen=True, slots=True)
class ForeignDescription:
    """What is compared: 证件号码、姓名 as printed、国家或地区 (GB/T 2659, three letters)、出生日期.

    `document` is the kind of paper, a code of GA/T 2000.156 (`idp.identity_documents`).
    """

    document: str
    number: str = field(repr=False)
    name: str = field(repr=False)
    nationality: str
    birthdate: date = field(repr=False)


class ExitEntryRegister(Protocol):
    """The port. Raises `SourceUnavailable` when there is no answer to rely on."""

    def check(self, person: ForeignDescription) -> Agreement: ...


class HttpExitEntryRegister:
    """The administration's check over HTTP."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def check(self, person: ForeignDescription) -> Agreement:
        """Compare the four particulars of the paper."""
        question = {
            "document": person.document,
            "number": person.number,
            "name": person.name,
            "nationality": person.nationality,
            "birthdate": person.birthdate.isoformat(),
        }
        return compare(self._line, "/exit-entry/checks", question, PARTICULARS)
