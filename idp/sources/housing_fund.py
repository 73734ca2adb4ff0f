"""The housing fund (公积金): does this account belong to this person?"""

from typing import Protocol

from idp.sources.agreement import Agreement, compare
from idp.sources.line import Line

PARTICULARS = ("name", "number", "account")


class HousingFund(Protocol):
    """The port. Raises `SourceUnavailable` when there is no answer to rely on."""

    def check(self, name: str, number: str, account: str) -> Agreement: ...


class HttpHousingFund:
    """The fund over HTTP."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def check(self, name: str, number: str, account: str) -> Agreement:
        """Compare the three particulars."""
        question = {"name": name, "number": number, "account": account}
        return compare(self._line, "/housing-fund/checks", question, PARTICULARS)
