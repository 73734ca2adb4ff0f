"""A request to a protocol endpoint and its answer, without a web framework around them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from idp.parameters import Parameters

NO_STORE: Mapping[str, str] = MappingProxyType({"Cache-Control": "no-store", "Pragma": "no-cache"})
JSON = "application/json"
JWT = "application/jwt"
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Browser:
    """The cookies of the browser in front of us: its own, and that of its sign-on."""

    browser: str | None = field(repr=False)
    session: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """What came to an endpoint.

    `sent` is the form of a POST, else the query; `body` the bytes of another kind of body; `path`
    what stands in the path's last place (`/clients/{path}`); `headers` have lower-case names;
    `url` is the endpoint's public address without the query (RFC 9449 §4.2 `htu`); `address` the
    peer's; `certificate` its TLS certificate (DER), as the trusted proxy hands it on.
    """

    method: str
    url: str
    sent: Parameters
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    browser: Browser = field(default=Browser(None, None), repr=False)
    address: str = ""
    certificate: bytes | None = field(default=None, repr=False)
    body: bytes = field(default=b"", repr=False)
    path: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back. `cookies` are set HttpOnly, SameSite=Lax, and Secure over https."""

    status: int
    body: bytes = field(default=b"", repr=False)
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=lambda: NO_STORE)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)


def told(
    content: Mapping[str, Any],
    status: int = 200,
    headers: Mapping[str, str] = NO_STORE,
) -> Answer:
    """A JSON answer; nothing of it is stored unless `headers` say so."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status, body, JSON, headers)


def sent_to(location: str) -> Answer:
    """The browser goes there with a GET.

    303, so that no browser repeats a POST, and with it a password, elsewhere (RFC 9700 §4.12).
    """
    return Answer(303, headers={**NO_STORE, "Location": location})
