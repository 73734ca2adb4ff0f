"""Codes of digits that a person shows or says aloud: short-lived, good for one reader, taken once."""

from typing import TypeVar

from idp import artifacts
from idp.artifacts import Kind
from idp.provider import Provider

T = TypeVar("T")

_TRIES = 5


def put(provider: Provider, kind: Kind[T], digits: int, reader: str, content: T) -> str:
    """Keep `content` under a fresh code of so many digits, for one reader, and return the code.

    The bias of 64 random bits modulo 10^12 is below one in 10^7. Raises `LookupError` when every code
    it draws is another's, which happens to nobody.
    """
    for _ in range(_TRIES):
        code = f"{int.from_bytes(provider.random(8)) % 10**digits:0{digits}d}"
        if artifacts.is_first(provider, kind, _handle(reader, code), content, kind.lifetime):
            return code
    raise LookupError("no code is free")


def take(provider: Provider, kind: Kind[T], reader: str, typed: str) -> T | None:
    """What is kept under the code that was typed, and nobody gets it again; spaces do not count."""
    code = "".join(typed.split())
    # The digits of Chinese keyboards are digits too, of another width.
    return artifacts.take(provider, kind, _handle(reader, code)) if code.isdecimal() else None


def shown(code: str) -> str:
    """The code in groups of four."""
    return " ".join(code[start : start + 4] for start in range(0, len(code), 4))


def _handle(reader: str, code: str) -> str:
    return f"{reader}:{''.join(str(int(digit)) for digit in code)}"
