"""The tax administration (税务): does the entity file its taxes here, and until when does that stand?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import AwareDatetime

from idp.sources.line import Answer, Line


@dataclass(frozen=True, slots=True)
class TaxStatus:
    """Whether the entity is a filer (报税用户), and the end (aware UTC) of the status; `None` for none."""

    reference: str
    is_filer: bool
    valid_until: datetime | None


class TaxAdministration(Protocol):
    """The port. Raises `SourceUnavailable` when there is no answer to rely on."""

    def status(self, uscc: str) -> TaxStatus: ...


class _Status(Answer):
    reference: str
    is_filer: bool
    valid_until: AwareDatetime | None


class HttpTaxAdministration:
    """The administration over HTTP."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def status(self, uscc: str) -> TaxStatus:
        """Ask whether the entity files its taxes."""
        answer = self._line.ask("/tax/states", {"uscc": uscc}, _Status)
        return TaxStatus(answer.reference, answer.is_filer, answer.valid_until)
