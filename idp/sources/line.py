"""The line to one outside source: asked in time, asked again, let alone while it is down, and signed.

What every source has in common. A question that may be repeated carries one idempotency key
(draft-ietf-httpapi-idempotency-key-header-07) through all its tries, so that a source that did
answer, into a broken connection, does not act twice.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

import httpx2
from pybreaker import CircuitBreaker, CircuitBreakerError
from pydantic import BaseModel, ConfigDict, ValidationError
from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from idp.people_errors import RegisterUnavailable, SmsUnavailable, SourceUnavailable


class Source(StrEnum):
    """Every outside source, by the name it has in evidence, settings and the contract."""

    POPULATION = "population-register"
    EXIT_ENTRY = "exit-entry"
    BUSINESS = "business-register"
    TAX = "tax"
    ALIPAY = "alipay"
    UNIONPAY = "unionpay"
    HOUSING_FUND = "housing-fund"
    LIVE_PERSON = "live-person"
    SMS = "sms-gateway"


class Answer(BaseModel):
    """What a source answers; members beyond the contract are let by, wrong ones are not."""

    model_config = ConfigDict(strict=True)


Told = TypeVar("Told", bound=Answer)

Sign = Callable[[str, str, bytes], Mapping[str, str]]
"""The headers that sign a request: of its method, its whole URL and its body."""


@dataclass(frozen=True, slots=True)
class Endurance:
    """How long a line is tried: `tries` of one question, waiting up to `longest_wait` between;
    after `failures` in a row nothing is asked for `rest`, then one question tells whether it is back.
    """

    tries: int = 3
    longest_wait: timedelta = timedelta(seconds=1)
    failures: int = 6
    rest: timedelta = timedelta(seconds=30)


class _Silent(Exception):
    """No answer, or one that says to come back: the source may be down."""


class _Senseless(Exception):
    """An answer the contract does not know. Asking again would not make it better."""


class Line:
    """Questions to one source over HTTP, as `openapi/sources.yaml` describes it."""

    def __init__(
        self,
        source: Source,
        client: httpx2.Client,
        sign: Sign,
        handle: Callable[[], str],
        endurance: Endurance = Endurance(),
    ) -> None:
        """`client` carries the base URL and the timeouts of one try; `handle` makes a fresh name."""
        self.source = source
        self._client = client
        self._sign = sign
        self._handle = handle
        self._endurance = endurance
        self._breaker = CircuitBreaker(
            fail_max=endurance.failures,
            reset_timeout=int(endurance.rest.total_seconds()),
            exclude=[_Senseless],
            name=source.value,
            throw_new_error_on_trip=False,
        )

    @property
    def url(self) -> str:
        """Where the source is, for a browser that is sent there; without a slash at the end.

        Raises `SourceUnavailable` when no such source is connected.
        """
        url = str(self._client.base_url).rstrip("/")
        if not url:
            raise self.unavailable()
        return url

    def ask(
        self, path: str, question: Mapping[str, Any], answer: type[Told], *, once: bool = False
    ) -> Told:
        """Ask and return the answer; with `once` it is not asked again, whatever happens.

        Raises `SourceUnavailable`: for no answer in time, for a source that is let alone, and for an
        answer the contract does not know. Its cause is cut off: it may quote the question.
        """
        body = json.dumps(question, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json"}
        if not once:
            headers["Idempotency-Key"] = f'"{self._handle()}"'
        tries = Retrying(
            stop=stop_after_attempt(1 if once else self._endurance.tries),
            wait=wait_random_exponential(0.1, self._endurance.longest_wait.total_seconds()),
            retry=retry_if_exception_type(_Silent),
            reraise=True,
        )
        try:
            content = tries(self._try, path, headers, body)
            return answer.model_validate_json(content)
        except (_Silent, _Senseless, CircuitBreakerError, ValidationError):
            raise self.unavailable() from None

    def unavailable(self) -> SourceUnavailable:
        """The error of this source."""
        match self.source:
            case Source.POPULATION:
                return RegisterUnavailable(source=self.source.value)
            case Source.SMS:
                return SmsUnavailable(source=self.source.value)
            case _:
                return SourceUnavailable(source=self.source.value)

    def _try(self, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
        request = self._client.build_request("POST", path, content=body, headers=dict(headers))
        # Signed anew each time: the source takes a signature once.
        request.headers.update(self._sign("POST", str(request.url), body))
        # Not `call`, which holds the breaker's lock meanwhile and lets one question through at a time.
        with self._breaker.calling():
            return _content(self._client, request)


def _content(client: httpx2.Client, request: httpx2.Request) -> bytes:
    try:
        response = client.send(request)
    except httpx2.HTTPError:
        raise _Silent from None
    if response.status_code == httpx2.codes.TOO_MANY_REQUESTS or response.is_server_error:
        raise _Silent
    if not response.is_success:
        raise _Senseless
    return bytes(response.content)
