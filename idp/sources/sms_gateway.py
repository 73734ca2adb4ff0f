"""The SMS gateway: hands one templated message to a phone."""

from collections.abc import Mapping
from typing import Protocol

from idp.sources.line import Answer, Line


class SmsGateway(Protocol):
    """The port: returns the gateway's reference; raises `SmsUnavailable` when it did not accept."""

    def send(self, phone: str, template: str, parameters: Mapping[str, str]) -> str: ...


class _Accepted(Answer):
    message_id: str


class HttpSmsGateway:
    """The gateway over HTTP."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def send(self, phone: str, template: str, parameters: Mapping[str, str]) -> str:
        """Hand over one message and return its reference; not retried, so that nobody gets it twice."""
        message = {"phone": phone, "template": template, "parameters": dict(parameters)}
        return self._line.ask("/sms-gateway/messages", message, _Accepted, once=True).message_id
