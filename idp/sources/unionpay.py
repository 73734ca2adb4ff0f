"""UnionPay (银联): does this bank card belong to this person, with this phone? (四要素)

The card number is asked about and forgotten: it is kept nowhere and written in no log.
"""

from typing import Protocol

from idp.sources.agreement import Agreement, compare
from idp.sources.line import Line

PARTICULARS = ("name", "number", "card", "phone")


class UnionPay(Protocol):
    """The port. Raises `SourceUnavailable` when there is no answer to rely on."""

    def check(self, name: str, number: str, card: str, phone: str) -> Agreement: ...


class HttpUnionPay:
    """The provider over HTTP."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def check(self, name: str, number: str, card: str, phone: str) -> Agreement:
        """Compare the four elements."""
        question = {"name": name, "number": number, "card": card, "phone": phone}
        return compare(self._line, "/unionpay/checks", question, PARTICULARS)
