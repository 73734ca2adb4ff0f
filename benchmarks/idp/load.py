"""Load on an HTTP server: light keep-alive connections, and a browser that fills in forms."""

import base64
import hashlib
import html
import re
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urljoin, urlsplit

CONNECTIONS = 8
CALLBACK = "http://127.0.0.1:1/callback"
_FORM = re.compile(r"<form[^>]*>.*?</form>", re.DOTALL)
_ATTRIBUTE = re.compile(r'(name|value|action|type)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """The value of a header, or nothing."""
        return next((value for key, value in self.headers if key == name), "")


class Wire:
    """One keep-alive connection to a server on the loopback."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = self._socket.makefile("rb")
        self._host = f"127.0.0.1:{port}"

    def close(self) -> None:
        self._read.close()
        self._socket.close()

    def send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Reply:
        """Send a request and wait for its answer."""
        lines = [f"{method} {target} HTTP/1.1", f"host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body or method == "POST":
            lines.append(f"content-length: {len(body)}")
        self._socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return self._reply()

    def _reply(self) -> Reply:
        status = int(self._read.readline().split()[1])
        headers = []
        while (line := self._read.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers.append((name.lower(), value.strip()))
        length = next((int(value) for name, value in headers if name == "content-length"), 0)
        return Reply(status, headers, self._read.read(length))


@dataclass
class Browser:
    """A browser on one connection: cookies, redirects, forms."""

    wire: Wire
    fields: Mapping[str, str]
    cookies: dict[str, str] = field(default_factory=dict)

    def authorize(self, url: str) -> str:
        """Walk from an authorization URL to the client's address and return that."""
        reply = self._send("GET", url)
        while not reply.header("location").startswith(CALLBACK):
            if reply.status == 303:
                url = urljoin(url, reply.header("location"))
                reply = self._send("GET", url)
            elif reply.status == 200:
                url, reply = self._submit(url, reply)
            else:
                raise RuntimeError(f"{reply.status}: {reply.body[:500]!r}")
        return reply.header("location")

    def _submit(self, url: str, page: Reply) -> tuple[str, Reply]:
        """Fill in the last form of a page and send it."""
        form = _FORM.findall(page.body.decode())[-1]
        tags = [dict(_ATTRIBUTE.findall(tag)) for tag in re.findall(r"<(?:form|input)[^>]*>", form)]
        action = urljoin(url, html.unescape(tags[0].get("action", "") or url))
        sent = {
            tag["name"]: self.fields.get(tag["name"], html.unescape(tag.get("value", "")))
            for tag in tags
            if "name" in tag and tag.get("type") not in ("submit", "checkbox", "radio")
        }
        body = urlencode(sent).encode()
        return action, self._send("POST", action, body)

    def _send(self, method: str, url: str, body: bytes = b"") -> Reply:
        parts = urlsplit(url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        headers = {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if method == "POST":
            headers["content-type"] = "application/x-www-form-urlencoded"
        reply = self.wire.send(method, target, headers, body)
        for name, value in reply.headers:
            if name == "set-cookie":
                cookie, _, content = value.partition(";")[0].partition("=")
                self.cookies[cookie] = content
        return reply


def challenge(verifier: str) -> str:
    """RFC 7636 §4.2, S256."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def basic(client_id: str, secret: str) -> str:
    """The Authorization header of client_secret_basic."""
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def run(
    port: int, begin: Callable[[Wire], Callable[[], None]], seconds: float
) -> tuple[int, float]:
    """Let every connection do its thing again and again; return how often, and the seconds it took.

    `begin` gets a connection and returns what is done on it. Raises what any of them raised.
    """
    counts, failures = [0] * CONNECTIONS, list[BaseException]()
    began = time.perf_counter()

    def work(number: int) -> None:
        wire = Wire(port)
        try:
            once = begin(wire)
            while time.perf_counter() - began < seconds:
                once()
                counts[number] += 1
        except BaseException as failure:
            failures.append(failure)
        finally:
            wire.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return sum(counts), time.perf_counter() - began
