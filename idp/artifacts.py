"""Short-lived things in Redis, each kept under the digest of an unguessable handle and taken once.

The handle itself is never a key, so a look into Redis gives nobody a usable code or interaction.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from pydantic import TypeAdapter

from idp.provider import Provider

T = TypeVar("T")


@dataclass(frozen=True)
class Kind(Generic[T]):
    """A kind of artifact: its name, the shape of its content, how long one lives."""

    name: str
    content: TypeAdapter[T]
    lifetime: timedelta

    def key(self, handle: str) -> str:
        """The Redis key; the digest is a hash tag so that all keys of one handle share a slot."""
        # JSON's escapes write half characters, which UTF-8 does not have.
        digest = hashlib.sha256(handle.encode(errors="surrogatepass")).hexdigest()
        return f"yinxin:idp:{self.name}:{{{digest}}}"


def put(provider: Provider, kind: Kind[T], content: T) -> str:
    """Keep `content` for the kind's lifetime and return the handle that fetches it."""
    handle = provider.handle()
    provider.redis.set(kind.key(handle), kind.content.dump_json(content), ex=kind.lifetime)
    return handle


def keep(provider: Provider, kind: Kind[T], handle: str, content: T) -> None:
    """Keep `content` under a handle made elsewhere."""
    provider.redis.set(kind.key(handle), kind.content.dump_json(content), ex=kind.lifetime)


def is_first(
    provider: Provider, kind: Kind[T], handle: str, content: T, lifetime: timedelta
) -> bool:
    """Say whether nothing is kept under `handle` yet, and keep `content` so long: SET NX, one step."""
    body = kind.content.dump_json(content)
    return bool(provider.redis.set(kind.key(handle), body, ex=lifetime, nx=True))


def get(provider: Provider, kind: Kind[T], handle: str) -> T | None:
    """The content, or `None` when the handle is unknown, lapsed or taken."""
    return _content(kind, provider.redis.get(kind.key(handle)))


def take(provider: Provider, kind: Kind[T], handle: str) -> T | None:
    """The content, and nobody gets it again: GETDEL is one atomic step in Redis."""
    return _content(kind, provider.redis.getdel(kind.key(handle)))


def replace(provider: Provider, kind: Kind[T], handle: str, content: T) -> bool:
    """Change the content if it is still there, its lifetime running on; say whether it was."""
    body = kind.content.dump_json(content)
    return bool(provider.redis.set(kind.key(handle), body, xx=True, keepttl=True))


def _content(kind: Kind[T], body: bytes | str | None) -> T | None:
    return None if body is None else kind.content.validate_json(body)
