"""Alipay (支付宝): the person proves themselves there and comes back with a code for an assertion."""

from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlencode

from idp.sources.line import Answer, Line


@dataclass(frozen=True, slots=True)
class Assertion:
    """Who the provider says came: its reference, and the verified name and number."""

    reference: str
    name: str = field(repr=False)
    number: str = field(repr=False)


class Alipay(Protocol):
    """The port."""

    def begin(self, return_url: str, state: str) -> str: ...

    def redeem(self, code: str) -> Assertion: ...


class _Assertion(Answer):
    reference: str
    name: str
    number: str


class HttpAlipay:
    """The provider over HTTP; the first half is the person's browser."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def begin(self, return_url: str, state: str) -> str:
        """The address to send the person to; they come back to `return_url` with `code` and `state`.

        One that refuses comes back with `error` instead of `code`.
        """
        query = urlencode({"redirect_uri": return_url, "state": state, "scope": "real_name"})
        return f"{self._line.url}/alipay-authorize?{query}"

    def redeem(self, code: str) -> Assertion:
        """Exchange the code, which works once, for the assertion. Raises `SourceUnavailable`."""
        answer = self._line.ask("/alipay/assertions", {"code": code}, _Assertion)
        return Assertion(answer.reference, answer.name, answer.number)
