"""The SMS gateway: hands one templated message to a phone."""

from collections.abc import Mapping
from typing import Protocol

import httpx2
from pydantic import BaseModel, ConfigDict, ValidationError

from idp.errors import SmsUnavailable


class SmsGateway(Protocol):
    """The port: returns the gateway's reference; raises `SmsUnavailable` when it did not accept."""

    def send(self, phone: str, template: str, parameters: Mapping[str, str]) -> str: ...


class _Accepted(BaseModel):
    model_config = ConfigDict(strict=True)

    message_id: str


class HttpSmsGateway:
    """The gateway over HTTP, as `openapi/sources.yaml` describes it."""

    def __init__(self, client: httpx2.Client) -> None:
        """`client` carries the base URL and the timeouts."""
        self._client = client

    def send(self, phone: str, template: str, parameters: Mapping[str, str]) -> str:
        """Hand over one message and return its reference; not retried, so that nobody gets it twice."""
        message = {"phone": phone, "template": template, "parameters": dict(parameters)}
        try:
            response = self._client.post("/sms-gateway/messages", json=message)
            response.raise_for_status()
            return _Accepted.model_validate_json(response.content).message_id
        except (httpx2.HTTPError, ValidationError):
            # The cause may quote the message, which holds the phone and the code: cut it off.
            raise SmsUnavailable from None
