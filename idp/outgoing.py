"""The one way out: requests to addresses that clients told us, under limits.

https only, to public addresses only, no redirects, so much time and so many bytes. A sandbox may
reach its own machine, and plain http there. Nothing of the environment's proxies is used.
"""

import logging
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpcore2

from idp import outgoing_addresses
from idp.outgoing_addresses import Address, Resolve, is_loopback, is_public

MOST_BYTES = 64 * 1024
"""How many bytes of an answer are read unless a caller says otherwise."""

_PORTS = {"https": 443, "http": 80}
_log = logging.getLogger(__name__)


class Fault(StrEnum):
    """What went wrong, in a word for logs and records of outcomes."""

    ADDRESS = "address"
    """Not an https URL, or one that leads to an address we do not go to."""

    UNREACHABLE = "unreachable"
    TLS = "tls"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    STATUS = "status"
    PROTOCOL = "protocol"


class OutgoingFailed(Exception):
    """A request of ours came to nothing; `reason` is a `Fault`."""

    def __init__(self, reason: Fault) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True)
class Outgoing:
    """Requests to other people's addresses.

    `loopback_allowed`: this machine may be reached, over plain http too; `private_allowed`: so may
    our own network, over https, where an operator told the address. `ca_file` (PEM) holds
    authorities trusted beside the machine's own. `connect_seconds` and `seconds` limit a request,
    less what the operating system takes to resolve the name. `resolve` gives the addresses of a host.
    """

    loopback_allowed: bool = False
    private_allowed: bool = False
    ca_file: Path | None = None
    connect_seconds: float = 3.0
    seconds: float = 10.0
    resolve: Resolve = outgoing_addresses.resolve

    def get(
        self, url: str, *, accept: str = "application/json", most_bytes: int = MOST_BYTES
    ) -> bytes:
        """Return the body at `url`, answered with 200 and not redirected. Raises `OutgoingFailed`."""
        status, body = self._ask("GET", url, {"Accept": accept}, None, most_bytes)
        if status != 200:
            raise OutgoingFailed(Fault.STATUS)
        return body

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Send `body` and return the status, whatever it is. Raises `OutgoingFailed`."""
        return self._ask("POST", url, headers, body, MOST_BYTES)[0]

    def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        most_bytes: int = MOST_BYTES,
    ) -> tuple[int, bytes]:
        """Send a request and return the status, whatever it is, and the body. Raises `OutgoingFailed`."""
        return self._ask(method, url, headers, body, most_bytes)

    def _ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, most: int
    ) -> tuple[int, bytes]:
        line = _Line(self._addresses(url), time.monotonic() + self.seconds)
        more = {"timeout": {"connect": self.connect_seconds}}
        sent = [*headers.items(), ("Connection", "close")]
        try:
            with (
                httpcore2.ConnectionPool(self._tls, network_backend=line) as pool,
                pool.stream(method, url, headers=sent, content=body, extensions=more) as answer,
            ):
                return answer.status, _read(answer, most)
        except OutgoingFailed:
            raise
        except (httpcore2.TimeoutException, TimeoutError):
            raise OutgoingFailed(Fault.TIMEOUT) from None
        except httpcore2.NetworkError as error:
            is_tls = any(isinstance(cause, ssl.SSLError) for cause in error.args)
            raise OutgoingFailed(Fault.TLS if is_tls else Fault.UNREACHABLE) from None
        except (httpcore2.ProtocolError, httpcore2.UnsupportedProtocol):
            raise OutgoingFailed(Fault.PROTOCOL) from None

    def _addresses(self, url: str) -> list[Address]:
        """Return where to connect: every address of the host is one we may go to."""
        parts, port = _parts(url)
        try:
            addresses = outgoing_addresses.read(self.resolve(parts.hostname or "", port))
        except (OSError, ValueError):
            raise OutgoingFailed(Fault.UNREACHABLE) from None
        if not addresses or not all(self._may_reach(parts.scheme, one) for one in addresses):
            raise OutgoingFailed(Fault.ADDRESS)
        return addresses

    def _may_reach(self, scheme: str, address: Address) -> bool:
        if self.loopback_allowed and is_loopback(address):
            return True
        near = address.is_private and not (is_loopback(address) or address.is_link_local)
        return scheme == "https" and (is_public(address) or (self.private_allowed and near))

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        # Reading the machine's trusted roots takes a tenth of a second: once.
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.ca_file is not None:
            context.load_verify_locations(cafile=self.ca_file)
        return context


def _parts(url: str) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise OutgoingFailed(Fault.ADDRESS) from None
    if not port or not parts.hostname or parts.username is not None or not url.isascii():
        raise OutgoingFailed(Fault.ADDRESS)
    return parts, port


def _read(answer: httpcore2.Response, most: int) -> bytes:
    body = bytearray()
    for chunk in answer.iter_stream():
        body += chunk
        if len(body) > most:
            raise OutgoingFailed(Fault.TOO_LARGE)
    return bytes(body)


class _Line(httpcore2.NetworkBackend):
    """Connects to the addresses that were judged, whatever the name resolves to by now."""

    def __init__(self, addresses: list[Address], deadline: float) -> None:
        self._addresses = addresses
        self._deadline = deadline
        self._network = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first address that answers, all within `timeout` seconds."""
        deadline = self._deadline
        if timeout is not None:
            deadline = min(deadline, time.monotonic() + timeout)
        failed: Exception = httpcore2.ConnectError(host)
        for address in self._addresses:
            left = _left(deadline, None)
            try:
                stream = self._network.connect_tcp(str(address), port, left, None, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failed = error
            else:
                return _Timed(stream, self._deadline)
        raise failed


class _Timed(httpcore2.NetworkStream):
    """A connection that ends at a deadline: the library's own limits are for each read alone."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        left = _left(self._deadline, timeout)
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float, timeout: float | None) -> float:
    """Return the seconds that are left, at most `timeout`. Raises when there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout
    return left if timeout is None else min(left, timeout)
