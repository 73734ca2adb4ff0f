"""Over https, the names of the browser's two cookies begin with `__Host-` (RFC 6265bis §4.1.3.2).

Browsers take a cookie of such a name only from this very host, over https, for the whole of it: no
neighbour below the same domain, and nobody on a plain line, can plant one. Behind this, the apps
use the names without it.
"""

from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from idp import interaction, sessions

PREFIX = "__Host-"
GUARDED = (sessions.COOKIE, interaction.BROWSER_COOKIE)

_OUTSIDE = {f"{PREFIX}{name}".encode(): name.encode() for name in GUARDED}
_INSIDE = frozenset(_OUTSIDE.values())


@dataclass(frozen=True, slots=True)
class HostCookies:
    """Renames the two on the way in and out; one of the plain name is left out as not ours."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        inside = {**scope, "headers": [_came(*field) for field in scope["headers"]]}

        async def renamed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [_goes(*field) for field in message.get("headers", ())]
            await send(message)

        await self.app(inside, receive, renamed)


def _came(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    if name.lower() != b"cookie":
        return name, value
    pairs = [pair.strip().partition(b"=") for pair in value.split(b";")]
    kept = [(_OUTSIDE.get(key, key), told) for key, _, told in pairs if key not in _INSIDE]
    return name, b"; ".join(key + b"=" + told for key, told in kept)


def _goes(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    if name.lower() != b"set-cookie" or value.partition(b"=")[0] not in _INSIDE:
        return name, value
    # One that is taken back must be Secure too, or the browser ignores that it is.
    secure = b"" if b"secure" in value.lower().replace(b" ", b"").split(b";") else b"; Secure"
    return name, PREFIX.encode() + value + secure
