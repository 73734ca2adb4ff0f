"""The session's cookie tells of the certificate that its connection came with (`sessions.beside`).

Behind this, a session that began by a client certificate is found with that certificate only. What
a browser writes beside its cookie by itself is cut off: only the trusted proxy tells of certificates.
"""

from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from idp import sessions
from idp.client_certificate import thumbprint

_NAME = sessions.COOKIE.encode()


@dataclass(frozen=True, slots=True)
class BoundSessions:
    """Writes the certificate's thumbprint beside the session's cookie on the way in."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        der = scope.get("state", {}).get("client_certificate")
        told = None if der is None else thumbprint(der)
        headers = [(name, _told(name, value, told)) for name, value in scope["headers"]]
        await self.app({**scope, "headers": headers}, receive, send)


def _told(name: bytes, value: bytes, certificate: str | None) -> bytes:
    if name.lower() != b"cookie":
        return value
    return b"; ".join(_pair(pair.strip(), certificate) for pair in value.split(b";"))


def _pair(pair: bytes, certificate: str | None) -> bytes:
    name, equals, value = pair.partition(b"=")
    if name.strip() != _NAME:
        return pair
    shown = sessions.beside(value.strip().decode("latin-1").strip('"'), certificate)
    return name + equals + shown.encode("latin-1")
